package course

import (
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

const (
	columnGap = 2
	narrowest = 8 // a column is not made narrower than this to fit a table into the width
)

// Table reads a paragraph as a table of Markdown: it is one if its second line is a row of dashes. The first row is the
// heading. nil if it is none.
//
// goldmark can do this too, but the package with its extensions compiles large regular expressions whenever the program
// starts, lab or not: 0.7 ms, a tenth of what a container takes.
func Table(n *ast.Paragraph, source []byte) [][]string {
	line := func(i int) string {
		segment := n.Lines().At(i)
		return strings.TrimSpace(string(segment.Value(source)))
	}
	if n.Lines().Len() < 2 || !isDelimiterRow(line(1)) {
		return nil
	}
	rows := [][]string{splitRow(line(0))}
	for i := 2; i < n.Lines().Len(); i++ {
		rows = append(rows, splitRow(line(i)))
	}
	return rows
}

// splitRow returns the Markdown in each cell. A | that is meant as such is written \|.
func splitRow(line string) []string {
	const bar = "\x00"
	line = strings.ReplaceAll(line, `\|`, bar)
	list := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|"), "|")
	for i, content := range list {
		list[i] = strings.ReplaceAll(strings.TrimSpace(content), bar, "|")
	}
	return list
}

// isDelimiterRow: |---|:--:|
func isDelimiterRow(line string) bool {
	return strings.Contains(line, "|") && strings.Contains(line, "-") && strings.Trim(line, "|-: ") == ""
}

// tableRows renders the text in each cell.
func (d *document) tableRows(n *ast.Paragraph) (rows [][][]cell) {
	for i, row := range Table(n, d.source) {
		st := style(0)
		if i == 0 {
			st = bold
		}
		var list [][]cell
		for _, source := range row {
			inner := &document{renderer: d.renderer, source: []byte(source)}
			var content []cell
			if first := d.parser.Parse(text.NewReader(inner.source)).FirstChild(); first != nil {
				content = inner.inline(first, st)
			}
			list = append(list, content)
		}
		rows = append(rows, list)
	}
	return rows
}

// table renders rows of cells whose text wraps inside its column. Where there is no room for columns side by side, each row
// becomes a list.
func (d *document) table(rows [][][]cell, width int) []string {
	widths := columnWidths(rows, width)
	if sum(widths)+columnGap*(len(widths)-1) > width {
		return d.tableAsList(rows, width)
	}
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

// tableAsList shows each row's cells under each other, each after the heading of its column.
func (d *document) tableAsList(rows [][][]cell, width int) []string {
	var lines []string
	for _, row := range rows[1:] {
		for i, content := range row {
			before, indent := "  ", "    "
			if i == 0 {
				before, indent = "• ", "  "
			}
			if i < len(rows[0]) && len(rows[0][i]) > 0 {
				content = append(append(slices.Clone(rows[0][i]), cells(": ", 0)...), content...)
			}
			lines = append(lines, d.prefixed(d.paragraph(content, width-len(indent)), before, indent)...)
		}
	}
	return lines
}

func sum(list []int) (total int) {
	for _, n := range list {
		total += n
	}
	return total
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
