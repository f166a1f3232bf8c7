package userland

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
)

// become replaces this process by another program, as chroot, setsid and nsenter do in the end. It returns only when that
// failed, with 127 for a program that is not there and 126 for one that cannot be executed.
func (p *Process) become(argv []string) int {
	path, err := findProgram(argv[0])
	if err == nil {
		err = syscall.Exec(path, argv, os.Environ())
	}
	return p.failToExecute(argv[0], err)
}

// findProgram looks a name up in $PATH.
func findProgram(name string) (string, error) {
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrDot) {
		return path, nil // the user wrote `.` into PATH and means it
	}
	if errors.Is(err, exec.ErrNotFound) {
		err = syscall.ENOENT
	}
	return path, err
}

func (p *Process) failToExecute(name string, err error) int {
	p.Fail("failed to execute %s: %s", name, causeText(err))
	if errors.Is(err, syscall.ENOENT) {
		return 127
	}
	return 126
}

// spawn runs a program as a child and waits for it: its exit code, or 128 and the signal that ended it. Signals from the
// keyboard reach the child by itself, so this process only must not die of them.
func (p *Process) spawn(argv []string, attr *syscall.SysProcAttr) int {
	path, err := findProgram(argv[0])
	if err != nil {
		return p.failToExecute(argv[0], err)
	}
	return p.wait(&exec.Cmd{Path: path, Args: argv, Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr, SysProcAttr: attr})
}

// spawnSelf runs another command of this very binary, which finds out by its first argument which.
func (p *Process) spawnSelf(argv []string, attr *syscall.SysProcAttr) int {
	return p.wait(&exec.Cmd{Path: "/proc/self/exe", Args: argv, Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr, SysProcAttr: attr})
}

func (p *Process) wait(cmd *exec.Cmd) int {
	caught := make(chan os.Signal, 8)
	signal.Notify(caught, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM)
	defer signal.Stop(caught)
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return 128 + int(status.Signal())
		}
		return exit.ExitCode()
	}
	return p.failToExecute(cmd.Args[0], err)
}

// waitFor waits for a child that was not started by os/exec.
func waitFor(pid int) int {
	caught := make(chan os.Signal, 8)
	signal.Notify(caught, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM)
	defer signal.Stop(caught)
	var status syscall.WaitStatus
	for {
		if _, err := syscall.Wait4(pid, &status, 0, nil); err != syscall.EINTR {
			break
		}
	}
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// shellOr is the command to run, or the user's shell where none was given.
func shellOr(argv []string) []string {
	if len(argv) > 0 {
		return argv
	}
	if shell := strings.TrimSpace(os.Getenv("SHELL")); shell != "" {
		return []string{shell}
	}
	return []string{"/bin/sh"}
}
