package course

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// find notes what the lesson's author should know of a step.
func (w *walk) find(line int, format string, args ...any) {
	w.found = append(w.found, Finding{fileName(w.lesson.Number, w.lesson.Lang), line, fmt.Sprintf(format, args...)})
}

// Rehearse runs a lab straight through, as in a pipe, and says which steps have not ended as the lesson promises and which
// answers could not be proved. It wants a world of its own.
func (s *Session) Rehearse(ctx context.Context, number string) ([]Finding, error) {
	lesson, err := s.load(number)
	if err != nil {
		return nil, err
	}
	s.Terminal, s.Progress = false, ""
	w := &walk{Session: s, lesson: lesson}
	err = w.from(ctx, 0)
	return w.found, err
}

// ProveAll is Prove for an author: it goes on to the next exercise after one that is not sound, and says what is wrong
// where. Those that cannot be done on this machine are left, each with a sentence.
func (s *Session) ProveAll(ctx context.Context, number string) (found []Finding, left []string, err error) {
	lesson, err := s.load(number)
	if err != nil {
		return nil, nil, err
	}
	s.Progress = ""
	screen := s.Out
	defer func() { s.Out = screen }()
	for _, section := range lesson.exercises() {
		e := section.Exercise
		why, err := s.leftOut(ctx, lesson, e)
		if err != nil {
			return found, left, err
		}
		if why != "" {
			left = append(left, fmt.Sprintf("exercise %d was not proved: %s", e.Number, why))
			continue
		}
		var said bytes.Buffer
		s.Out = io.Discard
		err = s.setUp(ctx, lesson, section)
		line := section.Line
		if err == nil {
			line, err = s.proveSound(ctx, lesson, section, &said)
		}
		if err != nil {
			text := strings.TrimRight(err.Error()+"\n"+said.String(), "\n")
			found = append(found, Finding{fileName(number, s.Lang), line, text})
		}
		if err := s.tidy(ctx, lesson, section); err != nil {
			return found, left, err
		}
	}
	return found, left, nil
}

// proveSound proves one exercise that has been set up. If it is not sound, line is where to look, and said has what the solution
// printed, which may say why, and the checks.
func (s *Session) proveSound(ctx context.Context, lesson *Lesson, section *Section, said io.Writer) (line int, err error) {
	e := section.Exercise
	s.Out = said
	t, err := s.try(ctx, lesson, section)
	switch {
	case t.early:
		return section.Line, fmt.Errorf("exercise %d starts solved: its checks pass before anything has been done", e.Number)
	case err != nil:
		return e.Solution.Line, err
	case len(failures(t.after)) == 0:
		return 0, nil
	}
	for _, r := range t.after {
		s.showResult(r)
	}
	return e.Solution.Line, errors.New("the solution fails: the checks do not pass after it")
}
