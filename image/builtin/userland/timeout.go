package userland

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

func runTimeout(p *Process) int {
	opts, words, err := p.options("+s:k:fpv", map[string]string{"signal": "s", "kill-after": "k", "foreground": "f",
		"preserve-status": "p", "verbose": "v"})
	if err == nil && len(words) < 2 {
		err = errors.New("missing operand")
	}
	var limit, grace time.Duration
	sig := syscall.SIGTERM
	if err == nil {
		limit, err = parseDuration(words[0])
	}
	if err == nil && opts.has('k') {
		grace, err = parseDuration(opts.value('k'))
	}
	if err == nil && opts.has('s') {
		sig, err = parseSignal(opts.value('s'))
	}
	if err != nil {
		p.Fail("%v", err)
		return 125
	}
	path, err := findProgram(words[1])
	if err != nil {
		p.Fail("failed to run command '%s': %s", words[1], causeText(err))
		return 127
	}
	cmd := &exec.Cmd{Path: path, Args: words[1:], Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr}
	if err := cmd.Start(); err != nil {
		p.Fail("failed to run command '%s': %s", words[1], causeText(err))
		return 126
	}
	timedOut := superviseUntil(cmd, limit, grace, sig)
	code := p.exitCode(cmd.Wait(), words[1])
	if timedOut() && !opts.has('p') {
		if code == 128+int(syscall.SIGKILL) {
			return code
		}
		return 124
	}
	return code
}

// superviseUntil ends the program when its time is up, and hands on the signals that this process gets meanwhile.
func superviseUntil(cmd *exec.Cmd, limit, grace time.Duration, sig syscall.Signal) (timedOut func() bool) {
	var late atomic.Bool
	passed := make(chan os.Signal, 4)
	signal.Notify(passed, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() {
		for s := range passed {
			cmd.Process.Signal(s)
		}
	}()
	if limit > 0 { // 0 is for ever
		time.AfterFunc(limit, func() {
			late.Store(true)
			cmd.Process.Signal(sig)
			if grace > 0 {
				time.AfterFunc(grace, func() { cmd.Process.Kill() })
			}
		})
	}
	return late.Load
}
