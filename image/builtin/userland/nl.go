package userland

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
)

func runNl(p *Process) int {
	opts, names, err := p.options("b:w:s:v:n:", nil)
	if err != nil {
		return p.Fail("%v", err)
	}
	width, separator, number := 6, "\t", 1
	if opts.has('w') {
		width, _ = strconv.Atoi(opts.value('w'))
	}
	if opts.has('s') {
		separator = opts.value('s')
	}
	if opts.has('v') {
		number, _ = strconv.Atoi(opts.value('v'))
	}
	verb := map[string]string{"ln": "%-*d", "rz": "%0*d"}[opts.value('n')]
	if verb == "" {
		verb = "%*d"
	}
	lines, code := p.allLines(names)
	out := bufio.NewWriter(p.Stdout)
	defer out.Flush()
	for _, line := range lines {
		if opts.value('b') == "n" || line == "" && opts.value('b') != "a" {
			fmt.Fprintln(out, strings.Repeat(" ", width+len(separator))+line)
			continue
		}
		fmt.Fprintf(out, verb+"%s%s\n", width, number, separator, line)
		number++
	}
	return code
}
