package userland

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"sandbox/image/builtin/shell"
)

type xargsRequest struct {
	p        *Process
	argv     []string
	replace  string
	perRun   int
	perLine  int
	parallel int
	trace    bool
	code     int
	mu       sync.Mutex
	running  sync.WaitGroup
	slots    chan struct{}
}

func runXargs(p *Process) int {
	opts, argv, err := p.options("+0n:I:i::rtd:P:L:s:xa:E:", map[string]string{"null": "0", "max-args": "n", "replace": "i",
		"no-run-if-empty": "r", "verbose": "t", "delimiter": "d", "max-procs": "P", "max-lines": "L", "arg-file": "a"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(argv) == 0 {
		argv = []string{"echo"}
	}
	r := &xargsRequest{p: p, argv: argv, perRun: math.MaxInt, parallel: 1, trace: opts.has('t')}
	for flag, into := range map[rune]*int{'n': &r.perRun, 'L': &r.perLine, 'P': &r.parallel} {
		if opts.has(flag) {
			if *into, err = strconv.Atoi(opts.value(flag)); err != nil {
				return p.Fail("invalid number \"%s\" for -%c option", opts.value(flag), flag)
			}
		}
	}
	switch opts.last("Ii") {
	case 'I':
		r.replace = opts.value('I')
	case 'i':
		r.replace = cmp.Or(opts.value('i'), "{}")
	}
	r.slots = make(chan struct{}, max(r.parallel, 1))
	input := p.Stdin
	if opts.has('a') {
		f, err := os.Open(opts.value('a'))
		if err != nil {
			return p.Fail("%s: %s", opts.value('a'), causeText(err))
		}
		defer f.Close()
		input = f
	}
	text, err := io.ReadAll(input)
	if err != nil {
		return p.Fail("%s", causeText(err))
	}
	items, err := r.split(string(text), opts)
	if err != nil {
		return p.Fail("%v", err)
	}
	r.runAll(items, opts.has('r'))
	return r.code
}

// split cuts the input into lists of arguments that belong together: one for each line with -L and -I, else one alone.
func (r *xargsRequest) split(text string, opts *options) ([][]string, error) {
	delimiter := ""
	switch opts.last("0d") {
	case '0':
		delimiter = "\x00"
	case 'd':
		delimiter, _ = shell.Unescape(opts.value('d'))
	}
	if delimiter != "" {
		var lists [][]string
		for part := range strings.SplitSeq(strings.TrimSuffix(text, delimiter), delimiter) {
			if part != "" || text != "" {
				lists = append(lists, []string{part})
			}
		}
		return lists, nil
	}
	var lists [][]string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if r.replace != "" {
			if line = strings.TrimLeft(line, " \t"); line != "" {
				lists = append(lists, []string{line})
			}
			continue
		}
		words, err := quotedWords(line)
		if err != nil {
			return nil, err
		}
		if len(words) > 0 {
			lists = append(lists, words)
		}
	}
	return lists, nil
}

// quotedWords splits at blanks, outside quotes and not after a backslash.
func quotedWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	inside, quote := false, rune(0)
	escaped := false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case quote != 0:
			if r == quote {
				quote = 0
			} else {
				word.WriteRune(r)
			}
		case r == '\\':
			escaped, inside = true, true
		case r == '\'' || r == '"':
			quote, inside = r, true
		case r == ' ' || r == '\t':
			if inside {
				words = append(words, word.String())
				word.Reset()
				inside = false
			}
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("unmatched %c quote; by default quotes are special to xargs unless you use the -0 option", quote)
	}
	if inside {
		words = append(words, word.String())
	}
	return words, nil
}

func (r *xargsRequest) runAll(lists [][]string, notWhenEmpty bool) {
	defer r.running.Wait()
	if r.replace != "" {
		for _, list := range lists {
			argv := make([]string, len(r.argv))
			for i, arg := range r.argv {
				argv[i] = strings.ReplaceAll(arg, r.replace, list[0])
			}
			r.run(argv)
		}
		return
	}
	if len(lists) == 0 && !notWhenEmpty {
		r.run(r.argv)
		return
	}
	var args []string
	size, lines := 0, 0
	flush := func() {
		if len(args) > 0 {
			r.run(append(slices.Clone(r.argv), args...))
		}
		args, size, lines = nil, 0, 0
	}
	for _, list := range lists {
		for _, arg := range list {
			if len(args) >= r.perRun && r.perLine == 0 || size+len(arg) > argumentRoom {
				flush()
			}
			args = append(args, arg)
			size += len(arg) + 9
		}
		if lines++; r.perLine > 0 && lines >= r.perLine {
			flush()
		}
	}
	flush()
}

func (r *xargsRequest) run(argv []string) {
	if r.code >= 124 {
		return // a program that was killed or is not there ends it all
	}
	if r.trace {
		fmt.Fprintln(r.p.Stderr, strings.Join(argv, " "))
	}
	r.slots <- struct{}{}
	r.running.Add(1)
	work := func() {
		code := r.p.runProgram(argv, "")
		r.mu.Lock()
		switch {
		case code == 255:
			r.p.Fail("%s: exited with status 255; aborting", argv[0])
			r.code = 124
		case code > 128:
			r.code = 125
		case code == 126 || code == 127:
			r.code = code
		case code != 0 && r.code == 0:
			r.code = 123
		}
		r.mu.Unlock()
		<-r.slots
		r.running.Done()
	}
	if r.parallel == 1 {
		work()
	} else {
		go work()
	}
}
