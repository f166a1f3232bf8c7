package userland

import (
	"fmt"
	"path/filepath"
	"syscall"
)

func runRmdir(p *Process) int {
	opts, names, err := p.options("pvi", map[string]string{"parents": "p", "verbose": "v", "ignore-fail-on-non-empty": "i"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(names) == 0 {
		return p.Fail("missing operand")
	}
	code := 0
	for _, name := range names {
		for dir := filepath.Clean(name); ; dir = filepath.Dir(dir) {
			if err := syscall.Rmdir(dir); err != nil {
				code = p.Fail("failed to remove '%s': %s", dir, causeText(err))
				break
			}
			if opts.has('v') {
				fmt.Fprintf(p.Stdout, "rmdir: removing directory, '%s'\n", dir)
			}
			if !opts.has('p') || filepath.Dir(dir) == "." || filepath.Dir(dir) == "/" {
				break
			}
		}
	}
	return code
}
