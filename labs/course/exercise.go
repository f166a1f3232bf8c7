package course

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// findExercise returns exercise n of a lab. With n 0 it is the one that the learner is at: the first one unsolved, or
// the last.
func (s *Session) findExercise(number string, n int) (*Lesson, *Section, error) {
	lesson, err := s.load(number)
	if err != nil {
		return nil, nil, err
	}
	list := lesson.exercises()
	if len(list) == 0 {
		return nil, nil, fmt.Errorf("lab %s has no exercises", lesson.Number)
	}
	if n < 0 || n > len(list) {
		return nil, nil, fmt.Errorf("lab %s has no exercise %d: its exercises are 1 to %d", lesson.Number, n, len(list))
	}
	if n > 0 {
		return lesson, list[n-1], nil
	}
	lab, err := s.recallLab(lesson.Number)
	if err != nil {
		return nil, nil, err
	}
	n = 1
	for n < len(list) && lab.solved(n) {
		n++
	}
	return lesson, list[n-1], nil
}

// Prepare brings about the starting state of all of a lab's exercises, for a learner who goes straight to the shell.
func (s *Session) Prepare(ctx context.Context, number string) error {
	lesson, err := s.load(number)
	if err != nil {
		return err
	}
	for _, section := range lesson.exercises() {
		if err := s.setUp(ctx, lesson, section); err != nil {
			return err
		}
	}
	return nil
}

// Welcome tells somebody who has opened a lab's shell what is to be done there: the exercise that they are at.
func (s *Session) Welcome(number string) error {
	_, section, err := s.findExercise(number, 0)
	if err != nil {
		return err
	}
	s.showTask(section)
	s.show(sayWelcome.in(s.Lang))
	return nil
}

// Onward tells somebody who has solved an exercise in a lab's shell what is to be done next.
func (s *Session) Onward(ctx context.Context, number string) error {
	lesson, err := s.load(number)
	if err != nil {
		return err
	}
	lab, err := s.recallLab(lesson.Number)
	if err != nil {
		return err
	}
	for _, section := range lesson.exercises() {
		if lab.solved(section.Exercise.Number) {
			continue
		}
		if why, err := s.leftOut(ctx, lesson, section.Exercise); err != nil {
			return err
		} else if why == "" {
			s.showTask(section)
			return nil
		}
	}
	s.say(sayAllSolved, lesson.Number)
	return nil
}

func (s *Session) showTask(section *Section) {
	s.heading(2, section.heading())
	for _, part := range section.Parts {
		if part.Step == nil {
			s.show(part.Text)
		}
	}
}

// setUp brings about the starting state of an exercise, unless that has been done in this world, or the exercise cannot be
// done on this machine.
func (s *Session) setUp(ctx context.Context, lesson *Lesson, section *Section) error {
	if s.Marks == "" {
		return errors.New("the session has no directory for its marks")
	}
	mark := s.mark(lesson, section.Exercise)
	if _, err := os.Stat(mark); err == nil {
		return nil
	}
	if why, err := s.leftOut(ctx, lesson, section.Exercise); err != nil || why != "" {
		return err
	}
	for _, step := range section.steps() {
		for _, line := range step.Commands {
			var complaint strings.Builder
			cmd := s.command(ctx, line)
			cmd.Stderr = &complaint
			status, err := s.wait(ctx, cmd)
			if err != nil {
				return err
			}
			if status != 0 {
				return &setUpError{lesson.Number, section.Exercise.Number, line, strings.TrimSpace(complaint.String())}
			}
		}
	}
	if err := writeWhole(mark, nil); err != nil {
		return fmt.Errorf("remember that exercise %d is set up: %w", section.Exercise.Number, err)
	}
	return nil
}

// setUpError says that a command that makes an exercise's starting state has failed.
type setUpError struct {
	lab                string
	exercise           int
	command, complaint string
}

