package shell

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func itoa(n int) string { return strconv.Itoa(n) }

func pause() { time.Sleep(5 * time.Millisecond) }

// person types at a terminal, and reads what appears on it.
type person struct {
	t        *testing.T
	terminal *os.File
	seen     chan string
	screen   string
}

// sitDown starts an interactive shell on a terminal of its own.
func sitDown(t *testing.T) *person {
	t.Helper()
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	number, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(terminal.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80})
	ours, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	cmd := shellCommand(t)
	cmd.Env = append(cmd.Env, "PS1=@ ")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = ours, ours, ours
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ours.Close()
	p := &person{t: t, terminal: terminal, seen: make(chan string, 100)}
	go p.look()
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		terminal.Close()
	})
	p.waitFor("@ ")
	return p
}

func (p *person) look() {
	defer close(p.seen)
	buffer := make([]byte, 4096)
	for {
		n, err := p.terminal.Read(buffer)
		if n > 0 {
			p.seen <- string(buffer[:n])
		}
		if err != nil {
			return
		}
	}
}

// waitFor reads until text appears, and forgets what came before its end. The time is only for the case of failure.
func (p *person) waitFor(text string) {
	p.t.Helper()
	late := time.After(60 * time.Second)
	for {
		if _, after, ok := strings.Cut(p.screen, text); ok {
			p.screen = after
			return
		}
		select {
		case more, ok := <-p.seen:
			if !ok {
				p.t.Fatalf("the terminal ended before %q appeared; last seen: %q", text, p.screen)
			}
			p.screen += more
		case <-late:
			p.t.Fatalf("%q does not appear; last seen: %q", text, p.screen)
		}
	}
}

func (p *person) types(text string) { p.terminal.WriteString(text) }

func TestConversation(t *testing.T) {
	p := sitDown(t)
	p.types("args one\r")
	p.waitFor("\r\none\r\n")
	p.waitFor("@ ")

	p.types("\x1b[A\r") // the arrow brings it back
	p.waitFor("\r\none\r\n")
	p.waitFor("@ ")

	p.types("for i in 1 2; do\r")
	p.waitFor("> ")
	p.types("args n$i; done\r")
	p.waitFor("\r\nn1\r\nn2\r\n")
	p.waitFor("@ ")

	p.types("half a line\x03") // Ctrl-C
	p.waitFor("^C")
	p.waitFor("@ ")

	p.types("cat\r")
	p.waitFor("cat\r\n")
	p.types("typed\r")
	p.waitFor("typed\r\ntyped\r\n")
	p.types("\x04") // Ctrl-D ends cat
	p.waitFor("@ ")

	p.types("\x04") // and now the shell
	p.waitFor("exit")
}

func TestControlCEndsWhatRuns(t *testing.T) {
	p := sitDown(t)
	p.types("while true; do forever running; done\r")
	p.waitFor("\r\nrunning")
	p.types("\x03")
	p.waitFor("@ ")
	p.types("echo code $?\r")
	p.waitFor("\r\ncode 130\r\n")
	p.waitFor("@ ")
	p.types("while :; do :; done\r")
	p.waitFor("done\r\n")
	p.types("\x03")
	p.waitFor("@ ")
}

func TestJobsAtATerminal(t *testing.T) {
	p := sitDown(t)
	p.types("forever &\r")
	p.waitFor("[1] ")
	p.waitFor("@ ")
	p.types("jobs\r")
	p.waitFor("[1]+  Running")
	p.waitFor("@ ")
	p.types("fg\r")
	p.waitFor("forever\r\n")
	p.types("\x03") // the job has the terminal now
	p.waitFor("@ ")
	p.types("jobs; echo none\r")
	p.waitFor("\r\nnone\r\n")
}

func TestEditing(t *testing.T) {
	for keys, want := range map[string]string{
		"abc":                 "abc",
		"abc\x7fd":            "abd",
		"abc\x01x":            "xabc",
		"abc\x1b[Dx":          "abxc",
		"one two\x17":         "one ",
		"one two\x15":         "",
		"one two\x01\x0b\x19": "one two",
		"a中\x1b[D\x1b[Dx":     "xa中",
		"one two\x1bb\x1b[3~": "one wo",
		"\x1b[A":              "older",
		"\x1b[A\x1b[A":        "oldest",
		"new\x1b[A\x1b[B":     "new",
		"\x12dest\x05!":       "oldest!", // Ctrl-R
	} {
		history := []string{"oldest", "older"}
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		write.WriteString(keys)
		write.Close()
		e := &editor{in: read, out: discard{}, history: &history, at: len(history)}
		for {
			key, err := e.readKey()
			if err != nil {
				break
			}
			e.handle(key)
		}
		read.Close()
		if string(e.line) != want {
			t.Errorf("%q gives %q, not %q", keys, string(e.line), want)
		}
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func TestCursorFollowsTheTerminal(t *testing.T) {
	for _, c := range []struct {
		text        string
		row, column int
	}{{"abc", 0, 3}, {"abcdefghij", 0, 10}, {"abcdefghijk", 1, 1}, {"中文中文中", 0, 10}, {"a中文中文中", 1, 2}, {"a\nb", 1, 1}} {
		p := place{width: 10}
		p.advance(c.text)
		if p.row != c.row || p.column != c.column {
			t.Errorf("%q ends at %d,%d, not %d,%d", c.text, p.row, p.column, c.row, c.column)
		}
	}
	if got := withoutEscapes("\x1b[1;31mred\x1b[0m"); got != "red" {
		t.Errorf("colours leave %q", got)
	}
}

func TestCompletion(t *testing.T) {
	dir := t.TempDir()
	os.Mkdir(dir+"/sub dir", 0o755)
	os.WriteFile(dir+"/some", nil, 0o755)
	os.WriteFile(dir+"/.hidden", nil, 0o644)
	t.Setenv("PATH", dir)
	s := &Shell{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	if err := s.prepare(&invocation{name: "sh"}); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"som":               "[some]",
		"echo a; som":       "[some]",
		"cat " + dir + "/s": "[" + dir + "/some " + dir + `/sub\ dir/]`,
		"cat " + dir + "/.": "[" + dir + "/.hidden]",
		"cat " + dir + "/x": "[]",
	} {
		if got := fmt.Sprint(s.complete([]rune(line)).words); got != want {
			t.Errorf("%q completes to %s, not %s", line, got, want)
		}
	}
}
