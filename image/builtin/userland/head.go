package userland

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
)

func runHead(p *Process) int {
	p.dashNumber("n")
	opts, names, err := p.options("n:c:qv", map[string]string{"lines": "n", "bytes": "c", "quiet": "q", "silent": "q", "verbose": "v"})
	if err != nil {
		return p.Fail("%v", err)
	}
	unit, text := 'n', "10"
	if last := opts.last("nc"); last != 0 {
		unit, text = last, opts.value(last)
	}
	text, fromEnd := strings.CutPrefix(text, "-")
	count, err := parseSize(text)
	if err != nil {
		return p.Fail("%v", err)
	}
	titles := titlePrinter{out: p.Stdout, show: opts.has('v') || len(names) > 1 && !opts.has('q')}
	return p.eachInput(names, func(name string, in io.Reader) error {
		titles.print(name)
		switch {
		case fromEnd:
			return printAllBut(p.Stdout, in, unit, count)
		case unit == 'c':
			_, err := io.CopyN(p.Stdout, in, count)
			if err == io.EOF {
				return nil
			}
			return err
		}
		return printFirstLines(p.Stdout, in, count)
	})
}

// titlePrinter writes the ==> name <== between the files of head and tail.
type titlePrinter struct {
	out    io.Writer
	show   bool
	before bool
}

func (t *titlePrinter) print(name string) {
	if !t.show {
		return
	}
	if t.before {
		fmt.Fprintln(t.out)
	}
	if name == "-" {
		name = "standard input"
	}
	fmt.Fprintf(t.out, "==> %s <==\n", name)
	t.before = true
}

func printFirstLines(out io.Writer, in io.Reader, count int64) error {
	reader := bufio.NewReader(in)
	for range count {
		line, err := reader.ReadSlice('\n')
		for err == bufio.ErrBufferFull {
			out.Write(line)
			line, err = reader.ReadSlice('\n')
		}
		out.Write(line)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// printAllBut is head -n -5, head -c -5.
func printAllBut(out io.Writer, in io.Reader, unit rune, count int64) error {
	data, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	if unit == 'c' {
		_, err = out.Write(data[:max(0, int64(len(data))-count)])
		return err
	}
	_, err = out.Write(data[:len(data)-len(lastLines(data, count))])
	return err
}

// lastLines is the end of data with that many lines; the last one need not be complete.
func lastLines(data []byte, count int64) []byte {
	if count == 0 {
		return nil
	}
	at := len(data)
	if at > 0 && data[at-1] == '\n' {
		at--
	}
	for ; count > 0; count-- {
		at = bytes.LastIndexByte(data[:at], '\n')
		if at < 0 {
			return data
		}
	}
	return data[at+1:]
}
