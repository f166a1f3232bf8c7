package shell

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
	"mvdan.cc/sh/v3/interp"

	"sandbox/kernel/rlimit"
)

// umask shows or sets the permission bits that new files do not get: `umask`, `umask -S`, `umask 022`, `umask u=rwx,g=rx,o=`.
func (s *Shell) umask(hc interp.HandlerContext, args []string) int {
	current := unix.Umask(0)
	unix.Umask(current) // there is no other way to ask
	switch {
	case len(args) == 0 || args[0] == "-p":
		fmt.Fprintf(hc.Stdout, "%04o\n", current)
	case args[0] == "-S":
		allowed := ^current
		fmt.Fprintf(hc.Stdout, "u=%s,g=%s,o=%s\n", permissions(allowed>>6), permissions(allowed>>3), permissions(allowed))
	default:
		mask, err := parseUmask(args[0], current)
		if err != nil {
			return s.complain(hc, "umask: %s: %v", args[0], err)
		}
		unix.Umask(mask)
	}
	return 0
}

func permissions(bits int) string {
	text := ""
	for i, letter := range "rwx" {
		if bits&(4>>i) != 0 {
			text += string(letter)
		}
	}
	return text
}

func parseUmask(text string, current int) (int, error) {
	if mask, err := strconv.ParseUint(text, 8, 32); err == nil && mask <= 0o777 {
		return int(mask), nil
	}
	allowed := ^current & 0o777
	for clause := range strings.SplitSeq(text, ",") {
		at := strings.IndexAny(clause, "=+-")
		if at < 0 {
			return 0, errors.New("invalid symbolic mode")
		}
		bits := 0
		for _, letter := range clause[at+1:] {
			place := strings.IndexRune("xwr", letter)
			if place < 0 {
				return 0, errors.New("invalid symbolic mode")
			}
			bits |= 1 << place
		}
		whole, part := 0, 0
		for i, class := range "ogu" {
			if at == 0 || strings.ContainsRune(clause[:at], class) || strings.ContainsRune(clause[:at], 'a') {
				whole |= 0o7 << (3 * i)
				part |= bits << (3 * i)
			}
		}
		switch clause[at] {
		case '=':
			allowed = allowed&^whole | part
		case '+':
			allowed |= part
		case '-':
			allowed &^= part
		}
	}
	return ^allowed & 0o777, nil
}

// resource is a limit of the kernel's on a process, see getrlimit(2).
type resource struct {
	letter rune
	number int
	scale  uint64 // how many of the kernel's units are one of ulimit's
	name   string
	unit   string
}

func resources() []resource {
	return []resource{
		{'c', unix.RLIMIT_CORE, 512, "core file size", "blocks"},
		{'d', unix.RLIMIT_DATA, 1024, "data seg size", "kbytes"},
		{'f', unix.RLIMIT_FSIZE, 512, "file size", "blocks"},
		{'l', unix.RLIMIT_MEMLOCK, 1024, "max locked memory", "kbytes"},
		{'m', unix.RLIMIT_RSS, 1024, "max memory size", "kbytes"},
		{'n', unix.RLIMIT_NOFILE, 1, "open files", ""},
		{'q', unix.RLIMIT_MSGQUEUE, 1, "POSIX message queues", "bytes"},
		{'s', unix.RLIMIT_STACK, 1024, "stack size", "kbytes"},
		{'t', unix.RLIMIT_CPU, 1, "cpu time", "seconds"},
		{'u', unix.RLIMIT_NPROC, 1, "max user processes", ""},
		{'v', unix.RLIMIT_AS, 1024, "virtual memory", "kbytes"},
	}
}

// ulimit shows or sets resource limits: `ulimit -a`, `ulimit -n`, `ulimit -Sn 1024`, `ulimit -Hn`.
func (s *Shell) ulimit(hc interp.HandlerContext, args []string) int {
	soft, hard, all := false, false, false
	letter := 'f'
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		for _, flag := range args[0][1:] {
			switch flag {
			case 'S':
				soft = true
			case 'H':
				hard = true
			case 'a':
				all = true
			default:
				letter = flag
			}
		}
		args = args[1:]
	}
	for _, r := range resources() {
		switch {
		case all:
			fmt.Fprintf(hc.Stdout, "%-30s %s\n", fmt.Sprintf("%s (%s)", r.name, r.flagText()), r.show(hard))
		case r.letter == letter && len(args) == 0:
			fmt.Fprintln(hc.Stdout, r.show(hard))
			return 0
		case r.letter == letter:
			if err := r.set(args[0], soft, hard); err != nil {
				return s.complain(hc, "ulimit: %s: cannot modify limit: %s", r.name, describe(err))
			}
			return 0
		}
	}
	if !all {
		return s.complain(hc, "ulimit: -%c: invalid option", letter)
	}
	return 0
}

func (r resource) flagText() string {
	if r.unit == "" {
		return "-" + string(r.letter)
	}
	return r.unit + ", -" + string(r.letter)
}

func (r resource) show(hard bool) string {
	limit, err := r.get()
	if err != nil {
		return describe(err)
	}
	value := limit.Cur
	if hard {
		value = limit.Max
	}
	if value == unix.RLIM_INFINITY {
		return "unlimited"
	}
	return strconv.FormatUint(value/r.scale, 10)
}

// get asks for a limit. Go has raised this process's own on open files; what it starts gets the one it was started with.
func (r resource) get() (limit syscall.Rlimit, err error) {
	if r.number == unix.RLIMIT_NOFILE {
		return syscall.Rlimit{Cur: rlimit.OpenFiles.Soft, Max: rlimit.OpenFiles.Hard}, nil
	}
	err = syscall.Getrlimit(r.number, &limit)
	return limit, err
}

func (r resource) set(text string, soft, hard bool) error {
	limit, err := r.get()
	if err != nil {
		return err
	}
	var value uint64 = unix.RLIM_INFINITY
	switch text {
	case "unlimited":
	case "hard":
		value = limit.Max
	case "soft":
		value = limit.Cur
	default:
		n, err := strconv.ParseUint(text, 10, 54)
		if err != nil {
			return errors.New("invalid number")
		}
		value = n * r.scale
	}
	if soft || !hard {
		limit.Cur = value
	}
	if hard || !soft {
		limit.Max = value
	}
	if err := syscall.Setrlimit(r.number, &limit); err != nil {
		return err
	}
	if r.number == unix.RLIMIT_NOFILE {
		rlimit.OpenFiles = rlimit.Limit{Soft: limit.Cur, Hard: limit.Max}
	}
	return nil
}
