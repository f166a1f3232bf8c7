package userland

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

type grepRequest struct {
	p        *Process
	opts     *options
	re       *regexp.Regexp
	out      *bufio.Writer
	names    bool // before each line
	before   int
	after    int
	limit    int
	colour   bool
	matched  bool
	troubled bool
	grouped  bool // context was printed, so that the next group needs a --
}

func runGrep(p *Process) int {
	p.dashNumber("C")
	opts, operands, err := p.options("EFGPivnrRclLqswxoA:B:C:Hhe:f:m:aIzbUy:!::@:#:", map[string]string{"extended-regexp": "E",
		"fixed-strings": "F", "basic-regexp": "G", "perl-regexp": "P", "ignore-case": "i", "invert-match": "v",
		"line-number": "n", "recursive": "r", "dereference-recursive": "R", "count": "c", "files-with-matches": "l",
		"files-without-match": "L", "quiet": "q", "silent": "q", "no-messages": "s", "word-regexp": "w", "line-regexp": "x",
		"only-matching": "o", "after-context": "A", "before-context": "B", "context": "C", "with-filename": "H",
		"no-filename": "h", "regexp": "e", "file": "f", "max-count": "m", "text": "a", "color": "!", "colour": "!",
		"include": "@", "exclude": "#"})
	if err == nil && !opts.has('e') && !opts.has('f') {
		if len(operands) == 0 {
			err = errors.New("no pattern given; usage: grep [OPTION]... PATTERNS [FILE...]")
		} else {
			opts.add('e', operands[0])
			operands = operands[1:]
		}
	}
	r := &grepRequest{p: p, opts: opts, out: bufio.NewWriter(p.Stdout), limit: math.MaxInt}
	if err == nil {
		err = r.prepare()
	}
	if err != nil {
		p.Fail("%v", err)
		return 2
	}
	defer r.out.Flush()
	recursive := opts.last("rR") != 0
	if len(operands) == 0 && recursive {
		operands = []string{"."}
	}
	if len(operands) == 0 {
		operands = []string{"-"}
	}
	r.names = len(operands) > 1 || recursive
	if last := opts.last("Hh"); last != 0 {
		r.names = last == 'H'
	}
	for _, name := range operands {
		r.searchPath(name, recursive)
		if r.matched && opts.has('q') {
			return 0
		}
	}
	switch {
	case r.troubled:
		return 2
	case r.matched:
		return 0
	}
	return 1
}

// prepare compiles the patterns, of which there may be several, one a line.
func (r *grepRequest) prepare() error {
	name := filepath.Base(r.p.Args[0])
	kind := r.opts.last("EFGP")
	if kind == 0 {
		kind = map[string]rune{"egrep": 'E', "fgrep": 'F'}[name]
	}
	patterns := strings.Split(strings.Join(r.opts.values('e'), "\n"), "\n")
	if !r.opts.has('e') {
		patterns = nil
	}
	for _, file := range r.opts.values('f') {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("%s: %s", file, causeText(err))
		}
		if len(text) > 0 {
			patterns = append(patterns, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")...)
		}
	}
	var alternatives []string
	for _, pattern := range patterns {
		switch kind {
		case 'F':
			pattern = regexp.QuoteMeta(pattern)
		case 'P':
		default:
			re, err := compilePattern(pattern, kind == 'E', false)
			if err != nil {
				return err
			}
			pattern = re.String()
		}
		alternatives = append(alternatives, "(?:"+pattern+")")
	}
	whole := strings.Join(alternatives, "|")
	switch {
	case len(alternatives) == 0:
		whole = `a\bb` // no patterns match nothing
	case r.opts.has('x'):
		whole = "^(?:" + whole + ")$"
	case r.opts.has('w'):
		whole = `\b(?:` + whole + `)\b`
	}
	if r.opts.has('i') || r.opts.has('y') {
		whole = "(?i)(?:" + whole + ")"
		whole = strings.ReplaceAll(whole, "(?s)", "(?si)")
	}
	var err error
	if r.re, err = regexp.Compile(whole); err != nil {
		return err
	}
	r.re.Longest()
	return r.readNumbers()
}

func (r *grepRequest) readNumbers() error {
	for _, number := range []struct {
		flag rune
		into []*int
	}{{'C', []*int{&r.before, &r.after}}, {'A', []*int{&r.after}}, {'B', []*int{&r.before}}, {'m', []*int{&r.limit}}} {
		if !r.opts.has(number.flag) {
			continue
		}
		n, err := strconv.Atoi(r.opts.value(number.flag))
		if err != nil || n < 0 {
			return fmt.Errorf("%s: invalid context length argument", r.opts.value(number.flag))
		}
		for _, into := range number.into {
			*into = n
		}
	}
	when := r.opts.value('!')
	_, _, terminal := terminalSize(r.p.Stdout)
	r.colour = r.opts.has('!') && (when == "always" || when != "never" && terminal)
	return nil
}

func (r *grepRequest) searchPath(name string, recursive bool) {
	if name != "-" {
		info, err := os.Stat(name)
		if err != nil {
			r.complain(name, err)
			return
		}
		if info.IsDir() {
			if recursive {
				r.searchDirectory(name)
			} else {
				r.complain(name, syscall.EISDIR)
			}
			return
		}
	}
	in, err := r.p.openInput(name)
	if err != nil {
		r.complain(name, err)
		return
	}
	defer in.Close()
	if name == "-" {
		name = "(standard input)"
	}
	r.search(name, in)
}

func (r *grepRequest) complain(name string, err error) {
	r.troubled = true
	if !r.opts.has('s') {
		r.out.Flush()
		r.p.Fail("%s: %s", name, causeText(err))
	}
}

func (r *grepRequest) searchDirectory(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		r.complain(dir, err)
		return
	}
	for _, entry := range entries {
		path := strings.TrimSuffix(dir, "/") + "/" + entry.Name()
		matches := func(pattern string) bool { return fnmatch(pattern, entry.Name()) }
		switch {
		case entry.IsDir():
			r.searchDirectory(path)
		case !entry.Type().IsRegular() && !r.opts.has('R'):
			// a link is not followed, a device not read
		case r.opts.has('@') && !slices.ContainsFunc(r.opts.values('@'), matches):
		case slices.ContainsFunc(r.opts.values('#'), matches):
		default:
			r.searchPath(path, true)
		}
	}
}
