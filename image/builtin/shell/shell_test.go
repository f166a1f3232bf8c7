package shell

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain makes this test program the shell, and the few programs that scripts here start, when it is called by their
// names: the tests need nothing that is not in it.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "sh":
		os.Exit(Main(os.Args, os.Stdin, os.Stdout, os.Stderr))
	case "cat":
		io.Copy(os.Stdout, os.Stdin)
		os.Exit(0)
	case "args":
		io.WriteString(os.Stdout, strings.Join(os.Args[1:], "|")+"\n")
		os.Exit(0)
	case "getenv":
		io.WriteString(os.Stdout, os.Getenv(os.Args[1])+"\n")
		os.Exit(0)
	case "forever":
		io.WriteString(os.Stdout, strings.Join(os.Args[1:], " "))
		for {
			time.Sleep(time.Hour)
		}
	case "die":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	os.Exit(m.Run())
}

// programs is a directory with the test programs' names, to be $PATH.
func programs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sh", "cat", "args", "getenv", "forever", "die"} {
		if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func shellCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	dir := programs(t)
	cmd := exec.Command(filepath.Join(dir, "sh"), args...)
	cmd.Args[0] = "sh"
	cmd.Env = []string{"PATH=" + dir, "HOME=/"}
	cmd.Dir = t.TempDir()
	return cmd
}

// runShell gives what a shell prints, and its exit code.
func runShell(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := shellCommand(t, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), code
}

func TestCommandStrings(t *testing.T) {
	for script, want := range map[string]string{
		`echo hello`:                                               "hello\n",
		`for i in 1 2; do echo $i; done`:                           "1\n2\n",
		`x=$(args a 'b c'); echo "$x"`:                             "a|b c\n",
		`echo a | cat | cat`:                                       "a\n",
		`case abc in a*) echo yes;; esac`:                          "yes\n",
		`echo $((6 * 7))`:                                          "42\n",
		`f() { echo "f:$1"; }; f x`:                                "f:x\n",
		"cat <<E\nline $((1+1))\nE":                                "line 2\n",
		`echo a | { read x; exit 4; }; echo $?`:                    "4\n",
		`(exec args sub); echo after`:                              "sub\nafter\n",
		`exec args gone; echo no`:                                  "gone\n",
		`nosuch 2>/dev/null; echo $?`:                              "127\n",
		`/ 2>/dev/null; echo $?`:                                   "126\n",
		`die 2>/dev/null; echo $?`:                                 "137\n",
		`die; true`:                                                "", // and "Killed" on stderr
		`trap 'echo bye' EXIT; echo hi`:                            "hi\nbye\n",
		`trap 'echo got' USR1; kill -USR1 $$; echo after`:          "got\nafter\n",
		`trap 'echo t' TERM; trap`:                                 "trap -- 'echo t' SIGTERM\n",
		`args 1 & wait $!; echo $?`:                                "1\n0\n",
		`forever & kill %1; wait $!; echo $?`:                      "143\n",
		`forever & kill -9 $!; wait; echo $?`:                      "0\n",
		`x=5; f() { echo $x$1; }; f 6 & wait`:                      "56\n",
		`set -- a b; while true; do echo $1$2; break; done & wait`: "ab\n",
		`eval 'args e & wait $!'`:                                  "e\n",
		`kill -l 15; kill -l KILL`:                                 "TERM\n9\n",
		`umask 027; umask; umask -S`:                               "0027\nu=rwx,g=rx,o=\n",
		`umask u=rwx,go=; umask`:                                   "0077\n",
		`ulimit -c 0; ulimit -c`:                                   "0\n",
		`printf '%03d|%-3s|%s\n' 7 ab 'c d'`:                       "007|ab |c d\n",
		`printf -v v '%x' 255; echo $v`:                            "ff\n",
		`echo -ne 'a\tb\n'`:                                        "a\tb\n",
		`alias ll='args long'; ll x`:                               "long|x\n",
		`A=1 getenv A; getenv A`:                                   "1\n\n",
		`echo abc | { read -n 2 x; echo $x; }`:                     "ab\n",
		`read -d : x <<< 'one:two'; echo $x`:                       "one\n",
		`echo ${0##*/}`:                                            "sh\n",
		`set -e; false; echo no`:                                   "",
		`! true; echo $?`:                                          "1\n",
		`cd /nowhere 2>/dev/null; echo $?`:                         "1\n",
		`while true; do echo y; done | read x; echo done`:          "done\n",
		`p=$$; echo $(test $p = $$ && echo same)`:                  "same\n",
	} {
		got, _, _ := runShell(t, "", "-c", script)
		if got != want {
			t.Errorf("sh -c %q printed %q, not %q", script, got, want)
		}
	}
}

