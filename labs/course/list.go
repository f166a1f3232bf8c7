package course

import (
	"errors"
	"fmt"
	"strings"

	"sandbox/labs/columns"
)

// List prints the catalogue with the learner's progress.
func (s *Session) List() error {
	known, err := s.recall()
	if err != nil {
		return err
	}
	widest := 0
	for _, c := range Catalogue() {
		widest = max(widest, columns.Of(c.Title(s.Lang)))
	}
	for _, c := range Catalogue() {
		lesson, err := s.load(c.Number)
		if errors.Is(err, ErrNoLesson) {
			s.listLine("·", c, widest, sayUnwritten.in(s.Lang))
			continue
		}
		if err != nil {
			return err
		}
		lab := known.Labs[c.Number]
		if lab == nil {
			lab = &labProgress{}
		}
		s.listLine(progressMark(lesson, lab), c, widest, s.progressText(lesson, lab))
	}
	fmt.Fprintln(s.Out)
	s.say(sayListHelp)
	return nil
}

func (s *Session) listLine(mark string, c Chapter, widest int, text string) {
	pad := strings.Repeat(" ", widest-columns.Of(c.Title(s.Lang)))
	fmt.Fprintf(s.Out, "%s %s  %s%s  %s\n", mark, c.Number, c.Title(s.Lang), pad, s.paint(dim, text))
}

func progressMark(lesson *Lesson, lab *labProgress) string {
	switch {
	case lab.Finished && lab.countSolved() == len(lesson.exercises()):
		return "✓"
	case lab.Finished || lab.Next > 0 || lab.countSolved() > 0:
		return "…"
	}
	return " "
}

func (s *Session) progressText(lesson *Lesson, lab *labProgress) string {
	text := fmt.Sprintf(sayExercisesSolved.in(s.Lang), lab.countSolved(), len(lesson.exercises()))
	if lab.Next > 0 && lab.Next < len(lesson.Sections) {
		text += fmt.Sprintf(sayNextSection.in(s.Lang), lesson.Sections[lab.Next].heading())
	}
	return text
}

// heading is a section's title with its number; an exercise's title has its own already.
func (s *Section) heading() string {
	return strings.TrimSpace(s.Number + " " + s.Title)
}
