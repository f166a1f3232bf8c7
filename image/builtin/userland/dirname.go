package userland

import (
	"cmp"
	"fmt"
	"strings"
)

func runDirname(p *Process) int {
	_, names, err := p.options("z", nil)
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(names) == 0 {
		return p.Fail("missing operand")
	}
	for _, name := range names {
		trimmed := strings.TrimRight(name, "/")
		switch slash := strings.LastIndexByte(trimmed, '/'); {
		case trimmed == "" && name != "":
			fmt.Fprintln(p.Stdout, "/")
		case slash < 0:
			fmt.Fprintln(p.Stdout, ".")
		default:
			fmt.Fprintln(p.Stdout, cmp.Or(strings.TrimRight(trimmed[:slash], "/"), "/"))
		}
	}
	return 0
}
