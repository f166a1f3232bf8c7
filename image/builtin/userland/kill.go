package userland

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// runKill sends a signal to processes: kill 5, kill -9 5, kill -s TERM -- -5 (a whole process group).
func runKill(p *Process) int {
	args := p.Args[1:]
	signal := syscall.SIGTERM
	if len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' && args[0] != "--" {
		flag := args[0][1:]
		args = args[1:]
		switch {
		case flag == "l" || flag == "L" || flag == "-list":
			return p.listSignals(args)
		case flag == "s" || flag == "n" || flag == "-signal":
			if len(args) == 0 {
				return p.Fail("option requires an argument -- '%s'", flag)
			}
			flag, args = args[0], args[1:]
		}
		var err error
		if signal, err = parseSignal(strings.TrimPrefix(flag, "-signal=")); err != nil {
			return p.Fail("%v", err)
		}
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return p.Fail("usage: kill [-SIGNAL] PID…, or kill -l")
	}
	code := 0
	for _, arg := range args {
		pid, err := strconv.Atoi(arg)
		if err != nil {
			code = p.Fail("invalid process number %q", arg)
		} else if err := syscall.Kill(pid, signal); err != nil {
			code = p.Fail("(%d) - %s", pid, causeText(err))
		}
	}
	return code
}

// parseSignal reads 9, KILL, kill or SIGKILL. 0 is allowed: it only asks whether the process is there.
func parseSignal(text string) (syscall.Signal, error) {
	if n, err := strconv.Atoi(text); err == nil && n >= 0 && n <= 64 {
		return syscall.Signal(n), nil
	}
	name := strings.ToUpper(text)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	if signal := unix.SignalNum(name); signal != 0 {
		return signal, nil
	}
	return 0, fmt.Errorf("%s: invalid signal specification", text)
}

// listSignals prints all signals, or translates between numbers and names. A number over 128 is taken for the exit code
// of a process that a signal ended.
func (p *Process) listSignals(which []string) int {
	for _, w := range which {
		n, err := strconv.Atoi(w)
		if err != nil {
			signal, err := parseSignal(w)
			if err != nil {
				return p.Fail("%v", err)
			}
			fmt.Fprintln(p.Stdout, int(signal))
			continue
		}
		if n > 128 {
			n -= 128
		}
		name := unix.SignalName(syscall.Signal(n))
		if name == "" {
			return p.Fail("%s: invalid signal specification", w)
		}
		fmt.Fprintln(p.Stdout, strings.TrimPrefix(name, "SIG"))
	}
	if len(which) > 0 {
		return 0
	}
	for n := 1; n <= 31; n++ {
		end := "\t"
		if n%5 == 0 || n == 31 {
			end = "\n"
		}
		fmt.Fprintf(p.Stdout, "%2d) %-10s%s", n, unix.SignalName(syscall.Signal(n)), end)
	}
	return 0
}
