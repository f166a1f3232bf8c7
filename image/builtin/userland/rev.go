package userland

import (
	"bufio"
	"slices"
)

func runRev(p *Process) int {
	lines, code := p.allLines(p.Args[1:])
	out := bufio.NewWriter(p.Stdout)
	defer out.Flush()
	for _, line := range lines {
		runes := []rune(line)
		slices.Reverse(runes)
		out.WriteString(string(runes) + "\n")
	}
	return code
}
