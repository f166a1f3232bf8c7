package userland

import (
	"fmt"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// runTime is time as a program; a shell has its own, which can time pipes and functions as well.
func runTime(p *Process) int {
	opts, argv, err := p.options("+pvf:o:a", map[string]string{"portability": "p", "verbose": "v"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(argv) == 0 {
		return p.Fail("missing program to run")
	}
	signal.Ignore(syscall.SIGINT, syscall.SIGQUIT) // they are meant for the program
	path, err := findProgram(argv[0])
	if err != nil {
		p.Fail("cannot run %s: %s", argv[0], causeText(err))
		return 127
	}
	start := time.Now()
	cmd := &exec.Cmd{Path: path, Args: argv, Stdin: p.Stdin, Stdout: p.Stdout, Stderr: p.Stderr}
	if err := cmd.Start(); err != nil {
		p.Fail("cannot run %s: %s", argv[0], causeText(err))
		return 126
	}
	code := p.exitCode(cmd.Wait(), argv[0])
	elapsed := time.Since(start)
	state := cmd.ProcessState
	switch {
	case opts.has('v'):
		usage := state.SysUsage().(*syscall.Rusage)
		fmt.Fprintf(p.Stderr, "\tCommand being timed: \"%s\"\n\tUser time (seconds): %.2f\n\tSystem time (seconds): %.2f\n"+
			"\tElapsed (wall clock) time (h:mm:ss or m:ss): %d:%05.2f\n\tMaximum resident set size (kbytes): %d\n"+
			"\tMajor (requiring I/O) page faults: %d\n\tMinor (reclaiming a frame) page faults: %d\n"+
			"\tVoluntary context switches: %d\n\tInvoluntary context switches: %d\n\tExit status: %d\n",
			strings.Join(argv, " "), state.UserTime().Seconds(), state.SystemTime().Seconds(),
			int(elapsed.Minutes()), (elapsed % time.Minute).Seconds(), usage.Maxrss, usage.Majflt, usage.Minflt,
			usage.Nvcsw, usage.Nivcsw, code)
	case opts.has('p'):
		fmt.Fprintf(p.Stderr, "real %.2f\nuser %.2f\nsys %.2f\n", elapsed.Seconds(), state.UserTime().Seconds(), state.SystemTime().Seconds())
	default:
		fmt.Fprintf(p.Stderr, "real\t%dm %.2fs\nuser\t%dm %.2fs\nsys\t%dm %.2fs\n",
			int(elapsed.Minutes()), (elapsed % time.Minute).Seconds(),
			int(state.UserTime().Minutes()), (state.UserTime() % time.Minute).Seconds(),
			int(state.SystemTime().Minutes()), (state.SystemTime() % time.Minute).Seconds())
	}
	return code
}
