package course

import (
	"bytes"
	"io"
)

// Narrator shows what the commands of a lesson tell of themselves. Each sandbox in a step writes its records as lines
// of JSON to its standard error, where they are picked out of what else is printed; so they keep their place in it.
type Narrator interface {
	Tell(out io.Writer, record []byte) // one record, or more of it held back
	End(out io.Writer)                 // the command has ended: what was held back is due
}

// recordBegins is how a record can be told from what a program prints.
const recordBegins = `{"seq":`

// records parts the output of a command: whole lines that are records go to tell, all else to words as it comes.
type records struct {
	words io.Writer
	tell  func(record []byte)
	line  []byte // of the last line: what may be, or is, the beginning of a record
}

func (r *records) Write(p []byte) (int, error) {
	data := append(r.line, p...)
	r.line = nil
	for len(data) > 0 {
		at := beginning(data)
		if at > 0 {
			if _, err := r.words.Write(data[:at]); err != nil {
				return 0, err
			}
		}
		data = data[at:]
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			r.line = bytes.Clone(data)
			break
		}
		r.tell(data[:end])
		data = data[end+1:]
	}
	return len(p), nil
}

// beginning is where a record begins, or may begin when more has come; the length if nowhere.
func beginning(data []byte) int {
	if at := bytes.Index(data, []byte(recordBegins)); at >= 0 {
		return at
	}
	for n := min(len(data), len(recordBegins)-1); n > 0; n-- {
		if bytes.HasSuffix(data, []byte(recordBegins[:n])) {
			return len(data) - n
		}
	}
	return len(data)
}

// end passes on what only looked like a record.
func (r *records) end() {
	r.words.Write(r.line)
	r.line = nil
}

// folder breaks long lines on a terminal, and moves in what has been broken off.
type folder struct {
	out   io.Writer
	width int
}

func (f folder) Write(p []byte) (int, error) {
	const hanging = "      "
	for _, line := range bytes.SplitAfter(p, []byte("\n")) {
		text, ended := bytes.CutSuffix(line, []byte("\n"))
		if !ended {
			f.out.Write(text)
			continue
		}
		rest := cells(string(text), 0)
		// The indentation stays: it tells steps from headings.
		indent := len(text) - len(bytes.TrimLeft(text, " "))
		for i, part := range wrap(rest[indent:], max(20, f.width-indent-len(hanging))) {
			before := string(text[:indent])
			if i > 0 {
				before += hanging
			}
			io.WriteString(f.out, before+paintCells(part, false)+"\n")
		}
	}
	return len(p), nil
}
