package userland

import (
	"io"
	"strings"

	"sandbox/image/builtin/shell"
)

// runEcho is echo as a program; a shell has its own.
func runEcho(p *Process) int {
	args := p.Args[1:]
	newline, escapes := true, false
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && strings.Trim(args[0][1:], "neE") == "" {
		for _, flag := range args[0][1:] {
			switch flag {
			case 'n':
				newline = false
			case 'e':
				escapes = true
			case 'E':
				escapes = false
			}
		}
		args = args[1:]
	}
	text := strings.Join(args, " ")
	if escapes {
		stopped := false
		text, stopped = shell.Unescape(text)
		newline = newline && !stopped
	}
	if newline {
		text += "\n"
	}
	io.WriteString(p.Stdout, text)
	return 0
}
