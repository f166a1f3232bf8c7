package userland

import (
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"
)

// compilePattern turns a POSIX regular expression, basic or extended, into one of Go's. The one thing that Go's cannot do
// is to refer back to a group inside the pattern.
func compilePattern(pattern string, extended, ignoreCase bool) (*regexp.Regexp, error) {
	t := &translation{rest: pattern, extended: extended, start: true}
	t.out.WriteString("(?s")
	if ignoreCase {
		t.out.WriteByte('i')
	}
	t.out.WriteByte(')')
	for t.rest != "" {
		if err := t.step(); err != nil {
			return nil, err
		}
	}
	re, err := regexp.Compile(t.out.String())
	if err != nil {
		// The pattern that Go complains of is not the one that was typed.
		problem, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "error parsing regexp: "), ": `")
		return nil, errors.New(problem)
	}
	re.Longest() // as POSIX has it
	return re, nil
}

type translation struct {
	out      strings.Builder
	rest     string
	extended bool
	start    bool // nothing to repeat has come yet, so that * is a plain character and ^ an anchor
}

func (t *translation) step() error {
	c := t.rest[0]
	switch {
	case c == '\\' && len(t.rest) > 1:
		return t.escape()
	case c == '[':
		return t.bracket()
	case c == '*':
		t.repeat("*")
	case c == '^' && (t.extended || t.start):
		t.out.WriteByte('^')
		t.rest = t.rest[1:] // and t.start stays: ^* is an asterisk
	case c == '^':
		t.literal()
	case c == '$' && (t.extended || t.atEnd(t.rest[1:])):
		t.put("$", 1, false)
	case c == '.':
		t.put(".", 1, false)
	case t.extended && (c == '+' || c == '?'):
		t.repeat(string(c))
	case t.extended && c == '{':
		t.interval(t.rest[1:], "}")
	case t.extended && (c == '(' || c == '|'):
		t.put(string(c), 1, true)
	case t.extended && c == ')':
		t.put(")", 1, false)
	default:
		t.literal()
	}
	return nil
}

// atEnd tells whether a basic $ is an anchor: at the end of the pattern or of a group.
func (t *translation) atEnd(after string) bool {
	return after == "" || strings.HasPrefix(after, `\)`) || strings.HasPrefix(after, `\|`)
}

func (t *translation) put(text string, consumed int, start bool) {
	t.out.WriteString(text)
	t.rest = t.rest[consumed:]
	t.start = start
}

func (t *translation) literal() {
	_, size := utf8.DecodeRuneInString(t.rest)
	t.put(regexp.QuoteMeta(t.rest[:size]), size, false)
}

func (t *translation) repeat(operator string) {
	if t.start {
		t.literal()
		return
	}
	// Go refuses a** and a+*, which POSIX takes for a*.
	t.put(operator, 1, false)
	for strings.HasPrefix(t.rest, "*") {
		t.rest = t.rest[1:]
	}
}

// interval is {2}, {2,} or {2,5}; anything else in braces is meant literally.
func (t *translation) interval(body, end string) {
	inside, after, ok := strings.Cut(body, end)
	low, high, _ := strings.Cut(inside, ",")
	if !ok || strings.Trim(low+high, "0123456789") != "" || inside == "" || inside == "," || t.start {
		t.put(`\{`, len(t.rest)-len(body), false)
		return
	}
	if low == "" {
		inside = "0" + inside
	}
	t.put("{"+inside+"}", len(t.rest)-len(after), false)
}

func (t *translation) escape() error {
	c := t.rest[1]
	switch {
	case strings.IndexByte("(|", c) >= 0 && !t.extended:
		t.put(string(c), 2, true)
	case c == ')' && !t.extended:
		t.put(")", 2, false)
	case (c == '+' || c == '?') && !t.extended && !t.start:
		t.put(string(c), 2, false)
	case c == '{' && !t.extended:
		t.interval(t.rest[2:], `\}`)
	case c >= '1' && c <= '9':
		return errors.New("references back to a group are not supported in a pattern")
	case c == '<' || c == '>':
		t.put(`\b`, 2, false)
	case c == '`':
		t.put(`\A`, 2, false)
	case c == '\'':
		t.put(`\z`, 2, false)
	case strings.IndexByte("bBwWsSntrfvd", c) >= 0:
		t.put(t.rest[:2], 2, false)
	default:
		t.rest = t.rest[1:]
		t.literal()
	}
	return nil
}

// bracket copies [^]a-z[:digit:]\], where for POSIX a backslash is itself.
func (t *translation) bracket() error {
	i := 1
	t.out.WriteByte('[')
	if i < len(t.rest) && t.rest[i] == '^' {
		t.out.WriteByte('^')
		i++
	}
	for first := true; ; first = false {
		if i >= len(t.rest) {
			return errors.New("unmatched [")
		}
		c := t.rest[i]
		switch {
		case c == ']' && !first:
			t.put("]", i+1, false)
			return nil
		case strings.HasPrefix(t.rest[i:], "[:"):
			end := strings.Index(t.rest[i:], ":]")
			if end < 0 {
				return errors.New("unmatched [")
			}
			t.out.WriteString(t.rest[i : i+end+2])
			i += end + 2
			continue
		case c == '\\' && i+1 < len(t.rest) && strings.IndexByte(`nt\`, t.rest[i+1]) >= 0:
			t.out.WriteString(t.rest[i : i+2]) // GNU takes these for what they mean elsewhere
			i += 2
			continue
		case strings.IndexByte(`[]\^&~`, c) >= 0:
			t.out.WriteByte('\\')
		}
		t.out.WriteByte(c)
		i++
	}
}
