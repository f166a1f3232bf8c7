package httpd

import (
	"encoding/binary"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"sandbox/image/builtin/httpd/port"
)

// notify passes the signals on that ask for the end: not SIGWINCH if it comes from the terminal.
func notify(signals chan<- os.Signal) error {
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if !port.Held {
		signal.Notify(signals, syscall.SIGWINCH)
		return nil
	}
	set := unix.Sigset_t{Val: [16]uint64{1 << (unix.SIGWINCH - 1)}}
	fd, err := unix.Signalfd(-1, &set, unix.SFD_CLOEXEC|unix.SFD_NONBLOCK)
	if err != nil {
		return os.NewSyscallError("signalfd", err)
	}
	go pass(os.NewFile(uintptr(fd), "signals"), signals)
	return nil
}

// pass reads one struct signalfd_siginfo after the other (signalfd(2)).
func pass(file *os.File, signals chan<- os.Signal) {
	info := make([]byte, 128)
	for {
		if _, err := file.Read(info); err != nil {
			return
		}
		const fromKernel = 0x80 // SI_KERNEL
		if binary.NativeEndian.Uint32(info[8:]) != fromKernel {
			signals <- syscall.SIGWINCH
		}
	}
}
