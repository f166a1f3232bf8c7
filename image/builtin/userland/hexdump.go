package userland

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
)

// runHexdump knows the canonical form, hexdump -C, and the plain one of 16-bit words.
func runHexdump(p *Process) int {
	opts, names, err := p.options("Cvn:s:x", map[string]string{"canonical": "C", "no-squeezing": "v", "length": "n", "skip": "s"})
	if err != nil {
		return p.Fail("%v", err)
	}
	d := &dump16{out: bufio.NewWriter(p.Stdout), squeeze: !opts.has('v'), limit: -1}
	defer d.out.Flush()
	if d.skip, d.limit, err = dumpBounds(opts, 's', 'n'); err != nil {
		return p.Fail("%v", err)
	}
	d.line = func(offset int64, row []byte) string {
		if opts.has('C') || filepath.Base(p.Args[0]) == "hd" {
			return canonicalRow(offset, row)
		}
		return strings.TrimRight(fmt.Sprintf("%07x %s", offset, words16(row, "%04x")), " ")
	}
	d.end = func(offset int64) string {
		if opts.has('C') || filepath.Base(p.Args[0]) == "hd" {
			return fmt.Sprintf("%08x", offset)
		}
		return fmt.Sprintf("%07x", offset)
	}
	return p.dumpFiles(names, d)
}

func dumpBounds(opts *options, skipFlag, limitFlag rune) (skip, limit int64, err error) {
	limit = -1
	if opts.has(skipFlag) {
		skip, err = dumpNumber(opts.value(skipFlag))
	}
	if err == nil && opts.has(limitFlag) {
		limit, err = dumpNumber(opts.value(limitFlag))
	}
	return skip, limit, err
}

func dumpNumber(text string) (int64, error) {
	if n, err := strconv.ParseInt(text, 0, 64); err == nil {
		return n, nil
	}
	return parseSize(text)
}

// dump16 shows rows of 16 bytes. Rows like the one before are shown as one asterisk.
type dump16 struct {
	out         *bufio.Writer
	line        func(offset int64, row []byte) string
	end         func(offset int64) string
	squeeze     bool
	skip, limit int64

	offset  int64
	last    []byte
	starred bool
}

func (p *Process) dumpFiles(names []string, d *dump16) int {
	var readers []io.Reader
	code := 0
	if len(names) == 0 {
		readers = []io.Reader{p.Stdin}
	}
	for _, name := range names {
		in, err := p.openInput(name)
		if err != nil {
			code = p.Fail("%s: %s", name, causeText(err))
			continue
		}
		defer in.Close()
		readers = append(readers, in)
	}
	if len(readers) == 0 {
		return code
	}
	in := io.MultiReader(readers...)
	if d.skip > 0 {
		n, _ := io.CopyN(io.Discard, in, d.skip)
		d.offset = n
	}
	if d.limit >= 0 {
		in = io.LimitReader(in, d.limit)
	}
	d.show(bufio.NewReader(in))
	return code
}

func (d *dump16) show(in io.Reader) {
	for {
		row := make([]byte, 16)
		n, err := io.ReadFull(in, row)
		if n > 0 {
			d.row(row[:n])
		}
		if err != nil {
			break
		}
	}
	if last := d.end(d.offset); last != "" && d.offset > 0 {
		fmt.Fprintln(d.out, last)
	}
}

func (d *dump16) row(row []byte) {
	switch {
	case !d.squeeze || !bytes.Equal(row, d.last):
		fmt.Fprintln(d.out, d.line(d.offset, row))
		d.starred = false
	case !d.starred:
		fmt.Fprintln(d.out, "*")
		d.starred = true
	}
	d.last = row
	d.offset += int64(len(row))
}

// canonicalRow is 00000000  68 65 6c 6c 6f 0a                                 |hello.|
func canonicalRow(offset int64, row []byte) string {
	var hexes, letters strings.Builder
	for i := range 16 {
		if i == 8 {
			hexes.WriteByte(' ')
		}
		if i >= len(row) {
			hexes.WriteString("   ")
			continue
		}
		fmt.Fprintf(&hexes, "%02x ", row[i])
		if row[i] >= ' ' && row[i] < 0x7f {
			letters.WriteByte(row[i])
		} else {
			letters.WriteByte('.')
		}
	}
	return fmt.Sprintf("%08x  %s |%s|", offset, hexes.String(), letters.String())
}

func words16(row []byte, format string) string {
	var words []string
	for i := 0; i < len(row); i += 2 {
		word := uint16(row[i])
		if i+1 < len(row) {
			word |= uint16(row[i+1]) << 8
		}
		words = append(words, fmt.Sprintf(format, word))
	}
	return strings.Join(words, " ")
}
