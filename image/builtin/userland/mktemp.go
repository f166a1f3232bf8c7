package userland

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

func runMktemp(p *Process) int {
	opts, operands, err := p.options("dup:qtT", map[string]string{"directory": "d", "dry-run": "u", "tmpdir": "p", "quiet": "q"})
	if err != nil {
		return p.Fail("%v", err)
	}
	template := "tmp.XXXXXXXXXX"
	dir := cmp.Or(opts.value('p'), os.Getenv("TMPDIR"), "/tmp")
	if len(operands) > 0 {
		template = operands[0]
		if !opts.has('p') && !opts.has('t') {
			dir = ""
		}
	}
	end := strings.LastIndexByte(template, 'X') + 1
	start := len(strings.TrimRight(template[:end], "X"))
	if end-start < 3 {
		return p.Fail("too few X's in template '%s'", template)
	}
	for {
		path := filepath.Join(dir, template[:start]+randomLetters(end-start)+template[end:])
		if dir == "" {
			path = template[:start] + filepath.Base(path)[len(filepath.Base(template[:start]+"x"))-1:]
		}
		err := createTemporary(path, opts)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return p.Fail("failed to create file via template '%s': %s", template, causeText(err))
		}
		fmt.Fprintln(p.Stdout, path)
		return 0
	}
}

func createTemporary(path string, opts *options) error {
	switch {
	case opts.has('u'):
		return nil
	case opts.has('d'):
		return os.Mkdir(path, 0o700)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func randomLetters(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	text := make([]byte, n)
	for i := range text {
		text[i] = letters[rand.IntN(len(letters))]
	}
	return string(text)
}
