package userland

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// sedCommand is one command with its addresses.
type sedCommand struct {
	from, to *sedAddress
	negated  bool
	active   bool // between from and to
	until    int  // the line that ends an active range, 0 if a pattern does

	name  byte
	text  string // of a, i, c; label of b, t, :
	jump  int    // where b, t and { go
	re    *regexp.Regexp
	same  bool // an empty pattern: the last one used
	new   []sedPart
	nth   int
	all   bool
	print bool
	run   map[rune]rune // y
	path  string        // w, r
	file  *os.File
	code  int // q
}

// sedAddress chooses lines: a number, first~step, $, or a pattern.
type sedAddress struct {
	line, step int
	relative   bool // addr,+N
	multiple   bool // addr,~N
	last       bool
	re         *regexp.Regexp
	same       bool
}

type sedParser struct {
	rest     string
	extended bool
	commands []*sedCommand
	blocks   []int
	labels   map[string]int
}

func (p *sedParser) parse() ([]*sedCommand, error) {
	p.labels = map[string]int{}
	for {
		p.rest = strings.TrimLeft(p.rest, " \t\n;")
		if p.rest == "" {
			break
		}
		if p.rest[0] == '#' {
			p.line()
			continue
		}
		if err := p.command(); err != nil {
			return nil, err
		}
	}
	if len(p.blocks) > 0 {
		return nil, errors.New("unmatched `{'")
	}
	for _, c := range p.commands {
		if c.name == 'b' || c.name == 't' || c.name == 'T' {
			target, ok := p.labels[c.text]
			if c.text == "" {
				target, ok = len(p.commands), true
			}
			if !ok {
				return nil, fmt.Errorf("can't find label for jump to `%s'", c.text)
			}
			c.jump = target
		}
	}
	return p.commands, nil
}

func (p *sedParser) command() error {
	c := &sedCommand{}
	var err error
	if c.from, err = p.address(); err != nil {
		return err
	}
	p.rest = strings.TrimLeft(p.rest, " \t")
	if c.from != nil && strings.HasPrefix(p.rest, ",") {
		p.rest = strings.TrimLeft(p.rest[1:], " \t")
		if c.to, err = p.address(); err != nil {
			return err
		}
		if c.to == nil {
			return errors.New("unexpected `,'")
		}
	}
	p.rest = strings.TrimLeft(p.rest, " \t")
	for strings.HasPrefix(p.rest, "!") {
		c.negated = true
		p.rest = strings.TrimLeft(p.rest[1:], " \t")
	}
	if p.rest == "" {
		return errors.New("missing command")
	}
	c.name, p.rest = p.rest[0], p.rest[1:]
	p.commands = append(p.commands, c)
	return p.arguments(c)
}

func (p *sedParser) arguments(c *sedCommand) error {
	switch c.name {
	case '{':
		p.blocks = append(p.blocks, len(p.commands)-1)
		return nil
	case '}':
		if len(p.blocks) == 0 {
			return errors.New("unexpected `}'")
		}
		p.commands[p.blocks[len(p.blocks)-1]].jump = len(p.commands)
		p.blocks = p.blocks[:len(p.blocks)-1]
	case 'a', 'i', 'c':
		c.text = p.textArgument()
		return nil
	case ':':
		p.labels[p.word()] = len(p.commands)
		return nil
	case 'b', 't', 'T':
		c.text = p.word()
		return nil
	case 'r', 'w':
		c.path = strings.TrimSpace(p.line())
		return p.openFile(c)
	case 's':
		return p.substitution(c)
	case 'y':
		return p.transliteration(c)
	case 'q', 'Q':
		digits := p.number()
		c.code, _ = strconv.Atoi(digits)
	case 'p', 'P', 'd', 'D', 'n', 'N', 'g', 'G', 'h', 'H', 'x', '=', 'l', 'z':
	default:
		return fmt.Errorf("unknown command: `%c'", c.name)
	}
	return p.endOfCommand()
}

func (p *sedParser) endOfCommand() error {
	p.rest = strings.TrimLeft(p.rest, " \t")
	if p.rest != "" && strings.IndexByte(";\n}#", p.rest[0]) < 0 {
		return errors.New("extra characters after command")
	}
	return nil
}

// line takes the rest of the line.
func (p *sedParser) line() string {
	line, rest, _ := strings.Cut(p.rest, "\n")
	p.rest = rest
	return line
}

func (p *sedParser) word() string {
	p.rest = strings.TrimLeft(p.rest, " \t")
	end := strings.IndexAny(p.rest, ";\n} \t")
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return word
}

