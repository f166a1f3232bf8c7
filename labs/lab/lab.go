// Package lab is the command `sandbox lab`: it brings the course (package course) and the pocket host it takes place in
// (package pocket) together.
//
// Outside, `lab 3.5` makes a pocket host and runs itself in it; inside, it runs the lesson. `lab shell 3.5` opens the
// learner's own shell in one, and `lab check 3.5`, from that shell or from another terminal, looks at its state.
package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/kernel/pocket"
	"sandbox/labs/command"
	"sandbox/labs/course"
)

// progressVariable names the progress file inside a pocket host, where it is shared with the machine.
const progressVariable = "SANDBOX_PROGRESS"

// New makes `sandbox lab`.
func New(env *command.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lab [NUMBER]",
		Short: "The course: run a chapter, try it, check it",
		Example: "  sandbox lab                    the list, with your progress\n  sandbox lab 3.5 --explain      a chapter, step by step\n" +
			"  sandbox lab 3.5.2              one section of it\n  sandbox lab shell 3.5          try it yourself\n  sandbox lab check 3.5          did it work?",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runLab(env, args) },
	}
	var run bool
	solution := exerciseCommand(env, "solution", "Show how an exercise is done", func(ctx context.Context, s *course.Session, number string, n int) error {
		if run {
			return s.RunSolution(ctx, number, n)
		}
		return s.Solution(number, n)
	})
	solution.Flags().BoolVar(&run, "run", false, "and do it, in the open lab shell")
	cmd.AddCommand(newShell(env), newHost(env), newProve(env), solution,
		exerciseCommand(env, "check", "Look whether the exercises of a lab are done", check),
		exerciseCommand(env, "hint", "Give a hint, one that fits what is wrong", func(ctx context.Context, s *course.Session, number string, n int) error {
			return s.Hint(ctx, number, n)
		}),
		&cobra.Command{
			Use: "reset [NUMBER]", Short: "Forget the progress in a lab, or in all", Args: cobra.MaximumNArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error { return runReset(env, args) },
		})
	return cmd
}

func runLab(env *command.Env, args []string) error {
	if len(args) == 0 {
		s, err := newSession(env)
		if err != nil {
			return err
		}
		return s.List()
	}
	if _, err := course.FindChapter(chapterOf(args[0])); err != nil {
		return kernel.Advise(err, "sandbox lab   lists them")
	}
	if os.Getenv(pocket.Variable) == "" {
		return enter(env, "", "lab", args[0])
	}
	s, err := newSession(env)
	if err != nil {
		return err
	}
	return failed(s.Run(context.Background(), args[0]))
}

// failed turns a step that did not do what it should into the exit code 1; the engine has said so already.
func failed(err error) error {
	if err == course.ErrStep {
		return command.ExitCode(1)
	}
	return err
}

// chapterOf is 3.5 for 3.5.2.
func chapterOf(number string) string {
	parts := strings.SplitN(number, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// enter runs a sandbox command in a new pocket host.
func enter(env *command.Env, name string, args ...string) error {
	o := options(env, name, args)
	if err := stock(env, &o); err != nil {
		return err
	}
	return exit(pocket.Run(quietly(env), o))
}

// quietly is the door for what the course itself needs. With --explain a lesson explains its commands; that the pocket
// host around them takes some 150 steps of its own would drown the first of them. `sandbox lab host --explain true`
// shows these.
func quietly(env *command.Env) *kernel.Door {
	return &kernel.Door{Process: "client", Language: env.Language()}
}

func exit(code int, err error) error {
	if err == nil && code != 0 {
		return command.ExitCode(code)
	}
	return err
}

func options(env *command.Env, name string, args []string) pocket.Options {
	progress := progressFile()
	quietly(env).Do(kernel.MkdirAll(filepath.Dir(progress), "3.1")...)
	shown := name
	if shown == "" {
		shown = "lab"
	}
	flags := []string{"--lang=" + env.Language()}
	if env.Explain != "" {
		flags = append(flags, "--explain="+env.Explain)
	}
	return pocket.Options{
		Name: shown, RunDir: env.Engine().Paths.Run, Args: append(append([]string{"sandbox"}, flags...), args...), Shared: []string{filepath.Dir(progress)},
		Env: append(os.Environ(), progressVariable+"="+progress),
	}
}

// progressFile is where a user's progress is kept.
func progressFile() string {
	if file := os.Getenv(progressVariable); file != "" {
		return file
	}
	dir := os.Getenv("XDG_STATE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			home = "/tmp/sandbox-" + strconv.Itoa(os.Getuid())
		}
		dir = filepath.Join(home, ".local/state")
	}
	return filepath.Join(dir, "sandbox", "progress.json")
}

// exerciseCommand makes a command on the exercises of a lab: NUMBER, and which of them. It works in the pocket host
// that `lab shell` has opened.
func exerciseCommand(env *command.Env, name, short string, do func(context.Context, *course.Session, string, int) error) *cobra.Command {
	return &cobra.Command{
		Use: name + " NUMBER [EXERCISE]", Short: short, Args: cobra.RangeArgs(0, 2),
		Example: "  sandbox lab " + name + " 3.5\n  sandbox lab " + name + " 3.5 2",
		RunE: func(cmd *cobra.Command, args []string) error {
			number, n, err := exerciseArgs(args)
			if err != nil {
				return err
			}
			if run, err := cmd.Flags().GetBool("run"); name == "solution" && err == nil && !run {
				s, err := newSession(env)
				if err != nil {
					return err
				}
				return do(cmd.Context(), s, number, n)
			}
			if os.Getenv(pocket.Variable) != "" {
				s, err := newSession(env)
				if err != nil {
					return err
				}
				return failed(do(context.Background(), s, number, n))
			}
			pid := pocket.Find(env.Engine().Paths.Run, number)
			if pid == 0 {
				return kernel.Advise(fmt.Errorf("no lab shell %s is open: there is no state to look at", number), "sandbox lab shell %s   opens one", number)
			}
			inner := append([]string{"lab", name}, args...)
			if name == "solution" {
				inner = append(inner, "--run")
			}
			return exit(pocket.Join(quietly(env), pid, options(env, number, inner)))
		},
	}
}

// exerciseArgs reads NUMBER [EXERCISE]; in a lab shell the number is known.
func exerciseArgs(args []string) (number string, n int, err error) {
	number = os.Getenv(pocket.Variable)
	if len(args) > 0 {
		number = args[0]
	}
	if _, err := course.FindChapter(number); err != nil {
		return "", 0, kernel.Advise(err, "sandbox lab   lists them")
	}
	if len(args) > 1 {
		if n, err = strconv.Atoi(args[1]); err != nil || n < 1 {
			return "", 0, kernel.Advise(fmt.Errorf("%q is not the number of an exercise", args[1]), "1, 2, …; leave it out for all")
		}
	}
	return number, n, nil
}

func check(ctx context.Context, s *course.Session, number string, n int) error {
	passed, err := s.Check(ctx, number, n)
	if err == nil && !passed {
		return command.ExitCode(1)
	}
	return err
}

func runReset(env *command.Env, args []string) error {
	s, err := newSession(env)
	if err != nil {
		return err
	}
	number := ""
	if len(args) > 0 {
		number = args[0]
	}
	return s.Reset(context.Background(), number)
}
