package userland

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

func runUniq(p *Process) int {
	opts, operands, err := p.options("cduif:s:w:D", map[string]string{"count": "c", "repeated": "d", "unique": "u",
		"ignore-case": "i", "skip-fields": "f", "skip-chars": "s", "check-chars": "w"})
	if err != nil {
		return p.Fail("%v", err)
	}
	out := p.Stdout
	if len(operands) > 1 {
		f, err := os.Create(operands[1])
		if err != nil {
			return p.Fail("%s: %s", operands[1], causeText(err))
		}
		defer f.Close()
		out, operands = f, operands[:1]
	}
	lines, code := p.allLines(operands)
	writer := bufio.NewWriter(out)
	defer writer.Flush()
	for start := 0; start < len(lines); {
		end := start + 1
		for end < len(lines) && uniqKey(lines[end], opts) == uniqKey(lines[start], opts) {
			end++
		}
		count := end - start
		switch {
		case opts.has('d') && count == 1, opts.has('u') && count > 1:
		case opts.has('D'):
			for i := start; i < end && count > 1; i++ {
				fmt.Fprintln(writer, lines[i])
			}
		case opts.has('c'):
			fmt.Fprintf(writer, "%7d %s\n", count, lines[start])
		default:
			fmt.Fprintln(writer, lines[start])
		}
		start = end
	}
	return code
}

// uniqKey is the part of a line that is compared.
func uniqKey(line string, opts *options) string {
	fields, _ := strconv.Atoi(opts.value('f'))
	for range fields {
		line = strings.TrimLeft(line, " \t")
		line = strings.TrimLeftFunc(line, func(r rune) bool { return r != ' ' && r != '\t' })
	}
	if n, _ := strconv.Atoi(opts.value('s')); n > 0 {
		line = line[min(n, len(line)):]
	}
	if n, err := strconv.Atoi(opts.value('w')); err == nil {
		line = line[:min(n, len(line))]
	}
	if opts.has('i') {
		line = strings.ToLower(line)
	}
	return line
}