func (e *setUpError) Error() string {
	if e.complaint == "" {
		return fmt.Sprintf("set up exercise %d of lab %s: this command failed: %s", e.exercise, e.lab, e.command)
	}
	return fmt.Sprintf("set up exercise %d of lab %s: %s", e.exercise, e.lab, e.complaint)
}

// prepare sets an exercise up. If that fails, something of the learner's own is likely to stand in the way, and all that they
// have done would be lost with the lesson: so they may see to it, or go elsewhere.
func (w *walk) prepare(ctx context.Context, section *Section) (move, error) {
	for {
		err := w.setUp(ctx, w.lesson, section)
		if failed := (*setUpError)(nil); !errors.As(err, &failed) {
			return stay, err
		}
		w.say(sayNotSetUp, err)
		if err := w.tidy(ctx, w.lesson, section); err != nil {
			return leave, err
		}
		for again := false; !again; {
			key, err := w.ask(sayAskSetUp.in(w.Lang), "", "!", "s", "b", "q")
			switch {
			case err != nil || key == "q":
				return leave, err
			case key == "b":
				return back, nil
			case key == "s":
				return forward, nil
			case key == "!":
				if err := w.openShell(ctx, sayShell); err != nil {
					return leave, err
				}
			default:
				again = true
			}
		}
	}
}

// mark is the file that says that an exercise has been set up, with the parameters of a seed.
func (s *Session) mark(lesson *Lesson, e *Exercise) string {
	return filepath.Join(s.Marks, fmt.Sprintf("%s-exercise-%d-%x", lesson.Number, e.Number, s.Seed))
}

// Solution shows a way to solve an exercise.
func (s *Session) Solution(number string, n int) error {
	_, section, err := s.findExercise(number, n)
	if err != nil {
		return err
	}
	s.showSolution(section.Exercise)
	return nil
}

func (s *Session) showSolution(e *Exercise) {
	s.say(saySolution)
	for _, line := range e.Solution.Commands {
		s.showScript(line)
	}
	fmt.Fprintln(s.Out)
}

// showScript prints the commands of a script as if they had been typed one by one.
func (s *Session) showScript(script string) {
	for _, command := range commands(script) {
		s.showCommand(command)
	}
}

// commands are those of a script, each with all of its lines.
func commands(script string) []string {
	lines := strings.Split(script, "\n")
	var list []string
	begun, ended := 0, 0
	for stmt, err := range syntax.NewParser().StmtsSeq(strings.NewReader(script)) {
		if err != nil {
			return []string{script}
		}
		if first := int(stmt.Pos().Line()) - 1; first > ended { // several can stand in one line
			list = append(list, strings.Join(lines[begun:first], "\n"))
			begun = first
		}
		ended = int(stmt.End().Line()) - 1
	}
	return append(list, strings.Join(lines[begun:], "\n"))
}

// RunSolution shows a way to solve an exercise and performs it.
func (s *Session) RunSolution(ctx context.Context, number string, n int) error {
	lesson, section, err := s.findExercise(number, n)
	if err != nil {
		return err
	}
	if err := s.setUp(ctx, lesson, section); err != nil {
		return err
	}
	s.showScript(section.Exercise.Solution.Commands[0])
	// Its exit status says nothing: an exercise may well ask for a failure. Whether it is solved is for the checks.
	_, err = s.runStep(ctx, section.Exercise.Solution)
	return err
}

// Reset undoes what a lab's exercises set up and what their solutions make, and forgets the learner's progress in it. Those
// that had been set up in this world are set up anew: whoever asks for it there means to try again.
func (s *Session) Reset(ctx context.Context, number string) error {
	lesson, err := s.load(number)
	if err != nil {
		return err
	}
	for _, section := range lesson.exercises() {
		_, before := os.Stat(s.mark(lesson, section.Exercise))
		if err := s.tidy(ctx, lesson, section); err != nil {
			return err
		}
		if before != nil {
			continue
		}
		if err := s.setUp(ctx, lesson, section); err != nil {
			return err
		}
	}
	return s.Forget(lesson.Number)
}

