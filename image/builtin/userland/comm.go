package userland

import (
	"bufio"
	"fmt"
)

func runComm(p *Process) int {
	opts, names, err := p.options("123", nil)
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(names) != 2 {
		return p.Fail("needs two operands")
	}
	a, codeA := p.allLines(names[:1])
	b, codeB := p.allLines(names[1:])
	if codeA|codeB != 0 {
		return 1
	}
	out := bufio.NewWriter(p.Stdout)
	defer out.Flush()
	indent := func(columns string) string {
		text := ""
		for _, column := range columns {
			if !opts.has(column) {
				text += "\t"
			}
		}
		return text
	}
	show := func(column rune, before, line string) {
		if !opts.has(column) {
			fmt.Fprintln(out, indent(before)+line)
		}
	}
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0] < b[0]:
			show('1', "", a[0])
			a = a[1:]
		case len(a) == 0 || b[0] < a[0]:
			show('2', "1", b[0])
			b = b[1:]
		default:
			show('3', "12", a[0])
			a, b = a[1:], b[1:]
		}
	}
	return 0
}
