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

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"sandbox/labs/columns"
)

// rowsLeft are rows of the screen that text leaves free for what follows it: a step's command, and the question.
const rowsLeft = 4

// print prints text. On a terminal it waits whenever a screen is full that the learner has not been asked anything on: what
// scrolls away unread might as well not have been written.
func (s *Session) print(text string) {
	terminal := s.terminal()
	if terminal == nil || s.Height <= 0 {
		fmt.Fprint(s.Out, text)
		return
	}
	for line := range strings.Lines(text) {
		rows := s.rows(line)
		if s.shown > 0 && s.shown+rows > max(s.Height-rowsLeft, 1) && !s.away {
			s.away = !s.more(terminal)
			s.shown = 0
		}
		if s.away {
			return
		}
		fmt.Fprint(s.Out, line)
		s.shown += rows
	}
}

// rows is how many of the screen's a line takes.
func (s *Session) rows(line string) int {
	plain := line
	for before, after, found := strings.Cut(plain, "\x1b["); found; before, after, found = strings.Cut(plain, "\x1b[") {
		_, after, _ = strings.Cut(after, "m")
		plain = before + after
	}
	return max(1, (columns.Of(strings.TrimRight(plain, "\n"))+s.width()-1)/s.width())
}

// more waits for a key and says whether to go on.
func (s *Session) more(terminal *os.File) bool {
	key, err := readKey(terminal, func() { fmt.Fprint(s.Out, s.paint(dim, outputIndent+"["+sayMore.in(s.Lang)+"]")) })
	fmt.Fprint(s.Out, "\r\x1b[K")
	const ctrlC, ctrlD = 'C' & 0x1f, 'D' & 0x1f
	return err == nil && key != 'q' && key != ctrlC && key != ctrlD
}

// readKey asks for one key; Enter is not needed. Whatever ends the program now, the terminal's mode is put back first.
func readKey(terminal *os.File, ask func()) (byte, error) {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGTERM, unix.SIGHUP)
	defer signal.Stop(ended)
	mode, err := term.MakeRaw(int(terminal.Fd()))
	if err != nil {
		return 0, fmt.Errorf("read a key: %w", err)
	}
	defer term.Restore(int(terminal.Fd()), mode)
	ask() // from now on Ctrl-C is a key like all others
	read := make(chan error, 1)
	var key [16]byte // an arrow key sends several bytes
	go func() {
		_, err := terminal.Read(key[:])
		read <- err
	}()
	select {
	case err := <-read:
		return key[0], err
	case <-ended:
		return 0, io.EOF
	}
}

// counted is where commands print: what they have printed is on the screen, too.
type counted struct{ *Session }

func (c counted) Write(p []byte) (int, error) {
	c.shown += bytes.Count(p, []byte("\n"))
	return c.Out.Write(p)
}

// Page shows a long text: on a terminal by the learner's pager ($PAGER), or less, or, if there is none, screen by screen.
func (s *Session) Page(ctx context.Context, text string) error {
	if s.terminal() == nil || strings.Count(text, "\n") < s.Height {
		_, err := io.WriteString(s.Out, text)
		return err
	}
	pager, wanted := os.LookupEnv("PAGER")
	var argv []string
	switch less, err := exec.LookPath("less"); {
	case wanted && strings.TrimSpace(pager) != "":
		argv = []string{"sh", "-c", pager}
	case !wanted && err == nil:
		argv = []string{less, "-R"}
	}
	if len(argv) > 0 {
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), s.Out, s.Err
		cmd.Env = append(os.Environ(), "LESSCHARSET=utf-8")
		if os.Getenv("LESS") == "" {
			cmd.Env = append(cmd.Env, "LESS=R") // colours, whichever way it is called
		}
		const notFound = 127
		if status, err := s.wait(ctx, cmd); err == nil && status != notFound {
			return nil
		}
	}
	s.print(text)
	return nil
}
