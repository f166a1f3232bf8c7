package container

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// The signals that programs may give a meaning to, as C libraries number them: they keep the first two for themselves.
const sigRTMin, sigRTMax = 34, 64

// ParseSignal reads a signal as kill(1) does: 9, KILL, SIGKILL, SIGRTMIN+3, SIGRTMAX-1.
func ParseSignal(s string) (unix.Signal, error) {
	if n, err := strconv.Atoi(s); err == nil && n > 0 && n < 65 {
		return unix.Signal(n), nil
	}
	name := strings.TrimPrefix(strings.ToUpper(s), "SIG")
	for limit, number := range map[string]int{"RTMIN": sigRTMin, "RTMAX": sigRTMax} {
		offset, ok := strings.CutPrefix(name, limit)
		n, err := strconv.Atoi(cmp.Or(offset, "+0"))
		signed := offset == "" || offset[0] == '+' || offset[0] == '-'
		if ok && signed && err == nil && number+n >= sigRTMin && number+n <= sigRTMax {
			return unix.Signal(number + n), nil
		}
	}
	if n := unix.SignalNum("SIG" + name); n != 0 {
		return n, nil
	}
	return 0, kernel.Advise(fmt.Errorf("invalid signal: %s", s), "a name or a number of `kill -l`: TERM, KILL, HUP, USR1, 9 …")
}

// Kill sends a signal to the container's first process for a command: kill, say. If that is to end it, whoever sees its
// end will know.
func (e *Engine) Kill(r *Record, command string, s unix.Signal) error {
	if !r.State.Running {
		return e.notRunning(r)
	}
	if endsContainers(s, r.Config) {
		if err := e.ask(r, command, s, false); err != nil {
			return err
		}
		err := e.tell(r, s)
		if err == nil && s == unix.SIGKILL && !r.Attended { // nothing can stop that: whoever looks next sees it ended, as with Docker
			err = waitUnlocked(e.Paths.dir(r.ID))
		}
		return err
	}
	return e.signal(r, s)
}

// tell sends the signal that goes with what was asked, to the run of the container that there is by now. Is there none,
// because it has just ended or is about to come again, then its monitor looks at what was asked, and no signal is needed.
func (e *Engine) tell(r *Record, s unix.Signal) error {
	r, err := e.Paths.load(r.ID)
	if isMissing(err) || err == nil && (!r.State.Running || r.State.Restarting) {
		return nil
	}
	if err != nil {
		return err
	}
	err = e.signal(r, s)
	if r.State.Paused {
		e.letGoOn(r) // to its end
	}
	if startTicks(r.State.Pid) != r.State.Born {
		return nil
	}
	return err
}

// initTime is how long an init in a container may take to start its program.
const initTime = 2 * time.Second

// awaitInit waits until the small init has started the program that it passes signals on to. What comes before it listens
// is lost, or ends it: Go's runtime never holds SIGTERM back.
func awaitInit(r *Record) {
	for time.Since(r.State.StartedAt.Time) < initTime && !hasChild(r.State.Pid) {
		time.Sleep(time.Millisecond)
	}
}

// hasChild looks at each thread's children; true where the kernel does not tell (CONFIG_PROC_CHILDREN).
func hasChild(pid int) bool {
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		if data, err := os.ReadFile(list); err == nil && len(data) > 0 {
			return true
		}
	}
	return err != nil || len(lists) == 0
}

// signal sends it.
func (e *Engine) signal(r *Record, s unix.Signal) error {
	pidfd, err := e.openRunning(r)
	if err != nil {
		return err
	}
	defer unix.Close(pidfd)
	if r.HostConfig.Init && s != unix.SIGKILL {
		awaitInit(r)
	}
	e.Event(r.Event("kill", "signal", strconv.Itoa(int(s)))) // before it, or the end that comes of it may be told first
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

// Stop asks the container to end, for a command (stop, restart, shutdown), and kills it when it has not after the time-out
// (negative: never).
func (e *Engine) Stop(r *Record, command string, s unix.Signal, timeout time.Duration) (StopResult, error) {
	var result StopResult
	if !r.State.Running {
		return result, e.keepDown(r, command)
	}
	if err := e.ask(r, command, s, false); err != nil {
		return result, err
	}
	if err := e.tell(r, s); err != nil {
		return result, err
	}
	defer func() { e.Event(r.Event("stop")) }()
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
	// Asked so late, since a program of Go's has handlers for all signals when it begins, and may take them away.
	result.Unhandled = s != unix.SIGKILL && !r.State.Restarting && !handles(r.State.Pid, s)
	if err := e.ask(r, command, s, true); err != nil {
		return result, err
	}
	if err := e.tell(r, unix.SIGKILL); err != nil {
		return result, err
	}
	<-ended
	return result, nil
}

// keepDown notes that a person wants a container down that has a restart policy and is down already: so it does not come
// with the next boot.
func (e *Engine) keepDown(r *Record, command string) error {
	if command != "stop" || r.State.Stopped || !r.HostConfig.RestartPolicy.Asks() {
		return nil
	}
	_, err := e.change(r.ID, true, func(r *Record) error { r.State.Stopped = true; return nil })
	return err
}

// handles tells whether a process has a handler for a signal: the SigCgt line of /proc/PID/status, a bit a signal.
func handles(pid int, s unix.Signal) bool {
	caught, err := strconv.ParseUint(statusField(pid, "SigCgt"), 16, 64)
	return err != nil || caught>>(uint(s)-1)&1 == 1
}

// Remove takes a container away; a running one only with force. Its anonymous volumes go too if volumes is set.
func (e *Engine) Remove(r *Record, force, volumes bool) error {
	if r.State.Running {
		if !force && r.State.Paused {
			return kernel.Advise(fmt.Errorf("container %s is paused and must be unpaused first", r.PlainName()),
				"sandbox unpause %s   and stop it, or sandbox rm -f %[1]s", r.PlainName())
		}
		if !force {
			return kernel.Advise(fmt.Errorf("container %s is running", r.PlainName()),
				"sandbox stop %s   first, or sandbox rm -f %s", r.PlainName(), r.PlainName())
		}
		e.Kill(r, "rm", unix.SIGKILL)
	}
	if r.State.Dead && isLocked(e.Paths.dir(r.ID)) {
		if !force {
			return kernel.Advise(fmt.Errorf("container %.12s is damaged, and runs", r.ID), "sandbox rm -f %.12s", r.ID)
		}
		e.killKeeper(r.ID)
	}
	lock, err := e.Lock(r)
	if isMissing(err) {
		return nil // --rm was faster
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	e.removeGroups(r.ID)
	return e.delete(r, volumes || r.HostConfig.AutoRemove)
}

// endTakes bounds how often Lock tries: a monitor that has written down its container's end has some things to put away before it goes.
const endTakes = 50

// Lock takes a container that is not running, for a start, to remove it, or to copy files.
func (e *Engine) Lock(r *Record) (*os.File, error) {
	for range endTakes {
		lock, taken, err := takeLock(e.Paths.dir(r.ID))
		if err != nil || taken {
			return lock, err
		}
		if now, err := e.Paths.load(r.ID); err == nil && now.State.Running && now.State.Born != r.State.Born {
			break // somebody has started it
		}
	}
	return nil, kernel.Advise(fmt.Errorf("another command is just at work on container %s", r.PlainName()), "try again when it has been started, removed, or copied from")
}
