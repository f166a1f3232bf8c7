package userland

import (
	"os"
	"syscall"
)

func runLink(p *Process) int {
	_, names, err := p.options("", nil)
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(names) != 2 {
		return p.Fail("needs two operands")
	}
	if err := os.Link(names[0], names[1]); err != nil {
		return p.Fail("cannot create link '%s' to '%s': %s", names[1], names[0], causeText(err))
	}
	return 0
}

func runUnlink(p *Process) int {
	_, names, err := p.options("", nil)
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(names) != 1 {
		return p.Fail("needs one operand")
	}
	if err := syscall.Unlink(names[0]); err != nil {
		return p.Fail("cannot unlink '%s': %s", names[0], causeText(err))
	}
	return 0
}
