package testscripts

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// traced is one system call as strace saw it.
type traced struct {
	pid    int // the thread that made it
	name   string
	args   []string // as strace wrote them, descriptors with their paths: 8</sys/fs/cgroup/…>
	result string   // "0", "-1", "?"
	errno  string   // "ENOENT"; "" for a call that succeeded
	begin  int      // the line on which it began
	end    int      // the line on which it came to its end

	adopted bool // its result is not what strace saw, see adopt
}

// trace is what `strace -f -y -v -o FILE` has written.
type trace struct {
	calls []traced      // in the order in which they began: a clone before what its child did
	exits map[int][]int // the lines on which threads of a number ended
}

// exit is the line on which the thread ended that had a number on the line since.
func (t *trace) exit(id, since int) int {
	for _, line := range t.exits[id] {
		if line > since {
			return line
		}
	}
	return math.MaxInt // strace was gone before it
}

// parseTrace reads strace's output, a line a call, and joins those that another thread has interrupted:
//
//	11 mount("proc", "/proc" <unfinished ...>
//	12 close(3) = 0
//	11 <... mount resumed>, "proc", 0, NULL) = 0
func parseTrace(text string) (*trace, error) {
	t := &trace{exits: map[int][]int{}}
	type half struct {
		text string
		line int
	}
	pending := map[int]half{}
	for number, line := range strings.Split(text, "\n") {
		first, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimLeft(rest, " ")
		pid, err := strconv.Atoi(first)
		switch {
		case line == "":
			continue
		case err != nil:
			return nil, fmt.Errorf("line %d does not begin with a pid: %q", number+1, line)
		case strings.HasPrefix(rest, "--- "):
			continue // a signal
		case strings.HasPrefix(rest, "+++ "):
			t.exits[pid] = append(t.exits[pid], number)
			if first, cut := pending[pid]; cut { // strace says nothing more of it
				if call, err := parseCall(first.text + ") = ?"); err == nil && call.clones() {
					call.pid, call.begin, call.end = pid, first.line, number
					t.calls = append(t.calls, call)
				}
				delete(pending, pid)
			}
			continue
		}
		if begun, ok := strings.CutSuffix(rest, " <unfinished ...>"); ok {
			pending[pid] = half{begun, number}
			continue
		}
		begin := number
		if strings.HasPrefix(rest, "<... ") {
			_, remainder, ok := strings.Cut(rest, " resumed>")
			first, begun := pending[pid]
			if !ok || !begun {
				return nil, fmt.Errorf("line %d resumes nothing: %q", number+1, line)
			}
			rest, begin = first.text+remainder, first.line
			delete(pending, pid)
		}
		call, err := parseCall(rest)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number+1, err)
		}
		call.pid, call.begin, call.end = pid, begin, number
		t.calls = append(t.calls, call)
	}
	slices.SortStableFunc(t.calls, func(a, b traced) int { return a.begin - b.begin })
	return t, nil
}

// parseCall reads `name(args) = result ERRNO (text)`.
func parseCall(s string) (traced, error) {
	name, rest, ok := strings.Cut(s, "(")
	if !ok {
		return traced{}, fmt.Errorf("no call: %q", s)
	}
	args, after, ok := splitArgs(rest)
	if !ok {
		return traced{}, fmt.Errorf("the arguments have no end: %q", s)
	}
	_, outcome, ok := strings.Cut(after, "= ")
	if !ok {
		return traced{}, fmt.Errorf("no result: %q", s)
	}
	fields := strings.Fields(outcome)
	c := traced{name: name, args: args, result: bare(fields[0])}
	if (c.result == "-1" || c.result == "?") && len(fields) > 1 {
		c.errno = fields[1]
	}
	return c, nil
}

// splitArgs splits what stands between a call's parentheses at the commas that are in no string, bracket or path.
func splitArgs(s string) (args []string, after string, ok bool) {
	depth, start := 0, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			i = endOfString(s, i)
		case c == '<' && isDecoration(s, i):
			i = endOfDecoration(s, i)
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case depth > 0 && strings.IndexByte(")]}", c) >= 0:
			depth--
		case depth == 0 && c == ',':
			args, start = append(args, strings.TrimSpace(s[start:i])), i+1
		case depth == 0 && c == ')':
			if last := strings.TrimSpace(s[start:i]); last != "" {
				args = append(args, last)
			}
			return args, s[i+1:], true
		}
	}
	return nil, "", false
}

// endOfString is where the string that begins at s[i] has its closing quote.
func endOfString(s string, i int) int {
	for i++; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' {
			i++
		}
	}
	return i
}

// isDecoration tells whether s[i] begins the path that -y writes behind a descriptor, as in 8</dev/null>; it might be
// the shift in 1<<CAP_CHOWN.
func isDecoration(s string, i int) bool {
	if i == 0 || i+1 == len(s) || s[i+1] == '<' || s[i-1] == '<' {
		return false
	}
	return s[i-1] >= '0' && s[i-1] <= '9' || strings.HasSuffix(s[:i], "AT_FDCWD")
}

// endOfDecoration is its closing bracket; a bracket within a path is written as an octal escape.
func endOfDecoration(s string, i int) int {
	for depth := 0; i < len(s); i++ {
		switch {
		case s[i] == '<':
			depth++
		case s[i] == '>' && s[i-1] != '-': // UNIX-STREAM:[1->2]
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return i
}

// bare takes the decorations of descriptors away: 8</dev/null> is 8.
func bare(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			end := min(endOfString(s, i), len(s)-1)
			b.WriteString(s[i : end+1])
			i = end
		case s[i] == '<' && isDecoration(s, i):
			i = endOfDecoration(s, i)
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// pathOf is the path that -y wrote behind a descriptor; "" if there is none.
func pathOf(arg string) string {
	if i := strings.IndexByte(arg, '<'); i >= 0 && isDecoration(arg, i) {
		return arg[i+1 : len(arg)-1]
	}
	return ""
}
