package shell

import (
	"errors"
	"io"
	"strings"
	"syscall"

	"mvdan.cc/sh/v3/interp"
)

// Echo is what echo(1) prints: -n, -e and -E may be one flag, as in -ne.
func Echo(args []string) string {
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
		text, stopped = Unescape(text)
		newline = newline && !stopped
	}
	if newline {
		text += "\n"
	}
	return text
}

// echo is the builtin. The interpreter's own writes each word and the newline by themselves; to a file of the kernel's each write
// is a value: `echo 41943040 > memory.max` would set the limit, and then, with the newline, to nothing.
func (s *Shell) echo(hc interp.HandlerContext, args []string) []string {
	_, err := io.WriteString(hc.Stdout, Echo(args))
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return []string{"true"}
	}
	var errno syscall.Errno
	if errors.As(err, &errno) { // in the C library's words
		text := errno.Error()
		s.complain(hc, "echo: write error: %s", strings.ToUpper(text[:1])+text[1:])
	}
	return []string{"false"}
}
