package course

import (
	"fmt"
	"strings"
)

// passage is one thing in a lesson that is not words, and where it stands: what must be the same in both languages.
type passage struct {
	text string
	line int
}

// outline is a lesson without its words: its needs, then each section.
func outline(l *Lesson) [][]passage {
	var needs []passage
	for _, n := range l.Needs {
		needs = append(needs, passage{fmt.Sprintf("need %s: %s", n.Name, n.Test), n.Line})
	}
	list := [][]passage{needs}
	for _, s := range l.Sections {
		list = append(list, s.outline())
	}
	return list
}

func (s *Section) outline() []passage {
	kind := "exercise"
	if s.Exercise == nil {
		kind = "section " + s.Number
	}
	list := []passage{{kind, s.Line}}
	add := func(line int, format string, args ...any) {
		list = append(list, passage{fmt.Sprintf(format, args...), line})
	}
	for _, p := range s.Params {
		if p.Values == nil {
			add(p.line, "parameter %s: %d..%d", p.Name, p.Low, p.High)
		} else {
			add(p.line, "parameter %s: %q", p.Name, p.Values)
		}
	}
	for _, p := range s.Parts {
		step := p.Step
		if step == nil {
			add(p.Line, "text")
			continue
		}
		if q := step.Predict; q != nil {
			add(q.Line, "question %s with %d options, of which number %d is right; a reason %s; proved by %s", q.Name, len(q.Options), q.Right+1, given(q.Because), shell(q.Proof))
		}
		kind := "step " + step.Name
		if step.Setup {
			kind = "setup"
		}
		add(step.Line, "%s%s that ends with %d: %s", kind, needing(step.Need), step.Exit, shell(step.Commands...))
		for i, typed := range step.Typed {
			add(step.Line, "typed at command %d: %q", i+1, typed)
		}
		add(step.Line, "cleanup of it: %s", shell(step.Cleanup...))
	}
	if e := s.Exercise; e != nil {
		list = append(list, e.outline()...)
	}
	return list
}

func (e *Exercise) outline() (list []passage) {
	add := func(line int, format string, args ...any) {
		list = append(list, passage{fmt.Sprintf(format, args...), line})
	}
	for _, c := range e.Checks {
		want := c.Want
		if c.Test != "" {
			want = given(want) // prose: it is only shown
		}
		add(c.Line, "check %s%s: test %s, show %s, want %s", c.Name, needing(c.Need), shell(c.Test), shell(c.Show), want)
	}
	for _, h := range e.Hints {
		add(h.Line, "hint %s of level %d, failed=%s, when %s", h.Name, h.Level, h.Failed, shell(h.When))
	}
	if e.Solution != nil {
		add(e.Solution.Line, "solution %s", shell(e.Solution.Commands...))
		add(e.Solution.Line, "cleanup of it: %s", shell(e.Solution.Cleanup...))
	}
	return list
}

// shell are command lines as one line; each is marked where it begins, and where it goes on.
func shell(lines ...string) string {
	if strings.Join(lines, "") == "" {
		return "nothing"
	}
	return "$ " + strings.ReplaceAll(strings.Join(lines, " $ "), "\n", " ⏎ ")
}

func needing(need string) string {
	if need == "" {
		return ""
	}
	return " (need=" + need + ")"
}

func given(text string) string {
	if text == "" {
		return "not given"
	}
	return "given"
}

// differences says where a lesson parts from the same one in another language: the first place in each section, because what
// follows mostly differs for the same reason.
func differences(one, other *parser) (found []Finding) {
	a, b := outline(one.lesson), outline(other.lesson)
	part := func(here, there passage) {
		found = append(found, Finding{one.file, here.line, fmt.Sprintf("the languages differ: here is %s\nin %s:%d is %s", here.text, other.file, there.line, there.text)})
	}
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			part(passage{"the end", len(one.lines)}, b[i][0])
			return found
		case i >= len(b):
			part(a[i][0], passage{"the end", len(other.lines)})
			return found
		case i > 0 && a[i][0].text != b[i][0].text: // another kind of section: what follows belongs to other sections
			part(a[i][0], b[i][0])
			return found
		}
		if i > 0 && (one.broken(one.lesson.Sections[i-1]) || other.broken(other.lesson.Sections[i-1])) {
			continue // what could not be read is missing
		}
		for j := range max(len(a[i]), len(b[i])) {
			here, there := at(a[i], j), at(b[i], j)
			if here.text != there.text {
				part(here, there)
				break
			}
		}
	}
	return found
}

// at is a passage of a section, or the section's end.
func at(list []passage, i int) passage {
	if i < len(list) {
		return list[i]
	}
	end := passage{"nothing more", 1}
	if len(list) > 0 {
		end.line = list[len(list)-1].line
	}
	return end
}
