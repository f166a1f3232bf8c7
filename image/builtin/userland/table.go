package userland

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// printColumns prints rows with each column as wide as its widest cell, those listed in right aligned to the right. The
// last column is not padded.
func printColumns(out io.Writer, rows [][]string, right ...int) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			padding := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				line.WriteByte(' ')
			}
			switch {
			case slices.Contains(right, i):
				line.WriteString(padding + cell)
			case i == len(row)-1:
				line.WriteString(cell)
			default:
				line.WriteString(cell + padding)
			}
		}
		fmt.Fprintln(out, line.String())
	}
}
