package userland

import (
	"fmt"
	"os"
	"strings"
)

// runLsmod lists the kernel's loaded modules. They are the machine's, in a container, too.
func runLsmod(p *Process) int {
	text, err := os.ReadFile("/proc/modules")
	if err != nil && !os.IsNotExist(err) { // a kernel without modules has no such file
		return p.Fail("%s", causeText(err))
	}
	fmt.Fprintln(p.Stdout, "Module                  Size  Used by")
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		users := strings.TrimSuffix(strings.TrimPrefix(fields[3], "-"), ",")
		fmt.Fprintln(p.Stdout, strings.TrimRight(fmt.Sprintf("%-19s %8s  %s %s", fields[0], fields[1], fields[2], users), " "))
	}
	return 0
}
