package userland

import (
	"os"

	"golang.org/x/sys/unix"
)

func runSync(p *Process) int {
	_, names, err := p.options("df", nil)
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(names) == 0 {
		unix.Sync()
	}
	code := 0
	for _, name := range names {
		f, err := os.Open(name)
		if err == nil {
			err = f.Sync()
			f.Close()
		}
		if err != nil {
			code = p.Fail("error syncing '%s': %s", name, causeText(err))
		}
	}
	return code
}
