package userland

import (
	"io"

	"sandbox/image/builtin/shell"
)

// runEcho is echo as a program; a shell has its own.
func runEcho(p *Process) int {
	io.WriteString(p.Stdout, shell.Echo(p.Args[1:]))
	return 0
}
