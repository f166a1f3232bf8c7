package shell

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
	"mvdan.cc/sh/v3/interp"
)

// job is a background process.
type job struct {
	number   int // %1
	pid      int
	ownGroup bool // the process leads a process group, as jobs of an interactive shell do
	text     string
	done     chan struct{} // closed when it has ended; status is valid from then on
	status   syscall.WaitStatus
}

func (j *job) ended() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// startBackground is `words… &`.
func (s *Shell) startBackground(hc interp.HandlerContext, words []string) error {
	if len(words) == 0 {
		return nil
	}
	if interp.IsBuiltin(words[0]) || strings.HasPrefix(words[0], prefix) || s.runner.Funcs[words[0]] != nil {
		return s.forkScript(hc, quoteAll(words), "", nil)
	}
	path, err := find(hc, words[0])
	if err != nil {
		s.cannotRun(hc, words[0], err)
		return nil // the shell that would have run it is the one that fails
	}
	cmd := newCommand(hc, path, words)
	err = s.background(hc, cmd, strings.Join(words, " "))
	if errors.Is(err, syscall.ENOEXEC) {
		err = s.background(hc, scriptCommand(hc, path, words), strings.Join(words, " "))
	}
	if err != nil {
		s.cannotRun(hc, words[0], err)
	}
	return nil
}

// forkScript is `text &` where text is more than one plain command. A Go program cannot fork, so a new shell is started
// and given this one's variables, functions and options. Its command line is the text, which is what ps then shows.
func (s *Shell) forkScript(hc interp.HandlerContext, text, options string, params []string) error {
	state, err := s.stateFile(hc, options)
	if err != nil {
		return s.cannotRun(hc, "background command", err)
	}
	defer state.Close()
	args := []string{"sh", "-c", text, hc.Env.Get(nameVariable).String()}
	cmd := newCommand(hc, selfPath, append(args, params...))
	cmd.ExtraFiles = []*os.File{state}
	cmd.Env = append(cmd.Env, stateVariable+"=3")
	if err := s.background(hc, cmd, text); err != nil {
		return s.cannotRun(hc, "background command", err)
	}
	return nil
}

func (s *Shell) background(hc interp.HandlerContext, cmd *exec.Cmd, text string) error {
	if s.interactive {
		// In a group of its own it does not get the terminal's Ctrl-C, and kill %1 reaches its children too.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	} else if hc.Stdin == s.stdin {
		cmd.Stdin = nil // POSIX: without job control a background command must not eat the script's input
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.start(cmd); err != nil {
		return err
	}
	j := &job{number: s.nextJobNumber(), pid: cmd.Process.Pid, ownGroup: s.interactive, text: text, done: make(chan struct{})}
	s.jobs = append(s.jobs, j)
	s.lastPID = j.pid
	go func() {
		s.wait(cmd)
		j.status = cmd.ProcessState.Sys().(syscall.WaitStatus)
		close(j.done)
	}()
	if s.interactive && !inSubshell(hc) {
		fmt.Fprintf(s.stderr, "[%d] %d\n", j.number, j.pid)
	}
	return nil
}

func (s *Shell) nextJobNumber() int {
	highest := 0
	for _, j := range s.jobs {
		highest = max(highest, j.number)
	}
	return highest + 1
}

// findJob understands %1, %%, %+, %-, %name, and a process id.
func (s *Shell) findJob(spec string) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest, isJob := strings.CutPrefix(spec, "%")
	number, err := strconv.Atoi(rest)
	switch {
	case !isJob:
		return s.lastJob(func(j *job) bool { return err == nil && j.pid == number })
	case rest == "" || rest == "%" || rest == "+":
		return s.lastJob(func(*job) bool { return true })
	case rest == "-":
		if len(s.jobs) > 1 {
			return s.jobs[len(s.jobs)-2]
		}
		return s.lastJob(func(*job) bool { return true })
	case err == nil:
		return s.lastJob(func(j *job) bool { return j.number == number })
	}
	return s.lastJob(func(j *job) bool { return strings.HasPrefix(j.text, rest) })
}

func (s *Shell) lastJob(match func(*job) bool) *job {
	for _, j := range slices.Backward(s.jobs) {
		if match(j) {
			return j
		}
	}
	return nil
}

func (s *Shell) forget(gone *job) {
	s.mu.Lock()
	s.jobs = slices.DeleteFunc(s.jobs, func(j *job) bool { return j == gone })
	s.mu.Unlock()
}

// listJobs is `jobs`; those that ended are listed one last time.
func (s *Shell) listJobs(w io.Writer, args []string) int {
	onlyPIDs := slices.Contains(args, "-p")
	long := slices.Contains(args, "-l")
	s.mu.Lock()
	jobs := slices.Clone(s.jobs)
	s.mu.Unlock()
	for i, j := range jobs {
		if onlyPIDs {
			fmt.Fprintln(w, j.pid)
			continue
		}
		pid := ""
		if long {
			pid = fmt.Sprintf("%d ", j.pid)
		}
		fmt.Fprintf(w, "[%d]%c  %s%s\n", j.number, currentMark(i, len(jobs)), pid, j.describe())
	}
	s.forgetEnded()
	return 0
}

