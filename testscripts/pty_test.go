package testscripts

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// typist is someone at a terminal: a pty, what the command has shown on it, and the place up to which that was read.
type typist struct {
	ts     *testscript.TestScript
	master *os.File
	slave  *os.File
	cmd    *exec.Cmd
	before *unix.Termios

	mu    sync.Mutex
	shown []byte
	read  int
}

// onTerminal DIALOGUE COMMAND…: runs the command on a terminal of its own and performs the dialogue, a file of lines:
//
//	expect REGEXP    wait until it appears, after what the expect before has found
//	type TEXT        type it, with Go's escapes: \r for Enter, \x03 for Ctrl-C
//	insist TEXT REGEXP  type TEXT, and again if it is not followed by what is expected: a program that begins may not hear yet
//	size ROWS COLS   resize the window
//	kill             kill the command with SIGKILL
//	restored         wait until the terminal is in the mode that it began in (not raw)
//	exit N           wait for the command's end; its exit code is N
//
// All that was shown is its stdout.
func onTerminal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: pty DIALOGUE COMMAND [ARG...]")
	}
	t, err := startOnTerminal(ts, args[1:])
	ts.Check(err)
	defer t.close()
	for _, line := range strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n") {
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if err := t.perform(verb, rest); err != nil {
			ts.Fatalf("%s: %v\nshown: %q", line, err, t.text())
		}
	}
	ts.Stdout().Write(t.text())
}

func startOnTerminal(ts *testscript.TestScript, args []string) (*typist, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		return nil, err
	}
	number, _, errno := unix.Syscall(unix.SYS_IOCTL, master.Fd(), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		return nil, errno
	}
	peer := int(number)
	t := &typist{ts: ts, master: master, slave: os.NewFile(uintptr(peer), "terminal")}
	if err := t.resize(24, 80); err != nil {
		return nil, err
	}
	if t.before, err = unix.IoctlGetTermios(peer, unix.TCGETS); err != nil {
		return nil, err
	}
	program, err := lookIn(ts.Getenv("PATH"), args[0])
	if err != nil {
		return nil, err
	}
	t.cmd = &exec.Cmd{
		Path: program, Args: args, Dir: ts.MkAbs("."), Stdin: t.slave, Stdout: t.slave, Stderr: t.slave,
		Env:         []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "TERM=xterm", "LANG=C"},
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Setctty: true},
	}
	if err := t.cmd.Start(); err != nil {
		return nil, err
	}
	go t.watch()
	return t, nil
}

// lookIn finds a program on a PATH that is not ours.
func lookIn(path, name string) (string, error) {
	for _, dir := range strings.Split(path, ":") {
		if info, err := os.Stat(dir + "/" + name); err == nil && info.Mode()&0o111 != 0 {
			return dir + "/" + name, nil
		}
	}
	return "", fmt.Errorf("%s: not found", name)
}

func (t *typist) watch() {
	buffer := make([]byte, 4096)
	for {
		n, err := t.master.Read(buffer)
		t.mu.Lock()
		t.shown = append(t.shown, buffer[:n]...)
		t.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (t *typist) text() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.shown)
}

func (t *typist) perform(verb, rest string) error {
	switch verb {
	case "":
		return nil
	case "expect":
		return t.expect(rest)
	case "type":
		return t.press(rest)
	case "insist":
		text, expression, _ := strings.Cut(rest, " ")
		return t.insist(text, expression)
	case "size":
		var rows, columns uint16
		if _, err := fmt.Sscan(rest, &rows, &columns); err != nil {
			return err
		}
		return t.resize(rows, columns)
	case "kill":
		return t.cmd.Process.Kill()
	case "restored":
		return t.restored()
	case "exit":
		return t.exit(rest)
	}
	return errors.New("unknown word of a dialogue")
}

// until tries again and again, as patience allows.
func until(true func() bool) error {
	for deadline := time.Now().Add(patience); !true(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %v", patience)
		}
	}
	return nil
}

func (t *typist) expect(expression string) error {
	want, err := regexp.Compile(expression)
	if err != nil {
		return err
	}
	return until(func() bool { return t.sees(want) })
}

// sees looks for what is wanted, and reads on behind it.
func (t *typist) sees(want *regexp.Regexp) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := want.FindIndex(t.shown[t.read:])
	if at != nil {
		t.read += at[1]
	}
	return at != nil
}

func (t *typist) press(quoted string) error {
	text, err := strconv.Unquote(`"` + quoted + `"`)
	if err == nil {
		_, err = t.master.WriteString(text)
	}
	return err
}

func (t *typist) insist(quoted, expression string) error {
	want, err := regexp.Compile(expression)
	if err != nil {
		return err
	}
	var pressed time.Time
	waiting := until(func() bool {
		if err == nil && time.Since(pressed) > patience/4 {
			err, pressed = t.press(quoted), time.Now()
		}
		return err != nil || t.sees(want)
	})
	return errors.Join(err, waiting)
}

func (t *typist) resize(rows, columns uint16) error {
	return unix.IoctlSetWinsize(int(t.slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns})
}

func (t *typist) restored() error {
	return until(func() bool {
		now, err := unix.IoctlGetTermios(int(t.slave.Fd()), unix.TCGETS)
		return err == nil && *now == *t.before
	})
}

func (t *typist) exit(want string) error {
	err := t.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	if got := fmt.Sprint(t.cmd.ProcessState.ExitCode()); got != want {
		return fmt.Errorf("exit code %s", got)
	}
	return nil
}

// close ends what the dialogue has left running.
func (t *typist) close() {
	if t.cmd.ProcessState == nil {
		t.cmd.Process.Kill()
		t.cmd.Wait()
	}
	t.slave.Close()
	t.master.Close()
}
