package course

import (
	"bytes"
	"io"
	"strings"
	"sync"

	"sandbox/labs/columns"
)

// What a command prints stands under it, moved in; its explanations further in, behind a bar, so that they can be told
// apart without colours.
const (
	outputIndent  = "  "
	explainIndent = "  ┆ "
)

// screen is where several streams come together without cutting into each other's lines.
type screen struct {
	mu   sync.Mutex
	out  io.Writer
	open *stream // the one that has begun a line and not ended it
}

// stream is one of the things that print on a screen: each of its lines has something before and after it.
type stream struct {
	screen        *screen
	before, after string
	tabs          bool // turn tabs into spaces, so that columns stand where they stand without what is before
	column        int  // of the line that is open
}

// Write passes the bytes on as they come, the unfinished line included: a progress bar is to be seen.
func (st *stream) Write(p []byte) (int, error) {
	sc := st.screen
	sc.mu.Lock()
	defer sc.mu.Unlock()
	var b bytes.Buffer
	if sc.open != nil && sc.open != st {
		b.WriteString(sc.open.after + "\n")
		sc.open = nil
	}
	for _, line := range bytes.SplitAfter(p, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		if sc.open == nil {
			b.WriteString(st.before)
			st.column = 0
		}
		text, ended := bytes.CutSuffix(line, []byte("\n"))
		b.WriteString(st.untabbed(string(text)))
		sc.open = st
		if ended {
			b.WriteString(st.after + "\n")
			sc.open = nil
		}
	}
	if _, err := sc.out.Write(b.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// untabbed goes on with the open line. A tab leads to the next multiple of eight columns.
func (st *stream) untabbed(text string) string {
	if !st.tabs {
		return text
	}
	var b strings.Builder
	for i, part := range strings.SplitAfter(text, "\r") {
		if i > 0 {
			st.column = 0
		}
		for j, cell := range strings.Split(part, "\t") {
			if j > 0 {
				gap := 8 - st.column%8
				b.WriteString(strings.Repeat(" ", gap))
				st.column += gap
			}
			b.WriteString(cell)
			st.column += columns.Of(cell)
		}
	}
	return b.String()
}

// endLine ends the line that a command without a last newline has left.
func (sc *screen) endLine() {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if sc.open != nil {
		io.WriteString(sc.out, sc.open.after+"\n")
		sc.open = nil
	}
}
