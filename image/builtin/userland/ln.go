package userland

import (
	"fmt"
	"os"
	"path/filepath"
)

func runLn(p *Process) int {
	opts, names, err := p.options("sfnvTt:ri", map[string]string{"symbolic": "s", "force": "f", "no-dereference": "n",
		"verbose": "v", "no-target-directory": "T", "target-directory": "t", "relative": "r"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(names) == 1 && !opts.has('t') {
		names = append(names, ".")
	}
	// With -n a link to a directory is replaced, not entered.
	if len(names) > 1 && opts.has('n') {
		if info, err := os.Lstat(names[len(names)-1]); err == nil && info.Mode()&os.ModeSymlink != 0 {
			opts.add('T', "")
		}
	}
	kind, link := "hard ", os.Link
	if opts.has('s') {
		kind, link = "symbolic ", os.Symlink
	}
	return p.toTarget(opts, names, func(target, name string) int {
		if opts.has('r') {
			target = relativeTo(target, name)
		}
		if _, err := os.Lstat(target); err != nil && !opts.has('s') {
			return p.Fail("failed to access '%s': %s", target, causeText(err))
		}
		err := replacing(name, opts.has('f'), func() error { return link(target, name) })
		if err != nil {
			return p.Fail("failed to create %slink '%s': %s", kind, name, causeText(err))
		}
		if opts.has('v') {
			fmt.Fprintf(p.Stdout, "'%s' -> '%s'\n", name, target)
		}
		return 0
	})
}

// relativeTo is target as seen from the directory in which the link lies.
func relativeTo(target, link string) string {
	from, errFrom := filepath.Abs(filepath.Dir(link))
	to, errTo := filepath.Abs(target)
	if errFrom != nil || errTo != nil {
		return target
	}
	relative, err := filepath.Rel(from, to)
	if err != nil {
		return target
	}
	return relative
}
