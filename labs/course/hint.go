package course

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// HintLevels is how many times a learner can ask for help in one situation and be told something new.
const HintLevels = 3

// hint finds a hint by its name; -1 if there is none.
func (e *Exercise) hint(name string) int {
	return slices.IndexFunc(e.Hints, func(h Hint) bool { return h.Name == name })
}

// hintLevels is the highest level that the exercise has hints of.
func (e *Exercise) hintLevels() int {
	highest := 0
	for _, h := range e.Hints {
		highest = max(highest, h.Level)
	}
	return highest
}

// fitting returns the index of the first hint of a level that fits: the order in the lesson is the order of importance. -1
// if none does.
func (s *Session) fitting(ctx context.Context, e *Exercise, level int, failed []string) (int, error) {
	for i, h := range e.Hints {
		if h.Level != level || h.Failed != "" && !slices.Contains(failed, h.Failed) {
			continue
		}
		if h.When != "" {
			if fits, err := s.succeeds(ctx, h.When); err != nil {
				return -1, err
			} else if !fits {
				continue
			}
		}
		return i, nil
	}
	return -1, nil
}

// Hint prints the hint that fits the state of exercise n. In a situation in which the learner has had that one already, it
// goes a level further.
func (s *Session) Hint(ctx context.Context, number string, n int) error {
	lesson, section, err := s.findExercise(number, n)
	if err != nil {
		return err
	}
	last, err := s.hint(ctx, lesson, section)
	if last {
		s.say(sayLastHint, fmt.Sprintf("%s %d", lesson.Number, section.Exercise.Number))
	}
	return err
}

// hint tells whether there is none after it.
func (s *Session) hint(ctx context.Context, lesson *Lesson, section *Section) (last bool, err error) {
	e := section.Exercise
	if ready, err := s.ready(ctx, lesson, section); !ready {
		return false, err
	}
	results, err := s.judge(ctx, lesson, e)
	if err != nil {
		return false, err
	}
	failed := failures(results)
	if len(failed) == 0 {
		s.say(sayNoHint)
		return false, nil
	}
	return s.showHint(ctx, lesson, e, failed, true)
}

// showHint prints the hint that fits, on the level that the learner has come to. further is false if they have not asked
// for one, but only for a check: then it is the first level's. last is true if there is none after the one that they have asked for.
func (s *Session) showHint(ctx context.Context, lesson *Lesson, e *Exercise, failed []string, further bool) (last bool, err error) {
	fits, err := s.fitting(ctx, e, 1, failed)
	if err != nil || fits < 0 {
		return false, err
	}
	level, situation := 1, fits+1
	err = s.rememberExercise(lesson.Number, e.Number, func(p *exerciseProgress) {
		if p.Situation != situation {
			p.Situation, p.Level = situation, 0
		}
		if further {
			level = min(p.Level+1, e.hintLevels())
		}
		p.Level = max(p.Level, level)
		p.Hints = max(p.Hints, level)
	})
	if err != nil {
		return false, err
	}
	if level > 1 {
		if fits, err = s.fitting(ctx, e, level, failed); err != nil || fits < 0 {
			return false, err
		}
	}
	s.say(sayHint, level, e.hintLevels())
	s.show("> " + strings.ReplaceAll(e.Hints[fits].Text, "\n", "\n> "))
	return further && level == e.hintLevels(), nil
}
