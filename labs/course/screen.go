package course

import (
	"bytes"
	"io"
	"sync"
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
		}
		text, ended := bytes.CutSuffix(line, []byte("\n"))
		b.Write(text)
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

// endLine ends the line that a command without a last newline has left.
func (sc *screen) endLine() {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	if sc.open != nil {
		io.WriteString(sc.out, sc.open.after+"\n")
		sc.open = nil
	}
}
