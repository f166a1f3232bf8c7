package shell

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"mvdan.cc/sh/v3/interp"
)

// builtin runs one of our own builtins.
func (s *Shell) builtin(ctx context.Context, hc interp.HandlerContext, name string, args []string) error {
	switch prefix + name {
	case callBackground:
		return s.startBackground(hc, args)
	case callForkScript:
		return s.forkScript(hc, args[0], args[1], args[2:])
	case callExec:
		return s.replace(hc, args)
	case callLastPID:
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.lastPID != 0 {
			fmt.Fprintln(hc.Stdout, s.lastPID)
		}
		return nil
	case callTimerStart:
		s.startTimer()
		return nil
	case callTimerStop:
		s.stopTimer(hc, args[0] == "posix")
		return status(hc.LastExitStatus)
	}
	switch name {
	case "bg":
		return nil // nothing is ever stopped
	case "disown":
		return status(s.disown(hc, args))
	case "fg":
		return s.bringForward(hc, args)
	case "history":
		s.listHistory(hc.Stdout)
		return nil
	case "jobs":
		return status(s.listJobs(hc.Stdout, args))
	case "kill":
		return status(s.kill(hc, args))
	case "set":
		return s.listVariables(hc)
	case "ulimit":
		return status(s.ulimit(hc, args))
	case "umask":
		return status(s.umask(hc, args))
	case "wait":
		return status(s.waitFor(ctx.Done(), hc, args))
	}
	return s.cannotRun(hc, prefix+name, errNotFound)
}

func status(code int) error {
	if code == 0 {
		return nil
	}
	return interp.ExitStatus(code)
}

func (s *Shell) complain(hc interp.HandlerContext, format string, args ...any) int {
	fmt.Fprintf(hc.Stderr, "%s: %s\n", s.name, fmt.Sprintf(format, args...))
	return 1
}

func (s *Shell) listHistory(w io.Writer) {
	for i, line := range s.history {
		fmt.Fprintf(w, "%5d  %s\n", i+1, line)
	}
}

func (s *Shell) disown(hc interp.HandlerContext, args []string) int {
	if len(args) == 0 {
		args = []string{"%%"}
	}
	for _, spec := range args {
		j := s.findJob(spec)
		if j == nil {
			return s.complain(hc, "disown: %s: no such job", spec)
		}
		s.forget(j)
	}
	return 0
}

// kill sends a signal: `kill PID`, `kill -9 %1`, `kill -s TERM -- -PGID`, `kill -l`.
func (s *Shell) kill(hc interp.HandlerContext, args []string) int {
	sig := syscall.SIGTERM
	if len(args) > 0 && args[0] == "-l" {
		return s.killList(hc, args[1:])
	}
	if len(args) > 0 && strings.HasPrefix(args[0], "-") && args[0] != "--" {
		name := args[0][1:]
		args = args[1:]
		if (name == "s" || name == "n") && len(args) > 0 {
			name, args = args[0], args[1:]
		}
		var ok bool
		if sig, ok = parseSignal(name); !ok {
			return s.complain(hc, "kill: %s: invalid signal specification", name)
		}
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintf(hc.Stderr, "%s: kill: usage: kill [-s SIGNAL | -SIGNAL] PID | %%JOB …, or kill -l\n", s.name)
		return 2
	}
	code := 0
	for _, target := range args {
		code |= s.killOne(hc, target, sig)
	}
	return code
}

func (s *Shell) killOne(hc interp.HandlerContext, target string, sig syscall.Signal) int {
	if strings.HasPrefix(target, "%") {
		j := s.findJob(target)
		if j == nil {
			return s.complain(hc, "kill: %s: no such job", target)
		}
		if err := j.signal(sig); err != nil {
			return s.complain(hc, "kill: (%d) - %s", j.pid, describe(err))
		}
		return 0
	}
	pid, err := strconv.Atoi(target)
	if err != nil {
		return s.complain(hc, "kill: %s: arguments must be process or job IDs", target)
	}
	if pid == os.Getpid() && s.trapped(sig) {
		s.receive(sig) // at once, so that the trap runs before the next command
		return 0
	}
	if err := sendSignal(pid, sig); err != nil {
		return s.complain(hc, "kill: (%d) - %s", pid, describe(err))
	}
	return 0
}

