package userland

import (
	"fmt"
	"strconv"
	"strings"
)

func runFold(p *Process) int {
	p.dashNumber("w")
	opts, names, err := p.options("w:sb", map[string]string{"width": "w", "spaces": "s", "bytes": "b"})
	if err != nil {
		return p.Fail("%v", err)
	}
	width := 80
	if opts.has('w') {
		if width, err = strconv.Atoi(opts.value('w')); err != nil || width < 1 {
			return p.Fail("invalid number of columns: '%s'", opts.value('w'))
		}
	}
	lines, code := p.allLines(names)
	for _, line := range lines {
		rest := []rune(line)
		for len(rest) > width {
			at := width
			if opts.has('s') {
				if space := strings.LastIndexByte(string(rest[:width]), ' '); space >= 0 {
					at = len([]rune(string(rest[:width])[:space+1]))
				}
			}
			fmt.Fprintln(p.Stdout, string(rest[:at]))
			rest = rest[at:]
		}
		fmt.Fprintln(p.Stdout, string(rest))
	}
	return code
}
