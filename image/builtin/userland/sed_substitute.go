package userland

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// sedPart is a piece of the right side of s: text, or a group, and from where on letters change their case.
type sedPart struct {
	text  string
	group int  // -1 for text
	fold  byte // U, L, u, l, E
}

// substitution reads /pattern/replacement/flags.
func (p *sedParser) substitution(c *sedCommand) error {
	if p.rest == "" {
		return errors.New("unterminated `s' command")
	}
	pattern, err := p.delimited(false)
	if err != nil {
		return errors.New("unterminated `s' command")
	}
	replacement, err := p.replacement()
	if err != nil {
		return errors.New("unterminated `s' command")
	}
	c.nth = 1
	ignoreCase := false
	for p.rest != "" {
		flag := p.rest[0]
		switch {
		case flag == 'g':
			c.all = true
		case flag == 'p':
			c.print = true
		case flag == 'i' || flag == 'I':
			ignoreCase = true
		case flag == 'm' || flag == 'M' || flag == 'e':
			return fmt.Errorf("the %c flag of `s' is not supported", flag)
		case flag >= '1' && flag <= '9':
			c.nth, _ = strconv.Atoi(p.number())
			continue
		case flag == 'w':
			p.rest = p.rest[1:]
			c.path = strings.TrimSpace(p.line())
			return errors.Join(p.compileInto(c, pattern, replacement, ignoreCase), p.openFile(c))
		default:
			if err := p.endOfCommand(); err != nil {
				return errors.New("unknown option to `s'")
			}
			return p.compileInto(c, pattern, replacement, ignoreCase)
		}
		p.rest = p.rest[1:]
	}
	return p.compileInto(c, pattern, replacement, ignoreCase)
}

// replacement is delimited, except that brackets mean nothing in it.
func (p *sedParser) replacement() (string, error) {
	_, size := utf8.DecodeRuneInString(p.rest)
	delimiter := p.rest[:size]
	for i := size; i < len(p.rest); i++ {
		if p.rest[i] == '\\' {
			i++
			continue
		}
		if strings.HasPrefix(p.rest[i:], delimiter) {
			text := strings.ReplaceAll(p.rest[size:i], `\`+delimiter, delimiter)
			p.rest = p.rest[i+size:]
			return text, nil
		}
	}
	return "", errors.New("unterminated")
}

func (p *sedParser) compileInto(c *sedCommand, pattern, replacement string, ignoreCase bool) (err error) {
	c.new = parseReplacement(replacement)
	if c.same = pattern == ""; c.same {
		return nil
	}
	if c.re, err = compilePattern(pattern, p.extended, ignoreCase); err != nil {
		return err
	}
	for _, part := range c.new {
		if part.group > c.re.NumSubexp() {
			return fmt.Errorf("invalid reference \\%d on `s' command's RHS", part.group)
		}
	}
	return nil
}

func parseReplacement(text string) []sedPart {
	var parts []sedPart
	plain := ""
	flush := func() {
		if plain != "" {
			parts = append(parts, sedPart{text: plain, group: -1})
			plain = ""
		}
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '&' {
			flush()
			parts = append(parts, sedPart{group: 0})
			continue
		}
		if c != '\\' || i+1 == len(text) {
			plain += string([]byte{c})
			continue
		}
		i++
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			flush()
			parts = append(parts, sedPart{group: int(c - '0')})
		case c == 'n':
			plain += "\n"
		case c == 't':
			plain += "\t"
		case strings.IndexByte("ULulE", c) >= 0:
			flush()
			parts = append(parts, sedPart{group: -1, fold: c})
		default:
			plain += string([]byte{c})
		}
	}
	flush()
	return parts
}

// substitute does one s command, and tells whether it changed anything.
func (c *sedCommand) substitute(re *regexp.Regexp, text string) (string, bool) {
	var out strings.Builder
	done, count, changed := 0, 0, false
	for _, match := range re.FindAllStringSubmatchIndex(text, -1) {
		if count++; count < c.nth {
			continue
		}
		out.WriteString(text[done:match[0]])
		out.WriteString(c.expand(text, match))
		done, changed = match[1], true
		if !c.all {
			break
		}
	}
	out.WriteString(text[done:])
	return out.String(), changed
}

func (c *sedCommand) expand(text string, match []int) string {
	var out strings.Builder
	fold, once := byte('E'), byte(0)
	for _, part := range c.new {
		switch part.fold {
		case 'U', 'L', 'E':
			fold = part.fold
			continue
		case 'u', 'l':
			once = part.fold
			continue
		}
		piece := part.text
		if part.group >= 0 && match[2*part.group] >= 0 {
			piece = text[match[2*part.group]:match[2*part.group+1]]
		}
		switch fold {
		case 'U':
			piece = strings.ToUpper(piece)
		case 'L':
			piece = strings.ToLower(piece)
		}
		if once != 0 && piece != "" {
			_, size := utf8.DecodeRuneInString(piece)
			if once == 'u' {
				piece = strings.ToUpper(piece[:size]) + piece[size:]
			} else {
				piece = strings.ToLower(piece[:size]) + piece[size:]
			}
			once = 0
		}
		out.WriteString(piece)
	}
	return out.String()
}

// transliteration reads y/abc/xyz/.
func (p *sedParser) transliteration(c *sedCommand) error {
	from, err := p.firstHalf()
	if err != nil {
		return errors.New("unterminated `y' command")
	}
	to, err := p.replacement()
	if err != nil {
		return errors.New("unterminated `y' command")
	}
	a, b := []rune(unescapeY(from)), []rune(unescapeY(to))
	if len(a) != len(b) {
		return errors.New("strings for `y' command are different lengths")
	}
	c.run = map[rune]rune{}
	for i, r := range a {
		c.run[r] = b[i]
	}
	return p.endOfCommand()
}

// firstHalf leaves the closing delimiter, which opens the second half.
func (p *sedParser) firstHalf() (string, error) {
	if p.rest == "" {
		return "", errors.New("unterminated")
	}
	_, size := utf8.DecodeRuneInString(p.rest)
	delimiter := p.rest[:size]
	text, err := p.replacement()
	p.rest = delimiter + p.rest
	return text, err
}

func unescapeY(text string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t").Replace(text)
}
