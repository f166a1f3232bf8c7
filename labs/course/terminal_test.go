package course

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

func TestKeystrokes(t *testing.T) {
	for line, want := range map[string]string{
		"hostname": "hostname\r", "": "\r", "ctrl-p,ctrl-q": "\x10\x11", "ctrl-c": "\x03", "ctrl-x,x": "\x18x", "ctrl-[": "\x1b",
		"echo ctrl-c": "echo ctrl-c\r", "a,b": "a,b\r", "ctrl-alt": "ctrl-alt\r", "ctrl-C": "ctrl-C\r",
	} {
		if got, isKeys := keystrokes(line); got != want || isKeys == strings.HasSuffix(want, "\r") {
			t.Errorf("%q sends %q (keys: %v), want %q", line, got, isKeys, want)
		}
	}
}

func TestTerminalText(t *testing.T) {
	for output, want := range map[string]string{
		"one\r\ntwo\r\n":                  "one\ntwo\n",
		"\r# \x1b[J\r# ls\x1b[J\r\x1b[4C": "# ls",
		"long\rsh\x1b[K":                  "sh",
		"long\rsh":                        "shng",
		"a\tb":                            "a       b",
		"\x1b[1;31mred\x1b[0m \x1b]0;title\x07x\x1b(B": "red x",
		"abc\b\bX":   "aXc",
		"\x1b[5Cfar": "     far",
		"中文\r\n":     "中文\n",
	} {
		if got := terminalText(output); got != want {
			t.Errorf("%q reads %q, want %q", output, got, want)
		}
	}
}

// talk is a lesson of one step.
func talk(block string) string {
	return "# 3.1 T\n## 3.1.1 One\n```console step=a " + block + "\n```\n"
}

func TestTyping(t *testing.T) {
	for _, c := range []struct{ name, block, want string }{
		{"a shell with a prompt", "tty=yes\n$ env -i sh -c 'PS1=\"at \\$ \" sh -i' 2>&1\n< echo $((6*7))\n< test -t 0 && echo a terminal\n< exit 0",
			"  typed: echo $((6*7)) ↵  test -t 0 && echo a terminal ↵  exit 0 ↵\n  at $ echo $((6*7))\n  42\n  at $ test -t 0 && echo a terminal\n  a terminal\n  at $ exit 0\n"},
		{"no prompt, and words", "tty=yes\n$ read a; echo \"got $a\"; read b; echo \"then $b\"\n< one\n< two", "  one\n  got one\n  two\n  then two\n"},
		{"keys", "tty=yes expect=exit:3\n$ trap 'echo caught; exit 3' INT; sleep 10\n< ctrl-c", "  typed: Ctrl-C\n  ^Ccaught\n"},
		{"another command", "tty=yes\n$ read a\n< x\n$ test -t 0 || echo no terminal here", "  $ test -t 0 || echo no terminal here\n  no terminal here\n"},
		{"drawn twice", "tty=yes\n$ stty -echo; printf 'wrong\\rright # '; read a; printf '\\033[1mbold\\033[0m  '\n< x", "  right # bold\n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			mustContain(t, newWorld(t, English).withLesson(talk(c.block)).mustRun(t, "3.1"), c.want)
		})
	}
}

