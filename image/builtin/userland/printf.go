package userland

import (
	"io"

	"sandbox/image/builtin/shell"
)

func runPrintf(p *Process) int {
	args := p.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return p.Fail("missing operand")
	}
	text, complaints := shell.Printf(args[0], args[1:])
	io.WriteString(p.Stdout, text)
	for _, complaint := range complaints {
		p.Fail("%s", complaint)
	}
	return min(len(complaints), 1)
}
