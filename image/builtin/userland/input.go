package userland

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"syscall"
)

// openInput opens a file to read, or standard input for "-".
func (p *Process) openInput(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(p.Stdin), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, syscall.EISDIR
	}
	return f, nil
}

// eachInput reads the files that are named, or standard input if none is. A file that cannot be read is reported and the
// next one tried; the exit code says so at the end.
func (p *Process) eachInput(names []string, read func(name string, in io.Reader) error) int {
	if len(names) == 0 {
		names = []string{"-"}
	}
	code := 0
	for _, name := range names {
		in, err := p.openInput(name)
		if err == nil {
			err = read(name, in)
			in.Close()
		}
		if err != nil {
			code = p.Fail("%s: %s", name, causeText(err))
		}
	}
	return code
}

// allLines reads all lines of the files, without their line ends.
func (p *Process) allLines(names []string) ([]string, int) {
	var lines []string
	code := p.eachInput(names, func(_ string, in io.Reader) error {
		scanner := lineScanner(in)
		for scanner.Scan() {
			lines = append(lines, scanner.Text())
		}
		return scanner.Err()
	})
	return lines, code
}

// lineScanner reads lines of up to 64 MiB, which no text has and some JSON does.
func lineScanner(in io.Reader) *bufio.Scanner {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(make([]byte, 0, 64<<10), 64<<20)
	scanner.Split(splitLines)
	return scanner
}

// splitLines is bufio.ScanLines, except that a carriage return is part of the line, as for every Unix tool.
func splitLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}
