package shell

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"mvdan.cc/sh/v3/interp"
)

// readRequest is `read -rs -p PROMPT -t SECONDS -n COUNT -d DELIMITER name…`.
type readRequest struct {
	raw, silent, array bool
	prompt             string
	timeout            time.Duration
	count              int
	delimiter          byte
	names              []string
}

// read is the builtin where the interpreter's is not enough: at a terminal, where Ctrl-C must end it, and with the flags
// that the interpreter does not know. It reads the text; splitting it into variables is left to the interpreter.
func (s *Shell) read(ctx context.Context, hc interp.HandlerContext, args []string) []string {
	plain := append([]string{"read"}, args...)
	input, ok := hc.Stdin.(*os.File)
	if !ok {
		return plain
	}
	request, extended, ok := parseRead(args)
	if !ok || !extended && !isTerminal(input) {
		return plain
	}
	if request.prompt != "" && isTerminal(input) {
		fmt.Fprint(hc.Stderr, request.prompt)
	}
	text, code := request.readText(ctx, input)
	if request.silent && isTerminal(input) {
		fmt.Fprintln(hc.Stderr)
	}
	return []string{"eval", fmt.Sprintf("%s\n(exit %d)", request.assignment(text), code)}
}

// parseRead says, too, whether a flag is among them that only this package knows.
func parseRead(args []string) (request readRequest, extended, ok bool) {
	request.delimiter = '\n'
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		cluster := args[0][1:]
		args = args[1:]
		for i := 0; i < len(cluster); i++ {
			letter := cluster[i]
			value := ""
			if strings.IndexByte("ptndN", letter) >= 0 {
				value = cluster[i+1:]
				i = len(cluster)
				if value == "" {
					if len(args) == 0 {
						return request, false, false
					}
					value, args = args[0], args[1:]
				}
			}
			if !request.setFlag(letter, value) {
				return request, false, false
			}
			extended = extended || strings.IndexByte("tndN", letter) >= 0
		}
	}
	request.names = args
	return request, extended, true
}

func (q *readRequest) setFlag(letter byte, value string) bool {
	switch letter {
	case 'r':
		q.raw = true
	case 's':
		q.silent = true
	case 'a':
		q.array = true
	case 'e': // line editing, which the terminal does well enough
	case 'p':
		q.prompt = value
	case 't':
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return false
		}
		q.timeout = max(time.Duration(seconds*float64(time.Second)), time.Millisecond)
	case 'n', 'N':
		q.count, _ = strconv.Atoi(value)
	case 'd':
		q.delimiter = 0
		if value != "" {
			q.delimiter = value[0]
		}
	default:
		return false
	}
	return true
}

// readText reads up to the delimiter. The exit code is 0, 1 at the end of the input, 130 after Ctrl-C, 142 when time is up.
func (q *readRequest) readText(ctx context.Context, input *os.File) (text string, code int) {
	restore := q.adjustTerminal(input)
	defer restore()
	var deadline time.Time
	if q.timeout > 0 {
		deadline = time.Now().Add(q.timeout)
	}
	escaped := false
	var one [1]byte
	for {
		if code := waitReadable(ctx, input, deadline); code != 0 {
			return text, code
		}
		if n, _ := input.Read(one[:]); n == 0 {
			return text, 1
		}
		b := one[0]
		if b == q.delimiter && !escaped {
			return text, 0
		}
		escaped = b == '\\' && !escaped && !q.raw
		text += string(one[:])
		if q.count > 0 && len([]rune(text)) >= q.count {
			return text, 0
		}
	}
}

// waitReadable looks up now and then, because nothing but data ends a poll.
func waitReadable(ctx context.Context, input *os.File, deadline time.Time) (code int) {
	const glance = 50 * time.Millisecond
	for {
		if ctx.Err() != nil {
			return 128 + int(unix.SIGINT)
		}
		patience := glance
		if !deadline.IsZero() {
			patience = min(glance, time.Until(deadline))
			if patience <= 0 {
				return 128 + int(unix.SIGALRM)
			}
		}
		fds := []unix.PollFd{{Fd: int32(input.Fd()), Events: unix.POLLIN}}
		if n, err := unix.Poll(fds, int(patience.Milliseconds())+1); n > 0 || err != nil && err != unix.EINTR {
			return 0
		}
	}
}

// adjustTerminal turns echo off for -s and line buffering off for -n.
func (q *readRequest) adjustTerminal(input *os.File) (restore func()) {
	fd := int(input.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return func() {}
	}
	during := *before
	if q.silent {
		during.Lflag &^= unix.ECHO
	}
	if q.count > 0 || q.delimiter != '\n' {
		during.Lflag &^= unix.ICANON
	}
	unix.IoctlSetTermios(fd, unix.TCSETS, &during)
	return func() { unix.IoctlSetTermios(fd, unix.TCSETS, before) }
}

// assignment is shell text that gives the names their values.
func (q *readRequest) assignment(text string) string {
	if q.delimiter != '\n' && len(q.names) <= 1 {
		name := "REPLY"
		if len(q.names) == 1 {
			name = q.names[0]
			text = strings.Trim(text, " \t\n")
		}
		return name + "=" + quote(text)
	}
	flags := ""
	if q.raw {
		flags += " -r"
	}
	if q.array {
		flags += " -a"
	}
	return fmt.Sprintf("%s read%s %s <<< %s", callPlain, flags, quoteAll(q.names), quote(text))
}
