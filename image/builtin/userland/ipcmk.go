package userland

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Flags and commands of shmget(2), msgget(2), semget(2) and their ctl calls.
const (
	ipcCreate    = 0o1000
	ipcExclusive = 0o2000
	ipcRemove    = 0
)

// runIpcmk makes System V IPC objects: ipcmk -M 1M shared memory, -Q a message queue, -S 3 an array of semaphores.
func runIpcmk(p *Process) int {
	opts, _, err := p.options("M:S:Qp:", map[string]string{"shmem": "M", "semaphore": "S", "queue": "Q", "mode": "p"})
	if err != nil {
		return p.Fail("%v", err)
	}
	mode := uint64(0o644)
	if opts.has('p') {
		if mode, err = strconv.ParseUint(opts.value('p'), 8, 9); err != nil {
			return p.Fail("invalid mode '%s'", opts.value('p'))
		}
	}
	flags := uintptr(mode | ipcCreate | ipcExclusive)
	made := false
	for _, o := range []struct {
		letter rune
		what   string
		create func(key uintptr, size uint64) (uintptr, unix.Errno)
	}{
		{'M', "Shared memory", func(key uintptr, size uint64) (uintptr, unix.Errno) {
			return systemV(unix.SYS_SHMGET, key, uintptr(size), flags)
		}},
		{'Q', "Message queue", func(key uintptr, _ uint64) (uintptr, unix.Errno) { return systemV(unix.SYS_MSGGET, key, flags, 0) }},
		{'S', "Semaphore", func(key uintptr, count uint64) (uintptr, unix.Errno) {
			return systemV(unix.SYS_SEMGET, key, uintptr(count), flags)
		}},
	} {
		if !opts.has(o.letter) {
			continue
		}
		made = true
		size, err := parseBinarySize(opts.value(o.letter))
		if err != nil {
			return p.Fail("%v", err)
		}
		id, errno := o.create(uintptr(rand.Uint32()), size)
		if errno != 0 {
			return p.Fail("create %s failed: %s", strings.ToLower(o.what), causeText(errno))
		}
		fmt.Fprintf(p.Stdout, "%s id: %d\n", o.what, id)
	}
	if !made {
		return p.Fail("usage: ipcmk -M SIZE | -Q | -S COUNT [-p MODE]")
	}
	return 0
}

func systemV(call, a, b, c uintptr) (uintptr, unix.Errno) {
	result, _, errno := unix.Syscall(call, a, b, c)
	return result, errno
}

// parseBinarySize reads 4096, 64K or 1M. Nothing is 0.
func parseBinarySize(text string) (uint64, error) {
	digits := strings.TrimRight(text, "KMGiB")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(digits, 10, 44)
	if err != nil {
		return 0, fmt.Errorf("invalid size '%s'", text)
	}
	switch unit := strings.TrimPrefix(text, digits); {
	case unit == "":
		return n, nil
	case unit[0] == 'K':
		return n << 10, nil
	case unit[0] == 'M':
		return n << 20, nil
	case unit[0] == 'G':
		return n << 30, nil
	}
	return 0, fmt.Errorf("invalid size '%s'", text)
}
