package userland

import (
	"fmt"
	"os"

	"golang.org/x/term"
)

func runTty(p *Process) int {
	opts, _, err := p.options("s", map[string]string{"silent": "s", "quiet": "s"})
	if err != nil {
		return p.Fail("%v", err)
	}
	name, code := "not a tty", 1
	if f, ok := p.Stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		code = 0
		name, err = os.Readlink(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
		if err != nil {
			name = "/dev/tty"
		}
	}
	if !opts.has('s') {
		fmt.Fprintln(p.Stdout, name)
	}
	return code
}