// ResetExercise puts one exercise back to its beginning, by its number, and forgets nothing of what the learner has achieved.
func (s *Session) ResetExercise(ctx context.Context, number string, n int) error {
	lesson, section, err := s.findExercise(number, n)
	if err != nil {
		return err
	}
	if why, err := s.leftOut(ctx, lesson, section.Exercise); err != nil || why != "" {
		s.say(sayExerciseLeftOut, why)
		return err
	}
	if err := s.tidy(ctx, lesson, section); err != nil {
		return err
	}
	if err := s.setUp(ctx, lesson, section); err != nil {
		return err
	}
	s.say(sayResetExercise, section.Exercise.Number)
	return nil
}

// Forget forgets the learner's progress in a lab.
func (s *Session) Forget(number string) error {
	if err := s.remember(number, func(p *labProgress) { *p = labProgress{} }); err != nil {
		return err
	}
	s.say(sayReset, number)
	return nil
}

// ForgetAll forgets it in all labs that have been begun, those of any directory too.
func (s *Session) ForgetAll() error {
	var forgotten []string
	err := s.change(func(p *progress) {
		forgotten = slices.Sorted(maps.Keys(p.Labs))
		clear(p.Labs)
	})
	if err != nil {
		return err
	}
	for _, key := range forgotten {
		s.say(sayReset, key)
	}
	return nil
}

// tidy takes one exercise back to before its set-up.
func (s *Session) tidy(ctx context.Context, lesson *Lesson, section *Section) error {
	if err := s.undo(ctx, append(section.steps(), section.Exercise.Solution)...); err != nil {
		return err
	}
	if err := os.Remove(s.mark(lesson, section.Exercise)); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("forget that exercise %d is set up: %w", section.Exercise.Number, err)
	}
	return nil
}

// exercise shows a task. On a terminal it stays until the checks pass, or the learner goes elsewhere.
func (w *walk) exercise(ctx context.Context, section *Section) (move, error) {
	e := section.Exercise
	for _, part := range section.Parts {
		w.show(part.Text)
	}
	if why, err := w.leftOut(ctx, w.lesson, e); err != nil || why != "" {
		w.say(sayExerciseLeftOut, why)
		fmt.Fprintln(w.Out)
		return forward, err
	}
	if !w.Terminal {
		w.show(tryExercise(w.lesson, e))
		return forward, nil
	}
	if to, err := w.prepare(ctx, section); err != nil || to != stay {
		return to, err
	}
	for {
		key, err := w.ask(sayAskExercise.in(w.Lang), "", "!", "h", "v", "s", "b", "q")
		if err != nil {
			return leave, err
		}
		switch key {
		case "q":
			return leave, nil
		case "b":
			return back, nil
		case "s":
			return forward, nil
		case "!":
			var solved bool
			if solved, err = w.shellAt(ctx, e); solved {
				return forward, err
			}
		case "h":
			var last bool
			if last, err = w.hint(ctx, w.lesson, section); last {
				w.say(sayLastHintKey)
			}
		case "v":
			w.showSolution(e)
		case "":
			passed := false
			if passed, err = w.check(ctx, w.lesson, section); passed {
				return forward, err
			}
		}
		if err != nil {
			return leave, err
		}
	}
}

// shellAt opens a shell at an exercise, and tells whether a check in there has passed for the first time.
func (w *walk) shellAt(ctx context.Context, e *Exercise) (solved bool, err error) {
	before, err := w.recallLab(w.lesson.Number)
	if err != nil {
		return false, err
	}
	if err := w.openShell(ctx, sayExerciseShell, fmt.Sprintf("%s=%d", ExerciseVariable, e.Number)); err != nil {
		return false, err
	}
	now, err := w.recallLab(w.lesson.Number)
	return err == nil && now.solved(e.Number) && !before.solved(e.Number), err
}

// plainLine makes one line of a text that has several.
func plainLine(text string) string { return strings.Join(strings.Fields(text), " ") }
