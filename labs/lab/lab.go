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

// setting is what the commands of the course have in common.
type setting struct {
	*command.Env
	seed string // --seed
}

// New makes `sandbox lab`.
func New(common *command.Env) *cobra.Command {
	env := &setting{Env: common}
	var all bool
	cmd := &cobra.Command{
		Use:   "lab [NUMBER]",
		Short: "The course: run a chapter, try it, check it",
		Example: "  sandbox lab                    # the list, with your progress\n  sandbox lab 3.5 --explain      # a chapter, step by step\n" +
			"  sandbox lab 3.5.2              # one section of it\n  sandbox lab shell 3.5          # try it yourself\n  sandbox lab check 3.5          # did it work?",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return kernel.Advise(fmt.Errorf("neither a lab nor something to do with one: %q", args[0]), "sandbox lab --help   lists what there is")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if all && len(args) > 0 {
				return kernel.Advise(fmt.Errorf("--all runs every lab, and %s is one", args[0]), "leave one of the two out")
			}
			if all {
				return untilSignal(func(ctx context.Context) error { return runEach(ctx, env) })
			}
			return runLab(env, args)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "run every lab straight through; exit code 0 if each step did what it should")
	cmd.PersistentFlags().StringVar(&env.seed, "seed", "", "what draws your exercises' names and numbers, from now on; 0: as they were written")
	cmd.PersistentFlags().StringVar(&env.Labs, "labs", env.Labs, "a directory of labs, beside those that are built in; one of the same number stands for the built-in one ($SANDBOX_LABS)")
	cmd.MarkPersistentFlagDirname("labs")
	cmd.AddCommand(newRead(env), newHTML(env), newWatch(env), newReport(env), newGrade(env), newShell(env), newHost(env), newProve(env), newDev(env), newSolution(env),
		exerciseCommand(env, "check", "Look whether the exercises of a lab are done", check),
		exerciseCommand(env, "hint", "Give a hint, one that fits what is wrong", func(ctx context.Context, s *course.Session, number string, n int) error {
			return s.Hint(ctx, number, n)
		}),
		newReset(env))
	return cmd
}

func runLab(env *setting, args []string) error {
	if len(args) == 0 {
		s, err := newSession(env)
		if err != nil {
			return err
		}
		return s.List()
	}
	number := called(env, args[0])
	if err := exists(env, number); err != nil {
		return err
	}
	if os.Getenv(pocket.Variable) == "" {
		o := options(env, course.LabOf(number), []string{"lab", number})
		o.Name = "" // several lessons may run side by side; who checks from another terminal looks at the first at one
		name := lessonOf(course.LabOf(number))
		if _, terminal := onTerminal(env); terminal && pocket.Find(o.RunDir, name) == 0 {
			o.Name = name
		}
		return enter(env, o)
	}
	s, err := newSession(env)
	if err != nil {
		return err
	}
	return failed(s.Run(context.Background(), number))
}

// lessonOf is the name of the pocket host of a lab that is walked through at a terminal.
func lessonOf(number string) string { return number + "-lesson" }

// exists looks for a lab, or a section of one, before a pocket host is made for it.
func exists(env *setting, number string) error {
	chapter := course.LabOf(number)
	lesson, err := load(env, chapter)
	if err != nil || number == chapter {
		return err
	}
	var list []string
	for _, s := range lesson.Sections {
		if s.Number == number {
			return nil
		}
		if s.Number != "" {
			list = append(list, s.Number)
		}
	}
	return kernel.Advise(fmt.Errorf("lab %s has no section %s", chapter, number), "its sections are %s", strings.Join(list, ", "))
}

// failed turns a step that did not do what it should into the exit code 1; the engine has said so already.
func failed(err error) error {
	if err == course.ErrStep {
		return command.ExitCode(1)
	}
	return err
}

// enter runs a sandbox command in a new pocket host.
func enter(env *setting, o pocket.Options) error {
	tidy(env)
	if err := stock(env, &o); err != nil {
		return err
	}
	// What runs in there may be killed with the terminal in its hands.
	defer kernel.KeepTerminal(quietly(env), env.In)()
	return exit(pocket.Run(quietly(env), o))
}

// tidy takes away the control groups of pocket hosts that were killed: all else of them the kernel has taken already.
func tidy(env *setting) {
	engine := *env.Engine()
	engine.Door = quietly(env)
	left, err := engine.Leftovers()
	if err != nil {
		return // whoever needs what is wrong there will say so
	}
	for _, l := range left {
		l.Remove()
	}
}

// quietly is the door for what the course itself needs. With --explain a lesson explains its commands; that the pocket
// host around them takes some 150 steps of its own would drown the first of them. `sandbox lab host --explain true`
// shows these.
func quietly(env *setting) *kernel.Door {
	return &kernel.Door{Process: "client", Language: env.Language()}
}

func exit(code int, err error) error {
	if err == nil && code != 0 {
		return command.ExitCode(code)
	}
	return err
}

// options are those of a pocket host in which a sandbox command works on a lab.
func options(env *setting, number string, args []string) pocket.Options {
	progress := progressFile()
	quietly(env).Do(kernel.MkdirAll(filepath.Dir(progress), "3.1")...)
	if env.seed != "" {
		args = append(args, "--seed="+env.seed)
	}
	labs := labsDir(env.Env)
	if labs != "" {
		args = append(args, "--labs="+pocket.LabsDir)
		labs, _ = filepath.Abs(labs) // what cannot be found then was not there before
	}
	return pocket.Options{
		Name: number, Title: number, Labs: labs, RunDir: env.Engine().Paths.Run, Args: append(append([]string{"sandbox"}, env.flags()...), args...), Shared: []string{filepath.Dir(progress)},
		Env: append(os.Environ(), progressVariable+"="+progress, "SANDBOX_LANG="+env.Language()),
	}
}

// flags are those that a sandbox command which works on a lab for this one is to have too.
func (env *setting) flags() []string {
	flags := []string{"--lang=" + env.Language()}
	if env.Explain != "" {
		flags = append(flags, "--explain="+env.Explain)
	}
	return flags
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
