package userland

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

func runCat(p *Process) int {
	opts, names, err := p.options("nbsEvTAuet", map[string]string{"number": "n", "number-nonblank": "b",
		"squeeze-blank": "s", "show-ends": "E", "show-tabs": "T", "show-all": "A", "show-nonprinting": "v"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(opts.found) == 0 || len(opts.found) == 1 && opts.has('u') {
		return p.eachInput(names, func(_ string, in io.Reader) error {
			_, err := io.Copy(p.Stdout, in)
			return err
		})
	}
	out := bufio.NewWriter(p.Stdout)
	defer out.Flush()
	c := &catLines{opts: opts, out: out}
	return p.eachInput(names, func(_ string, in io.Reader) error {
		reader := bufio.NewReader(in)
		for {
			line, err := reader.ReadString('\n')
			if line != "" {
				c.print(line)
			}
			if err != nil {
				if err == io.EOF {
					return nil
				}
				return err
			}
		}
	})
}

type catLines struct {
	opts   *options
	out    *bufio.Writer
	number int
	blanks int // empty lines in a row
}

func (c *catLines) print(line string) {
	text, ended := strings.CutSuffix(line, "\n")
	if text == "" {
		c.blanks++
		if c.opts.has('s') && c.blanks > 1 {
			return
		}
	} else {
		c.blanks = 0
	}
	if c.opts.has('n') && !c.opts.has('b') || c.opts.has('b') && text != "" {
		c.number++
		fmt.Fprintf(c.out, "%6d\t", c.number)
	}
	c.out.WriteString(c.visible(text))
	if ended {
		if c.opts.last("EAe") != 0 {
			c.out.WriteByte('$')
		}
		c.out.WriteByte('\n')
	}
}

// visible shows control characters as ^X, those with the high bit as M-X, and tabs if asked to.
func (c *catLines) visible(text string) string {
	tabs, controls := c.opts.last("TAt") != 0, c.opts.last("vAet") != 0
	var shown strings.Builder
	for i := 0; i < len(text); i++ {
		b := text[i]
		if b == '\t' && tabs || controls && b != '\t' && (b < ' ' || b >= 0x7f) {
			if b >= 0x80 {
				shown.WriteString("M-")
				b &= 0x7f
			}
			if b < ' ' || b == 0x7f {
				shown.WriteByte('^')
				b ^= 0x40
			}
		}
		shown.WriteByte(b)
	}
	return shown.String()
}
