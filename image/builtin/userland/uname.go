package userland

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

func runUname(p *Process) int {
	opts, operands, err := p.options("asnrvmpio", map[string]string{"all": "a", "kernel-name": "s", "nodename": "n",
		"kernel-release": "r", "kernel-version": "v", "machine": "m", "processor": "p", "hardware-platform": "i", "operating-system": "o"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(operands) > 0 {
		return p.Fail("extra operand '%s'", operands[0])
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return p.Fail("%s", causeText(err))
	}
	all := opts.has('a')
	var words []string
	add := func(flag rune, value string) {
		if all || opts.has(flag) || flag == 's' && len(opts.found) == 0 {
			words = append(words, value)
		}
	}
	add('s', unix.ByteSliceToString(u.Sysname[:]))
	add('n', unix.ByteSliceToString(u.Nodename[:]))
	add('r', unix.ByteSliceToString(u.Release[:]))
	add('v', unix.ByteSliceToString(u.Version[:]))
	add('m', unix.ByteSliceToString(u.Machine[:]))
	if !all { // nobody knows them, so that -a leaves them out
		add('p', "unknown")
		add('i', "unknown")
	}
	add('o', "GNU/Linux")
	fmt.Fprintln(p.Stdout, strings.Join(words, " "))
	return 0
}

func runArch(p *Process) int {
	p.Args = []string{"uname", "-m"}
	return runUname(p)
}
