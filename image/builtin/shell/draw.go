package shell

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/term"
)

func (e *editor) width() int {
	if width, _, err := term.GetSize(int(e.in.Fd())); err == nil && width > 0 {
		return width
	}
	return 80
}

// echo is the short way for what happens most: a character at the end of the line, which need not be drawn anew.
func (e *editor) echo(key rune) bool {
	cursor := place{width: e.width()}
	cursor.advance(withoutEscapes(e.prompt) + string(e.line))
	if key < ' ' || key == 0x7f || e.pos < len(e.line) || cursor.column+runeWidth(key) >= cursor.width {
		return false
	}
	e.insert(key)
	e.lastTab = false
	fmt.Fprint(e.out, string(key))
	return true
}

// draw shows prompt and line, and puts the cursor where it belongs.
func (e *editor) draw() {
	width := e.width()
	var out strings.Builder
	if e.row > 0 {
		fmt.Fprintf(&out, "\x1b[%dA", e.row)
	}
	out.WriteString("\r" + e.prompt + strings.ReplaceAll(string(e.line), "\n", "\x1b[K\r\n"))

	cursor := place{width: width}
	cursor.advance(withoutEscapes(e.prompt))
	end := cursor
	cursor.advance(string(e.line[:e.pos]))
	end.advance(string(e.line))
	if end.column == width {
		// The terminal stays on the last column until the next character comes.
		out.WriteString("\r\n")
		end.wrap()
	}
	out.WriteString("\x1b[J") // at the end, so that nothing flickers
	if cursor.column == width {
		cursor.wrap()
	}
	if up := end.row - cursor.row; up > 0 {
		fmt.Fprintf(&out, "\x1b[%dA", up)
	}
	out.WriteString("\r")
	if cursor.column > 0 {
		fmt.Fprintf(&out, "\x1b[%dC", cursor.column)
	}
	e.row = cursor.row
	fmt.Fprint(e.out, out.String())
}

// place follows the cursor as the terminal moves it.
type place struct{ row, column, width int }

func (p *place) wrap() { p.row, p.column = p.row+1, 0 }

func (p *place) advance(text string) {
	for _, r := range text {
		if r == '\n' {
			p.wrap()
			continue
		}
		w := runeWidth(r)
		if p.column+w > p.width {
			p.wrap()
		}
		p.column += w
	}
}

// withoutEscapes removes colours and the like, ESC [ … letter, which take no room.
func withoutEscapes(text string) string {
	var plain strings.Builder
	inside := false
	for _, r := range text {
		switch {
		case r == 0x1b:
			inside = true
		case inside:
			inside = r == '[' || r == ';' || unicode.IsDigit(r)
		default:
			plain.WriteRune(r)
		}
	}
	return plain.String()
}

// Columns is the room that text takes on a terminal: Chinese characters take two columns each.
func Columns(text string) int {
	total := 0
	for _, r := range text {
		total += runeWidth(r)
	}
	return total
}

func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r >= 0x1100 && r <= 0x115f, // Hangul consonants
		r >= 0x2e80 && r <= 0xa4cf && r != 0x303f, // Chinese, Japanese, Yi
		r >= 0xac00 && r <= 0xd7a3,                // Hangul syllables
		r >= 0xf900 && r <= 0xfaff,                // Chinese, compatibility
		r >= 0xfe30 && r <= 0xfe6f,                // vertical forms
		r >= 0xff00 && r <= 0xff60,                // full width forms
		r >= 0xffe0 && r <= 0xffe6,
		r >= 0x1f300 && r <= 0x1f64f, // emoji
		r >= 0x1f900 && r <= 0x1f9ff,
		r >= 0x20000 && r <= 0x3fffd: // Chinese, rare
		return 2
	}
	return 1
}
