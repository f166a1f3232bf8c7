package userland

import (
	"bufio"
	"fmt"
	"strconv"
)

func runCmp(p *Process) int {
	opts, names, err := p.options("slbn:", map[string]string{"silent": "s", "quiet": "s", "verbose": "l", "bytes": "n"})
	if err != nil {
		p.Fail("%v", err)
		return 2
	}
	if len(names) == 1 {
		names = append(names, "-")
	}
	if len(names) != 2 {
		p.Fail("needs two operands")
		return 2
	}
	var readers [2]*bufio.Reader
	for i, name := range names {
		in, err := p.openInput(name)
		if err != nil {
			p.Fail("%s: %s", name, causeText(err))
			return 2
		}
		defer in.Close()
		readers[i] = bufio.NewReader(in)
	}
	return p.compare(names, readers, opts)
}

func (p *Process) compare(names []string, readers [2]*bufio.Reader, opts *options) int {
	code, line := 0, 1
	limit, _ := strconv.Atoi(opts.value('n'))
	for at := 1; limit == 0 || at <= limit; at++ {
		a, errA := readers[0].ReadByte()
		b, errB := readers[1].ReadByte()
		switch {
		case errA != nil && errB != nil:
			return code
		case errA != nil || errB != nil:
			shorter := names[0]
			if errA == nil {
				shorter = names[1]
			}
			if !opts.has('s') {
				p.Fail("EOF on %s after byte %d, line %d", shorter, at-1, line)
			}
			return 1
		case a != b && opts.has('l'):
			fmt.Fprintf(p.Stdout, "%d %3o %3o\n", at, a, b)
			code = 1
		case a != b:
			if !opts.has('s') {
				fmt.Fprintf(p.Stdout, "%s %s differ: byte %d, line %d\n", names[0], names[1], at, line)
			}
			return 1
		}
		if a == '\n' {
			line++
		}
	}
	return code
}
