package course

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pty is a pseudo-terminal: what is written to its master is typed, what is printed on its slave is read from the master.
type pty struct{ master, slave *os.File }

// openPty makes one. It is so wide that hardly a line is broken on it.
func openPty() (*pty, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make a terminal: %w", err)
	}
	fd := int(master.Fd())
	err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 400})
	}
	if err != nil {
		master.Close()
		return nil, fmt.Errorf("make a terminal: %w", err)
	}
	// Linux 4.13: opens the other end with no path, which could be another one's.
	slave, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		master.Close()
		return nil, fmt.Errorf("make a terminal: %w", errno)
	}
	return &pty{master, os.NewFile(slave, "terminal")}, nil
}

func (p *pty) close() {
	p.master.Close()
	p.slave.Close()
}

// Times of the typist, who does not see what the program does, only what it prints.
const (
	glance   = 50 * time.Millisecond // a prompt that nothing has followed for so long is one
	silence  = 2 * time.Second       // so long without a word, and without a prompt: it waits for input, too
	start    = 4 * time.Second       // so long without having begun (see there): it is not just slow to start
	patience = 30 * time.Second      // so long after all has been typed, and it has neither printed nor ended: it will not
)

// typist types at a command, line after line, each when the command waits for it.
type typist struct {
	terminal  *pty
	aside     *pty // the command's standard error, if that is not the terminal
	asideTo   io.Writer
	lines     []string // still to be typed
	shown     bytes.Buffer
	typing    bool      // something has been typed
	ready     bool      // it has begun
	spoke     bool      // before that something was printed
	lastTyped int       // the length of shown when a line was typed last
	lastEvent time.Time // when something was typed or printed last
	patience  time.Duration
}

// typeAt runs a command on a terminal of its own, types what is to be typed, and prints what stands on that terminal in the
// end, after the explanations.
func (s *Session) typeAt(ctx context.Context, line string, typed []string) (int, error) {
	terminal, err := openPty()
	if err != nil {
		return 0, err
	}
	defer terminal.close()
	cmd := s.command(ctx, line)
	cmd.Env = append(cmd.Env, "TERM=dumb")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal.slave, terminal.slave, terminal.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	t := &typist{terminal: terminal, lines: typed, lastEvent: time.Now(), patience: patience}
	kept := &keptRecords{}
	if s.Explain != nil {
		if t.aside, err = openPty(); err != nil {
			return 0, err
		}
		defer t.aside.close()
		t.asideTo = kept.from(&t.shown)
		s.explainInto(cmd, t.aside)
	}
	var status int
	ended := make(chan struct{})
	go func() {
		status, err = s.wait(ctx, cmd)
		close(ended)
	}()
	if watching := t.work(ended, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }); watching != nil {
		return 0, watching
	}
	sc := &screen{out: s.Out}
	if s.Explain != nil {
		s.tellKept(sc, kept)
	}
	fmt.Fprint(&stream{screen: sc, before: outputIndent}, trailing().ReplaceAllString(terminalText(t.shown.String()), "\n"))
	sc.endLine()
	return status, err
}

// work reads and types until the command has ended and all that it has printed has been read.
func (t *typist) work(ended <-chan struct{}, kill func()) error {
	for over := false; ; {
		news, err := t.read(glance)
		if err != nil {
			return fmt.Errorf("read from the terminal: %w", err)
		}
		if over && !news {
			return nil
		}
		select {
		case <-ended:
			over = true
			continue
		default:
		}
		if !t.ready && t.begun() {
			t.ready, t.lastEvent = true, time.Now()
		}
		switch quiet := time.Since(t.lastEvent); {
		case len(t.lines) == 0 && quiet > t.patience:
			kill()
		case len(t.lines) > 0 && !news && (quiet > start || quiet > silence && t.ready || t.atPrompt()):
			if err := t.typeNext(); err != nil {
				return err
			}
		}
	}
}

