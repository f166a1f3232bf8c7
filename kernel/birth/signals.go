package birth

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

const (
	sigBlock   = 0
	sigSetmask = 2
)

// blockSignals blocks all signals on this thread and returns the mask that was in force. Raw: between this call and
// restoreSignals the Go scheduler must not come in.
func blockSignals() (before uint64) {
	all := ^uint64(0)
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, sigBlock, uintptr(unsafe.Pointer(&all)), uintptr(unsafe.Pointer(&before)), 8, 0, 0)
	return before
}

func restoreSignals(mask uint64) {
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, sigSetmask, uintptr(unsafe.Pointer(&mask)), 0, 8, 0, 0)
}

// nanotime is CLOCK_MONOTONIC in nanoseconds.
func nanotime() uint64 {
	const clockMonotonic = 1
	var ts syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&ts)), 0)
	return uint64(ts.Nano())
}

// The child and the kernel write these words behind the compiler's back.
func loadWord(word *uint32) uint32       { return atomic.LoadUint32(word) }
func loadResult(result *uintptr) uintptr { return atomic.LoadUintptr(result) }
