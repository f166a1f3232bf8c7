package userland

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

func runNohup(p *Process) int {
	_, argv, err := p.options("+", nil)
	if err == nil && len(argv) == 0 {
		err = errors.New("missing operand")
	}
	if err != nil {
		p.Fail("%v", err)
		return 125
	}
	_, _, terminal := terminalSize(p.Stdout)
	if terminal {
		f, err := os.OpenFile("nohup.out", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			p.Fail("failed to open 'nohup.out': %s", causeText(err))
			return 125
		}
		p.Fail("ignoring input and appending output to 'nohup.out'")
		if null, err := os.Open(os.DevNull); err == nil {
			unix.Dup3(int(null.Fd()), 0, 0)
		}
		unix.Dup3(int(f.Fd()), 1, 0)
		if _, _, terminal := terminalSize(p.Stderr); terminal {
			unix.Dup3(int(f.Fd()), 2, 0)
		}
	}
	signal.Ignore(syscall.SIGHUP) // what is ignored stays so across exec
	return p.turnInto(argv)
}
