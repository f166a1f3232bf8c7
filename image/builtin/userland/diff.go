package userland

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

type diffRequest struct {
	p       *Process
	opts    *options
	out     *bufio.Writer
	context int // lines around a change in the unified form, -1 for the plain form
	code    int
}

func runDiff(p *Process) int {
	opts, names, err := p.options("uU:qrNibwBsaL:c", map[string]string{"unified": "u", "brief": "q", "recursive": "r",
		"new-file": "N", "ignore-case": "i", "ignore-space-change": "b", "ignore-all-space": "w", "ignore-blank-lines": "B",
		"report-identical-files": "s", "text": "a", "label": "L"})
	if err == nil && len(names) != 2 {
		err = errors.New("needs two operands")
	}
	d := &diffRequest{p: p, opts: opts, out: bufio.NewWriter(p.Stdout), context: -1}
	if err == nil {
		switch opts.last("uUc") {
		case 'u':
			d.context = 3
		case 'U':
			d.context, err = strconv.Atoi(opts.value('U'))
		case 'c':
			err = errors.New("only the plain and the unified form (-u) are supported")
		}
	}
	if err != nil {
		p.Fail("%v", err)
		return 2
	}
	defer d.out.Flush()
	d.compare(names[0], names[1], false)
	return d.code
}

func (d *diffRequest) trouble(name string, err error) {
	d.out.Flush()
	d.p.Fail("%s: %s", name, causeText(err))
	d.code = 2
}

// compare compares two files, or two directories with all that is in them.
func (d *diffRequest) compare(a, b string, inTree bool) {
	dirA, dirB := isDirectory(a), isDirectory(b)
	switch {
	case dirA && dirB:
		d.compareDirectories(a, b, inTree)
		return
	case dirA && !inTree:
		a = filepath.Join(a, filepath.Base(b))
	case dirB && !inTree:
		b = filepath.Join(b, filepath.Base(a))
	case dirA || dirB:
		fmt.Fprintf(d.out, "File %s is a %s while file %s is a %s\n", a, kindWord(dirA), b, kindWord(dirB))
		d.code = max(d.code, 1)
		return
	}
	textA, errA := d.read(a)
	textB, errB := d.read(b)
	if errA != nil || errB != nil {
		if errA != nil {
			d.trouble(a, errA)
		}
		if errB != nil {
			d.trouble(b, errB)
		}
		return
	}
	d.compareTexts(a, b, textA, textB, inTree)
}

func isDirectory(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

func kindWord(dir bool) string {
	if dir {
		return "directory"
	}
	return "regular file"
}

func (d *diffRequest) read(name string) (string, error) {
	in, err := d.p.openInput(name)
	if d.opts.has('N') && errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer in.Close()
	text, err := io.ReadAll(in)
	return string(text), err
}

func (d *diffRequest) compareTexts(a, b, textA, textB string, inTree bool) {
	if textA == textB {
		if d.opts.has('s') {
			fmt.Fprintf(d.out, "Files %s and %s are identical\n", a, b)
		}
		return
	}
	if !d.opts.has('a') && (strings.Contains(textA, "\x00") || strings.Contains(textB, "\x00")) {
		fmt.Fprintf(d.out, "Binary files %s and %s differ\n", a, b)
		d.code = max(d.code, 1)
		return
	}
	linesA, linesB := linesWithEnds(textA), linesWithEnds(textB)
	edits := findEdits(d.keys(linesA), d.keys(linesB))
	if d.opts.has('B') {
		edits = slices.DeleteFunc(edits, func(e edit) bool {
			blank := func(line string) bool { return strings.TrimSpace(line) == "" }
			return !slices.ContainsFunc(linesA[e.fromA:e.toA], func(l string) bool { return !blank(l) }) &&
				!slices.ContainsFunc(linesB[e.fromB:e.toB], func(l string) bool { return !blank(l) })
		})
	}
	if len(edits) == 0 {
		return
	}
	d.code = max(d.code, 1)
	if d.opts.has('q') {
		fmt.Fprintf(d.out, "Files %s and %s differ\n", a, b)
		return
	}
	if inTree {
		fmt.Fprintf(d.out, "diff %s%s %s\n", d.flagText(), a, b)
	}
	if d.context >= 0 {
		d.printUnified(a, b, linesA, linesB, edits)
	} else {
		d.printPlain(linesA, linesB, edits)
	}
}

func (d *diffRequest) flagText() string {
	text := ""
	for _, arg := range d.p.Args[1:] {
		if strings.HasPrefix(arg, "-") && len(arg) > 1 {
			text += arg + " "
		}
	}
	return text
}

func linesWithEnds(text string) []string { return slices.Collect(strings.Lines(text)) }

// keys are the lines as they are compared, which -i, -b and -w make coarser.
func (d *diffRequest) keys(lines []string) []string {
	if d.opts.last("ibw") == 0 {
		return lines
	}
	keys := make([]string, len(lines))
	for i, line := range lines {
		if d.opts.has('i') {
			line = strings.ToLower(line)
		}
		switch {
		case d.opts.has('w'):
			line = strings.Join(strings.Fields(line), "")
		case d.opts.has('b'):
			indent := ""
			if line != strings.TrimLeft(line, " \t") {
				indent = " "
			}
			line = indent + strings.Join(strings.Fields(line), " ")
		}
		keys[i] = line
	}
	return keys
}

func (d *diffRequest) compareDirectories(a, b string, inTree bool) {
	namesA, errA := readNames(a)
	namesB, errB := readNames(b)
	if errA != nil || errB != nil {
		d.trouble(a, cmp.Or(errA, errB))
		return
	}
	all := append(slices.Clone(namesA), namesB...)
	slices.Sort(all)
	for _, name := range slices.Compact(all) {
		inA, inB := slices.Contains(namesA, name), slices.Contains(namesB, name)
		pathA, pathB := filepath.Join(a, name), filepath.Join(b, name)
		switch {
		case inA && inB && isDirectory(pathA) && isDirectory(pathB) && !d.opts.has('r'):
			fmt.Fprintf(d.out, "Common subdirectories: %s and %s\n", pathA, pathB)
		case inA && inB || d.opts.has('N'):
			d.compare(pathA, pathB, true)
		case inA:
			fmt.Fprintf(d.out, "Only in %s: %s\n", a, name)
			d.code = max(d.code, 1)
		default:
			fmt.Fprintf(d.out, "Only in %s: %s\n", b, name)
			d.code = max(d.code, 1)
		}
	}
}
