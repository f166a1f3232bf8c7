package userland

import (
	"fmt"
	"os"
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
	code := 0
	for _, name := range names {
		if opts.has('p') {
			err = os.MkdirAll(name, 0o777)
		} else {
			err = syscall.Mkdir(name, mode)
		}
		if err == nil && opts.has('m') {
			err = syscall.Chmod(name, mode) // past the umask, which mkdir obeys
		}
		if err != nil {
			code = p.Fail("cannot create directory '%s': %s", name, causeText(err))
		} else if opts.has('v') {
			fmt.Fprintf(p.Stdout, "mkdir: created directory '%s'\n", name)
		}
	}
	return code
}