// killList is `kill -l`: all names, or the name of a number (an exit code above 128 will do), or the number of a name.
func (s *Shell) killList(hc interp.HandlerContext, args []string) int {
	if len(args) == 0 {
		listSignals(hc.Stdout)
		return 0
	}
	for _, arg := range args {
		n, err := strconv.Atoi(arg)
		if err != nil {
			sig, ok := parseSignal(arg)
			if !ok {
				return s.complain(hc, "kill: %s: invalid signal specification", arg)
			}
			fmt.Fprintln(hc.Stdout, int(sig))
			continue
		}
		fmt.Fprintln(hc.Stdout, strings.TrimPrefix(unix.SignalName(syscall.Signal(n&127)), "SIG"))
	}
	return 0
}

func listSignals(w io.Writer) {
	column := 0
	for n := 1; n < 32; n++ {
		name := unix.SignalName(syscall.Signal(n))
		if name == "" {
			continue
		}
		column++
		end := "\t"
		if column%5 == 0 {
			end = "\n"
		}
		fmt.Fprintf(w, "%2d) %-10s%s", n, name, end)
	}
	fmt.Fprintln(w)
}

// timer is where `time` stood when its command began.
type timer struct {
	start    time.Time
	children syscall.Rusage
	self     syscall.Rusage
}

func now() timer {
	t := timer{start: time.Now()}
	syscall.Getrusage(syscall.RUSAGE_CHILDREN, &t.children)
	syscall.Getrusage(syscall.RUSAGE_SELF, &t.self)
	return t
}

func (s *Shell) startTimer() {
	s.mu.Lock()
	s.timers = append(s.timers, now())
	s.mu.Unlock()
}

func (s *Shell) stopTimer(hc interp.HandlerContext, posix bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.timers) == 0 {
		return
	}
	from, to := s.timers[len(s.timers)-1], now()
	s.timers = s.timers[:len(s.timers)-1]
	user := span(from.children.Utime, to.children.Utime) + span(from.self.Utime, to.self.Utime)
	system := span(from.children.Stime, to.children.Stime) + span(from.self.Stime, to.self.Stime)
	real := to.start.Sub(from.start)
	if posix {
		fmt.Fprintf(hc.Stderr, "real %.2f\nuser %.2f\nsys %.2f\n", real.Seconds(), user.Seconds(), system.Seconds())
		return
	}
	fmt.Fprintf(hc.Stderr, "\nreal\t%s\nuser\t%s\nsys\t%s\n", minutes(real), minutes(user), minutes(system))
}

func span(from, to syscall.Timeval) time.Duration { return time.Duration(to.Nano() - from.Nano()) }

func minutes(d time.Duration) string {
	return fmt.Sprintf("%dm%.3fs", int(d.Minutes()), (d % time.Minute).Seconds())
}

func (s *Shell) listVariables(hc interp.HandlerContext) error {
	values := map[string]string{}
	for name, v := range hc.Env.Each {
		if v.IsSet() && name != nameVariable && name != pidVariable && name != subshellVariable {
			values[name] = v.String()
		}
	}
	for _, name := range sortedKeys(values) {
		fmt.Fprintf(hc.Stdout, "%s=%s\n", name, quote(values[name]))
	}
	return nil
}

// sendSignal is kill(2). A signal to ourselves is sent to this very thread, which has it before it goes on: another one
// might take it only when we have executed the next program already.
func sendSignal(pid int, sig syscall.Signal) error {
	if pid != os.Getpid() {
		return syscall.Kill(pid, sig)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return unix.Tgkill(pid, unix.Gettid(), sig)
}
