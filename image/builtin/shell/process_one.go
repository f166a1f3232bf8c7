package shell

import (
	"os"
	"os/signal"
	"syscall"
	"unsafe"
)

// BehaveAsProcessOne gives a command that is process 1 of a container the signals of a C program. The kernel spares a
// process 1 from every signal that it has no handler for: that is why `docker stop` of a bare `sleep` takes ten seconds.
// Go's runtime has handlers for all of them, and would exit with code 2. So the program that holds the commands calls
// this before it runs one. What a command asks for later with signal.Notify, as ping does for Ctrl-C, works as ever.
func BehaveAsProcessOne() {
	if os.Getpid() != 1 {
		return
	}
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2,
		syscall.SIGALRM, syscall.SIGTERM} {
		defaultAction(sig)
	}
}

// defaultAction takes the handler of Go's runtime away, which signal.Reset leaves. Ignore makes the runtime forget that it
// has installed one: without that a later signal.Notify would not install it again.
func defaultAction(sig syscall.Signal) {
	signal.Ignore(sig)
	var action [4]uint64 // struct sigaction of the kernel: SIG_DFL, no flags, no mask
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
}