func TestExitCodesAndMessages(t *testing.T) {
	for _, c := range []struct {
		script, stderr string
		code           int
	}{
		{"exit 7", "", 7},
		{"false", "", 1},
		{"nosuch", "sh: nosuch: not found\n", 127},
		{"cd /nowhere", "sh: cd: /nowhere: No such file or directory\n", 1},
		{"cat < /nowhere", "sh: /nowhere: No such file or directory\n", 1},
		{"trap 'exit 9' TERM; kill $$; echo no", "", 9},
		{"trap 'true' EXIT; exit 3", "", 3},
		{"trap : USR1; kill -USR1 $$; (exit 6)", "", 6},
		{"die; exit 5", "Killed\n", 5},
		{"set -u; echo $nope", "nope: unbound variable\n", 1},
	} {
		_, stderr, code := runShell(t, "", "-c", c.script)
		if stderr != c.stderr || code != c.code {
			t.Errorf("sh -c %q: %q and code %d, not %q and %d", c.script, stderr, code, c.stderr, c.code)
		}
	}
}

func TestInvocations(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("echo $1 $#\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		stdin, want string
		args        []string
	}{
		{"", "n a\n", []string{"-c", "echo $0 $1", "n", "a"}},
		{"", "a 2\n", []string{script, "a", "b"}},
		{"", "x 1\n", []string{"-c", script + " x"}}, // no #!, so the kernel does not run it
		{"echo from stdin", "from stdin\n", nil},
		{"echo $1", "arg\n", []string{"-s", "arg"}},
		{"read x\nthe line\necho $x\n", "the line\n", nil}, // the script and the program share one input
	} {
		if got, stderr, _ := runShell(t, c.stdin, c.args...); got != c.want {
			t.Errorf("sh %q printed %q and %q, not %q", c.args, got, stderr, c.want)
		}
	}
	if _, stderr, code := runShell(t, "", "-z"); code != 2 || !strings.Contains(stderr, "invalid option") {
		t.Errorf("sh -z: %q, code %d", stderr, code)
	}
	if _, stderr, code := runShell(t, "", "-c", "if"); code != 2 || !strings.Contains(stderr, "syntax error") {
		t.Errorf("sh -c if: %q, code %d", stderr, code)
	}
}

// The last command of -c takes the place of the shell, so that it has the shell's process id.
func TestLastCommandReplacesTheShell(t *testing.T) {
	cmd := shellCommand(t, "-c", "true; forever")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	for range 1000 {
		line, err := os.ReadFile("/proc/" + itoa(cmd.Process.Pid) + "/cmdline")
		if err != nil {
			t.Fatal(err)
		}
		if string(line) == "forever\x00" {
			return
		}
		pause()
	}
	t.Error("the shell is still there")
}

func TestRewrite(t *testing.T) {
	for script, want := range map[string]string{
		`args 100 &`:            `shell:start args 100`,
		`echo "$!"`:             `echo "$( declare _subshell=1 shell:lastpid )"`,
		`echo $$`:               `echo ${_shell_pid}`,
		`a | b`:                 "(\n\tdeclare _subshell=1\n\ta\n) | (\n\tdeclare _subshell=1\n\tb\n)",
		`while a; do b; done &`: `shell:fork 'while a; do b; done' "$-" "$@"`,
		`echo 'it is' $x`:       `echo 'it is' $x`,
	} {
		got := rewriteText(script)
		if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
			t.Errorf("%s became %q, not %q", script, got, want)
		}
	}
}

// A file of the kernel's takes each write as a value: a line must be one.
func TestEchoWritesOnce(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0) // keeps writes apart
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	defer ours.Close()
	cmd := shellCommand(t, "-c", `echo -n one two; echo three  four; echo -e 'a\tb'; command echo five; echo() { args mine; }; echo six`)
	cmd.Stdout = theirs
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	for _, want := range []string{"one two", "three four\n", "a\tb\n", "five\n", "mine\n", ""} {
		data := make([]byte, 100)
		n, _ := ours.Read(data)
		if got := string(data[:max(n, 0)]); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// What the kernel does not take is said, and is an error.
func TestEchoFails(t *testing.T) {
	_, stderr, code := runShell(t, "", "-c", `echo x > /dev/full`)
	if code != 1 || stderr != "sh: echo: write error: No space left on device\n" {
		t.Errorf("%d %q", code, stderr)
	}
}

// Ctrl-C may come while the shell makes way for a program: shell and program are one process, and one of the two ends of it.
func TestCtrlCWhileMakingWay(t *testing.T) {
	for range 200 {
		cmd := shellCommand(t, "-c", "echo; exec forever")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		out.Read(make([]byte, 1))
		cmd.Process.Signal(syscall.SIGINT)
		late := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
		late.Stop()
		status := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if status.Signal() != syscall.SIGINT {
			t.Fatalf("ended by %v, not by SIGINT", status.Signal())
		}
	}
}
