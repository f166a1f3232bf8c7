package userland

import (
	"strings"
)

func runYes(p *Process) int {
	line := "y\n"
	if len(p.Args) > 1 {
		line = strings.Join(p.Args[1:], " ") + "\n"
	}
	block := []byte(strings.Repeat(line, max(1, 8192/len(line))))
	for {
		if _, err := p.Stdout.Write(block); err != nil {
			return 1
		}
	}
}
