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
	before, err := s.judge(ctx, lesson, section.Exercise)
	if err != nil {
		return err
	}
	if len(failures(before)) == 0 {
		return fmt.Errorf(sayProveEarly.in(s.Lang), n)
	}
	if err := s.RunSolution(ctx, lesson.Number, n); err != nil {
		return err
	}
	after, err := s.judge(ctx, lesson, section.Exercise)
	if err != nil {
		return err
	}
	if len(failures(after)) > 0 {
		for _, r := range after {
			s.showResult(r)
		}
		return fmt.Errorf(sayProveFailed.in(s.Lang), n)
	}
	return s.tidy(ctx, lesson, section)
}
