package userland

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

func runMkdir(p *Process) int {
	opts, names, err := p.options("pm:v", map[string]string{"parents": "p", "mode": "m", "verbose": "v"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(names) == 0 {
		return p.Fail("missing operand")
	}
	mode := uint32(0o777)
	if opts.has('m') {
		change, err := parseMode(opts.value('m'))
		if err != nil {
			return p.Fail("%v", err)
		}
		mode = change(0o777, true)
	}
	created := func(path string) {
		if opts.has('v') {
			fmt.Fprintf(p.Stdout, "mkdir: created directory '%s'\n", path)
		}
	}
	code := 0
	for _, name := range names {
		if opts.has('p') {
			err = mkdirParents(name, mode, created)
		} else {
			if err = syscall.Mkdir(name, mode); err == nil {
				created(name)
			}
		}
		if err == nil && opts.has('m') {
			err = syscall.Chmod(name, mode) // past the umask, which mkdir obeys
		}
		if err != nil {
			code = p.Fail("cannot create directory '%s': %s", name, causeText(err))
		}
	}
	return code
}

// mkdirParents makes what is missing of a path. A directory that is there already is as good as a new one.
func mkdirParents(path string, mode uint32, created func(path string)) error {
	if info, err := os.Stat(path); err == nil {
		if info.IsDir() {
			return nil
		}
		return syscall.EEXIST
	}
	if parent := filepath.Dir(filepath.Clean(path)); parent != "." && parent != "/" {
		if err := mkdirParents(parent, 0o777, created); err == syscall.EEXIST {
			return syscall.ENOTDIR
		} else if err != nil {
			return err
		}
	}
	err := syscall.Mkdir(path, mode)
	if err == syscall.EEXIST {
		return nil // somebody else was faster
	}
	if err == nil {
		created(path)
	}
	return err
}
