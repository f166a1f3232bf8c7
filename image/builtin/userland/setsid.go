package userland

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// runSetsid runs a program in a session of its own, away from this terminal; -c gives the terminal to that session.
func runSetsid(p *Process) int {
	opts, words, err := p.options("+cfw", map[string]string{"ctty": "c", "fork": "f", "wait": "w"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(words) == 0 {
		return p.Fail("usage: setsid [-c] [-f] [-w] COMMAND…")
	}
	// The leader of a process group cannot begin a session: then a child has to.
	if os.Getpid() == unix.Getpgrp() || opts.has('f') {
		attr := &syscall.SysProcAttr{Setsid: true, Setctty: opts.has('c')}
		if opts.has('w') {
			return p.spawn(words, attr)
		}
		return p.leave(words, attr)
	}
	if _, err := unix.Setsid(); err != nil {
		return p.Fail("setsid failed: %s", causeText(err))
	}
	if opts.has('c') {
		if err := unix.IoctlSetInt(0, unix.TIOCSCTTY, 1); err != nil {
			return p.Fail("failed to set the controlling terminal: %s", causeText(err))
		}
	}
	return p.become(words)
}

// leave starts a program and does not wait for it.
func (p *Process) leave(argv []string, attr *syscall.SysProcAttr) int {
	path, err := findProgram(argv[0])
	if err == nil {
		_, err = syscall.ForkExec(path, argv, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: attr})
	}
	if err != nil {
		return p.failToExecute(argv[0], err)
	}
	return 0
}
