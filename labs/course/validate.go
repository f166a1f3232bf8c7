package course

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// finish looks at what can only be judged when the whole file has been read.
func (p *parser) finish() {
	if p.lesson.Title == "" {
		p.find(1, errors.New("a lesson begins with a \"# \" heading, its title"))
	}
	for _, s := range p.lesson.Sections {
		p.finishSection(s)
	}
}

func (p *parser) finishSection(s *Section) {
	for _, part := range s.Parts {
		if part.Step != nil && !p.knows(part.Step.Need) {
			p.find(part.Step.Line, fmt.Errorf("no need named %q in this lesson", part.Step.Need))
		}
	}
	for _, param := range s.Params {
		if s.Exercise == nil && !p.misses(s, "check", "hint", "solution") {
			p.find(param.line, errors.New("a seed block in a section that is no exercise"))
		} else if !param.used && !p.broken(s) {
			p.find(param.line, fmt.Errorf("the parameter %q is not used: write @%s@", param.Name, param.Name))
		}
	}
	e := s.Exercise
	if e == nil {
		return
	}
	for _, c := range e.Checks {
		if !p.knows(c.Need) {
			p.find(c.Line, fmt.Errorf("no need named %q in this lesson", c.Need))
		}
	}
	for i, h := range e.Hints {
		if h.Failed != "" && !p.misses(s, "check") && !slices.ContainsFunc(e.Checks, func(c Check) bool { return c.Name == h.Failed }) {
			p.find(h.Line, fmt.Errorf("no check named %q in this exercise", h.Failed))
		}
		lastOfLevel := i == len(e.Hints)-1 || e.Hints[i+1].Level != h.Level
		if lastOfLevel && h.conditional() && !p.misses(s, "hint") {
			p.find(h.Line, fmt.Errorf("the exercise %q has no last hint that always fits (without failed= and when:) on level %d", s.Title, h.Level))
		}
	}
	if len(e.Checks) == 0 && !p.misses(s, "check") {
		p.find(s.Line, fmt.Errorf("the exercise %q has no check", s.Title))
	}
	if len(e.Hints) == 0 && !p.misses(s, "hint") {
		p.find(s.Line, fmt.Errorf("the exercise %q has no hint", s.Title))
	}
	if e.Solution == nil && !p.misses(s, "solution") {
		p.find(s.Line, fmt.Errorf("the exercise %q has no solution", s.Title))
	} else if e.Solution != nil && e.Debrief == "" {
		p.find(s.Line, fmt.Errorf("the exercise %q has no debrief: text after its solution", s.Title))
	}
}

func (p *parser) knows(need string) bool {
	return need == "" || p.misses(nil, "need") || p.lesson.need(need).Name != ""
}

// checkNumbers holds the numbers in the headings against the order of the sections, and takes them off the titles: an
// author who inserts a section is told which headings to renumber, and a reader of the bare file sees right numbers.
func (p *parser) checkNumbers() {
	l := p.lesson
	title, ok := strings.CutPrefix(l.Title, l.Number+" ")
	if !ok && l.Title != "" {
		p.find(l.Line, fmt.Errorf("the title is to begin with the lab's number: \"# %s …\"", l.Number))
	}
	l.Title = title
	next := 1
	for _, s := range l.Sections {
		if s.Exercise != nil || p.misses(s, "check", "hint", "solution") {
			continue
		}
		s.Number = fmt.Sprintf("%s.%d", l.Number, next)
		next++
		title, ok := strings.CutPrefix(s.Title, s.Number+" ")
		if !ok {
			p.find(s.Line, fmt.Errorf("this heading is to begin with %s", s.Number))
			title = strings.TrimLeft(title, "0123456789. ")
		}
		s.Title = title
	}
}
