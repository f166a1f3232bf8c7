package userland

import (
	"slices"
)

// dashNumber turns the old `head -5` into `head -n5`, which the options parser knows.
func (p *Process) dashNumber(flag string) {
	args := slices.Clone(p.Args)
	for i, arg := range args[1:] {
		if arg == "--" {
			break
		}
		if len(arg) > 1 && arg[0] == '-' && arg[1] >= '0' && arg[1] <= '9' {
			args[1+i] = "-" + flag + arg[1:]
		}
	}
	p.Args = args
}
