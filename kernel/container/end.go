package container

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"sandbox/cgroup"
	"sandbox/kernel"
)

// End says why a container has ended: `inspect` shows it as State.SandboxEnd. While the container runs again it is about the
// time before.
type End struct {
	Reason   string // one of those below
	Note     string // in a sentence
	ExitCode int
	Time     Moment
	Signal   string              `json:",omitempty"` // that has killed its first process
	Asked    *Asked              `json:",omitempty"` // who wanted it
	Memory   *cgroup.OutOfMemory `json:",omitempty"` // what the OOM killer did
}

// Reasons of an End.
const (
	EndExited      = "exited"       // its first process ended by itself
	EndCrashed     = "crashed"      // … by a signal that stands for a fault of its own
	EndStopped     = "stopped"      // asked by sandbox stop, it ended in time
	EndTimeout     = "stop-timeout" // … it did not, and was killed
	EndKilled      = "killed"       // by sandbox kill or sandbox rm -f
	EndOutside     = "killed-from-outside"
	EndMemory      = "out-of-memory"
	EndMonitor     = "monitor-killed"
	EndReboot      = "machine-down"
	EndNotExecuted = "not-executed"
)

// Exit codes of containers whose end nobody has seen.
const (
	exitKilled     = 137 // 128 and the number of SIGKILL
	exitReboot     = 255 // Docker's
	exitNotStarted = 128 // Docker's of a container that could not even be made
)

// stateAfter is a container's state after its first process has ended. Its control groups must still be there: they know
// what the OOM killer did.
func (e *Engine) stateAfter(r *Record, status unix.WaitStatus, oom cgroup.OutOfMemory) State {
	end := &End{ExitCode: exitCode(status), Time: now()}
	if status.Signaled() {
		end.Signal = unix.SignalName(status.Signal())
	}
	if oom.Kills > 0 {
		end.Memory = &oom
	}
	if asked := e.Paths.askedOf(r.ID); asked.explains(end.Time.Time, status.Signal()) {
		end.Asked = asked
	}
	end.judge(r.HostConfig)
	return State{
		Status: "exited", ExitCode: end.ExitCode, StartedAt: r.State.StartedAt, FinishedAt: end.Time,
		OOMKilled: oom.Kills > 0, End: end, Stopped: end.Asked.byHand(),
	}
}

// judge finds the reason in what is known.
func (end *End) judge(hc HostConfig) {
	killed := end.Signal == "SIGKILL" || end.ExitCode == exitKilled
	switch asked := end.Asked; {
	case asked != nil && asked.Late && killed:
		end.Reason = EndTimeout
		end.Note = fmt.Sprintf("it did not end after %s in the time that sandbox %s gave it, and was killed", asked.Signal, asked.Command)
	case end.Memory != nil && killed:
		end.Reason, end.Note = EndMemory, end.Memory.Tell(end.Signal == "SIGKILL")
	case asked != nil && (asked.Command == "kill" || asked.Command == "rm"):
		end.Reason = EndKilled
		end.Note = fmt.Sprintf("sandbox %s, by user %d, sent it %s", asked.Command, asked.UID, asked.Signal)
	case asked != nil:
		end.Reason = EndStopped
		end.Note = fmt.Sprintf("sandbox %s, by user %d, asked it to end with %s", asked.Command, asked.UID, asked.Signal)
	case end.Signal == "SIGKILL" && !hc.sharesPIDs():
		end.Reason = EndOutside
		end.Note = "SIGKILL, not from a command of sandbox: inside the container nobody can send it to PID 1, so it came from outside"
	case end.Signal == "SIGKILL" || end.Signal == "SIGTERM" || end.Signal == "SIGINT" || end.Signal == "SIGHUP":
		end.Reason, end.Note = EndOutside, end.Signal+", not from a command of sandbox"
	case end.Signal != "":
		end.Reason, end.Note = EndCrashed, "its first process died of "+end.Signal
	default:
		end.Reason, end.Note = EndExited, fmt.Sprintf("its first process ended by itself with exit code %d", end.ExitCode)
		if end.lostOne() {
			end.Note = end.Memory.Tell(false) + "; " + end.Note
		}
	}
}

// lostOne tells whether another of its processes was out of memory, and the first one has ended for that, as it seems: with an
// exit code of its own choice, which says nothing of the reason.
func (end *End) lostOne() bool {
	return end.Reason == EndExited && end.Memory != nil && end.ExitCode != 0
}

// lostState is the state of a container whose monitor is gone without a word: killed, or with the machine.
func (e *Engine) lostState(r *Record) State {
	end := &End{Reason: EndMonitor, Note: "its monitor was killed", ExitCode: exitKilled, Time: now(), Asked: e.Paths.askedOf(r.ID)}
	if r.State.Boot != bootID() {
		end.Reason, end.Note, end.ExitCode = EndReboot, "the machine went down", exitReboot
	}
	return State{
		Status: "exited", ExitCode: end.ExitCode, Error: end.Note, StartedAt: r.State.StartedAt, FinishedAt: end.Time,
		End: end, Stopped: end.Asked.byHand(),
	}
}

// failedEnd is that of a start which came to nothing.
func failedEnd(err error) *End {
	end := &End{Reason: EndNotExecuted, Note: err.Error(), ExitCode: exitNotStarted, Time: now()}
	var advice *kernel.Advice
	if errors.As(err, &advice) && advice.Code != 0 {
		end.ExitCode = advice.Code
	}
	return end
}

// byHand tells whether it was a person who wanted the end, and not the machine that was about to go down.
func (a *Asked) byHand() bool { return a != nil && a.Command != "shutdown" }

// Brief is the reason in a word or two, where the exit code does not tell it: for the STATUS of ps -a. "" if there is no more to say.
func (end *End) Brief() string {
	if end == nil {
		return ""
	}
	if end.lostOne() {
		return "lost a process: out of memory"
	}
	return map[string]string{
		EndTimeout: "stop timed out", EndMemory: "out of memory", EndOutside: "killed from outside", EndMonitor: "monitor killed",
		EndReboot: "machine went down",
	}[end.Reason]
}

// Advice is what to say of an end to who has waited for it; nil if the exit code says it all.
func (end *End) Advice() error {
	if end == nil {
		return nil
	}
	switch {
	case end.Reason == EndMemory || end.lostOne():
		cure := "the machine itself has too little memory: free -m"
		if end.Memory.Limit > 0 {
			cure = "let it use less, or allow it more"
		}
		if end.lostOne() {
			return kernel.Advise(errors.New(end.Memory.Tell(false)), "%s", cure)
		}
		return kernel.Advise(errors.New("killed: "+end.Note), "%s", cure)
	case end.Reason == EndOutside, end.Reason == EndTimeout, end.Reason == EndMonitor:
		return errors.New("killed: " + end.Note)
	}
	return nil
}
