package userland

import (
	"bufio"
	"io"
	"strings"
)

// sedInput reads the files one after the other, and knows whether a line is the last.
type sedInput struct {
	p      *Process
	names  []string
	file   io.Closer
	reader *bufio.Reader
	code   int
}

// read gives a line without its end, and says whether it had one.
func (in *sedInput) read() (line string, ended, ok bool) {
	if in.atEnd() {
		return "", false, false
	}
	line, err := in.reader.ReadString('\n')
	line, ended = strings.CutSuffix(line, "\n")
	// Between files a missing line end is supplied.
	return line, ended || err == io.EOF && !in.atEnd(), true
}

// atEnd looks ahead, into the next files if need be.
func (in *sedInput) atEnd() bool {
	for {
		if in.reader != nil {
			if _, err := in.reader.Peek(1); err == nil {
				return false
			}
			in.file.Close()
			in.reader = nil
		}
		if len(in.names) == 0 {
			return true
		}
		name := in.names[0]
		in.names = in.names[1:]
		file, err := in.p.openInput(name)
		if err != nil {
			in.p.Fail("can't read %s: %s", name, causeText(err))
			in.code = 2
			continue
		}
		in.file, in.reader = file, bufio.NewReader(file)
	}
}

// interactive tells whether nothing more has come yet.
func (in *sedInput) interactive() bool { return in.reader == nil || in.reader.Buffered() == 0 }
