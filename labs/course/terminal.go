package course

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// runTyped runs a command that needs a terminal, and at which something is typed: by the learner at a terminal, by the engine
// in a pipe.
func (s *Session) runTyped(ctx context.Context, line string, typed []string) (int, error) {
	if terminal := s.terminal(); terminal != nil {
		s.showTyped(sayType, typed)
		return s.lend(ctx, terminal, line)
	}
	s.showTyped(sayTyped, typed)
	return s.typeAt(ctx, line, typed)
}

// terminal is the learner's own; nil if there is none.
func (s *Session) terminal() *os.File {
	in, ok := s.In.(*os.File)
	if !ok || !s.Terminal || !term.IsTerminal(int(in.Fd())) {
		return nil
	}
	return in
}

// lend gives the learner's terminal to a command. However that ends, the terminal's mode is afterwards what it was.
func (s *Session) lend(ctx context.Context, terminal *os.File, line string) (int, error) {
	// Who ends the lesson now ends the command, and comes back here. Ctrl-C is the command's own affair: see wait.
	ctx, stop := signal.NotifyContext(ctx, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	mode, err := term.GetState(int(terminal.Fd()))
	if err != nil {
		return 0, fmt.Errorf("read the terminal's mode: %w", err)
	}
	defer term.Restore(int(terminal.Fd()), mode)
	cmd := s.command(ctx, line)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, s.Out, s.Out
	if s.Explain == nil {
		status, err := s.wait(ctx, cmd)
		freshLine(terminal)
		return status, err
	}
	aside, err := openPty()
	if err != nil {
		return 0, err
	}
	defer aside.close()
	kept := &keptRecords{}
	heard := make(chan struct{})
	go func() {
		io.Copy(kept.from(s.Out), aside.master)
		close(heard)
	}()
	s.explainInto(cmd, aside)
	status, err := s.wait(ctx, cmd)
	aside.slave.Close()
	select {
	case <-heard:
	case <-time.After(lingering):
	}
	term.Restore(int(terminal.Fd()), mode)
	freshLine(terminal)
	s.tellKept(&screen{out: s.Out}, kept)
	return status, err
}

// freshLine goes to a new line if the cursor is in the middle of one, as after a ^C: nobody knows, but as many spaces as a line
// has columns lead from the beginning of a line to its end, and from anywhere else into the next one.
func freshLine(terminal *os.File) {
	if width, _, err := term.GetSize(int(terminal.Fd())); err == nil {
		fmt.Fprint(terminal, strings.Repeat(" ", width)+"\r\x1b[K")
	}
}

// forgetTyped throws away what was typed ahead: an impatient Enter is no guess.
func (s *Session) forgetTyped() {
	if terminal := s.terminal(); terminal != nil {
		unix.IoctlSetInt(int(terminal.Fd()), unix.TCFLSH, unix.TCIFLUSH)
	}
}

// explainInto has a command explain itself. Its standard error is a terminal, as without --explain, but one of its own:
// records can be told from what is printed.
func (s *Session) explainInto(cmd *exec.Cmd, p *pty) {
	cmd.Stderr = p.slave
	cmd.Env = append(cmd.Env, "SANDBOX_EXPLAIN=json")
}

// keptRecords are those of a command that has a terminal. They are told when it has ended: what it draws on the terminal must
// not be torn, and in which mode that is nobody knows.
type keptRecords struct {
	list [][]byte
}

// from picks the records out of what is written, and passes on all else.
func (k *keptRecords) from(words io.Writer) *records {
	return &records{words: words, tell: func(record []byte) {
		k.list = append(k.list, bytes.TrimRight(bytes.Clone(record), "\r"))
	}}
}

func (s *Session) tellKept(screen *screen, kept *keptRecords) {
	told := s.explainStream(screen)
	for _, record := range kept.list {
		s.Explain.Tell(told, record)
	}
	s.Explain.End(told)
}