func (p *sedParser) number() string {
	p.rest = strings.TrimLeft(p.rest, " \t")
	end := len(p.rest) - len(strings.TrimLeft(p.rest, "0123456789"))
	digits := p.rest[:end]
	p.rest = p.rest[end:]
	return digits
}

// textArgument is the text of a, i and c: `a text` in one line, or `a\` and the lines that follow, all but the last
// ending in a backslash.
func (p *sedParser) textArgument() string {
	p.rest = strings.TrimLeft(p.rest, " \t")
	if strings.HasPrefix(p.rest, "\\") {
		p.rest = strings.TrimLeft(p.rest[1:], " \t")
		p.rest = strings.TrimPrefix(p.rest, "\n")
	}
	var text strings.Builder
	for {
		line := p.line()
		more := strings.HasSuffix(line, "\\")
		line = strings.TrimSuffix(line, "\\")
		for i := 0; i < len(line); i++ {
			if line[i] == '\\' && i+1 < len(line) {
				i++
				if line[i] == 't' {
					text.WriteByte('\t')
					continue
				}
			}
			text.WriteByte(line[i])
		}
		text.WriteByte('\n')
		if !more {
			return text.String()
		}
	}
}

func (p *sedParser) openFile(c *sedCommand) error {
	if c.path == "" {
		return errors.New("missing filename in r/R/w/W commands")
	}
	if c.name == 'r' || c.path == "/dev/stdout" {
		return nil
	}
	var err error
	c.file, err = os.Create(c.path)
	return err
}

func (p *sedParser) address() (*sedAddress, error) {
	if p.rest == "" {
		return nil, nil
	}
	a := &sedAddress{}
	switch c := p.rest[0]; {
	case c == '$':
		a.last = true
		p.rest = p.rest[1:]
	case c == '+' || c == '~':
		a.relative, a.multiple = c == '+', c == '~'
		p.rest = p.rest[1:]
		a.line, _ = strconv.Atoi(p.number())
	case c >= '0' && c <= '9':
		a.line, _ = strconv.Atoi(p.number())
		if strings.HasPrefix(p.rest, "~") {
			p.rest = p.rest[1:]
			a.step, _ = strconv.Atoi(p.number())
		}
	case c == '/' || c == '\\' && len(p.rest) > 1:
		if c == '\\' {
			p.rest = p.rest[1:]
		}
		pattern, err := p.delimited(true)
		if err != nil {
			return nil, errors.New("unterminated address regex")
		}
		ignoreCase := false
		for strings.HasPrefix(p.rest, "I") || strings.HasPrefix(p.rest, "M") {
			ignoreCase = ignoreCase || p.rest[0] == 'I'
			p.rest = p.rest[1:]
		}
		if a.same = pattern == ""; !a.same {
			a.re, err = compilePattern(pattern, p.extended, ignoreCase)
		}
		return a, err
	default:
		return nil, nil
	}
	return a, nil
}

// delimited takes the text between a delimiter, the first character, and the next one like it. Where more is to come, as
// in s/a/b/, that second one stays: it opens the next part.
func (p *sedParser) delimited(last bool) (string, error) {
	_, size := utf8.DecodeRuneInString(p.rest)
	delimiter := p.rest[:size]
	var text strings.Builder
	inBracket := false
	for i := size; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '\\' && i+1 < len(p.rest):
			i++
			switch {
			case strings.HasPrefix(p.rest[i:], delimiter) && !strings.ContainsAny(delimiter, "()|{}+?.*[]^$"):
				text.WriteString(delimiter) // an escaped delimiter is a plain character
			case p.rest[i] == '\n':
				text.WriteString("\\\n")
			default:
				text.WriteString(p.rest[i-1 : i+1])
			}
		case !inBracket && strings.HasPrefix(p.rest[i:], delimiter):
			p.rest = p.rest[i:]
			if last {
				p.rest = p.rest[size:]
			}
			return text.String(), nil
		default:
			if c == '[' && !inBracket {
				inBracket = strings.Contains(p.rest[i:], "]")
				text.WriteByte(c)
				// a ] that comes first is one of the characters
				for _, first := range []string{"^", "]"} {
					if strings.HasPrefix(p.rest[i+1:], first) && inBracket {
						text.WriteString(first)
						i++
					}
				}
				continue
			}
			if c == ']' {
				inBracket = false
			}
			text.WriteByte(c)
		}
	}
	return "", errors.New("unterminated")
}
