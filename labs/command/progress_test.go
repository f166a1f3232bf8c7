package command

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"sandbox/labs/columns"
)

// screen is a terminal that understands what Progress writes.
type screen struct {
	mu    sync.Mutex
	lines []string
	row   int
	rows  int // of the window: what has scrolled out of it cannot be reached
	t     *testing.T
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for text := string(p); text != ""; {
		switch {
		case strings.HasPrefix(text, eraseLine):
			text = text[len(eraseLine):]
		case strings.HasPrefix(text, eraseDown):
			s.lines, text = s.lines[:s.row], text[len(eraseDown):]
		case strings.HasPrefix(text, "\x1b["):
			n := 0
			for text = text[2:]; text[0] != 'A'; text = text[1:] {
				n = 10*n + int(text[0]-'0')
			}
			text = text[1:]
			if s.row -= n; s.row < 0 || len(s.lines)-s.row >= s.rows {
				s.t.Fatalf("the cursor leaves the screen of %d lines: %d of %d", s.rows, s.row, len(s.lines))
			}
		case text[0] == '\r':
			text = text[1:]
		default:
			line, rest, ended := strings.Cut(text, "\n")
			if !ended {
				s.t.Fatalf("half a line: %q", line)
			}
			if s.row == len(s.lines) {
				s.lines = append(s.lines, "")
			}
			s.lines[s.row], text = strings.TrimSuffix(line, eraseLine), rest
			s.row++
		}
	}
	return len(p), nil
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

// still is Progress without its clock: a test draws when it wants to.
func still(s *screen, columns int) *Progress {
	p := NewProgress(s, nil)
	p.size = func() (int, int) { return columns, s.rows }
	return p
}

func (p *Progress) drawNow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.draw()
}

func TestProgressOnATerminal(t *testing.T) {
	s := &screen{t: t, rows: 10}
	p := still(s, 60)
	p.Println("latest: Pulling from demo")
	p.Set("aaaaaaaaaaaa", "Waiting", 0, 0)
	p.Set("bbbbbbbbbbbb", "Downloading", 5e6, 10e6)
	p.drawNow()
	const first = "latest: Pulling from demo\naaaaaaaaaaaa: Waiting\nbbbbbbbbbbbb: Downloading [==========>           ] 5MB/10MB"
	if got := s.text(); got != first {
		t.Errorf("%s", got)
	}
	p.Finish("bbbbbbbbbbbb", "Pull complete")
	p.Set("bbbbbbbbbbbb", "Downloading", 1, 2) // too late
	p.Println("between")
	p.drawNow()
	p.Finish("aaaaaaaaaaaa", "Already exists")
	p.Close()
	p.Close()
	const last = "latest: Pulling from demo\nbetween\naaaaaaaaaaaa: Already exists\nbbbbbbbbbbbb: Pull complete"
	if got := s.text(); got != last {
		t.Errorf("%s", got)
	}
}

// TestSmallTerminal: more lines than the screen has.
func TestSmallTerminal(t *testing.T) {
	s := &screen{t: t, rows: 5}
	p := still(s, 20)
	ids := strings.Split("abcdefgh", "")
	for _, id := range ids {
		p.Set(id, "Waiting", 0, 0)
	}
	p.drawNow()
	if got := s.text(); got != "a: Waiting\nb: Waiting\nc: Waiting\n… 5 more" {
		t.Errorf("%s", got)
	}
	for _, id := range ids {
		p.Set(id, "Downloading", 1, 3)
		p.drawNow()
		p.Finish(id, "Pull complete")
		p.drawNow()
	}
	p.Close()
	if got := s.text(); strings.Count(got, "Pull complete") != len(ids) || strings.Count(got, "\n") != len(ids)-1 {
		t.Errorf("%s", got)
	}
}

func TestProgressInAPipe(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out, nil)
	p.Println("head")
	p.Set("a", "Waiting", 0, 0)
	p.Set("b", "Waiting", 0, 0)
	p.Set("c", "Waiting", 0, 0)
	p.Finish("b", "Pull complete")
	p.Set("b", "Downloading", 1, 2)
	if got := out.String(); got != "head\n" {
		t.Errorf("%q: the order is that of the layers", got)
	}
	p.Finish("a", "Already exists")
	p.Set("a", "Downloading", 1, 2)
	if got := out.String(); got != "head\na: Already exists\nb: Pull complete\n" {
		t.Errorf("%q", got)
	}
	p.Close()
	if got := out.String(); strings.Contains(got, "c:") || strings.Contains(got, "\x1b") {
		t.Errorf("%q: what is not finished is not told", got)
	}
}

func TestDrawn(t *testing.T) {
	for width := range 80 {
		line := progressLine{id: "aaaaaaaaaaaa", text: "Downloading", done: 7, total: 5}
		if got := line.drawn(width); columns.Of(got) > max(1, width) {
			t.Errorf("%d columns: %q", width, got)
		}
	}
}
