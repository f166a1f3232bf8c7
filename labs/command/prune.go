package command

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Confirmed asks on the terminal whether to go on.
func (e *Env) Confirmed(question string) bool {
	fmt.Fprintf(e.Out, "%s\nAre you sure you want to continue? [y/N] ", question)
	answer, _ := bufio.NewReader(e.In).ReadString('\n')
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}

// PrintPruned lists what was removed, if anything was.
func PrintPruned(w io.Writer, what string, lines []string) {
	if len(lines) > 0 {
		fmt.Fprintf(w, "Deleted %s:\n%s\n\n", what, strings.Join(lines, "\n"))
	}
}
