package course

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// lastSection is the title of every lab's last section.
var lastSection = phrase{"What has changed, and other ways to look", "教程之后的变化，以及其他查看办法"}

// fewest exercises of a lab: an easy one and a riddle.
const fewest = 2

// Inspect says what the author of a lab should change, as far as it can be seen without running anything. README.md in labs/
// has the rules. The error is ErrNoLesson for a lab that has no file in any language.
func Inspect(labs fs.FS, number string) ([]Finding, error) {
	var found []Finding
	var read []*parser
	missing := 0
	for _, lang := range []Lang{English, Chinese} {
		p, err := examine(labs, number, lang, PlainSeed)
		if errors.Is(err, fs.ErrNotExist) {
			missing++
			found = append(found, Finding{fileName(number, lang), 1, "there is no such file: a lab is in English and in Chinese"})
			continue
		}
		if err != nil {
			found = append(found, asFinding(err, fileName(number, lang), 1))
			continue
		}
		p.inspect()
		found = append(found, p.found...)
		read = append(read, p)
	}
	if missing == 2 {
		return nil, fmt.Errorf("lab %s: %w", number, ErrNoLesson)
	}
	if len(read) == 2 {
		found = append(found, differences(read[1], read[0])...)
	}
	if len(read) > 0 {
		found = append(found, read[0].inspectAttempts(labs)...)
	}
	return sorted(found), nil
}

// inspect looks at one language for what a lab can be run without, and yet should have.
func (p *parser) inspect() {
	exercises := p.lesson.exercises()
	if n := len(exercises); n < fewest && len(p.lost) == 0 {
		p.find(max(p.lesson.Line, 1), fmt.Errorf("a lab has %d exercises at least, this one has %d", fewest, n))
	}
	for _, s := range exercises {
		p.inspectExercise(s)
	}
	p.inspectMarks()
	p.inspectEnd()
	p.inspectMarkdown(strings.Join(p.lines, "\n"), 1)
	for _, s := range exercises {
		for _, h := range s.Exercise.Hints {
			p.inspectMarkdown(h.Text, h.Line+1)
		}
	}
}

func (p *parser) inspectExercise(s *Section) {
	e := s.Exercise
	if len(s.Params) == 0 && !p.misses(s, "seed") {
		p.find(s.Line, fmt.Errorf("exercise %d has no seed block: neighbours could copy from each other", e.Number))
	}
	for level := 1; level <= HintLevels; level++ {
		if !p.misses(s, "hint") && !slices.ContainsFunc(e.Hints, func(h Hint) bool { return h.Level == level }) {
			p.find(s.Line, fmt.Errorf("exercise %d has no hint of level %d", e.Number, level))
		}
	}
	for _, h := range e.Hints {
		if h.Level == 1 && h.Name == "" {
			p.find(h.Line, errors.New("a hint of level 1 wants name=, for the mistakes that lead to it"))
		}
	}
}

var parameterMark = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`@[a-z][a-z0-9]*@`) })

// inspectMarks looks for @names@ that no seed block has.
func (p *parser) inspectMarks() {
	for i, s := range p.lesson.Sections {
		end := len(p.lines)
		if i+1 < len(p.lesson.Sections) {
			end = p.lesson.Sections[i+1].Line - 1
		}
		for n := s.Line - 1; n < end; n++ {
			for _, mark := range parameterMark().FindAllString(p.lines[n], -1) {
				switch {
				case s.param(strings.Trim(mark, "@")) == nil && !p.misses(s, "seed"):
					p.find(n+1, fmt.Errorf("%s is not drawn by a seed block of this section", mark))
				case n == s.Line-1:
					p.find(n+1, fmt.Errorf("%s stands in a heading, where nothing is put in its place", mark))
				}
			}
		}
	}
}

// inspectEnd: the last section tells what has changed, and has a table of other ways to look.
func (p *parser) inspectEnd() {
	want := lastSection.in(p.lesson.Lang)
	n := len(p.lesson.Sections)
	if n == 0 {
		p.find(max(p.lesson.Line, 1), fmt.Errorf("the last section, %q, is missing", want))
		return
	}
	last := p.lesson.Sections[n-1]
	if last.Exercise != nil || last.Title != want {
		p.find(last.Line, fmt.Errorf("the last section is to be %q", want))
		return
	}
	if !slices.ContainsFunc(p.lines[last.Line:], isDelimiterRow) {
		p.find(last.Line, errors.New("the last section has no table of other ways to look"))
	}
}

// inspectAttempts looks at the mistakes that the author has foreseen.
func (p *parser) inspectAttempts(labs fs.FS) []Finding {
	file := mistakesFile(p.lesson.Number)
	attempts, found, err := p.lesson.attempts(labs)
	if errors.Is(err, fs.ErrNotExist) {
		return []Finding{{file, 1, "there is no such file: it holds what learners will do wrong, and which hint they get"}}
	}
	if err != nil {
		return []Finding{asFinding(err, file, 1)}
	}
	for _, a := range attempts {
		if mark := parameterMark().FindString(a.Script); mark != "" {
			found = append(found, Finding{file, a.Line, fmt.Sprintf("%s is not drawn by the seed block of exercise %d", mark, a.Exercise)})
		}
	}
	for _, s := range p.lesson.exercises() {
		for _, h := range s.Exercise.Hints {
			leads := func(a Attempt) bool { return a.Exercise == s.Exercise.Number && a.Hint == h.Name }
			if h.Level == 1 && h.Name != "" && !slices.ContainsFunc(attempts, leads) {
				found = append(found, Finding{p.file, h.Line, fmt.Sprintf("no mistake in %s leads to the hint %s of exercise %d: perhaps nothing does", file, h.Name, s.Exercise.Number)})
			}
		}
	}
	return found
}
