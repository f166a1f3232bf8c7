package build

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// console keeps the output of stages that are built at the same time apart: the first that has not ended is seen as it goes
// on; what the others print is kept until it is their turn.
type console struct {
	out io.Writer

	mu       sync.Mutex
	sections []*section
	live     int // of sections
	failed   bool
}

// maxKept is how much of a stage's output waits for its turn, in bytes.
const maxKept = 4 << 20

// section is the output of one stage.
type section struct {
	console *console
	parent  *section // print there instead
	kept    bytes.Buffer
	lost    int // bytes that were too many to keep
	ended   bool
}

func (c *console) section() *section {
	s := &section{console: c}
	c.sections = append(c.sections, s)
	return s
}

func (s *section) Write(p []byte) (int, error) {
	if s.parent != nil {
		return s.parent.Write(p)
	}
	c := s.console
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed {
		return len(p), nil
	}
	if c.live < len(c.sections) && c.sections[c.live] == s {
		return c.out.Write(p)
	}
	if s.kept.Len()+len(p) > maxKept {
		s.lost += len(p)
		return len(p), nil
	}
	return s.kept.Write(p)
}

// printf prints a line of our own. That the output is gone must not end a build.
func (s *section) printf(format string, args ...any) { fmt.Fprintf(s, format, args...) }

// finish says that a stage prints no more. The next one's turn comes when all before it have ended.
func (s *section) finish() {
	if s.parent != nil {
		return
	}
	c := s.console
	c.mu.Lock()
	defer c.mu.Unlock()
	s.ended = true
	for !c.failed && c.live < len(c.sections) && c.sections[c.live].ended {
		c.live++
		if c.live < len(c.sections) {
			c.sections[c.live].release()
		}
	}
}

// fail ends all output because of a stage that has failed: what is seen last of the build is that stage's. One that was called off
// has nothing to show.
func (c *console) fail(s *section, calledOff bool) {
	for s.parent != nil {
		s = s.parent
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.failed && !calledOff {
		s.release()
	}
	c.failed = true
}

func (s *section) release() {
	_, _ = s.kept.WriteTo(s.console.out)
	if s.lost > 0 {
		fmt.Fprintf(s.console.out, "[%d bytes of output were too many to keep]\n", s.lost)
		s.lost = 0
	}
}
