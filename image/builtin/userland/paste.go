package userland

import (
	"fmt"
	"slices"
	"strings"
)

func runPaste(p *Process) int {
	opts, names, err := p.options("sd:", map[string]string{"serial": "s", "delimiters": "d"})
	if err != nil {
		return p.Fail("%v", err)
	}
	delimiters := []rune{'\t'}
	if opts.has('d') {
		delimiters = expandSet(strings.ReplaceAll(opts.value('d'), "-", `\055`))
	}
	if len(names) == 0 {
		names = []string{"-"}
	}
	columns := make([][]string, len(names))
	longest, code := 0, 0
	fromStdin := slices.Index(names, "-")
	for i, name := range names {
		if name == "-" && i != fromStdin {
			continue // several - take turns, below
		}
		lines, c := p.allLines([]string{name})
		code |= c
		columns[i] = lines
	}
	dealOut(columns, names, fromStdin)
	for _, column := range columns {
		longest = max(longest, len(column))
	}
	if opts.has('s') {
		for _, column := range columns {
			fmt.Fprintln(p.Stdout, joinWith(column, delimiters))
		}
		return code
	}
	for row := range longest {
		cells := make([]string, len(columns))
		for i, column := range columns {
			if row < len(column) {
				cells[i] = column[row]
			}
		}
		fmt.Fprintln(p.Stdout, joinWith(cells, delimiters))
	}
	return code
}

// dealOut gives the lines of standard input to each - in turn: `ls | paste - - -` makes three columns.
func dealOut(columns [][]string, names []string, first int) {
	if first < 0 {
		return
	}
	var at []int
	for i, name := range names {
		if name == "-" {
			at = append(at, i)
		}
	}
	lines := columns[first]
	columns[first] = nil
	for i, line := range lines {
		column := at[i%len(at)]
		columns[column] = append(columns[column], line)
	}
}

func joinWith(cells []string, delimiters []rune) string {
	var line strings.Builder
	for i, cell := range cells {
		if i > 0 && len(delimiters) > 0 {
			line.WriteRune(delimiters[(i-1)%len(delimiters)])
		}
		line.WriteString(cell)
	}
	return line.String()
}
