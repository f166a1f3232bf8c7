package pages

import (
	"fmt"
	"strings"

	"sandbox/labs/columns"
	"sandbox/labs/course"
)

// page is one lesson on its way to HTML.
type page struct {
	*writer
	lesson        *course.Lesson
	before, after *course.Lesson // nil at the ends of the course
	translated    bool           // it is there in the other language
	out           strings.Builder
}

func (p *page) put(format string, args ...any) { fmt.Fprintf(&p.out, format, args...) }

func (p *page) markdown(text string) { p.out.WriteString(p.html(text, p.blocks)) }

func (p *page) say(w words) string { return w.in(p.lesson.Lang) }

func (p *page) render() string {
	l := p.lesson
	p.put("%s<header><nav aria-label=\"%s\">%s</nav>\n<h1>%s %s</h1></header>\n<main>\n",
		head(l.Lang, l.Number+" "+l.Title+" – "+p.say(sayTitle)), p.say(sayElsewhere), p.elsewhere(), l.Number, p.title(l.Title))
	p.markdown(l.Intro)
	p.put("<nav aria-label=\"%s\"><ul>\n", p.say(sayContents))
	for _, s := range l.Sections {
		p.put("<li><a href=\"#%s\">%s</a></li>\n", anchor(s), p.title(heading(s)))
	}
	p.put("</ul></nav>\n")
	for _, s := range l.Sections {
		p.section(s)
	}
	p.put("</main>\n<footer><nav aria-label=\"%s\">%s</nav></footer>\n%s", p.say(sayElsewhere), p.elsewhere(), foot)
	return p.out.String()
}

// elsewhere are the ways to other pages.
func (p *page) elsewhere() string {
	l := p.lesson
	list := []string{fmt.Sprintf(`<a href="index.%s.html">%s</a>`, l.Lang, p.say(sayCourse))}
	if p.before != nil {
		list = append(list, fmt.Sprintf(`<a rel="prev" href="%s">← %s %s</a>`, fileOf(p.before.Number, l.Lang), p.before.Number, p.title(p.before.Title)))
	}
	if p.after != nil {
		list = append(list, fmt.Sprintf(`<a rel="next" href="%s">%s %s →</a>`, fileOf(p.after.Number, l.Lang), p.after.Number, p.title(p.after.Title)))
	}
	if there := other(l.Lang); p.translated {
		list = append(list, translation(there, fileOf(l.Number, there)))
	}
	return strings.Join(list, " · ")
}

func heading(s *course.Section) string { return strings.TrimSpace(s.Number + " " + s.Title) }

// anchor is what a section is linked to by; it is the same in both languages.
func anchor(s *course.Section) string {
	if s.Exercise != nil {
		return fmt.Sprintf("exercise-%d", s.Exercise.Number)
	}
	return "s" + s.Number
}

func (p *page) section(s *course.Section) {
	p.put("<section id=\"%s\">\n<h2>%s</h2>\n", anchor(s), p.title(heading(s)))
	for _, part := range s.Parts {
		switch {
		case part.Step == nil:
			p.markdown(part.Text)
		case s.Exercise == nil:
			p.step(part.Step)
		}
	}
	if s.Exercise != nil {
		p.exercise(s.Exercise)
	}
	p.put("</section>\n")
}

// step is its commands, with the question before them and the answer after them.
func (p *page) step(s *course.Step) {
	if q := s.Predict; q != nil {
		p.put("<div class=\"question\">\n<p><strong>%s</strong></p>\n", p.say(sayPredict))
		p.markdown(q.Text)
		p.put("<ol type=\"a\">\n")
		for _, option := range q.Options {
			p.put("<li>%s</li>\n", p.title(option))
		}
		p.put("</ol>\n</div>\n")
	}
	p.put("<pre class=\"step\"><code>")
	for i, line := range s.Commands {
		p.command(line)
		if s.Typed != nil {
			for _, typed := range s.Typed[i] {
				p.put("<span class=\"prompt\">&lt; </span>%s\n", escape(typed))
			}
		}
	}
	p.put("</code></pre>\n")
	if s.Need != "" {
		for _, need := range p.lesson.Needs {
			if need.Name == s.Need {
				p.put("<p class=\"note\">%s</p>\n", fmt.Sprintf(p.say(sayNeeds), p.title(need.Text)))
			}
		}
	}
	if q := s.Predict; q != nil {
		p.put("<details><summary>%s</summary>\n", p.say(sayAnswer))
		p.markdown(fmt.Sprintf("**%c)** %s\n\n%s", 'a'+q.Right, q.Options[q.Right], q.Because))
		p.put("</details>\n")
	}
}

// command is what would be typed; the prompt before it is not copied with it.
func (p *page) command(line string) {
	prompt := "$ "
	for l := range strings.SplitSeq(line, "\n") {
		p.put("<span class=\"prompt\">%s</span><b>%s</b>\n", prompt, unbroken(l))
		prompt = "&gt; "
	}
}

// unbroken is a command in whose flags a browser is not to break the line, as it does behind any hyphen.
func unbroken(line string) string {
	words := strings.Split(line, " ")
	for i, word := range words {
		words[i] = escape(word)
		if strings.HasPrefix(word, "-") && columns.Of(word) <= short {
			words[i] = `<span class="short">` + words[i] + "</span>"
		}
	}
	return strings.Join(words, " ")
}

// exercise is what must be so in the end; the hints, level by level, and the solution are there to be unfolded.
func (p *page) exercise(e *course.Exercise) {
	p.put("<p>%s</p>\n<ul class=\"checks\">\n", p.say(sayChecks))
	for _, c := range e.Checks {
		p.put("<li>%s</li>\n", p.title(c.Text))
	}
	p.put("</ul>\n")
	p.markdown(fmt.Sprintf(p.say(sayTry), p.lesson.Number, p.lesson.Number, e.Number))
	for level, previous := 1, 0; level <= course.HintLevels; level++ {
		for _, h := range e.Hints {
			if h.Level != level {
				continue
			}
			if previous != level {
				p.put("<details class=\"hints\"><summary>%s</summary>\n", fmt.Sprintf(p.say(sayHint), level))
			}
			previous = level
			p.put("<div class=\"hint\">\n")
			p.markdown(h.Text)
			p.put("</div>\n")
		}
		if previous == level {
			p.put("</details>\n")
		}
	}
	p.put("<details><summary>%s</summary>\n<pre class=\"step\"><code>", p.say(saySolution))
	for _, line := range e.Solution.Commands {
		p.put("%s\n", escape(line))
	}
	p.put("</code></pre>\n")
	p.markdown(e.Debrief)
	p.put("</details>\n")
}
