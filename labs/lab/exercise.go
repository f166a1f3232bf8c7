package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/kernel/pocket"
	"sandbox/labs/command"
	"sandbox/labs/course"
)

// onExercise does something to exercise n of a lab; n 0 is the one that the learner is at.
type onExercise func(ctx context.Context, s *course.Session, number string, n int) error

// exerciseCommand makes a command on the exercises of a lab: NUMBER, and which of them. It works in the pocket host
// that `lab shell` has opened, or else in that of the lesson at a terminal, from inside or from another terminal.
func exerciseCommand(env *setting, name, short string, do onExercise) *cobra.Command {
	return &cobra.Command{
		Use: name + " [NUMBER] [EXERCISE]", Short: short, Args: cobra.RangeArgs(0, 2),
		Example: "  sandbox lab " + name + " 3.5\n  sandbox lab " + name + " 3.5 2",
		RunE: func(cmd *cobra.Command, args []string) error {
			number, n, err := exerciseArgs(env, name, args)
			if err != nil {
				return err
			}
			if os.Getenv(pocket.Variable) != "" {
				s, err := newSession(env)
				if err != nil {
					return err
				}
				return failed(do(context.Background(), s, number, n))
			}
			pid := cmp.Or(pocket.Find(env.Engine().Paths.Run, number), pocket.Find(env.Engine().Paths.Run, lessonOf(number)))
			if pid == 0 {
				return kernel.Advise(fmt.Errorf("no lab shell %s is open: there is no state to look at", number), "sandbox lab shell %s   opens one", number)
			}
			inner := append([]string{"lab", name}, args...)
			if name == "solution" {
				inner = append(inner, "--run") // only that needs a lab shell
			}
			return exit(pocket.Join(quietly(env), pid, options(env, number, inner)))
		},
	}
}

// newSolution makes `sandbox lab solution`, which shows the solution anywhere, and performs it in the lab shell.
func newSolution(env *setting) *cobra.Command {
	var run bool
	cmd := exerciseCommand(env, "solution", "Show how an exercise is done", func(ctx context.Context, s *course.Session, number string, n int) error {
		return s.RunSolution(ctx, number, n)
	})
	cmd.Flags().BoolVar(&run, "run", false, "and do it, in the open lab shell")
	perform := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if run {
			return perform(cmd, args)
		}
		number, n, err := exerciseArgs(env, "solution", args)
		if err != nil {
			return err
		}
		s, err := newSession(env)
		if err != nil {
			return err
		}
		return s.Solution(number, n)
	}
	return cmd
}

// exerciseArgs reads NUMBER [EXERCISE]; in a lab shell the number is known, and the exercise's alone is enough.
func exerciseArgs(env *setting, name string, args []string) (number string, n int, err error) {
	number = ownLab(env)
	if len(args) > 0 {
		args = append([]string{called(env, args[0])}, args[1:]...)
	}
	if number != "" && len(args) == 1 && args[0] != number && !strings.Contains(args[0], ".") {
		args = []string{number, args[0]}
	}
	if len(args) > 0 {
		number = args[0]
	}
	if number == "" {
		return "", 0, missingNumber(name)
	}
	lesson, err := load(env, number)
	if err != nil {
		return "", 0, err
	}
	if len(args) < 2 && number == ownLab(env) {
		n, _ = strconv.Atoi(os.Getenv(course.ExerciseVariable)) // 0 where no exercise has opened this shell
	}
	if len(args) > 1 {
		count := 0
		for _, s := range lesson.Sections {
			if s.Exercise != nil {
				count++
			}
		}
		if n, err = strconv.Atoi(args[1]); err != nil || n < 1 || n > count {
			return "", 0, kernel.Advise(fmt.Errorf("lab %s has no exercise %q", number, args[1]),
				"they are 1 to %d; without a number it is the first that is not solved", count)
		}
	}
	return number, n, nil
}

// ownLab is the lab whose pocket host this is; "" if it is none.
func ownLab(env *setting) string {
	number := os.Getenv(pocket.Variable)
	if labs, err := library(env.Env); err == nil {
		if _, err := course.FindLab(labs, number); err == nil {
			return number
		}
	}
	return ""
}

func missingNumber(name string) error {
	return kernel.Advise(errors.New("which lab? its number is missing"), "sandbox lab %s 3.5", name)
}

// oneNumber wants the number of a lab, and nothing else.
func oneNumber(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return missingNumber(cmd.Name())
	}
	return cobra.ExactArgs(1)(cmd, args)
}

func check(ctx context.Context, s *course.Session, number string, n int) error {
	passed, err := s.Check(ctx, number, n)
	if err == nil && !passed {
		return command.ExitCode(1)
	}
	if err == nil && s.Terminal && os.Getenv(course.ExerciseVariable) == "" { // a lesson goes on by itself
		return s.Onward(ctx, number)
	}
	return err
}

// newReset makes `sandbox lab reset`. With an exercise it puts that one back to its beginning, in the open lab shell, and
// forgets nothing.
func newReset(env *setting) *cobra.Command {
	cmd := exerciseCommand(env, "reset", "Forget the progress in a lab, or in all; or begin one exercise again", func(ctx context.Context, s *course.Session, number string, n int) error {
		return s.ResetExercise(ctx, number, n)
	})
	cmd.Example = "  sandbox lab reset 3.5\n  sandbox lab reset 3.5 3        # only this exercise, in the open lab shell\n  sandbox lab reset              # all of them"
	again := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 2 || len(args) == 1 && ownLab(env) != "" && !strings.Contains(args[0], ".") {
			return again(cmd, args)
		}
		return runReset(env, args)
	}
	return cmd
}

// runReset forgets the progress in a lab, or in all of them; in the pocket host of an open lab shell it also puts the
// exercises back to their beginning.
func runReset(env *setting, args []string) error {
	number := ownLab(env)
	if len(args) > 0 {
		number = called(env, args[0])
	}
	s, err := newSession(env)
	if err != nil {
		return err
	}
	if number == "" {
		return s.ForgetAll()
	}
	if _, err := load(env, number); err != nil {
		return err
	}
	if os.Getenv(pocket.Variable) != "" {
		return s.Reset(context.Background(), number)
	}
	if pid := pocket.Find(env.Engine().Paths.Run, number); pid != 0 {
		return exit(pocket.Join(quietly(env), pid, options(env, number, []string{"lab", "reset", number})))
	}
	return s.Forget(number)
}
