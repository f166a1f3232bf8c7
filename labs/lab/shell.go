package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sandbox/image/builtin"
	"sandbox/kernel"
	"sandbox/kernel/pocket"
	"sandbox/labs/command"
	"sandbox/labs/course"
)

// newShell makes `sandbox lab shell`.
func newShell(env *setting) *cobra.Command {
	return &cobra.Command{
		Use: "shell NUMBER", Short: "Open your own shell in a pocket host, to try a lab's exercises",
		Example: "  sandbox lab shell 3.5", Args: oneNumber,
		RunE: func(cmd *cobra.Command, args []string) error { return runShell(env, called(env, args[0])) },
	}
}

func runShell(env *setting, number string) error {
	if _, err := load(env, number); err != nil {
		return err
	}
	if os.Getenv(pocket.Variable) == "" {
		if pocket.Find(env.Engine().Paths.Run, number) != 0 {
			return kernel.Advise(fmt.Errorf("a lab shell %s is open already", number), "leave it first (exit), or look at it: sandbox lab check %s", number)
		}
		return enter(env, options(env, number, []string{"lab", "shell", number}))
	}
	s, err := newSession(env)
	if err != nil {
		return err
	}
	if err := s.Prepare(context.Background(), number); err != nil {
		return err
	}
	if s.Terminal {
		if err := s.Welcome(number); err != nil {
			return err
		}
	}
	shell := ownShell(s)
	cmd := exec.Command(shell)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = env.In, env.Out, env.Err
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":"+tools(s))
	err = cmd.Run()
	var status *exec.ExitError
	if errors.As(err, &status) {
		return command.ExitCode(status.ExitCode())
	}
	return err
}

// ownShell is the learner's own, if it is there; the base image's else.
func ownShell(s *course.Session) string {
	if shell := os.Getenv("SHELL"); shell != "" {
		if _, err := os.Stat(shell); err == nil {
			return shell
		}
	}
	return s.Shell[0]
}

func tools(s *course.Session) string { return filepath.Dir(s.Shell[0]) }

// newProve makes `sandbox lab prove`: for authors and tests. Each exercise's start must fail its check, and its
// solution pass it.
func newProve(env *setting) *cobra.Command {
	var attempt int
	cmd := &cobra.Command{
		Use: "prove NUMBER", Hidden: true, Args: oneNumber,
		RunE: func(cmd *cobra.Command, args []string) error {
			lesson, err := load(env, args[0])
			if err != nil {
				return err
			}
			if os.Getenv(pocket.Variable) == "" {
				return proveAll(env, lesson, attempt)
			}
			private := *env // the author's own seed stays what it is
			private.seed = ""
			s, err := newSession(&private)
			if err != nil {
				return err
			}
			s.Seed = env.seed
			if attempt > 0 {
				return s.ProveAttempt(context.Background(), args[0], attempt)
			}
			return s.Prove(context.Background(), args[0])
		},
	}
	cmd.Flags().IntVar(&attempt, "attempt", -1, "only this one of what the author has foreseen; 0: only the solutions")
	return cmd
}

// proveAll proves the solutions in one pocket host, and each attempt that the author has foreseen in one of its own.
func proveAll(env *setting, lesson *course.Lesson, only int) error {
	labs, err := library(env.Env)
	if err != nil {
		return err
	}
	attempts, err := lesson.Attempts(labs)
	if err != nil {
		return err
	}
	for n := range len(attempts) + 1 {
		if only >= 0 && n != only {
			continue
		}
		o := options(env, lesson.Number, []string{"lab", "prove", lesson.Number, "--attempt=" + strconv.Itoa(n)})
		o.Name = ""
		if err := enter(env, o); err != nil {
			return err
		}
	}
	return nil
}

// onTerminal tells whether somebody sits there; out is the terminal.
func onTerminal(env *setting) (out *os.File, terminal bool) {
	out, _ = env.Out.(*os.File)
	return out, out != nil && term.IsTerminal(int(out.Fd())) && term.IsTerminal(int(env.In.Fd()))
}

// newSession makes the engine's session for this terminal, or pipe.
func newSession(env *setting) (*course.Session, error) {
	out, terminal := onTerminal(env)
	labs, err := library(env.Env)
	if err != nil {
		return nil, err
	}
	s := &course.Session{
		Lessons: labs,
		In:      env.In, Out: env.Out, Err: env.Err, Terminal: terminal, Color: terminal && os.Getenv("NO_COLOR") == "",
		Lang: course.Lang(env.Language()), Progress: progressFile(), Marks: "/run/lab",
	}
	if env.Explain != "" {
		s.Explain = newNarration(env.Env)
	}
	if terminal {
		s.Width, s.Height, _ = term.GetSize(int(out.Fd()))
	}
	if err := s.EnsureSeed(env.seed); err != nil {
		return nil, err
	}
	if os.Getenv(pocket.Variable) == "" {
		return s, nil
	}
	engine := env.Engine()
	if _, err := builtin.Ensure(engine.Images, "base"); err != nil {
		return nil, err
	}
	base, err := engine.Images.Find("base")
	if err != nil {
		return nil, err
	}
	bin := filepath.Join(engine.Images.LayerDir(), base.Layers[0], "bin")
	s.Shell, s.Interactive = []string{bin + "/sh", "-c"}, []string{bin + "/sh"}
	s.Env = append(quiet(os.Environ()), "PATH=/run/pocket/bin:"+bin+":"+os.Getenv("PATH"))
	return s, nil
}

// quiet is an environment whose commands do not explain themselves unless the lesson asks them to.
func quiet(environment []string) []string {
	return slices.DeleteFunc(environment, func(e string) bool { return strings.HasPrefix(e, "SANDBOX_EXPLAIN=") })
}
