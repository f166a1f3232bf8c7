package container

import (
	"io"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"sandbox/kernel"
)

// carryTerminal connects our terminal with the master of the container's: what is typed, what is shown, and the
// window's size. The returned function waits for the rest of the output and puts our terminal back.
func (e *Engine) carryTerminal(master *os.File) (finish func()) {
	restore := func() {}
	if term.IsTerminal(int(os.Stdin.Fd())) {
		if r, err := kernel.RawTerminal(e.Door, os.Stdin); err == nil {
			restore = r
		}
	}
	changes := make(chan os.Signal, 1)
	signal.Notify(changes, unix.SIGWINCH)
	go func() {
		for range changes {
			e.resizeTerminal(master)
		}
	}()
	go io.Copy(master, os.Stdin)
	shown := make(chan struct{})
	go func() { io.Copy(os.Stdout, master); close(shown) }()
	return func() {
		<-shown
		signal.Stop(changes)
		restore()
	}
}

func (e *Engine) resizeTerminal(master *os.File) {
	w := SizeOf(os.Stdin)
	raw, err := master.SyscallConn()
	if err != nil || w.Rows == 0 {
		return
	}
	raw.Control(func(fd uintptr) {
		e.Door.Do(kernel.Step{
			Effect:  kernel.WindowSize{FD: kernel.FD(int(fd)), Rows: w.Rows, Columns: w.Columns},
			Section: "3.2", Why: kernel.Why{EN: "your terminal has changed its size", ZH: "你的终端改变了大小"},
		})
	})
}
