package shell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// run performs one statement, already rewritten, and says whether the shell is to end with exit code s.code.
func (s *Shell) run(stmt *syntax.Stmt) (exited bool) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.mu.Lock()
	s.interrupt = cancel
	if s.stopping { // since the line was typed, or between two statements
		cancel()
	}
	s.mu.Unlock()

	err := s.runner.Run(ctx, stmt)
	if errors.Is(err, context.Canceled) {
		return s.interrupted()
	}
	s.code = exitCode(err)
	if s.runner.Exited() {
		return true
	}
	return s.runDueTraps()
}

// interrupted is what follows a Ctrl-C: back to the prompt, or the end of the script.
func (s *Shell) interrupted() (exited bool) {
	s.forgiveInterrupt()
	s.setStatus(128 + int(syscall.SIGINT))
	if s.interactive {
		if s.killedBy == nil { // else afterForeground has done it
			fmt.Fprintln(s.stderr)
		}
		return false
	}
	s.leave()
	dieOf(syscall.SIGINT)
	return true
}

// setStatus is for what ends without a command of the script's: $? has to say it.
func (s *Shell) setStatus(code int) {
	s.code = code
	s.runQuietly(fmt.Sprintf("(exit %d)", code))
}

// leave ends the shell as `exit` would, which runs the EXIT trap, and gives the last command's exit code.
func (s *Shell) leave() int {
	if s.runDueTraps() {
		return s.code
	}
	interp.Params("+x")(s.runner) // nobody has typed the exit that follows
	file, _ := newParser().Parse(strings.NewReader("exit"), "")
	s.code = exitCode(s.runner.Run(context.Background(), file.Stmts[0]))
	return s.code
}

func exitCode(err error) int {
	if status, ok := errors.AsType[interp.ExitStatus](err); ok {
		return int(status)
	}
	if err != nil {
		return 1
	}
	return 0
}

// describe is an error's cause as C programs print it: "No such file or directory".
func describe(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		text := errno.Error()
		return strings.ToUpper(text[:1]) + text[1:]
	}
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}

// quote makes text one word of the shell's language.
func quote(text string) string {
	quoted, err := syntax.Quote(text, syntax.LangBash)
	if err != nil { // a NUL byte, which no argument can hold
		return "''"
	}
	return quoted
}