// What was left in the background does not hold the lesson up.
func TestTypingWithoutWaiting(t *testing.T) {
	w := newWorld(t, English).withLesson(talk("tty=yes\n$ read a; sleep 60 & echo $a\n< x"))
	begun := time.Now()
	mustContain(t, w.mustRun(t, "3.1"), "  x\n  x\n")
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

// A command that goes on when all has been typed is ended some time.
func TestTypistLosesPatience(t *testing.T) {
	terminal, err := openPty()
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.close()
	typist := &typist{terminal: terminal, lastEvent: time.Now(), patience: 3 * glance}
	ended, killed := make(chan struct{}), false
	err = typist.work(ended, func() { killed = true; close(ended) })
	if err != nil || !killed {
		t.Errorf("killed %v, error %v", killed, err)
	}
}

// What prints nothing and leaves the terminal as it is may be slow to start: a key could come too early.
func TestCommandHasBegun(t *testing.T) {
	for what, begin := range map[string]func(*typist){
		"nothing": func(*typist) {},
		"its own echo": func(ty *typist) {
			ty.lines = []string{"x"}
			ty.typeNext()
		},
		"printed":  func(ty *typist) { ty.terminal.slave.WriteString("here\n") },
		"raw mode": func(ty *typist) { term.MakeRaw(int(ty.terminal.slave.Fd())) },
	} {
		terminal, err := openPty()
		if err != nil {
			t.Fatal(err)
		}
		ty := &typist{terminal: terminal}
		begin(ty)
		for news := false; !news && (what == "its own echo" || what == "printed"); {
			if news, err = ty.read(glance); err != nil {
				t.Fatal(err)
			}
		}
		if got := ty.begun(); got != (what == "printed" || what == "raw mode") {
			t.Errorf("%s: begun %v", what, got)
		}
		terminal.close()
	}
}

// Explanations are told apart, though the command has a terminal; and its errors are still written to one. (What is written to two
// terminals at the same moment comes in any order: hence the pause.)
func TestTypingExplained(t *testing.T) {
	w := newWorld(t, English).withLesson(talk("tty=yes\n$ printf '{\"seq\":1}\\n{\"s\\n' >&2; test -t 2 && echo a terminal >&2; sleep 0.5; printf '# '; read a; printf '{\"seq\":2}\\n' >&2; echo $a\n< x"))
	w.Explain = teller{}
	mustContain(t, w.mustRun(t, "3.1"), "  typed: x ↵\n  ┆   told {\"seq\":1}\n  ┆   told {\"seq\":2}\n  ┆ end\n  {\"s\n  a terminal\n  # x\n  x\n")
}

func TestTypedBlocks(t *testing.T) {
	for block, want := range map[string]string{
		"tty=no\n$ true\n< x": "write tty=yes",
		"tty=yes\n$ true":     "nothing is typed",
		"tty=yes\n< x\n$ cat": "before the first command",
	} {
		if _, err := Parse("3.1.en.md", talk(block), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", block, err, want)
		}
	}
	lesson, err := Parse("3.1.en.md", talk("\n$ cat <<end\n< here\nend"), "")
	if err != nil || lesson.Sections[0].Parts[0].Step.Typed != nil {
		t.Errorf("without tty a line that begins with < is the command's: %v", err)
	}
}

// learnerVariable makes of TestLearner a learner at the terminal that it is run on; its value is the lesson.
const learnerVariable = "COURSE_TEST_LEARNER"

func TestLearner(t *testing.T) {
	source := os.Getenv(learnerVariable)
	if source == "" {
		t.Skip("run by TestLentTerminal only")
	}
	w := newWorld(t, English).withLesson(source)
	w.Terminal, w.In, w.Out = true, os.Stdin, os.Stdout
	if os.Getenv("EXPLAIN") != "" {
		w.Explain = teller{}
	}
	w.Height, _ = strconv.Atoi(os.Getenv("HEIGHT"))
	if os.Getenv("WATCH") != "" {
		// Each look is remembered, and the sixth finds the exercise solved.
		w.Shell = []string{"/bin/sh", "-c", `echo >> "$WORLD/looks"; if [ $(wc -l < "$WORLD/looks") -ge 6 ]; then touch "$WORLD/made"; fi; eval "$0"`}
		fmt.Println("the end:", w.Watch(context.Background(), "3.1", 1))
		return
	}
	if os.Getenv("READ") != "" {
		fmt.Println("the end:", w.read(context.Background(), "3.1"))
		return
	}
	fmt.Println("the end:", w.Run(context.Background(), "3.1"))
}

// learner is a process at a terminal that goes through a lesson.
type learner struct {
	*typist
	cmd    *exec.Cmd
	before unix.Termios // the terminal's mode at the beginning
}

func newLearner(t *testing.T, source string, env ...string) *learner {
	t.Helper()
	terminal, err := openPty()
	if err != nil {
		t.Skipf("needs [pty]: %v", err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestLearner$", "-test.v")
	cmd.Env = append(os.Environ(), append(env, learnerVariable+"="+source, "TMPDIR="+t.TempDir())...) // it may be killed, and leaves its files then
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal.slave, terminal.slave, terminal.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	l := &learner{typist: &typist{terminal: terminal}, cmd: cmd}
	l.before = l.mode(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		terminal.close()
	})
	return l
}

// sees waits until something stands on the terminal.
func (l *learner) sees(t *testing.T, want string) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !strings.Contains(terminalText(l.shown.String()), want); {
		if time.Now().After(deadline) {
			t.Fatalf("%q does not appear in:\n%s", want, terminalText(l.shown.String()))
		}
		if _, err := l.read(glance); err != nil {
			t.Fatal(err)
		}
	}
}

func (l *learner) types(t *testing.T, text string) {
	t.Helper()
	if _, err := l.terminal.master.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func (l *learner) mode(t *testing.T) unix.Termios {
	t.Helper()
	mode, err := unix.IoctlGetTermios(int(l.terminal.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *mode
}

// At a terminal the command has the learner's own: what is typed goes to it, Ctrl-C too, and the lesson goes on afterwards, with
// the terminal in the mode that it had before.
func TestLentTerminal(t *testing.T) {
	l := newLearner(t, talk("tty=yes\n$ trap 'echo caught' INT; test -t 0 && test -t 1 && test -t 2 && echo three ends; read a || read a; echo \"heard $a\"; stty raw -echo; kill -9 $$\n< word\n< ctrl-c"))
	before := l.mode(t)
	l.sees(t, "[Enter runs it")
	l.types(t, "\n")
	l.sees(t, "now type: word ↵  Ctrl-C")
	l.sees(t, "three ends\n")
	l.types(t, "\x03")
	l.sees(t, "caught\n")
	l.types(t, "mine\n")
	l.sees(t, "heard mine\n")
	l.sees(t, "[Enter goes on")
	if l.mode(t) != before {
		t.Error("the terminal's mode is not what it was")
	}
	l.types(t, "\n")
	l.sees(t, "the end: <nil>")
	mustNotContain(t, l.shown.String(), "That ended with exit status") // they have typed what they liked
}

// A command that has left its line open does not have the lesson go on in it.
func TestLentTerminalLeft(t *testing.T) {
	l := newLearner(t, talk("tty=yes\n$ printf begun; read a; printf 'open line'\n< word"))
	l.sees(t, "[Enter runs it")
	l.types(t, "\n")
	l.sees(t, "begun")
	l.types(t, "\n")
	l.sees(t, "open line")
	l.sees(t, "[Enter goes on")
	mustContain(t, l.shown.String(), strings.Repeat(" ", 400)+"\r\x1b[K\r\n") // which are all of its columns
}

// Who ends the lesson ends the command with it, and has the terminal back.
func TestLentTerminalKilled(t *testing.T) {
	l := newLearner(t, talk("tty=yes\n$ stty raw -echo; echo a''way; exec sleep 60\n< word"))
	before := l.mode(t)
	l.sees(t, "[Enter runs it")
	l.types(t, "\n")
	l.sees(t, "away")
	if err := l.cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	l.sees(t, "the end: context canceled")
	if l.mode(t) != before {
		t.Error("the terminal's mode is not what it was")
	}
}

// While the terminal is lent, explanations wait; words do not.
func TestLentTerminalExplained(t *testing.T) {
	l := newLearner(t, talk("tty=yes\n$ printf '{\"seq\":1}\\n' >&2; echo to errors >&2; read a; echo \"heard $a\"\n< word"), "EXPLAIN=yes")
	l.sees(t, "[Enter runs it")
	l.types(t, "\n")
	l.sees(t, "to errors\n")
	l.types(t, "word\n")
	l.sees(t, "heard word\n  ┆   told {\"seq\":1}\n  ┆ end\n")
}

// Watching asks nobody to turn a page that they cannot see, however long it goes on. What is more than a screen is shown in short.
func TestWatchOnSmallTerminal(t *testing.T) {
	l := newLearner(t, "# 3.1 T\n"+strings.Replace(exercise, "the file is there", "show: echo long; seq 5\nwant: the file\nthe file is there", 1), "HEIGHT=8", "WATCH=yes")
	l.sees(t, "✗ the file is there\n\nWatching")
	l.sees(t, "All of it is right.")
}

// Enter that was pressed before there was a question ends its line all the same.
func TestTypedAhead(t *testing.T) {
	l := newLearner(t, talk("\n$ sleep 1; echo done"))
	l.sees(t, "[Enter runs it")
	l.types(t, "\n\n")
	l.sees(t, "the end: <nil>")
	mustContain(t, terminalText(l.shown.String()), "  done\n", "q leave] \nThat was lab")
}

// But it does not pass a question that nobody has seen yet.
func TestTypedAheadOfQuestion(t *testing.T) {
	l := newLearner(t, strings.Replace(asking, "Before.\n", "Before.\n```console step=slow\n$ sleep 1; echo done\n```\n", 1))
	l.sees(t, "[Enter runs it")
	l.types(t, "\n\n")
	l.sees(t, "[a to c and Enter")
	l.types(t, "a\n")
	l.sees(t, "[Enter runs it")
	l.types(t, "\n")
	l.sees(t, "You said a")
}

// An exercise whose set-up fails does not end the lesson: the learner clears the way, and tries again.
func TestSetUpInTheWay(t *testing.T) {
	l := newLearner(t, "# 3.1 T\n"+strings.Replace(exercise, "do it\n", "do it\n```setup\n$ test -e $WORLD/cleared || { touch $WORLD/cleared; echo taken >&2; exit 1; }\n```\n", 1))
	l.sees(t, "cannot begin yet: set up exercise 1 of lab 3.1: taken\n")
	l.sees(t, "[Enter tries again")
	l.types(t, "\n")
	l.sees(t, "h hint")
	l.types(t, "s\n")
	l.sees(t, "the end: <nil>")
}

// A question that was answered with Enter alone disappears; but not if Enter was pressed before it stood there.
func TestAnsweredQuestionsDisappear(t *testing.T) {
	const gone = "\x1b[A\x1b[2K"
	for _, c := range []struct {
		name, early, later string
		width, rows        int
	}{
		{"Enter", "", "\n", 80, 1},
		{"a question of two rows", "", "\n", 20, 2},
		{"a letter", "", "b\n", 80, 0},
		{"early", "\n", "", 80, 0},
	} {
		p, err := openPty()
		if err != nil {
			t.Fatal(err)
		}
		s := &Session{In: p.slave, Out: p.slave, Terminal: true, Width: c.width, Lang: English}
		fmt.Fprint(p.master, c.early)
		for there := 0; there < len(c.early); {
			if there, err = unix.IoctlGetInt(int(p.slave.Fd()), unix.TIOCINQ); err != nil {
				t.Fatal(err)
			}
		}
		answered := make(chan error, 1)
		go func() {
			_, err := s.ask("Enter goes on · b back", "", "b")
			fmt.Fprint(p.slave, "end")
			answered <- err
		}()
		shown, some := "", make([]byte, 1000)
		sees := func(text string) {
			for !strings.Contains(shown, text) {
				n, err := p.master.Read(some)
				if err != nil {
					t.Fatal(err)
				}
				shown += string(some[:n])
			}
		}
		if c.early == "" {
			sees("b back")
			fmt.Fprint(p.master, c.later)
		}
		sees("end")
		if err := <-answered; err != nil {
			t.Fatal(err)
		}
		if rows := strings.Count(shown, gone); rows != c.rows {
			t.Errorf("%s: %d rows are taken back, want %d: %q", c.name, rows, c.rows, shown)
		}
		p.close()
	}
}

// That a letter wants Enter is said once: later, the question fits into a line of 80 columns.
func TestQuestionGetsShorter(t *testing.T) {
	l := newLearner(t, "# 3.1 T\n## 3.1.1 One\n```console step=a\n$ true\n```\n```console step=b\n$ true\n```\n")
	l.sees(t, "a letter and Enter: s skip")
	l.types(t, "\n")
	l.sees(t, "[Enter runs it · s skip · b back · r repeat the last · ! shell · q leave]")
}

// Ctrl-C during a step is that step's; Ctrl-C after it, before the next question is asked, is the answer to that.
func TestInterruptBetween(t *testing.T) {
	p, err := openPty()
	if err != nil {
		t.Skipf("needs [pty]: %v", err)
	}
	defer p.close()
	s := &Session{In: p.slave, Out: io.Discard, Terminal: true, Lang: English}
	defer s.hearInterrupts()()
	interrupt := func() {
		if err := unix.Kill(os.Getpid(), unix.SIGINT); err != nil {
			t.Fatal(err)
		}
	}
	stepEnds := s.hearInterrupts()
	interrupt()
	<-s.interrupts
	stepEnds()
	if len(s.interrupts) != 0 {
		t.Error("a step's Ctrl-C is left for the question")
	}
	interrupt()
	if key, err := s.ask("Enter goes on", ""); key != "q" || err != nil {
		t.Errorf("%q, %v", key, err)
	}
}
