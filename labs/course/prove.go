package course

import (
	"context"
	"fmt"
)

// Prove shows that a lab's exercises are sound: each fails its checks before anything is done, passes them after its
// solution, and is then tidied up. It is meant for the tests of the real program, and for authors.
func (s *Session) Prove(ctx context.Context, number string) error {
	lesson, err := s.load(number)
	if err != nil {
		return err
	}
	for _, section := range lesson.exercises() {
		why, err := s.leftOut(ctx, lesson, section.Exercise)
		if err != nil {
			return err
		}
		if why != "" {
			s.say(sayExerciseLeftOut, why)
			continue
		}
		if err := s.proveOne(ctx, lesson, section); err != nil {
			return err
		}
		s.say(sayProved, section.Exercise.Number)
	}
	return nil
}

func (s *Session) proveOne(ctx context.Context, lesson *Lesson, section *Section) error {
	n := section.Exercise.Number
	if err := s.setUp(ctx, lesson, section); err != nil {
		return err
	}
	t, err := s.try(ctx, lesson, section)
	switch {
	case err != nil:
		return err
	case t.early:
		return fmt.Errorf(sayProveEarly.in(s.Lang), n)
	case len(failures(t.after)) > 0:
		for _, r := range t.after {
			s.showResult(r)
		}
		return fmt.Errorf(sayProveFailed.in(s.Lang), n)
	}
	return s.tidy(ctx, lesson, section)
}

// trial is what has become of an exercise that its solution was tried on.
type trial struct {
	early bool     // its checks passed before that, and so it was not tried
	after []result // of the checks after the solution; nil if it has not come to that
}

// try judges an exercise that has been set up, performs its solution, and judges it again.
func (s *Session) try(ctx context.Context, lesson *Lesson, section *Section) (t trial, err error) {
	e := section.Exercise
	before, err := s.judge(ctx, lesson, e)
	if t.early = err == nil && len(failures(before)) == 0; t.early || err != nil {
		return t, err
	}
	if err := s.RunSolution(ctx, lesson.Number, e.Number); err != nil {
		return t, err
	}
	t.after, err = s.judge(ctx, lesson, e)
	return t, err
}
