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
	if s.Lessons == nil {
		s.Lessons = Lessons()
	}
	chapters := Chapters(s.Lessons)
	rows := table{}
	for _, c := range chapters {
		rows.numbers = max(rows.numbers, len(c.Number))
		rows.titles = max(rows.titles, columns.Of(c.Title(s.Lang)))
	}
	for _, c := range chapters {
		lesson, err := s.load(c.Number)
		if errors.Is(err, ErrNoLesson) {
			text := sayUnwritten.in(s.Lang)
			if c.own { // in the other language it is
				text = sayNotInLanguage.in(s.Lang)
			}
			s.listLine("·", c, rows, text)
			continue
		}
		if err != nil && c.own { // a teacher's mistake does not take the course away
			s.listLine("!", c, rows, err.Error())
			continue
		}
		if err != nil {
			return err
		}
		lab := known.Labs[progressKey(s.Lessons, c.Number)]
		if lab == nil {
			lab = &labProgress{}
		}
		s.listLine(progressMark(lesson, lab), c, rows, s.progressText(lesson, lab))
	}
	fmt.Fprintln(s.Out)
	s.say(sayListHelp)
	return nil
}

// table is how wide the columns of the list are.
type table struct{ numbers, titles int }

func (s *Session) listLine(mark string, c Chapter, rows table, text string) {
	pad := strings.Repeat(" ", rows.titles-columns.Of(c.Title(s.Lang)))
	fmt.Fprintf(s.Out, "%s %-*s  %s%s  %s\n", mark, rows.numbers, c.Number, c.Title(s.Lang), pad, s.paint(dim, text))
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
