package userland

import (
	"sandbox/image/builtin/shell"
)

func runShell(p *Process) int { return shell.Main(p.Args, p.Stdin, p.Stdout, p.Stderr) }
