package port

import (
	"syscall"
	"unsafe"

	"sandbox/kernel/early"
)

// Held tells whether SIGWINCH is blocked in all threads, and waits until it is read from a descriptor (signalfd(2)).
var Held bool

// hold blocks it. So it is not lost if it comes before the server is ready, and the kernel can be asked where it comes from, which
// handlers of Go's are not told: the classic server ends by it, but a terminal sends it, too, when its window changes. The
// threads of a Go program block what was blocked when it began (if its default is not the process's end); so it begins anew.
func hold() {
	const window = uint64(1) << (syscall.SIGWINCH - 1)
	if mask(sigBlock, window)&window != 0 {
		Held = true
		setName(early.Name()) // it is "exe" by now
		return
	}
	syscall.Exec("/proc/self/exe", early.Args(), syscall.Environ())
	mask(sigUnblock, window) // there is no /proc: then a window ends it, as it does the classic server
}

const (
	sigBlock   = 0
	sigUnblock = 1
)

// mask changes this thread's mask of signals, and returns the one before.
func mask(how uintptr, signals uint64) (before uint64) {
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, how, uintptr(unsafe.Pointer(&signals)), uintptr(unsafe.Pointer(&before)), 8, 0, 0)
	return before
}

// setName is what ps and top show.
func setName(name string) {
	text := append([]byte(name), 0)
	syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_NAME, uintptr(unsafe.Pointer(&text[0])), 0)
}
