package userland

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

func runRm(p *Process) int {
	opts, names, err := p.options("rRfivd", map[string]string{"recursive": "r", "force": "f", "verbose": "v", "dir": "d", "interactive": "i"})
	if err != nil {
		return p.Fail("%v", err)
	}
	force := opts.last("fi") == 'f'
	if len(names) == 0 {
		if force {
			return 0
		}
		return p.Fail("missing operand")
	}
	r := &remover{p: p, recursive: opts.last("rR") != 0, force: force, ask: opts.last("fi") == 'i', verbose: opts.has('v'), empty: opts.has('d')}
	for _, name := range names {
		switch base := filepath.Base(name); {
		case strings.HasSuffix(name, ".") && (base == "." || base == ".."):
			r.code = p.Fail("refusing to remove '.' or '..' directory: skipping '%s'", name)
		case r.recursive && filepath.Clean(name) == "/":
			r.code = p.Fail("it is dangerous to operate recursively on '/'")
		default:
			r.remove(name)
		}
	}
	return r.code
}

type remover struct {
	p                                     *Process
	recursive, force, ask, verbose, empty bool
	code                                  int
	answers                               *bufio.Reader
}

// remove deletes a file or a tree, and goes on with the rest of a tree where it cannot delete a part of it.
func (r *remover) remove(path string) {
	info, err := os.Lstat(path)
	if err != nil {
		if !(r.force && errors.Is(err, fs.ErrNotExist)) {
			r.fail(path, err)
		}
		return
	}
	what := "regular file"
	if info.IsDir() {
		what = "directory"
		if !r.recursive && !r.empty {
			r.fail(path, syscall.EISDIR)
			return
		}
		if r.recursive && !r.removeContent(path) {
			return
		}
	}
	if !r.confirmed("remove %s '%s'? ", what, path) {
		return
	}
	if err := os.Remove(path); err != nil {
		r.fail(path, err)
		return
	}
	if r.verbose && info.IsDir() {
		fmt.Fprintf(r.p.Stdout, "removed directory '%s'\n", path)
	} else if r.verbose {
		fmt.Fprintf(r.p.Stdout, "removed '%s'\n", path)
	}
}

func (r *remover) removeContent(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		r.fail(dir, err)
		return false
	}
	if len(entries) > 0 && !r.confirmed("descend into directory '%s'? ", dir) {
		return false
	}
	before := r.code
	for _, entry := range entries {
		r.remove(filepath.Join(dir, entry.Name()))
	}
	return r.code == before
}

func (r *remover) confirmed(format string, args ...any) bool {
	if !r.ask {
		return true
	}
	if r.answers == nil {
		r.answers = bufio.NewReader(r.p.Stdin)
	}
	fmt.Fprintf(r.p.Stderr, "rm: "+format, args...)
	return readYes(r.answers)
}

// readYes reads a line and takes everything that begins with y as a yes.
func readYes(in *bufio.Reader) bool {
	answer, _ := in.ReadString('\n')
	return strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "y")
}

func (r *remover) fail(path string, err error) {
	r.code = r.p.Fail("cannot remove '%s': %s", path, causeText(err))
}
