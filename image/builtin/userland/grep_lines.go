package userland

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// search goes through one file.
func (r *grepRequest) search(name string, in io.Reader) {
	reader := bufio.NewReader(in)
	start, _ := reader.Peek(4096)
	binary := !r.opts.has('a') && bytes.IndexByte(start, 0) >= 0
	if binary && r.opts.has('I') {
		return
	}
	s := &grepFile{grepRequest: r, name: name}
	scanner := lineScanner(reader)
	for scanner.Scan() && s.count < r.limit {
		s.number++
		line := scanner.Text()
		if r.re.MatchString(line) == r.opts.has('v') {
			s.context(line)
			continue
		}
		r.matched = true
		s.count++
		switch {
		case r.opts.has('q'):
			return
		case r.opts.last("lL") != 0:
			if r.opts.last("lL") == 'l' {
				fmt.Fprintln(r.out, name)
			}
			return
		case r.opts.has('c'):
		case binary:
			fmt.Fprintf(r.out, "grep: %s: binary file matches\n", name)
			return
		default:
			s.match(line)
		}
	}
	if err := scanner.Err(); err != nil {
		r.complain(name, err)
	}
	if r.opts.has('L') && s.count == 0 {
		fmt.Fprintln(r.out, name)
	}
	if r.opts.has('c') && r.opts.last("lL") == 0 {
		if r.names {
			fmt.Fprintf(r.out, "%s:", name)
		}
		fmt.Fprintln(r.out, s.count)
	}
}

// grepFile is where the search stands in a file.
type grepFile struct {
	*grepRequest
	name    string
	number  int
	count   int
	pending []string // the lines before, which -B may want
	trail   int      // how many lines after a match are still to come
	last    int      // number of the last line printed
}

func (s *grepFile) context(line string) {
	if s.opts.last("clLq") != 0 || s.opts.has('o') {
		return
	}
	if s.trail > 0 {
		s.trail--
		s.print(line, '-', s.number)
		return
	}
	if s.before > 0 {
		if s.pending = append(s.pending, line); len(s.pending) > s.before {
			s.pending = s.pending[1:]
		}
	}
}

func (s *grepFile) match(line string) {
	first := s.number - len(s.pending)
	if (s.before > 0 || s.after > 0) && s.grouped && (s.last == 0 || first > s.last+1) {
		fmt.Fprintln(s.out, "--")
	}
	for i, earlier := range s.pending {
		s.print(earlier, '-', first+i)
	}
	s.pending = nil
	s.trail = s.after
	s.grouped = true
	if !s.opts.has('o') {
		s.print(line, ':', s.number)
		return
	}
	s.last = s.number
	if s.opts.has('v') {
		return
	}
	for _, found := range s.re.FindAllString(line, -1) {
		if found != "" {
			s.print(found, ':', s.number)
		}
	}
}

func (s *grepFile) print(line string, mark byte, number int) {
	if s.names {
		fmt.Fprintf(s.out, "%s%c", s.paint(s.name, "35"), mark)
	}
	if s.opts.has('n') {
		fmt.Fprintf(s.out, "%s%c", s.paint(strconv.Itoa(number), "32"), mark)
	}
	if s.colour && mark == ':' && !s.opts.has('v') {
		line = s.re.ReplaceAllStringFunc(line, func(found string) string { return s.paint(found, "01;31") })
	}
	fmt.Fprintln(s.out, line)
	s.last = number
}

func (s *grepFile) paint(text, colour string) string {
	if !s.colour || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}
