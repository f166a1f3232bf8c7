package course

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"sandbox/labs/columns"
)

// Check looks whether exercise n of a lab is solved (n 0: the one that the learner is at), prints a line for each
// condition and either the debrief or the hint that fits, and says whether all of it holds.
func (s *Session) Check(ctx context.Context, number string, n int) (bool, error) {
	lesson, section, err := s.findExercise(number, n)
	if err != nil {
		return false, err
	}
	s.show("## " + section.heading())
	return s.check(ctx, lesson, section)
}

func (s *Session) check(ctx context.Context, lesson *Lesson, section *Section) (bool, error) {
	e := section.Exercise
	if ready, err := s.ready(ctx, lesson, section); !ready {
		return false, err
	}
	results, err := s.judge(ctx, lesson, e)
	if err != nil {
		return false, err
	}
	for _, r := range results {
		s.showResult(r)
	}
	fmt.Fprintln(s.Out)
	failed := failures(results)
	if err := s.rememberLook(lesson, e, failed); err != nil {
		return false, err
	}
	if len(failed) > 0 {
		s.say(sayNotYet)
		fmt.Fprintln(s.Out)
		_, err := s.showHint(ctx, lesson, e, failed, false)
		return false, err
	}
	s.say(sayAllPassed)
	fmt.Fprintln(s.Out)
	s.show(e.Debrief)
	return true, nil
}

// ready sets an exercise up, unless that has been done. It is false with an error, or where the exercise cannot be done, which is said.
func (s *Session) ready(ctx context.Context, lesson *Lesson, section *Section) (bool, error) {
	why, err := s.leftOut(ctx, lesson, section.Exercise)
	if err == nil && why != "" {
		s.say(sayExerciseLeftOut, why)
	}
	if err != nil || why != "" {
		return false, err
	}
	err = s.setUp(ctx, lesson, section)
	return err == nil, err
}

// leftOut says why an exercise cannot be done here, if all of its checks have needs that are not met; "" if it can.
func (s *Session) leftOut(ctx context.Context, lesson *Lesson, e *Exercise) (why string, err error) {
	for _, c := range e.Checks {
		if c.Need == "" {
			return "", nil
		}
		need := lesson.need(c.Need)
		given, err := s.succeeds(ctx, need.Test)
		if err != nil || given {
			return "", err
		}
		if why == "" {
			why = s.inline(need.Text)
		}
	}
	return why, nil
}

// result is what has become of one check.
type result struct {
	check  Check
	passed bool
	left   string // why it was left out; "" if it was not
	found  string
}

// judge performs the checks of an exercise and prints nothing.
func (s *Session) judge(ctx context.Context, lesson *Lesson, e *Exercise) ([]result, error) {
	var results []result
	for _, c := range e.Checks {
		r := result{check: c}
		if c.Need != "" {
			need := lesson.need(c.Need)
			given, err := s.succeeds(ctx, need.Test)
			if err != nil {
				return nil, err
			}
			if !given {
				r.left, r.passed = s.inline(need.Text), true
				results = append(results, r)
				continue
			}
		}
		if err := s.judgeOne(ctx, &r); err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

func (s *Session) judgeOne(ctx context.Context, r *result) (err error) {
	if r.check.Test != "" {
		if r.passed, err = s.succeeds(ctx, r.check.Test); err != nil || r.passed {
			return err
		}
	}
	if r.check.Show == "" {
		return nil
	}
	stdout, stderr, err := s.capture(ctx, r.check.Show)
	if r.check.Test == "" {
		r.passed = stdout == r.check.Want
	}
	// A command that fails has nothing to show but its complaint, and that is what the learner should see: the cause. The
	// cure is the hint's business.
	if r.found = stdout; r.found == "" {
		r.found, _, _ = strings.Cut(stderr, "\n")
	}
	return err
}

// failures names the checks that failed.
func failures(results []result) []string {
	var names []string
	for _, r := range results {
		if !r.passed {
			names = append(names, r.check.Name)
		}
	}
	return names
}

func (s *Session) showResult(r result) {
	mark, st := "✓", green
	switch {
	case r.left != "":
		mark, st = "–", dim
	case !r.passed:
		mark, st = "✗", red
	}
	before := "  " + s.paint(st, mark) + " "
	for _, line := range s.markdown().lines(r.check.Text, s.markdown().width-4) {
		fmt.Fprintln(s.Out, before+line)
		before = "    "
	}
	if r.left != "" {
		fmt.Fprint(s.Out, "      ")
		s.say(saySkipped, r.left)
	}
	if r.passed {
		return
	}
	switch {
	case r.check.Want != "" && r.check.Test == "":
		s.showValue(sayExpected, r.check.Want)
	case r.check.Want != "": // a sentence
		width := s.markdown().width - columns.Of("      "+sayExpected.in(s.Lang))
		s.showValue(sayExpected, strings.Join(s.markdown().lines(r.check.Want, max(width, 1)), "\n"))
	}
	if r.check.Show != "" {
		s.showValue(sayFound, harmless(r.found))
	}
}

// showValue prints an expected or found value; those of several lines are aligned.
func (s *Session) showValue(label phrase, value string) {
	if value == "" {
		value = sayNothing.in(s.Lang)
	}
	before := label.in(s.Lang)
	for _, line := range strings.Split(value, "\n") {
		fmt.Fprintln(s.Out, "      "+before+line)
		before = strings.Repeat(" ", columns.Of(label.in(s.Lang)))
	}
}

// harmless writes the control characters of a text as ^X, as `cat -v` does: what a container has printed, perhaps for a terminal
// of its own, must not move the cursor of the learner's.
func harmless(text string) string {
	var b strings.Builder
	for _, r := range strings.ReplaceAll(text, "\r\n", "\n") {
		switch {
		case r == '\n' || r == '\t' || !unicode.IsControl(r):
			b.WriteRune(r)
		case r < 0x80:
			b.WriteString("^" + string(r^0x40))
		}
	}
	return b.String()
}
