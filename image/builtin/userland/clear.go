package userland

import (
	"io"
)

func runClear(p *Process) int {
	// Home, erase what is seen, erase what was scrolled away.
	io.WriteString(p.Stdout, "\x1b[H\x1b[2J\x1b[3J")
	return 0
}
