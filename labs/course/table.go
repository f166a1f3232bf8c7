package course

import (
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

const (
	columnGap = 2
	narrowest = 8 // a column is not made narrower than this to fit a table into the width
)

// table renders rows of cells whose text wraps inside its column.
func (d *document) table(n *extast.Table, width int) []string {
	var rows [][][]cell
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		st := style(0)
		if row.Kind() == extast.KindTableHeader {
			st = bold
		}
		rows = append(rows, d.tableRow(row, st))
	}
	widths := columnWidths(rows, width)
	lines := d.tableLines(rows[0], widths)
	var rules []string
	for _, w := range widths {
		rules = append(rules, strings.Repeat("─", w))
	}
	lines = append(lines, strings.Join(rules, strings.Repeat(" ", columnGap)))
	for _, row := range rows[1:] {
		lines = append(lines, d.tableLines(row, widths)...)
	}
	return lines
}

func (d *document) tableRow(row ast.Node, st style) [][]cell {
	var list [][]cell
	for c := row.FirstChild(); c != nil; c = c.NextSibling() {
		list = append(list, d.inline(c, st))
	}
	return list
}

// columnWidths gives each column what its longest cell takes, then takes from the widest until the table fits.
func columnWidths(rows [][][]cell, width int) []int {
	widths := make([]int, len(rows[0]))
	total := columnGap * (len(widths) - 1)
	for i := range widths {
		for _, row := range rows {
			if i < len(row) {
				widths[i] = max(widths[i], cellColumns(row[i]))
			}
		}
		total += widths[i]
	}
	for ; total > width; total-- {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= narrowest {
			break
		}
		widths[widest]--
	}
	return widths
}

// tableLines renders one row, which takes as many lines as its tallest cell.
func (d *document) tableLines(row [][]cell, widths []int) []string {
	var wrapped [][][]cell
	height := 1
	for i := range widths {
		var lines [][]cell
		if i < len(row) {
			lines = wrap(row[i], widths[i])
		}
		wrapped = append(wrapped, lines)
		height = max(height, len(lines))
	}
	var lines []string
	for y := range height {
		var b strings.Builder
		for i, w := range widths {
			var part []cell
			if y < len(wrapped[i]) {
				part = wrapped[i][y]
			}
			b.WriteString(paintCells(part, d.color))
			b.WriteString(strings.Repeat(" ", max(0, w-cellColumns(part))+columnGap))
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	return lines
}
