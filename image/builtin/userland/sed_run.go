package userland

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// sed is a run of a script over some files.
type sed struct {
	p        *Process
	commands []*sedCommand
	quiet    bool
	out      *bufio.Writer
	input    sedInput

	pattern, hold string
	unended       bool // the last line read had no line end
	owed          bool // nor has what was printed last
	number        int
	lastRE        *regexp.Regexp
	replaced      bool // for t
	appended      []string
	quit          bool
	code          int
}

// edit runs the script for each line of the files, which count as one.
func (s *sed) edit(names []string) int {
	if len(names) == 0 {
		names = []string{"-"}
	}
	s.input = sedInput{p: s.p, names: names}
	for !s.quit && s.next() {
		for s.cycle() && !s.quit {
			// D has left text behind: the script runs again without reading a line.
		}
	}
	return max(s.code, s.input.code)
}

// next brings the next line into the pattern space.
func (s *sed) next() bool {
	line, ended, ok := s.input.read()
	if !ok {
		return false
	}
	s.pattern, s.unended = line, !ended
	s.number++
	return true
}

// cycle runs the script once; restart is what D asks for.
func (s *sed) cycle() (restart bool) {
	s.replaced = false
	for at := 0; at < len(s.commands); {
		c := s.commands[at]
		at++
		if !s.selects(c) {
			if c.name == '{' {
				at = c.jump
			}
			continue
		}
		switch c.name {
		case 'd':
			s.flushAppended()
			return false
		case 'D':
			_, tail, more := strings.Cut(s.pattern, "\n")
			s.flushAppended()
			s.pattern = tail
			return more
		case 'c':
			// A range is replaced as a whole, at its end.
			if c.to == nil || !c.active || c.negated {
				s.write(c.text)
			}
			s.flushAppended()
			return false
		case 'n', 'N':
			if s.input.atEnd() {
				s.quit = true
				s.finish(s.quiet)
				return false
			}
			s.advance(c.name)
		case 'b':
			at = c.jump
		case 't', 'T':
			if s.replaced == (c.name == 't') {
				at = c.jump
			}
			s.replaced = false
		case 'q', 'Q':
			s.quit, s.code = true, c.code
			s.finish(c.name == 'Q' || s.quiet)
			return false
		default:
			s.perform(c)
		}
	}
	s.finish(s.quiet)
	return false
}

// finish ends a cycle: the pattern space is printed, and after it what `a` and `r` have queued.
func (s *sed) finish(silent bool) {
	if !silent {
		s.print(s.pattern)
	}
	s.flushAppended()
}

func (s *sed) print(text string) {
	s.write(text)
	s.owed = s.unended
	if !s.owed {
		s.out.WriteByte('\n')
	}
	// Whoever watches `tail -f log | sed …` wants to see a line when it is there.
	if s.input.interactive() {
		s.out.Flush()
	}
}

// write supplies the line end that the input's last line lacked, if something comes after it all the same.
func (s *sed) write(text string) {
	if s.owed {
		s.out.WriteByte('\n')
		s.owed = false
	}
	s.out.WriteString(text)
}

func (s *sed) flushAppended() {
	for _, text := range s.appended {
		s.write(text)
	}
	s.appended = nil
}

// advance is n, which begins with the next line in the middle of a script, and N, which adds it.
func (s *sed) advance(name byte) {
	if name == 'n' {
		if !s.quiet {
			s.print(s.pattern)
		}
		s.flushAppended()
		s.next()
		return
	}
	before := s.pattern
	s.flushAppended()
	if s.next() {
		s.pattern = before + "\n" + s.pattern
	}
}

// perform does the commands that do not change the order in which the script is run.
func (s *sed) perform(c *sedCommand) {
	switch c.name {
	case 'a':
		s.appended = append(s.appended, c.text)
	case 'i':
		s.write(c.text)
	case 'r':
		text, _ := os.ReadFile(c.path) // one that is not there is nothing to add
		s.appended = append(s.appended, string(text))
	case 'w':
		s.writeTo(c)
	case 'p':
		s.print(s.pattern)
	case 'P':
		head, _, _ := strings.Cut(s.pattern, "\n")
		s.write(head + "\n")
	case 'g':
		s.pattern = s.hold
	case 'G':
		s.pattern += "\n" + s.hold
	case 'h':
		s.hold = s.pattern
	case 'H':
		s.hold += "\n" + s.pattern
	case 'x':
		s.pattern, s.hold = s.hold, s.pattern
	case 'z':
		s.pattern = ""
	case '=':
		s.write(fmt.Sprintln(s.number))
	case 'l':
		quoted := strconv.Quote(s.pattern)
		s.write(strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`) + "$\n")
	case 'y':
		s.pattern = strings.Map(func(r rune) rune {
			if to, ok := c.run[r]; ok {
				return to
			}
			return r
		}, s.pattern)
	case 's':
		s.substitute(c)
	}
}

func (s *sed) substitute(c *sedCommand) {
	re := s.effective(c.re, c.same)
	if re == nil {
		return
	}
	text, changed := c.substitute(re, s.pattern)
	if !changed {
		return
	}
	s.pattern, s.replaced = text, true
	if c.print {
		s.print(s.pattern)
	}
	if c.path != "" {
		s.writeTo(c)
	}
}

func (s *sed) writeTo(c *sedCommand) {
	if c.file == nil {
		s.write(s.pattern + "\n")
		return
	}
	fmt.Fprintln(c.file, s.pattern)
}

// effective is the pattern, or for an empty one the last that was used.
func (s *sed) effective(re *regexp.Regexp, same bool) *regexp.Regexp {
	if !same {
		s.lastRE = re
	}
	return s.lastRE
}

// selects tells whether a command's addresses choose the current line.
func (s *sed) selects(c *sedCommand) bool {
	return s.inRange(c) != c.negated
}

func (s *sed) inRange(c *sedCommand) bool {
	switch {
	case c.from == nil:
		return true
	case c.to == nil:
		return s.matches(c.from)
	case !c.active:
		zero := c.from.re == nil && !c.from.same && !c.from.last && c.from.line == 0 && c.from.step == 0
		if !(zero && s.number == 1) && !s.matches(c.from) {
			return false
		}
		c.active = true
		switch {
		case c.to.relative:
			c.until = s.number + c.to.line
		case c.to.multiple:
			c.until = (s.number + c.to.line - 1) / max(c.to.line, 1) * max(c.to.line, 1)
		case c.to.re == nil && !c.to.same && !c.to.last:
			c.until = c.to.line
		default:
			c.until = 0
			if zero && s.matches(c.to) { // 0,/x/ may end on the line on which it begins
				c.active = false
			}
			if c.to.last && s.input.atEnd() {
				c.active = false
			}
			return true
		}
		if c.until <= s.number {
			c.active = false
		}
		return true
	case c.until > 0:
		if s.number >= c.until {
			c.active = false
		}
		return s.number <= c.until
	}
	if s.matches(c.to) {
		c.active = false
	}
	return true
}

func (s *sed) matches(a *sedAddress) bool {
	switch {
	case a.last:
		return s.input.atEnd()
	case a.re != nil || a.same:
		re := s.effective(a.re, a.same)
		return re != nil && re.MatchString(s.pattern)
	case a.step > 0:
		return s.number >= a.line && (s.number-a.line)%a.step == 0
	}
	return s.number == a.line
}
