package userland

import (
	"errors"
	"os/exec"
	"path/filepath"
	"syscall"
)

// runProgram runs a program, as find -exec and xargs do: its exit code, 127 if there is none, 126 if it does not run.
func (p *Process) runProgram(argv []string, dir string) int {
	path, err := findProgram(argv[0])
	if err != nil {
		p.Fail("%s: %s", argv[0], causeText(err))
		return 127
	}
	cmd := &exec.Cmd{Path: path, Args: argv, Dir: dir, Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr}
	if name := filepath.Base(p.Args[0]); name == "xargs" {
		cmd.Stdin = nil // the list is there, and must not be read by others
	}
	return p.exitCode(cmd.Run(), argv[0])
}

func (p *Process) exitCode(err error, name string) int {
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return 0
	case !ok:
		p.Fail("%s: %s", name, causeText(err))
		return 126
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return exit.ExitCode()
}
