package course

import (
	"strings"
	"unicode"

	"sandbox/labs/columns"
)

// style is what a character looks like on a terminal with colours. Styles add up.
type style uint8

const (
	bold style = 1 << iota
	italic
	dim
	code
	green
	red
)

const styleOff = "\x1b[0m"

// on returns the escape sequence that switches a style on; "" for none.
func (st style) on() string {
	var numbers []string
	for _, sgr := range []struct {
		bit    style
		number string
	}{{bold, "1"}, {dim, "2"}, {italic, "3"}, {code, "36"}, {green, "32"}, {red, "31"}} {
		if st&sgr.bit != 0 {
			numbers = append(numbers, sgr.number)
		}
	}
	if len(numbers) == 0 {
		return ""
	}
	return "\x1b[" + strings.Join(numbers, ";") + "m"
}

// cell is one character with its style. Lines are broken as cells and become strings at the very end, so that no
// escape sequence is ever measured or cut.
type cell struct {
	char  rune
	style style
}

// cells leaves out control characters: a lesson of somebody else's is text, and gives the terminal no orders.
func cells(text string, st style) []cell {
	var list []cell
	for _, r := range text {
		if r == '\n' || !unicode.IsControl(r) {
			list = append(list, cell{r, st})
		}
	}
	return list
}

func cellColumns(line []cell) int {
	n := 0
	for _, c := range line {
		n += columns.OfRune(c.char)
	}
	return n
}

// Chinese typography: what may not begin a line, and what may not end one.
const (
	notFirst = "，。、；：？！）】」』》〉”’…—,.;:?!)]}%~·"
	notLast  = "（【「『《〈“‘([{"
)

// breakable says whether a line may end between a and b: at a space, or beside a Chinese character.
func breakable(a, b rune) bool {
	if a == ' ' {
		return b != ' '
	}
	if columns.OfRune(b) == 0 || strings.ContainsRune(notFirst, b) || strings.ContainsRune(notLast, a) {
		return false
	}
	return columns.OfRune(a) == 2 || columns.OfRune(b) == 2
}

// wrap breaks text into lines of at most max columns. '\n' always ends a line. A word longer than a line is cut, a path or
// an address behind one of its slashes if it can be.
func wrap(text []cell, max int) [][]cell {
	var lines [][]cell
	var line []cell
	used, lastBreak := 0, 0 // lastBreak: the line may end before this cell
	for i, c := range text {
		if c.char == '\n' {
			lines = append(lines, trimCells(line))
			line, used, lastBreak = nil, 0, 0
			continue
		}
		if len(line) == 0 && c.char == ' ' {
			continue
		}
		if len(line) > 0 && breakable(text[i-1].char, c.char) {
			lastBreak = len(line)
		}
		w := columns.OfRune(c.char)
		if used+w > max && len(line) > 0 && c.char != ' ' {
			if lastBreak == 0 {
				lastBreak = cutWord(line)
			}
			lines = append(lines, trimCells(line[:lastBreak]))
			line = append([]cell(nil), line[lastBreak:]...)
			used, lastBreak = cellColumns(line), 0
		}
		line = append(line, c)
		used += w
	}
	return append(lines, trimCells(line))
}

// cutWord says after how many of its characters a word is cut that fills a line.
func cutWord(line []cell) int {
	for i := len(line) - 1; i > len(line)/2; i-- {
		if strings.ContainsRune("/._-=?&", line[i].char) {
			return i + 1
		}
	}
	return len(line)
}

func trimCells(line []cell) []cell {
	for len(line) > 0 && line[len(line)-1].char == ' ' {
		line = line[:len(line)-1]
	}
	return line
}

// paintCells turns a line into a string that leaves no style behind.
func paintCells(line []cell, color bool) string {
	var b strings.Builder
	var now style
	for _, c := range line {
		if color && c.style != now {
			if now != 0 {
				b.WriteString(styleOff)
			}
			b.WriteString(c.style.on())
			now = c.style
		}
		b.WriteRune(c.char)
	}
	if now != 0 {
		b.WriteString(styleOff)
	}
	return b.String()
}
