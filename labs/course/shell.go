package course

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"sandbox/labs/columns"
)

// lingering is how long a finished command's output is still waited for when something that it left in the background
// holds it open.
const lingering = time.Second

// runStep runs a step's commands before the learner's eyes. The status is that of the command that ended it: the last
// one, or the first before it that failed.
func (s *Session) runStep(ctx context.Context, step *Step) (status int, err error) {
	for i, line := range step.Commands {
		if i > 0 {
			s.showCommand(line)
		}
		if typed := step.typedAt(i); typed != nil {
			status, err = s.runTyped(ctx, line, typed)
		} else {
			status, err = s.runVisible(ctx, line)
		}
		last := i == len(step.Commands)-1
		if err != nil || (status != 0 && !last) {
			return status, err
		}
	}
	return status, nil
}

// runVisible runs a command line and prints what comes as it comes. Standard output and error share one pipe, which
// keeps their order.
func (s *Session) runVisible(ctx context.Context, line string) (int, error) {
	cmd := s.command(ctx, line)
	screen := &screen{out: counted{s}}
	var words io.Writer = &stream{screen: screen, before: outputIndent, tabs: s.Terminal}
	if s.heard != nil {
		words = io.MultiWriter(words, s.heard)
	}
	cmd.Stdout, cmd.Stderr = words, words
	end := func() {}
	if s.Explain != nil {
		var told io.Writer = s.explainStream(screen)
		parted := &records{words: words, tell: func(record []byte) { s.Explain.Tell(told, record) }}
		cmd.Stdout, cmd.Stderr = parted, parted
		cmd.Env = append(cmd.Env, "SANDBOX_EXPLAIN=json")
		end = func() { parted.end(); s.Explain.End(told) }
	}
	status, err := s.wait(ctx, cmd)
	end()
	screen.endLine()
	return status, err
}

// explainStream is where explanations are shown: dimmed, and on a terminal broken to its width.
func (s *Session) explainStream(screen *screen) io.Writer {
	told := &stream{screen: screen, before: explainIndent}
	if s.Color {
		told.before, told.after = dim.on()+explainIndent, styleOff
	}
	if s.Terminal {
		return folder{out: told, width: s.width() - columns.Of(explainIndent)}
	}
	return told
}

// wait runs a command to its end. An exit status is no error; that there is no such shell is one.
func (s *Session) wait(ctx context.Context, cmd *exec.Cmd) (int, error) {
	cmd.WaitDelay = lingering
	if s.Terminal {
		// Ctrl-C and Ctrl-\ reach the command and this program alike. They are meant for the command.
		stop := s.hearInterrupts()
		defer stop()
	}
	err := cmd.Run()
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return 0, nil
	case errors.As(err, &exit):
		return exitStatus(exit), nil
	}
	return 0, fmt.Errorf("run a step's shell: %w", err)
}

// hearInterrupts keeps Ctrl-C and Ctrl-\ from ending this program, up to stop. It can be called again meanwhile: what was heard by
// then is forgotten at the inner stop, and what comes later is the outer one's. So there is no moment between a step and
// the next question at which they would end it.
func (s *Session) hearInterrupts() (stop func()) {
	outer := s.interrupts
	s.interrupts = make(chan os.Signal, 1)
	signal.Notify(s.interrupts, os.Interrupt, syscall.SIGQUIT)
	return func() {
		signal.Stop(s.interrupts) // when it returns, all that have come have been delivered
		select {
		case <-outer:
		default:
		}
		s.interrupts = outer
	}
}

// exitStatus counts as shells do: a program ended by signal N has the status 128+N.
func exitStatus(exit *exec.ExitError) int {
	if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return exit.ExitCode()
}

// undo runs the cleanups of steps, the latest first. What they print does not matter, nor whether they succeed: a step
// that did not do its work leaves nothing to clean.
func (s *Session) undo(ctx context.Context, steps ...*Step) error {
	for i := len(steps) - 1; i >= 0; i-- {
		for _, line := range steps[i].Cleanup {
			if _, err := s.succeeds(ctx, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// ExerciseVariable tells the shell that a lesson has opened at an exercise which one that is: a check or a hint asked for in
// there, without a number, is about it.
const ExerciseVariable = "SANDBOX_EXERCISE"

// openShell gives the terminal to a shell of the learner's own, after a greeting; env is added to its environment.
func (s *Session) openShell(ctx context.Context, greeting phrase, env ...string) error {
	argv := s.Interactive
	if len(argv) == 0 {
		argv = s.Shell[:1]
	}
	fmt.Fprintln(s.Out, strings.Join(s.markdown().lines(greeting.in(s.Lang), s.width()), "\n"))
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(slices.Clone(s.Env), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.In, s.Out, s.Err
	_, err := s.wait(ctx, cmd)
	s.say(sayShellLeft)
	return err
}

// showCommand prints a command line as if it had been typed.
func (s *Session) showCommand(line string) {
	prompt := "$ "
	for _, l := range strings.Split(line, "\n") {
		fmt.Fprintln(s.Out, outputIndent+s.paint(dim, prompt)+s.paint(bold, l))
		s.shown++
		prompt = "> "
	}
}
