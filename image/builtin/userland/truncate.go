package userland

import (
	"errors"
	"io/fs"
	"os"
	"strings"
)

func runTruncate(p *Process) int {
	opts, names, err := p.options("s:cr:o", map[string]string{"size": "s", "no-create": "c", "reference": "r"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if !opts.has('s') && !opts.has('r') {
		return p.Fail("you must specify either '--size' or '--reference'")
	}
	if len(names) == 0 {
		return p.Fail("missing file operand")
	}
	code := 0
	for _, name := range names {
		if err := truncateFile(name, opts); err != nil {
			code = p.Fail("cannot truncate '%s': %s", name, causeText(err))
		}
	}
	return code
}

func truncateFile(name string, opts *options) error {
	mode := os.O_WRONLY | os.O_CREATE
	if opts.has('c') {
		mode = os.O_WRONLY
	}
	f, err := os.OpenFile(name, mode, 0o666)
	if opts.has('c') && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	if opts.has('r') {
		reference, err := os.Stat(opts.value('r'))
		if err != nil {
			return err
		}
		size = reference.Size()
	}
	if opts.has('s') {
		if size, err = resized(size, opts.value('s')); err != nil {
			return err
		}
	}
	return f.Truncate(size)
}

// resized understands 10M, +10M (longer by), -10M (shorter by), <10M (at most) and >10M (at least).
func resized(old int64, text string) (int64, error) {
	how := byte(0)
	if text != "" && strings.IndexByte("+-<>", text[0]) >= 0 {
		how, text = text[0], text[1:]
	}
	size, err := parseSize(text)
	switch how {
	case '+':
		size = old + size
	case '-':
		size = max(old-size, 0)
	case '<':
		size = min(old, size)
	case '>':
		size = max(old, size)
	}
	return size, err
}
