package container

import (
	"io"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"sandbox/kernel"
)

// carried is our terminal, connected with the master of a program's in a container: what is typed, what is shown, and the
// window's size.
type carried struct {
	master  *os.File
	shown   chan struct{} // closed when the program's end is closed
	left    chan struct{} // closed when the detach keys were typed
	restore func()
}

func (e *Engine) carryTerminal(master *os.File, req ExecRequest) *carried {
	c := &carried{master: master, shown: make(chan struct{}), left: make(chan struct{}), restore: func() {}}
	if req.Stdin {
		if term.IsTerminal(int(os.Stdin.Fd())) {
			if r, err := kernel.RawTerminal(e.Door, os.Stdin); err == nil {
				c.restore = r
			}
		}
		go c.typing(req.DetachKeys)
	}
	changes := make(chan os.Signal, 1)
	signal.Notify(changes, unix.SIGWINCH)
	go func() {
		e.resizeTerminal(master) // if it has changed since the program's birth
		for range changes {
			e.resizeTerminal(master)
		}
	}()
	go func() {
		io.Copy(os.Stdout, master)
		signal.Stop(changes)
		close(c.shown)
	}()
	return c
}

// typing carries what is typed, up to the detach keys.
func (c *carried) typing(detach []byte) {
	keys := &detachKeys{keys: detach}
	buffer := make([]byte, 4096)
	for {
		n, err := os.Stdin.Read(buffer)
		data, leave := keys.scan(buffer[:n])
		if leave {
			close(c.left)
			return
		}
		if _, writeErr := c.master.Write(data); err != nil || writeErr != nil {
			return
		}
	}
}

func (e *Engine) resizeTerminal(master *os.File) {
	w := SizeOf(os.Stdin)
	raw, err := master.SyscallConn()
	if err != nil || w.Rows == 0 {
		return
	}
	raw.Control(func(fd uintptr) {
		if has, err := unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ); err == nil && has.Row == w.Rows && has.Col == w.Columns {
			return
		}
		e.Door.Do(kernel.Step{
			Effect:  kernel.WindowSize{FD: kernel.FD(int(fd)), Rows: w.Rows, Columns: w.Columns},
			Section: "3.2", Why: kernel.Why{EN: "your terminal has changed its size", ZH: "你的终端改变了大小"},
		})
	})
}
