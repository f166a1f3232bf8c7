package userland

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// sortKey is a -k: from a field and character to another, with its own flags.
type sortKey struct {
	fromField, fromChar int
	toField, toChar     int // 0: to the end
	flags               string
}

func runSort(p *Process) int {
	opts, names, err := p.options("nrughfbVMdisCck:t:o:zmS:T:", map[string]string{"numeric-sort": "n", "reverse": "r", "unique": "u",
		"general-numeric-sort": "g", "human-numeric-sort": "h", "ignore-case": "f", "ignore-leading-blanks": "b",
		"version-sort": "V", "month-sort": "M", "stable": "s", "check": "c", "key": "k", "field-separator": "t", "output": "o",
		"dictionary-order": "d", "zero-terminated": "z", "merge": "m"})
	if err != nil {
		p.Fail("%v", err)
		return 2
	}
	s, err := newSorter(opts)
	if err != nil {
		p.Fail("%v", err)
		return 2
	}
	lines, code := p.allLines(names)
	if code != 0 {
		return 2
	}
	if opts.last("cC") != 0 {
		return p.checkOrder(s, lines, names)
	}
	slices.SortStableFunc(lines, s.compare)
	if opts.has('u') {
		lines = slices.CompactFunc(lines, func(a, b string) bool { return s.compareKeys(a, b) == 0 })
	}
	out := p.Stdout
	if opts.has('o') {
		f, err := os.Create(opts.value('o'))
		if err != nil {
			p.Fail("open failed: %s: %s", opts.value('o'), causeText(err))
			return 2
		}
		defer f.Close()
		out = f
	}
	writer := bufio.NewWriter(out)
	defer writer.Flush()
	for _, line := range lines {
		writer.WriteString(line + "\n")
	}
	return 0
}

func (p *Process) checkOrder(s *sorter, lines, names []string) int {
	for i := 1; i < len(lines); i++ {
		if s.compare(lines[i-1], lines[i]) > 0 {
			name := "-"
			if len(names) > 0 {
				name = names[0]
			}
			return p.Fail("%s:%d: disorder: %s", name, i+1, lines[i])
		}
	}
	return 0
}

type sorter struct {
	keys      []sortKey
	separator string
	flags     string // those that hold for keys without any of their own
	last      bool   // equal keys are ordered by the whole line
}

func newSorter(opts *options) (*sorter, error) {
	s := &sorter{separator: opts.value('t'), last: !opts.has('s') && !opts.has('u')}
	if s.separator == `\t` || s.separator == `\0` {
		s.separator = map[string]string{`\t`: "\t", `\0`: "\x00"}[s.separator]
	}
	for _, flag := range "nrghfbVMd" {
		if opts.has(flag) {
			s.flags += string(flag)
		}
	}
	for _, text := range opts.values('k') {
		key, err := parseSortKey(text)
		if err != nil {
			return nil, err
		}
		if key.flags == "" {
			key.flags = s.flags
		}
		s.keys = append(s.keys, key)
	}
	if len(s.keys) == 0 {
		s.keys = []sortKey{{fromField: 1, fromChar: 1, flags: s.flags}}
	}
	return s, nil
}

// parseSortKey reads 2, 2,2, 2n, 1.3,1.5r.
func parseSortKey(text string) (key sortKey, err error) {
	from, to, hasTo := strings.Cut(text, ",")
	var flags string
	key.fromField, key.fromChar, flags, err = parseKeyPosition(from)
	key.flags = flags
	if err == nil && hasTo {
		key.toField, key.toChar, flags, err = parseKeyPosition(to)
		key.flags += flags
	}
	if err == nil && key.fromField == 0 {
		err = errors.New("field number is zero")
	}
	if err != nil {
		return key, fmt.Errorf("%v: invalid field specification '%s'", err, text)
	}
	key.fromChar = max(key.fromChar, 1)
	return key, nil
}

func parseKeyPosition(text string) (field, char int, flags string, err error) {
	end := len(strings.TrimRight(text, "nrghfbVMd"))
	flags = text[end:]
	fieldText, charText, hasChar := strings.Cut(text[:end], ".")
	if field, err = strconv.Atoi(fieldText); err != nil {
		return 0, 0, "", errors.New("invalid number")
	}
	if hasChar {
		char, err = strconv.Atoi(charText)
	}
	return field, char, flags, err
}

func (s *sorter) compare(a, b string) int {
	if order := s.compareKeys(a, b); order != 0 {
		return order
	}
	if !s.last {
		return 0
	}
	if strings.Contains(s.flags, "r") {
		return strings.Compare(b, a)
	}
	return strings.Compare(a, b)
}

func (s *sorter) compareKeys(a, b string) int {
	for _, key := range s.keys {
		order := compareBy(key.flags, s.extract(a, key), s.extract(b, key))
		if strings.Contains(key.flags, "r") {
			order = -order
		}
		if order != 0 {
			return order
		}
	}
	return 0
}

// extract is the part of a line that a key means.
func (s *sorter) extract(line string, key sortKey) string {
	if key.fromField == 1 && key.fromChar == 1 && key.toField == 0 {
		return line
	}
	fields := s.fields(line)
	if key.fromField > len(fields) {
		return ""
	}
	start := fields[key.fromField-1].start
	if strings.Contains(key.flags, "b") {
		start += len(line[start:]) - len(strings.TrimLeft(line[start:], " \t"))
	}
	start = min(start+key.fromChar-1, len(line))
	end := len(line)
	if key.toField > 0 && key.toField <= len(fields) {
		end = fields[key.toField-1].end
		if key.toChar > 0 {
			end = min(fields[key.toField-1].start+key.toChar, len(line))
		}
	}
	return line[start:max(start, end)]
}

type lineSpan struct{ start, end int }

// fields splits at the separator. Without one, a field begins with the blanks before it, as POSIX says.
func (s *sorter) fields(line string) []lineSpan {
	var spans []lineSpan
	if s.separator != "" {
		for at := 0; ; {
			i := strings.Index(line[at:], s.separator)
			if i < 0 {
				return append(spans, lineSpan{at, len(line)})
			}
			spans = append(spans, lineSpan{at, at + i})
			at += i + len(s.separator)
		}
	}
	for at := 0; at < len(line); {
		end := at
		for end < len(line) && (line[end] == ' ' || line[end] == '\t') {
			end++
		}
		for end < len(line) && line[end] != ' ' && line[end] != '\t' {
			end++
		}
		spans = append(spans, lineSpan{at, end})
		at = end
	}
	return spans
}
