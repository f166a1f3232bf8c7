package shell

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
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
	removeHandler(sig)
}

// removeHandler gives a signal its default action in the kernel. Go's runtime does not know of it.
func removeHandler(sig syscall.Signal) {
	var action [4]uint64 // struct sigaction of the kernel: SIG_DFL, no flags, no mask
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
}

// Before main, the main goroutine is in the first thread, and it stays there only if it says so now. Commands that need nothing of the
// kind are let go by AnyThread.
func init() {
	if os.Getpid() == 1 {
		runtime.LockOSThread()
	}
}

// AnyThread is for what does not care in which thread it runs: channels are faster then.
func AnyThread() {
	if os.Getpid() == 1 {
		runtime.UnlockOSThread()
	}
}

// besideFirstThread runs a shell that is process 1 in other threads than the first, which is left waiting. Go's runtime holds all
// signals back in a thread while that makes a child. A signal that is held back in the first thread, and without a handler, the kernel
// does not drop as it otherwise does for a process 1: it gives it to another thread, and the process dies of it (sig_ignored and
// complete_signal in kernel/signal.c). A shell makes children all the time, and one that is frozen is frozen just then: of
// SIGUSR1 to a paused container it died, seen on Linux 6.1.
func besideFirstThread(run func() int) int {
	if os.Getpid() != 1 {
		return run()
	}
	code := make(chan int)
	go func() { code <- run() }()
	for {
		select {
		case c := <-code:
			return c
		case do := <-inFirstThread:
			do()
		}
	}
}

// inFirstThread takes what the first thread of a shell that is process 1 is to do while it waits.
var inFirstThread = make(chan func())

// become executes a program in the shell's place. Process 1 does so from its first thread: when another one calls execve, the kernel
// ends the first before it takes its place, and the container has no namespaces that could be entered for that moment.
func become(path string, args, env []string) error {
	if os.Getpid() != 1 {
		return unix.Exec(path, args, env)
	}
	failure := make(chan error)
	inFirstThread <- func() { failure <- unix.Exec(path, args, env) }
	return <-failure
}
