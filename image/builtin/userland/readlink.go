package userland

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

func runReadlink(p *Process) int {
	opts, names, err := p.options("fenmqsvz", map[string]string{"canonicalize": "f", "canonicalize-existing": "e",
		"canonicalize-missing": "m", "no-newline": "n", "zero": "z", "verbose": "v"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(names) == 0 {
		return p.Fail("missing operand")
	}
	end := "\n"
	if opts.has('n') && len(names) == 1 {
		end = ""
	}
	code := 0
	for _, name := range names {
		target := ""
		if how := opts.last("fem"); how != 0 {
			target, err = canonicalPath(name, how)
		} else {
			target, err = os.Readlink(name)
		}
		if err != nil {
			code = 1 // and not a word, for scripts
			if opts.has('v') {
				p.Fail("%s: %s", name, causeText(err))
			}
			continue
		}
		fmt.Fprint(p.Stdout, target, end)
	}
	return code
}

func runRealpath(p *Process) int {
	opts, names, err := p.options("emqsPL", map[string]string{"canonicalize-existing": "e", "canonicalize-missing": "m",
		"quiet": "q", "strip": "s", "no-symlinks": "s"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(names) == 0 {
		return p.Fail("missing operand")
	}
	code := 0
	for _, name := range names {
		how := opts.last("em")
		if how == 0 {
			how = 'f'
		}
		path := ""
		if opts.has('s') {
			path, err = filepath.Abs(name)
		} else {
			path, err = canonicalPath(name, how)
		}
		if err != nil {
			code = p.Fail("%s: %s", name, causeText(err))
			continue
		}
		fmt.Fprintln(p.Stdout, path)
	}
	return code
}

// canonicalPath resolves all symbolic links. How much must exist: 'e' everything, 'f' all but the last part, 'm' nothing.
func canonicalPath(name string, how rune) (string, error) {
	if name == "" {
		return "", syscall.ENOENT
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err == nil || how == 'e' || !errors.Is(err, fs.ErrNotExist) {
		return resolved, err
	}
	// The last part is not there, or is a link whose target is not.
	if target, linkErr := os.Readlink(path); linkErr == nil && how == 'f' {
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil && how == 'm' && filepath.Dir(path) != path {
		parent, err = canonicalPath(filepath.Dir(path), 'm')
	}
	if err != nil {
		return "", err
	}
	return filepath.Join(parent, filepath.Base(path)), nil
}
