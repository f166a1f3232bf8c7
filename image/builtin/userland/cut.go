package userland

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

func runCut(p *Process) int {
	opts, names, err := p.options("b:c:f:d:sn!@:", map[string]string{"bytes": "b", "characters": "c", "fields": "f",
		"delimiter": "d", "only-delimited": "s", "complement": "!", "output-delimiter": "@"})
	if err != nil {
		return p.Fail("%v", err)
	}
	kind := opts.last("bcf")
	if kind == 0 {
		return p.Fail("you must specify a list of bytes, characters, or fields")
	}
	ranges, err := parseRanges(opts.value(kind))
	if err != nil {
		return p.Fail("%v", err)
	}
	delimiter := "\t"
	if opts.has('d') {
		delimiter = opts.value('d')
	}
	if len([]rune(delimiter)) != 1 {
		return p.Fail("the delimiter must be a single character")
	}
	joint := delimiter
	if kind != 'f' {
		joint = ""
	}
	if opts.has('@') {
		joint = opts.value('@')
	}
	out := bufio.NewWriter(p.Stdout)
	defer out.Flush()
	return p.eachInput(names, func(_ string, in io.Reader) error {
		scanner := lineScanner(in)
		for scanner.Scan() {
			line := scanner.Text()
			if kind == 'f' && !strings.Contains(line, delimiter) {
				if !opts.has('s') {
					fmt.Fprintln(out, line)
				}
				continue
			}
			var kept []string
			for i, part := range cutParts(line, kind, delimiter) {
				if inRanges(ranges, i+1) != opts.has('!') {
					kept = append(kept, part)
				}
			}
			fmt.Fprintln(out, strings.Join(kept, joint))
		}
		return scanner.Err()
	})
}

func cutParts(line string, kind rune, delimiter string) []string {
	switch kind {
	case 'f':
		return strings.Split(line, delimiter)
	case 'c':
		return strings.Split(line, "")
	}
	parts := make([]string, len(line))
	for i := range parts {
		parts[i] = line[i : i+1]
	}
	return parts
}
