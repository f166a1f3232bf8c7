package netdraw

import (
	"strings"

	"sandbox/labs/columns"
)

// canvas is a piece of paper in squares, as a terminal has them. A character that takes two columns is in the first, and the second is empty.
type canvas struct {
	width int
	rows  [][]string
}

func (c *canvas) put(x, y int, s string) {
	for y >= len(c.rows) {
		row := make([]string, c.width)
		for i := range row {
			row[i] = " "
		}
		c.rows = append(c.rows, row)
	}
	if x >= 0 && x < c.width {
		c.rows[y][x] = s
	}
}

// at is what is in a square.
func (c *canvas) at(x, y int) string {
	if y < len(c.rows) && x >= 0 && x < c.width {
		return c.rows[y][x]
	}
	return " "
}

// text writes; what does not fit into so many columns ends with an ellipsis.
func (c *canvas) text(x, y, room int, s string) {
	room = min(room, c.width-x)
	if room <= 0 {
		return
	}
	for _, r := range columns.Cut(s, room) {
		switch columns.OfRune(r) {
		case 0: // belongs to the one before
			if x > 0 {
				c.put(x-1, y, c.at(x-1, y)+string(r))
			}
		case 1:
			c.put(x, y, string(r))
			x++
		default:
			c.put(x, y, string(r))
			c.put(x+1, y, "")
			x += 2
		}
	}
}

func (c *canvas) horizontal(from, to, y int, s string) {
	for x := from; x <= to; x++ {
		c.put(x, y, s)
	}
}

func (c *canvas) vertical(x, from, to int, s string) {
	for y := from; y <= to; y++ {
		c.put(x, y, s)
	}
}

// box draws a frame: corners from the upper left one in reading order, then the horizontal and the vertical line.
func (c *canvas) box(x, y, right, bottom int, frame string) {
	f := strings.Split(frame, "")
	c.horizontal(x, right, y, f[4])
	c.horizontal(x, right, bottom, f[4])
	c.vertical(x, y, bottom, f[5])
	c.vertical(right, y, bottom, f[5])
	c.put(x, y, f[0])
	c.put(right, y, f[1])
	c.put(x, bottom, f[2])
	c.put(right, bottom, f[3])
}

// Frames: of the host, of bridges, of containers, of those that have no network.
const (
	doubleFrame = "╔╗╚╝═║"
	heavyFrame  = "┏┓┗┛━┃"
	lightFrame  = "┌┐└┘─│"
)

func (c *canvas) String() string {
	var b strings.Builder
	for _, row := range c.rows {
		b.WriteString(strings.TrimRight(strings.Join(row, ""), " "))
		b.WriteByte('\n')
	}
	return b.String()
}
