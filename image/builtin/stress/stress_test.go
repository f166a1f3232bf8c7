package stress

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sandbox/image/builtin/stress/hog"
)

// TestMain: workers are this test binary under another name, and never get here; stress itself is it under its own.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "stress" {
		os.Exit(Main(os.Args, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func TestParse(t *testing.T) {
	for line, want := range map[string]string{
		"-c 2":                 "cpu=2 vm=0 timeout=0 bytes=268435456 hang=-1",
		"--cpu=2 --vm 1":       "cpu=2 vm=1 timeout=0 bytes=268435456 hang=-1",
		"-m 1 --vm-bytes 280M": "cpu=0 vm=1 timeout=0 bytes=293601280 hang=-1",
		"-m 1 --vm-bytes 3k":   "cpu=0 vm=1 timeout=0 bytes=3072 hang=-1",
		"--vm-hang 0 -t 2m":    "cpu=0 vm=0 timeout=120 bytes=268435456 hang=0",
		"-t 1y --vm-hang 1h":   "cpu=0 vm=0 timeout=31536000 bytes=268435456 hang=3600",
	} {
		o, err := parse(strings.Fields(line))
		if got := fmt.Sprintf("cpu=%d vm=%d timeout=%d bytes=%d hang=%d", o.cpu, o.vm, o.timeout, o.vmBytes, o.hang); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", line, got, err, want)
		}
	}
	for line, want := range map[string]string{
		"--nosuch":                  "unrecognized option: --nosuch",
		"foo":                       "unrecognized option: foo",
		"--vm-keep=1":               "unrecognized option: --vm-keep",
		"--cpu":                     "missing argument to option '--cpu'",
		"-c x":                      "unrecognized suffix: x",
		"-c 0":                      "invalid value: 0",
		"-m -1":                     "invalid value: -1",
		"--vm-bytes 3Q":             "unrecognized suffix: Q",
		"--timeout 0":               "invalid value: 0",
		"--timeout 3K":              "unrecognized suffix: K",
		"--vm-bytes M":              "not a number",
		"--vm-bytes 1.5M":           "not a number",
		"--vm-bytes 9999999999999G": "not a number",
		"--vm-stride 0":             "invalid value: 0",
	} {
		if _, err := parse(strings.Fields(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}

// program is stress as a process of its own.
func program(args ...string) *exec.Cmd {
	return &exec.Cmd{Path: "/proc/self/exe", Args: append([]string{"stress"}, args...)}
}

// run runs it to its end, and gives what it says without pids.
func run(args ...string) (stdout, stderr string, code int) {
	cmd := program(args...)
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	cmd.Run()
	mask := regexp.MustCompile(`\[\d+\]|worker \d\d+`)
	clean := func(b bytes.Buffer) string { return mask.ReplaceAllString(b.String(), "[P]") }
	return clean(out), clean(err), cmd.ProcessState.ExitCode()
}

func TestRunsUntilItsTimeIsOver(t *testing.T) {
	stdout, stderr, code := run("--cpu", "1", "--io", "1", "--vm", "2", "--vm-bytes", "1M", "--vm-keep", "--timeout", "1s")
	if code != 0 || stderr != "" || !regexp.MustCompile(`^stress: info: \[P\] dispatching hogs: 1 cpu, 1 io, 2 vm, 0 hdd
stress: info: \[P\] successful run completed in \d+s
$`).MatchString(stdout) {
		t.Errorf("%s%sexit code %d", stdout, stderr, code)
	}
}

func TestQuietVerboseDry(t *testing.T) {
	if stdout, stderr, code := run("-q", "-n", "-c", "1"); stdout+stderr != "" || code != 0 {
		t.Errorf("quiet: %s%sexit code %d", stdout, stderr, code)
	}
	stdout, _, code := run("-v", "-n", "-m", "1", "-t", "60")
	for _, want := range []string{"using backoff sleep of 3000us", "setting timeout to 60s", "--> hogvm worker 1 [P] forked", "<-- [P] returned normally", "successful run"} {
		if !strings.Contains(stdout, want) || code != 0 {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "touching") {
		t.Errorf("dry, and yet:\n%s", stdout)
	}
	if stdout, _, code := run(); code != 0 || !strings.Contains(stdout, "--vm-bytes") {
		t.Errorf("help: %s", stdout)
	}
	if _, stderr, code := run("--cpu", "x"); code != 1 || stderr != "stress: FAIL: [P] (244) --cpu: unrecognized suffix: x\n" {
		t.Errorf("%sexit code %d", stderr, code)
	}
}

func TestMoreMemoryThanThereIs(t *testing.T) {
	_, stderr, code := run("-m", "1", "--vm-bytes", "4000000G")
	if code != 1 || !strings.Contains(stderr, "[P] hogvm malloc failed: cannot allocate memory\n") || !strings.Contains(stderr, "returned error 1") {
		t.Errorf("%sexit code %d", stderr, code)
	}
}

func TestDisk(t *testing.T) {
	dir := t.TempDir()
	cmd := program("-v", "--hdd", "1", "--hdd-bytes", "3M", "-t", "1")
	cmd.Dir = dir
	output, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "for writing 3145728 bytes") || !strings.Contains(string(output), "after 3145728 bytes") {
		t.Errorf("%s%v", output, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}

// started is stress with one worker, and what they say line by line.
func started(t *testing.T, args ...string) (cmd *exec.Cmd, worker int, lines *bufio.Scanner) {
	t.Helper()
	cmd = program(append([]string{"-v"}, args...)...)
	output, input := io.Pipe()
	cmd.Stdout, cmd.Stderr = input, input
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { cmd.Wait(); input.Close() }()
	lines = bufio.NewScanner(output)
	forked := regexp.MustCompile(`worker 1 \[(\d+)\] forked`)
	for lines.Scan() {
		if m := forked.FindStringSubmatch(lines.Text()); m != nil {
			worker, _ = strconv.Atoi(m[1])
			return cmd, worker, lines
		}
	}
	t.Fatal("no worker was started")
	return nil, 0, nil
}

func rest(lines *bufio.Scanner) string {
	var text strings.Builder
	for lines.Scan() {
		fmt.Fprintln(&text, lines.Text())
	}
	return text.String()
}

// TestKilled: what the kernel does when there is not enough memory.
func TestKilled(t *testing.T) {
	cmd, worker, lines := started(t, "--vm", "1", "--vm-bytes", "1M", "--vm-hang", "0")
	if err := syscall.Kill(worker, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	text := rest(lines)
	for _, want := range []string{
		fmt.Sprintf("stress: FAIL: [%d] (415) <-- worker %d got signal 9\n", cmd.Process.Pid, worker),
		fmt.Sprintf("stress: WARN: [%d] (417) now reaping child worker processes\n", cmd.Process.Pid),
		"(451) failed run completed in ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
}

func TestOthersAreReaped(t *testing.T) {
	_, worker, lines := started(t, "--vm", "1", "--vm-bytes", "1M", "--vm-hang", "0", "--cpu", "1")
	syscall.Kill(worker, syscall.SIGKILL)
	if text := rest(lines); !strings.Contains(text, " reaped\n") || strings.Count(text, "FAIL") != 2 {
		t.Errorf("%s", text)
	}
}

// TestEnded: whoever ends stress ends its workers.
func TestEnded(t *testing.T) {
	cmd, worker, lines := started(t, "--cpu", "1")
	syscall.Kill(cmd.Process.Pid, syscall.SIGTERM)
	if text := rest(lines); !strings.Contains(text, fmt.Sprintf("worker %d got signal 15", worker)) {
		t.Errorf("%s", text)
	}
	if err := syscall.Kill(worker, 0); err != syscall.ESRCH {
		t.Errorf("the worker: %v", err)
	}
}

// TestWorkersMemory: what a worker takes beside what it is told to fill is less than 2 MB.
func TestWorkersMemory(t *testing.T) {
	const asked = 32 << 10 // kB
	cmd, worker, lines := started(t, "--vm", "1", "--vm-bytes", "32M", "--vm-hang", "0")
	for lines.Scan() && !strings.Contains(lines.Text(), "sleeping forever") {
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", worker))
	cmd.Process.Signal(syscall.SIGTERM)
	rest(lines)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`RssAnon:\s*(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Skip("the kernel does not tell RssAnon")
	}
	if used, _ := strconv.Atoi(string(m[1])); used < asked || used > asked+2<<10 {
		t.Errorf("%d kB are used for %d kB", used, asked)
	}
}

// TestWorkersBeginEarly: before the heavy packages have been initialised (see package early).
func TestWorkersBeginEarly(t *testing.T) {
	began := time.Now()
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: hog.Order{DryRun: 1}.Arguments(hog.CPU), Env: append(os.Environ(), "GODEBUG=inittrace=1")}
	output, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "init sandbox/kernel/early ") {
		t.Fatalf("%s%v (%v)", output, err, time.Since(began))
	}
	for _, late := range []string{"time", "os", "fmt", "unicode", "strings"} {
		if strings.Contains(string(output), "init "+late+" ") {
			t.Errorf("%s comes before workers:\n%s", late, output)
		}
	}
	cmd = &exec.Cmd{Path: "/proc/self/exe", Args: []string{hog.CPU}}
	if output, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(output), "is a worker of stress") {
		t.Errorf("without an order: %s%v", output, err)
	}
}