// currentMark is + for the job that fg takes, - for the one before it.
func currentMark(i, n int) rune {
	switch i {
	case n - 1:
		return '+'
	case n - 2:
		return '-'
	}
	return ' '
}

func (j *job) describe() string {
	if !j.ended() {
		return fmt.Sprintf("%-23s %s &", "Running", j.text)
	}
	state := "Done"
	switch {
	case j.status.Signaled():
		state = signalText(j.status.Signal())
	case j.status.ExitStatus() != 0:
		state = fmt.Sprintf("Exit %d", j.status.ExitStatus())
	}
	return fmt.Sprintf("%-23s %s", state, j.text)
}

func (s *Shell) forgetEnded() {
	s.mu.Lock()
	s.jobs = slices.DeleteFunc(s.jobs, (*job).ended)
	s.mu.Unlock()
}

// reportEnded tells, before a prompt, which jobs ended since the last one.
func (s *Shell) reportEnded() {
	s.mu.Lock()
	for i, j := range s.jobs {
		if j.ended() {
			fmt.Fprintf(s.stderr, "[%d]%c  %s\n", j.number, currentMark(i, len(s.jobs)), j.describe())
		}
	}
	s.mu.Unlock()
	s.forgetEnded()
}

// waitFor is `wait`, with its arguments. A signal with a trap cuts it short, which is how a script that is process 1
// can both sleep and be stopped: sleep infinity & wait $!
func (s *Shell) waitFor(interrupted <-chan struct{}, hc interp.HandlerContext, args []string) int {
	if len(args) > 0 && args[0] == "-n" {
		return s.waitForAny(interrupted)
	}
	if len(args) == 0 {
		s.mu.Lock()
		jobs := slices.Clone(s.jobs)
		s.mu.Unlock()
		for _, j := range jobs {
			if code, cut := s.waitForOne(interrupted, j); cut {
				return code
			}
		}
		return 0
	}
	code := 0
	for _, arg := range args {
		j := s.findJob(arg)
		if j == nil {
			fmt.Fprintf(hc.Stderr, "%s: wait: pid %s is not a child of this shell\n", s.name, arg)
			code = 127
			continue
		}
		var cut bool
		if code, cut = s.waitForOne(interrupted, j); cut {
			return code
		}
	}
	return code
}

func (s *Shell) waitForOne(interrupted <-chan struct{}, j *job) (code int, cut bool) {
	if code := s.dueSignal(); code != 0 {
		return code, true
	}
	select {
	case <-j.done:
		s.forget(j)
		return exitCode(statusError(j.status)), false
	case <-s.arrived:
		return s.dueSignal(), true
	case <-interrupted:
		return 128 + int(syscall.SIGINT), true
	}
}

func (s *Shell) waitForAny(interrupted <-chan struct{}) int {
	s.mu.Lock()
	jobs := slices.Clone(s.jobs)
	s.mu.Unlock()
	first := make(chan *job, len(jobs))
	for _, j := range jobs {
		go func() { <-j.done; first <- j }()
	}
	if len(jobs) == 0 {
		return 127
	}
	select {
	case j := <-first:
		s.forget(j)
		return exitCode(statusError(j.status))
	case <-s.arrived:
		return s.dueSignal()
	case <-interrupted:
		return 128 + int(syscall.SIGINT)
	}
}

// bringForward is `fg`: the job gets the terminal, and the shell waits for it.
func (s *Shell) bringForward(hc interp.HandlerContext, args []string) error {
	spec := "%%"
	if len(args) > 0 {
		spec = args[0]
	}
	j := s.findJob(spec)
	if j == nil {
		fmt.Fprintf(hc.Stderr, "%s: fg: %s: no such job\n", s.name, spec)
		return interp.ExitStatus(1)
	}
	if terminal, ok := s.stdin.(*os.File); ok && j.ownGroup {
		// Taking the terminal back, the shell is not in its foreground: the kernel would stop it with SIGTTOU.
		signal.Ignore(syscall.SIGTTOU)
		defer signal.Reset(syscall.SIGTTOU)
		unix.IoctlSetPointerInt(int(terminal.Fd()), unix.TIOCSPGRP, j.pid)
		defer unix.IoctlSetPointerInt(int(terminal.Fd()), unix.TIOCSPGRP, unix.Getpgrp())
	}
	fmt.Fprintln(hc.Stdout, j.text)
	j.signal(syscall.SIGCONT)
	<-j.done
	s.forget(j)
	if j.status.Signaled() && j.status.Signal() == syscall.SIGINT {
		fmt.Fprintln(s.stderr)
	}
	return statusError(j.status)
}

func (j *job) signal(sig syscall.Signal) error {
	if j.ownGroup {
		return syscall.Kill(-j.pid, sig)
	}
	return syscall.Kill(j.pid, sig)
}
