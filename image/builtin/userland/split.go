package userland

import (
	"bufio"
	"io"
	"os"
	"strconv"
)

func runSplit(p *Process) int {
	p.dashNumber("l")
	opts, operands, err := p.options("l:b:a:dn:", map[string]string{"lines": "l", "bytes": "b", "suffix-length": "a", "numeric-suffixes": "d"})
	if err != nil {
		return p.Fail("%v", err)
	}
	name, prefix := "-", "x"
	if len(operands) > 0 {
		name = operands[0]
	}
	if len(operands) > 1 {
		prefix = operands[1]
	}
	size, length := int64(1000), 2
	byBytes := opts.last("lb") == 'b'
	if flag := opts.last("lb"); flag != 0 {
		if size, err = parseSize(opts.value(flag)); err != nil || size == 0 {
			return p.Fail("invalid number: '%s'", opts.value(flag))
		}
	}
	if opts.has('a') {
		length, _ = strconv.Atoi(opts.value('a'))
	}
	return p.eachInput([]string{name}, func(_ string, in io.Reader) error {
		reader := bufio.NewReader(in)
		for number := 0; ; number++ {
			if _, err := reader.Peek(1); err == io.EOF {
				return nil
			}
			f, err := os.Create(prefix + splitSuffix(number, length, opts.has('d')))
			if err != nil {
				return err
			}
			if byBytes {
				_, err = io.CopyN(f, reader, size)
			} else {
				err = printFirstLines(f, &unbuffered{reader}, size)
			}
			f.Close()
			if err != nil && err != io.EOF {
				return err
			}
		}
	})
}

// unbuffered keeps printFirstLines from reading further than the lines that it prints.
type unbuffered struct{ r *bufio.Reader }

func (u *unbuffered) Read(p []byte) (int, error) {
	line, err := u.r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		err = nil
	}
	return copy(p, line), err
}

// splitSuffix counts aa, ab … or 00, 01 …
func splitSuffix(number, length int, digits bool) string {
	base, first := 26, byte('a')
	if digits {
		base, first = 10, '0'
	}
	text := make([]byte, length)
	for i := length - 1; i >= 0; i-- {
		text[i] = first + byte(number%base)
		number /= base
	}
	return string(text)
}
