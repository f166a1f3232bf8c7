package command

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"sandbox/labs/columns"
)

// Progress shows several things that are being done at the same time, one line each, in the order in which they were first
// heard of:
//
//	79e9f2f55bf5: Pull complete
//	0d96da54f60b: Downloading [=========>          ] 12.3MB/26.1MB
//	5b27040df4a2: Waiting
//
// On a terminal the lines are drawn anew, several times a second, as long as something in them is not finished; as Docker's
// are, but they never reach above the top of the screen, where they could not be drawn over. Anywhere else only the last
// word on each is printed, in the same order. There are no colours, so that there is nothing to switch off.
type Progress struct {
	out  io.Writer
	size func() (columns, rows int) // of the terminal; nil where there is none

	mu      sync.Mutex
	lines   []*progressLine
	over    map[string]bool // what has been printed for good
	drawn   int             // lines on the screen that will be drawn over
	changed bool
	stopped chan struct{}
	ended   sync.WaitGroup
}

type progressLine struct {
	id, text    string
	done, total int64
	final       bool
}

// redraw is as often as the eye follows.
const redraw = 100 * time.Millisecond

// Progress shows on the command's output. Call Close in the end, in any case.
func (e *Env) Progress() *Progress {
	file, ok := e.Out.(*os.File)
	// Explanations go to the same terminal, between the lines: then it is not drawn upon.
	if !ok || e.Explain != "" || os.Getenv("TERM") == "dumb" || !term.IsTerminal(int(file.Fd())) {
		return NewProgress(e.Out, nil)
	}
	return NewProgress(e.Out, func() (int, int) {
		columns, rows, err := term.GetSize(int(file.Fd()))
		if err != nil || columns < 1 || rows < 1 {
			return 80, 24
		}
		return columns, rows
	})
}

// NewProgress shows on a terminal of some size; nil: it is none.
func NewProgress(out io.Writer, size func() (columns, rows int)) *Progress {
	p := &Progress{out: out, size: size, over: map[string]bool{}, stopped: make(chan struct{})}
	if size != nil {
		p.ended.Go(p.drawUntilStopped)
	}
	return p
}

// Set says how far something has come: done of total bytes, shown as a bar; with total 0 only the text.
func (p *Progress) Set(id, text string, done, total int64) {
	p.change(progressLine{id: id, text: text, done: done, total: total})
}

// Finish says how it ended. Nothing that is said of it later is shown.
func (p *Progress) Finish(id, text string) {
	p.change(progressLine{id: id, text: text, final: true})
}

func (p *Progress) change(news progressLine) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over[news.id] {
		return
	}
	line := p.line(news.id)
	if line.final {
		return
	}
	*line = news
	p.changed = true
	if p.size == nil && news.final {
		for len(p.lines) > 0 && p.lines[0].final {
			fmt.Fprintln(p.out, p.top().plain())
		}
	}
}

func (p *Progress) line(id string) *progressLine {
	for _, line := range p.lines {
		if line.id == id {
			return line
		}
	}
	line := &progressLine{id: id}
	p.lines = append(p.lines, line)
	return line
}

// top takes the uppermost line away.
func (p *Progress) top() *progressLine {
	line := p.lines[0]
	p.lines, p.over[line.id] = p.lines[1:], true
	return line
}

// Println prints an ordinary line, above those that may still change.
func (p *Progress) Println(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn > 0 {
		fmt.Fprintf(p.out, "\r"+cursorUp+eraseDown, p.drawn)
		p.drawn = 0
	}
	fmt.Fprintln(p.out, line)
	p.changed = true
}

// Close shows the last state and lets go of the terminal. It may be called twice.
func (p *Progress) Close() {
	select {
	case <-p.stopped:
		return
	default:
	}
	close(p.stopped)
	p.ended.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.size != nil {
		p.draw()
		return
	}
	for _, line := range p.lines { // above these is one that has not been finished
		if line.final {
			fmt.Fprintln(p.out, line.plain())
		}
	}
}

func (p *Progress) drawUntilStopped() {
	ticker := time.NewTicker(redraw)
	defer ticker.Stop()
	for {
		select {
		case <-p.stopped:
			return
		case <-ticker.C:
			p.mu.Lock()
			if p.changed {
				p.draw()
			}
			p.mu.Unlock()
		}
	}
}

// Escape sequences (ECMA-48): all that a terminal must know.
const (
	cursorUp  = "\x1b[%dA"
	eraseLine = "\x1b[K"
	eraseDown = "\x1b[J"
)

// draw draws all lines over the ones drawn before, in one write, so that nothing flickers.
func (p *Progress) draw() {
	width, rows := p.size()
	var b strings.Builder
	if p.drawn > 0 {
		fmt.Fprintf(&b, "\r"+cursorUp, p.drawn)
	}
	for len(p.lines) > 0 && p.lines[0].final { // these may scroll away
		b.WriteString(columns.Cut(p.top().plain(), width-1) + eraseLine + "\n")
	}
	shown := p.lines[:min(len(p.lines), max(1, rows-2))]
	for _, line := range shown {
		b.WriteString(line.drawn(width-1) + eraseLine + "\n")
	}
	p.drawn = len(shown)
	if hidden := len(p.lines) - len(shown); hidden > 0 {
		b.WriteString(columns.Cut(fmt.Sprintf("… %d more", hidden), width-1) + eraseLine + "\n")
		p.drawn++
	}
	b.WriteString(eraseDown)
	io.WriteString(p.out, b.String())
	p.changed = false
}

func (l *progressLine) plain() string { return l.id + ": " + l.text }

// drawn is a line with its bar, as wide as there is room: a line that is broken could not be drawn over.
func (l *progressLine) drawn(width int) string {
	s := l.plain()
	if l.final || l.total <= 0 {
		return columns.Cut(s, width)
	}
	numbers := " " + Size(l.done) + "/" + Size(l.total)
	const most, least = 50, 8
	room := min(most, width-columns.Of(s)-columns.Of(numbers)-len(" []"))
	if room < least {
		return columns.Cut(s+numbers, width)
	}
	full := int(min(l.done, l.total) * int64(room) / l.total)
	bar := strings.Repeat("=", max(0, full-1)) + strings.Repeat(">", min(1, full))
	return s + " [" + bar + strings.Repeat(" ", room-full) + "]" + numbers
}
