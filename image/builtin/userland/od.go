package userland

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
)

func runOd(p *Process) int {
	opts, names, err := p.options("A:t:N:j:vcbxoda", map[string]string{"address-radix": "A", "format": "t", "read-bytes": "N",
		"skip-bytes": "j", "output-duplicates": "v"})
	if err != nil {
		return p.Fail("%v", err)
	}
	format, err := odFormat(opts)
	if err != nil {
		return p.Fail("%v", err)
	}
	address := map[string]string{"": "%07o", "o": "%07o", "d": "%07d", "x": "%06x", "n": ""}[opts.value('A')]
	d := &dump16{out: bufio.NewWriter(p.Stdout), squeeze: !opts.has('v')}
	defer d.out.Flush()
	if d.skip, d.limit, err = dumpBounds(opts, 'j', 'N'); err != nil {
		return p.Fail("%v", err)
	}
	show := func(offset int64) string {
		if address == "" {
			return ""
		}
		return fmt.Sprintf(address, offset)
	}
	d.line = func(offset int64, row []byte) string { return show(offset) + format(row) }
	d.end = show
	if address == "" {
		d.end = func(int64) string { return "" }
	}
	return p.dumpFiles(names, d)
}

// odFormat turns -c, -x, -t x1 and so on into a function that writes a row.
func odFormat(opts *options) (func(row []byte) string, error) {
	kind := map[rune]string{'c': "c", 'b': "o1", 'x': "x2", 'o': "o2", 'd': "u2", 'a': "c"}[opts.last("cbxoda")]
	if opts.has('t') {
		kind = opts.value('t')
	}
	kind = strings.TrimSuffix(kind, "z")
	switch {
	case kind == "":
		kind = "o2"
	case kind == "c" || kind == "a":
		return odCharacters, nil
	case len(kind) == 1:
		kind += "4"
	}
	size, err := strconv.Atoi(kind[1:])
	widths := map[string]int{"x1": 2, "x2": 4, "x4": 8, "x8": 16, "o1": 3, "o2": 6, "o4": 11, "o8": 22,
		"u1": 3, "u2": 5, "u4": 10, "u8": 20, "d1": 4, "d2": 6, "d4": 11, "d8": 20}
	width, ok := widths[kind]
	if err != nil || !ok {
		return nil, fmt.Errorf("invalid type string '%s'", kind)
	}
	return func(row []byte) string {
		var out strings.Builder
		for i := 0; i < len(row); i += size {
			var word uint64
			for j := range size {
				if i+j < len(row) {
					word |= uint64(row[i+j]) << (8 * j)
				}
			}
			switch kind[0] {
			case 'x':
				fmt.Fprintf(&out, " %0*x", width, word)
			case 'o':
				fmt.Fprintf(&out, " %0*o", width, word)
			case 'u':
				fmt.Fprintf(&out, " %*d", width, word)
			default:
				shift := 64 - 8*size
				fmt.Fprintf(&out, " %*d", width, int64(word<<shift)>>shift)
			}
		}
		return out.String()
	}, nil
}

func odCharacters(row []byte) string {
	var out strings.Builder
	for _, b := range row {
		name := ""
		switch {
		case b == 0:
			name = `\0`
		case b >= 7 && b <= 13:
			name = `\` + "abtnvfr"[b-7:b-6]
		case b >= ' ' && b < 0x7f:
			name = string(rune(b))
		default:
			name = fmt.Sprintf("%03o", b)
		}
		fmt.Fprintf(&out, " %3s", name)
	}
	return out.String()
}
