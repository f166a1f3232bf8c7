package chapter3

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// barWidth is how many columns the longest bar has.
const barWidth = 40

// printBars draws what each container uses of the processors, the longest bar for the one that uses most: whether one gets
// twice as much as the other is seen at a glance.
func printBars(w io.Writer, rows []*statsRow) error {
	longest, name := 0.0, 0
	for _, r := range rows {
		longest, name = max(longest, r.cpu), max(name, utf8.RuneCountInString(r.Name))
	}
	for _, r := range rows {
		line := fmt.Sprintf("%-*s %8s %s", name, r.Name, r.CPUPerc, bar(r.cpu, longest))
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " ")); err != nil {
			return err
		}
	}
	return nil
}

// eighths are what a bar may end with: an eighth of a column, two eighths …
var eighths = []string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}

// bar is as much of barWidth as share is of whole.
func bar(share, whole float64) string {
	if whole <= 0 {
		return ""
	}
	n := int(share/whole*barWidth*8 + 0.5)
	return strings.Repeat("█", n/8) + eighths[n%8]
}
