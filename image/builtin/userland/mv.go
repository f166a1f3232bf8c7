package userland

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

func runMv(p *Process) int {
	opts, names, err := p.options("finvTt:u", map[string]string{"force": "f", "interactive": "i", "no-clobber": "n",
		"verbose": "v", "no-target-directory": "T", "target-directory": "t", "update": "u"})
	if err != nil {
		return p.Fail("%v", err)
	}
	answers := bufio.NewReader(p.Stdin)
	return p.toTarget(opts, names, func(from, to string) int {
		info, err := os.Lstat(from)
		if err != nil {
			return p.Fail("cannot stat '%s': %s", from, causeText(err))
		}
		if existing, err := os.Lstat(to); err == nil {
			switch {
			case os.SameFile(info, existing) && filepath.Clean(from) == filepath.Clean(to):
				return p.Fail("'%s' and '%s' are the same file", from, to)
			case opts.last("fin") == 'n', opts.has('u') && !info.ModTime().After(existing.ModTime()):
				return 0
			case opts.last("fin") == 'i':
				fmt.Fprintf(p.Stderr, "mv: overwrite '%s'? ", to)
				if !readYes(answers) {
					return 0
				}
			case existing.IsDir() && !info.IsDir():
				return p.Fail("cannot overwrite directory '%s' with non-directory", to)
			}
		}
		if info.IsDir() && inside(from, to) {
			return p.Fail("cannot move '%s' to a subdirectory of itself, '%s'", from, to)
		}
		return p.move(from, to, opts.has('v'))
	})
}

// move renames, and copies to another file system where that is the only way.
func (p *Process) move(from, to string, verbose bool) int {
	err := syscall.Rename(from, to)
	if err == syscall.EXDEV {
		os.Remove(to)
		c := &copier{p: p, recursive: true, preserve: true, links: true, same: true}
		c.copy(from, to, false)
		if c.code != 0 {
			return c.code
		}
		err = os.RemoveAll(from)
	}
	if err != nil {
		return p.Fail("cannot move '%s' to '%s': %s", from, to, causeText(err))
	}
	if verbose {
		fmt.Fprintf(p.Stdout, "renamed '%s' -> '%s'\n", from, to)
	}
	return 0
}
