package container

import (
	"encoding/json"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// Asked is what a person has asked of a running container: that it end. It is written into the container's directory before
// the signal is sent, so whoever sees the end, the monitor or the next command if that one was killed too, knows that
// it was wanted and by whom; and a monitor that waits to give birth again sees the file come, and does not.
type Asked struct {
	Command string // stop, kill, rm, restart, or shutdown: it shall come again at the next boot
	Signal  string // the one that was sent first
	Late    bool   `json:",omitempty"` // it did not end in time, and was killed
	PID     int    // of the command
	UID     int    // of who gave it
	Time    Moment
}

// ask writes it down. Where the disk is full that a person wants the end is all that can be said, and an empty file says it.
func (e *Engine) ask(r *Record, command string, s unix.Signal, late bool) error {
	data, err := json.Marshal(Asked{Command: command, Signal: unix.SignalName(s), Late: late, PID: os.Getpid(), UID: os.Getuid(), Time: now()})
	if err != nil {
		return err
	}
	path := e.Paths.asked(r.ID)
	err = e.Door.Do(kernel.Step{
		Effect: kernel.ReplaceFile{Path: path, Data: data, Mode: 0o600, Durable: r.HostConfig.RestartPolicy.Asks()}, Section: "3.3",
		Why: kernel.Why{EN: "whoever sees it end shall know that this was wanted, and by whom", ZH: "记下这是谁要求的：看到它结束的进程才知道原因"},
	})
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		return e.Door.Do(kernel.Step{Effect: kernel.Rename{From: path + ".new", To: path}, Section: "3.3"})
	case isMissing(err): // it has ended and is removed
		return nil
	}
	return err
}

// askedOf reads what was asked of a container; nil if nothing was.
func (p Paths) askedOf(id string) *Asked {
	data, err := os.ReadFile(p.asked(id))
	if err != nil {
		return nil
	}
	var a Asked
	if json.Unmarshal(data, &a) != nil {
		return &Asked{Command: "stop", Signal: "a signal", UID: os.Getuid(), Time: now()}
	}
	return &a
}

// forget takes it away, where there is one: it was about one run of the container.
func (e *Engine) forget(id string) {
	if _, err := os.Lstat(e.Paths.asked(id)); err == nil {
		e.Door.Do(kernel.Step{Effect: kernel.Remove{Path: e.Paths.asked(id)}, Section: "3.3", Optional: true})
	}
}

// promptly is how soon after a signal of `kill` the end of a container is its doing. `kill -s TERM` may also mean
// something else to a program, which then ends of itself days later.
const promptly = 10 * time.Second

// explains tells whether the end of a container, by that signal if it is one, is what was asked for.
func (a *Asked) explains(end time.Time, by unix.Signal) bool {
	return a != nil && (a.Command != "kill" || by > 0 && unix.SignalName(by) == a.Signal || end.Sub(a.Time.Time) < promptly)
}

// endsContainers tells whether a person who sends this signal wants the container to end: not one with which programs are
// told to read their files again, or the like.
func endsContainers(s unix.Signal, c Config) bool {
	switch s {
	case unix.SIGKILL, unix.SIGTERM, unix.SIGINT, unix.SIGQUIT, unix.SIGABRT:
		return true
	}
	stop, err := ParseSignal(c.StopSignal)
	return err == nil && s == stop
}
