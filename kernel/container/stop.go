package container

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// ParseSignal reads a signal as kill(1) does: 9, KILL, SIGKILL, SIGRTMIN+3.
func ParseSignal(s string) (unix.Signal, error) {
	if n, err := strconv.Atoi(s); err == nil && n > 0 && n < 65 {
		return unix.Signal(n), nil
	}
	name := strings.TrimPrefix(strings.ToUpper(s), "SIG")
	if offset, ok := strings.CutPrefix(name, "RTMIN+"); ok {
		if n, err := strconv.Atoi(offset); err == nil && n >= 0 && n <= 30 {
			return unix.Signal(34 + n), nil
		}
	}
	if n := unix.SignalNum("SIG" + name); n != 0 {
		return n, nil
	}
	return 0, kernel.Advise(fmt.Errorf("invalid signal: %s", s), "a name or a number of `kill -l`: TERM, KILL, HUP, USR1, 9 …")
}

// Kill sends a signal to the container's first process.
func (e *Engine) Kill(r *Record, s unix.Signal) error {
	pidfd, err := e.openRunning(r)
	if err != nil {
		return err
	}
	defer unix.Close(pidfd)
	return e.Door.Do(kernel.Step{
		Effect: kernel.PidfdSignal{FD: kernel.FD(pidfd), Signal: s}, Section: "3.3",
		Why: kernel.Why{EN: "to the container's first process", ZH: "发给容器的 1 号进程"},
	})
}

// StopResult says how a container came to its end.
type StopResult struct {
	Killed    bool // it did not end in time
	Unhandled bool // its first process has no handler for the stop signal, and the kernel protects a PID 1 from the rest
}

// Stop asks the container to end, and kills it when it has not after the time-out (negative: never).
func (e *Engine) Stop(r *Record, s unix.Signal, timeout time.Duration) (StopResult, error) {
	var result StopResult
	if !r.State.Running {
		return result, nil
	}
	result.Unhandled = s != unix.SIGKILL && !handles(r.State.Pid, s)
	if err := e.Kill(r, s); err != nil {
		return result, err
	}
	ended := make(chan struct{})
	go func() { waitUnlocked(e.Paths.dir(r.ID)); close(ended) }()
	var late <-chan time.Time
	if timeout >= 0 {
		late = time.After(timeout)
	}
	select {
	case <-ended:
		return result, nil
	case <-late:
	}
	result.Killed = true
	if err := e.Kill(r, unix.SIGKILL); err != nil {
		return result, nil // it has ended meanwhile
	}
	<-ended
	return result, nil
}

// handles tells whether a process has a handler for a signal: the SigCgt line of /proc/PID/status, a bit a signal.
func handles(pid int, s unix.Signal) bool {
	caught, err := strconv.ParseUint(statusField(pid, "SigCgt"), 16, 64)
	return err != nil || caught>>(uint(s)-1)&1 == 1
}

// Remove takes a container away; a running one only with force.
func (e *Engine) Remove(r *Record, force bool) error {
	if r.State.Running {
		if !force {
			return kernel.Advise(fmt.Errorf("container %s is running", r.PlainName()),
				"sandbox stop %s   first, or sandbox rm -f %s", r.PlainName(), r.PlainName())
		}
		if err := e.Kill(r, unix.SIGKILL); err == nil {
			waitUnlocked(e.Paths.dir(r.ID))
		}
	}
	lock, taken, err := takeLock(e.Paths.dir(r.ID))
	switch {
	case isMissing(err):
		return nil // --rm was faster
	case err != nil:
		return err
	case !taken:
		return kernel.Advise(fmt.Errorf("container %s is just being started or removed", r.PlainName()), "try again")
	}
	defer lock.Close()
	e.removeGroups(r.ID)
	return e.delete(r)
}

// Lock takes a container that is not running for a start.
func (e *Engine) Lock(r *Record) (*os.File, error) {
	lock, taken, err := takeLock(e.Paths.dir(r.ID))
	if err == nil && !taken {
		err = kernel.Advise(fmt.Errorf("container %s is just being started or removed", r.PlainName()), "try again")
	}
	return lock, err
}
