package userland

import (
	"fmt"
	"strconv"
	"syscall"
)

func runNice(p *Process) int {
	// nice -5 is the old way to write nice -n 5.
	p.dashNumber("n")
	opts, argv, err := p.options("+n:", map[string]string{"adjustment": "n"})
	if err != nil {
		p.Fail("%v", err)
		return 125
	}
	// The system call counts from 40 down to 1, so that no answer looks like an error.
	raw, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil {
		return p.Fail("cannot get niceness: %s", causeText(err))
	}
	current := 20 - raw
	if len(argv) == 0 {
		fmt.Fprintln(p.Stdout, current)
		return 0
	}
	adjustment := 10
	if opts.has('n') {
		if adjustment, err = strconv.Atoi(opts.value('n')); err != nil {
			p.Fail("invalid adjustment '%s'", opts.value('n'))
			return 125
		}
	}
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, min(max(current+adjustment, -20), 19)); err != nil {
		p.Fail("cannot set niceness: %s", causeText(err)) // and the program runs all the same
	}
	return p.turnInto(argv)
}
