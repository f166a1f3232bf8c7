package userland

import (
	"bufio"
	"encoding/base64"
	"io"
	"strconv"
)

func runBase64(p *Process) int {
	opts, names, err := p.options("diw:", map[string]string{"decode": "d", "ignore-garbage": "i", "wrap": "w"})
	if err != nil {
		return p.Fail("%v", err)
	}
	width := 76
	if opts.has('w') {
		if width, err = strconv.Atoi(opts.value('w')); err != nil {
			return p.Fail("invalid wrap size: '%s'", opts.value('w'))
		}
	}
	if len(names) > 1 {
		return p.Fail("extra operand '%s'", names[1])
	}
	malformed := 0
	code := p.eachInput(names, func(_ string, in io.Reader) error {
		if opts.has('d') {
			_, err := io.Copy(p.Stdout, base64.NewDecoder(base64.StdEncoding, in)) // it skips line ends
			if err != nil {
				malformed = p.Fail("invalid input")
			}
			return nil
		}
		out := bufio.NewWriter(p.Stdout)
		defer out.Flush()
		wrapped := &lineWrapper{out: out, width: width}
		encoder := base64.NewEncoder(base64.StdEncoding, wrapped)
		_, err := io.Copy(encoder, in)
		encoder.Close()
		if wrapped.column > 0 && width > 0 {
			out.WriteByte('\n')
		}
		return err
	})
	return code | malformed
}

// lineWrapper breaks lines after so many bytes; a width of 0 is without end.
type lineWrapper struct {
	out    *bufio.Writer
	width  int
	column int
}

func (w *lineWrapper) Write(data []byte) (int, error) {
	for _, b := range data {
		w.out.WriteByte(b)
		if w.column++; w.column == w.width {
			w.out.WriteByte('\n')
			w.column = 0
		}
	}
	return len(data), nil
}
