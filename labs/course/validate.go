package course

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// finish looks at what can only be judged when the whole file has been read.
func (p *parser) finish() error {
	if p.lesson.Title == "" {
		return fmt.Errorf("%s:1: a lesson begins with a \"# \" heading, its title", p.file)
	}
	for _, s := range p.lesson.Sections {
		if line, err := p.finishSection(s); err != nil {
			return fmt.Errorf("%s:%d: %w", p.file, line, err)
		}
	}
	return nil
}

func (p *parser) finishSection(s *Section) (line int, err error) {
	for _, part := range s.Parts {
		if part.Step != nil && !p.knows(part.Step.Need) {
			return part.Step.Line, fmt.Errorf("no need named %q in this lesson", part.Step.Need)
		}
	}
	for _, param := range s.Params {
		if s.Exercise == nil {
			return param.line, errors.New("a seed block in a section that is no exercise")
		}
		if !param.used {
			return param.line, fmt.Errorf("the parameter %q is not used: write @%s@", param.Name, param.Name)
		}
	}
	e := s.Exercise
	if e == nil {
		return 0, nil
	}
	for _, c := range e.Checks {
		if !p.knows(c.Need) {
			return c.Line, fmt.Errorf("no need named %q in this lesson", c.Need)
		}
	}
	for i, h := range e.Hints {
		if h.Failed != "" && !slices.ContainsFunc(e.Checks, func(c Check) bool { return c.Name == h.Failed }) {
			return h.Line, fmt.Errorf("no check named %q in this exercise", h.Failed)
		}
		lastOfLevel := i == len(e.Hints)-1 || e.Hints[i+1].Level != h.Level
		if lastOfLevel && h.conditional() {
			return h.Line, fmt.Errorf("the exercise %q has no last hint that always fits (without failed= and when:) on level %d", s.Title, h.Level)
		}
	}
	switch {
	case len(e.Checks) == 0:
		return s.Line, fmt.Errorf("the exercise %q has no check", s.Title)
	case len(e.Hints) == 0:
		return s.Line, fmt.Errorf("the exercise %q has no hint", s.Title)
	case e.Solution == nil:
		return s.Line, fmt.Errorf("the exercise %q has no solution", s.Title)
	case e.Debrief == "":
		return s.Line, fmt.Errorf("the exercise %q has no debrief: text after its solution", s.Title)
	}
	return 0, nil
}

func (p *parser) knows(need string) bool {
	return need == "" || p.lesson.need(need).Name != ""
}

// checkNumbers holds the numbers in the headings against the order of the sections, and takes them off the titles: an
// author who inserts a section is told which headings to renumber, and a reader of the bare file sees right numbers.
func (l *Lesson) checkNumbers(file string) error {
	title, ok := strings.CutPrefix(l.Title, l.Number+" ")
	if !ok {
		return fmt.Errorf("%s: the title is to begin with the lab's number: \"# %s …\"", file, l.Number)
	}
	l.Title = title
	next := 1
	for _, s := range l.Sections {
		if s.Exercise != nil {
			continue
		}
		number := fmt.Sprintf("%s.%d", l.Number, next)
		title, ok := strings.CutPrefix(s.Title, number+" ")
		if !ok {
			return fmt.Errorf("%s:%d: this heading is to begin with %s", file, s.Line, number)
		}
		s.Number, s.Title = number, title
		next++
	}
	return nil
}
