package userland

import (
	"io"
	"os"
	"os/signal"
	"syscall"
)

func runTee(p *Process) int {
	opts, names, err := p.options("ai", map[string]string{"append": "a", "ignore-interrupts": "i"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if opts.has('i') {
		signal.Ignore(syscall.SIGINT)
	}
	mode := os.O_TRUNC
	if opts.has('a') {
		mode = os.O_APPEND
	}
	outputs := []io.Writer{p.Stdout}
	code := 0
	for _, name := range names {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|mode, 0o666)
		if err != nil {
			code = p.Fail("%s: %s", name, causeText(err))
			continue
		}
		defer f.Close()
		outputs = append(outputs, f)
	}
	if _, err := io.Copy(io.MultiWriter(outputs...), p.Stdin); err != nil {
		return p.Fail("%s", causeText(err))
	}
	return code
}
