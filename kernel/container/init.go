package container

import (
	"fmt"
	"os"
	"os/signal"
	"path"
	"slices"

	"golang.org/x/sys/unix"

	"sandbox/cgroup"
	"sandbox/kernel"
	"sandbox/kernel/early"
)

// RunInit is the main function of the init role: a PID 1 that starts one program, passes signals on to it, reaps whatever
// is left to PID 1, and ends with the program's exit code. `run --init` puts it into a container; a pocket host always
// has it.
func RunInit(args []string) int {
	pocket := path.Base(args[0]) == early.InitName // its terminal is the user's own, and shared
	if len(args) < 3 || args[1] != "--" {
		fmt.Fprintln(os.Stderr, "sandbox-init: usage: sandbox-init -- COMMAND [ARG...]")
		return 2
	}
	signals := make(chan os.Signal, 32)
	signal.Notify(signals)
	var steps []kernel.Step
	if !pocket {
		steps = append(steps, kernel.Because(kernel.Setpgid{}, "", ""), kernel.Try(kernel.Because(kernel.ForegroundGroup{FD: 0}, "", ""))[0])
	}
	door := &kernel.Door{Process: "init"}
	b, err := door.Spawn(kernel.Spawn{Section: "3.3", Process: "init", Steps: steps, Programs: programs(args[2:], os.Environ(), becomesBeside)})
	if err == nil {
		err = b.Failure()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "sandbox-init: %v\n", err)
		if slices.ContainsFunc(b.ProgramErrors(), func(e unix.Errno) bool { return e != unix.ENOENT && e != unix.ENOTDIR }) {
			return exitCannotExecute
		}
		return exitNotFound
	}
	go passOn(door, signals, b.PID, pocket)
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		if pid == b.PID && (status.Exited() || status.Signaled()) {
			if pocket {
				door.Do(cgroup.Detect().ThawBelow("")...)
			}
			return exitCode(status)
		}
		if err == unix.ECHILD {
			return 0
		}
	}
}

// passOn sends what PID 1 is sent to the program. Signals of a shared terminal, a pocket host's, have reached it already; and
// SIGTERM is a slip there, of somebody inside: `kill 6` means us, too, if that is the number of one of our threads.
func passOn(door *kernel.Door, signals <-chan os.Signal, pid int, shared bool) {
	for s := range signals {
		switch s {
		case unix.SIGCHLD, unix.SIGURG, unix.SIGPIPE, unix.SIGTTIN, unix.SIGTTOU:
			continue
		case unix.SIGINT, unix.SIGQUIT, unix.SIGTSTP, unix.SIGWINCH, unix.SIGCONT, unix.SIGTERM:
			if shared {
				continue
			}
		}
		if number, ok := s.(unix.Signal); ok {
			door.Do(kernel.Step{Effect: kernel.Kill{PID: pid, Signal: number}, Section: "3.3", Optional: true})
		}
	}
}