// read takes what has been printed, waiting for it for some time.
func (t *typist) read(wait time.Duration) (news bool, err error) {
	var ready []unix.PollFd
	if t.aside != nil {
		ready = append(ready, unix.PollFd{Fd: int32(t.aside.master.Fd()), Events: unix.POLLIN})
	}
	ready = append(ready, unix.PollFd{Fd: int32(t.terminal.master.Fd()), Events: unix.POLLIN})
	if _, err := unix.Poll(ready, int(wait.Milliseconds())); err != nil && err != unix.EINTR {
		return false, err
	}
	var buffer [4096]byte
	for _, r := range ready {
		if r.Revents&unix.POLLIN == 0 {
			continue
		}
		n, err := unix.Read(int(r.Fd), buffer[:])
		if err != nil {
			return false, err
		}
		to := io.Writer(&t.shown)
		if t.aside != nil && r.Fd == ready[0].Fd {
			to = t.asideTo
		} else if !t.typing {
			t.spoke = true
		}
		to.Write(buffer[:n])
		news, t.lastEvent = true, time.Now()
	}
	return news, nil
}

// begun tells whether the command has shown that it is there: it has printed something of its own accord, or put the
// terminal into raw mode. Before that a key may mean something else: Ctrl-C ends a command that would pass it on a moment
// later, and a terminal that is not raw keeps Ctrl-Q for itself.
func (t *typist) begun() bool {
	mode, err := unix.IoctlGetTermios(int(t.terminal.slave.Fd()), unix.TCGETS)
	return t.spoke || err == nil && mode.Lflag&unix.ICANON == 0
}

// atPrompt tells whether the last line is a prompt, one that has come since a line was typed.
func (t *typist) atPrompt() bool {
	since := terminalText(t.shown.String()[t.lastTyped:])
	end := strings.LastIndexByte(since, '\n')
	if t.lastTyped > 0 && end < 0 {
		return false
	}
	last := since[end+1:]
	for _, prompt := range []string{"$ ", "# ", "> "} {
		if strings.HasSuffix(last, prompt) {
			return true
		}
	}
	return false
}

func (t *typist) typeNext() error {
	sent, _ := keystrokes(t.lines[0])
	t.typing, t.lines, t.lastTyped, t.lastEvent = true, t.lines[1:], t.shown.Len(), time.Now()
	if _, err := t.terminal.master.WriteString(sent); err != nil {
		return fmt.Errorf("type: %w", err)
	}
	return nil
}

// escapes are control sequences: one of them, or a character that moves the cursor.
var escapes = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\x1b(\[([0-9;?]*)[ -/]*([@-~])|\][^\x07\x1b]*(\x07|\x1b\\)|[()].|.)|[\x00-\x1f\x7f]`)
})

// trailing is what nobody sees at the end of a line: after a prompt at which nothing was typed.
var trailing = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(` +(\n|$)`) })

// terminalText is what can be read in the end on a terminal on which this was printed: a line that was drawn several times
// is there once. It knows of one line at a time, and goes up to none that has ended.
func terminalText(output string) string {
	var text strings.Builder
	var line []rune
	at := 0
	put := func(s string) {
		for _, r := range s {
			for len(line) <= at {
				line = append(line, ' ')
			}
			line[at] = r
			at++
		}
	}
	done := 0
	for _, m := range escapes().FindAllStringSubmatchIndex(output, -1) {
		put(output[done:m[0]])
		done = m[1]
		switch what := output[m[0]:m[1]]; {
		case what == "\n":
			text.WriteString(string(line) + "\n")
			line, at = nil, 0
		case what == "\r":
			at = 0
		case what == "\b":
			at = max(at-1, 0)
		case what == "\t":
			put(strings.Repeat(" ", 8-at%8))
		case m[6] >= 0:
			number, err := strconv.Atoi(output[m[4]:m[5]])
			if err != nil || number == 0 {
				number = 1
			}
			switch output[m[6]] {
			case 'K', 'J': // clears what is behind the cursor
				line = line[:min(at, len(line))]
			case 'C':
				at += number
			case 'D':
				at = max(at-number, 0)
			}
		}
	}
	put(output[done:])
	return text.String() + string(line)
}
