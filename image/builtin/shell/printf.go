package shell

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/interp"
)

// Printf is printf(1): the format is used again as long as there are arguments. It returns what to print, and one
// complaint for each argument that is not the number it should be.
func Printf(format string, args []string) (text string, complaints []string) {
	p := &printer{args: args}
	for {
		before := len(p.args)
		p.run(format)
		if p.stopped || len(p.args) == 0 || len(p.args) == before {
			return p.out.String(), p.complaints
		}
	}
}

type printer struct {
	out        strings.Builder
	args       []string
	stopped    bool // \c in a %b
	complaints []string
}

func (p *printer) run(format string) {
	for i := 0; i < len(format) && !p.stopped; {
		switch format[i] {
		case '\\':
			text, size, stop := unescape(format[i:], false)
			p.out.WriteString(text)
			p.stopped = stop
			i += size
		case '%':
			i += p.directive(format[i:])
		default:
			p.out.WriteByte(format[i])
			i++
		}
	}
}

// directive handles %-10.3f and the like, and says how long it is.
func (p *printer) directive(format string) (size int) {
	i := 1
	spec := "%"
	for ; i < len(format) && strings.IndexByte("-+ #0123456789.*", format[i]) >= 0; i++ {
		if format[i] == '*' {
			spec += strconv.FormatInt(p.integer(p.next()), 10)
			continue
		}
		spec += format[i : i+1]
	}
	for i < len(format) && strings.IndexByte("hlLjzt", format[i]) >= 0 {
		i++ // sizes of C's types
	}
	if i == len(format) {
		p.complain("%s: missing format character", format)
		p.stopped = true
		return len(format)
	}
	verb := format[i]
	switch verb {
	case '%':
		p.out.WriteByte('%')
	case 'd', 'i':
		p.format(spec+"d", p.integer(p.next()))
	case 'u':
		p.format(spec+"d", uint64(p.integer(p.next())))
	case 'o', 'x', 'X':
		p.format(spec+string(verb), uint64(p.integer(p.next())))
	case 'e', 'E', 'f', 'F', 'g', 'G':
		p.format(spec+string(verb), p.float(p.next()))
	case 'c':
		arg := p.next()
		_, n := utf8.DecodeRuneInString(arg)
		p.format(spec+"s", arg[:n])
	case 's':
		p.format(spec+"s", p.next())
	case 'q':
		p.format(spec+"s", quote(p.next()))
	case 'b':
		p.format(spec+"s", p.unescapeAll(p.next()))
	default:
		p.complain("%%%c: invalid directive", verb)
		p.stopped = true
	}
	return i + 1
}

func (p *printer) format(spec string, value any) { fmt.Fprintf(&p.out, spec, value) }

func (p *printer) next() string {
	if len(p.args) == 0 {
		return ""
	}
	arg := p.args[0]
	p.args = p.args[1:]
	return arg
}

func (p *printer) complain(format string, args ...any) {
	p.complaints = append(p.complaints, fmt.Sprintf(format, args...))
}

// integer reads 10, 0x1f, 017 and 'A, whose value is the character's.
func (p *printer) integer(arg string) int64 {
	if arg == "" {
		return 0
	}
	if arg[0] == '\'' || arg[0] == '"' {
		r, _ := utf8.DecodeRuneInString(arg[1:])
		return int64(r)
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(arg, "+"), 0, 64)
	if err != nil {
		if unsigned, err := strconv.ParseUint(arg, 0, 64); err == nil {
			return int64(unsigned)
		}
		p.complain("%s: invalid number", arg)
	}
	return n
}

func (p *printer) float(arg string) float64 {
	if arg == "" {
		return 0
	}
	f, err := strconv.ParseFloat(arg, 64)
	if err != nil {
		p.complain("%s: invalid number", arg)
	}
	return f
}

func (p *printer) unescapeAll(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			out.WriteByte(text[i])
			i++
			continue
		}
		plain, size, stop := unescape(text[i:], true)
		out.WriteString(plain)
		i += size
		if stop {
			p.stopped = true
			break
		}
	}
	return out.String()
}

// Unescape is what `echo -e` and %b make of text; stopped reports a \c, after which nothing more is to be printed.
func Unescape(text string) (plain string, stopped bool) {
	p := &printer{}
	plain = p.unescapeAll(text)
	return plain, p.stopped
}

// unescape reads one escape at the beginning of text: its meaning and its length. Octal needs a leading 0 in %b.
func unescape(text string, leadingZero bool) (plain string, size int, stop bool) {
	if len(text) < 2 {
		return `\`, 1, false
	}
	if i := strings.IndexByte(`abefnrtv\"'`, text[1]); i >= 0 {
		return "\a\b\x1b\f\n\r\t\v\\\"'"[i : i+1], 2, false
	}
	switch c := text[1]; {
	case c == 'c' && leadingZero:
		return "", 2, true
	case c == 'x':
		return number(text, 2, 2, 16)
	case c == 'u':
		return number(text, 2, 4, 16)
	case c == 'U':
		return number(text, 2, 8, 16)
	case c == '0' && leadingZero:
		return number(text, 2, 3, 8)
	case c >= '0' && c <= '7':
		return number(text, 1, 3, 8)
	}
	return text[:2], 2, false
}

// number reads up to max digits from text[from:].
func number(text string, from, max, base int) (plain string, size int, stop bool) {
	end := from
	for end < len(text) && end-from < max {
		if _, err := strconv.ParseUint(text[end:end+1], base, 8); err != nil {
			break
		}
		end++
	}
	if end == from && text[1] != '0' {
		return text[:2], 2, false
	}
	n, _ := strconv.ParseUint(text[from:end], base, 32)
	if text[1] == 'u' || text[1] == 'U' {
		return string(rune(n)), end, false
	}
	return string([]byte{byte(n)}), end, false
}

// printf is the builtin. It runs before the call, because `printf -v NAME …` has the interpreter set a variable.
func (s *Shell) printf(hc interp.HandlerContext, args []string) []string {
	name := ""
	if len(args) > 1 && args[0] == "-v" {
		name, args = args[1], args[2:]
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		s.complain(hc, "printf: usage: printf [-v name] format [arguments]")
		return []string{"false"}
	}
	text, complaints := Printf(args[0], args[1:])
	result := "true"
	for _, complaint := range complaints {
		s.complain(hc, "printf: %s", complaint)
		result = "false"
	}
	if name != "" {
		return []string{"eval", name + "=" + quote(text) + "; " + result}
	}
	io.WriteString(hc.Stdout, text)
	return []string{result}
}
