package container

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// connectTries bounds how often a connection is tried: a monitor that has just been started may not listen yet.
const connectTries = 400

// Connect attaches to a running container; Attach of what it returns carries input and output.
func (e *Engine) Connect(r *Record) (*Monitor, error) {
	name := r.PlainName()
	for try := 0; ; try++ {
		switch {
		case r.State.Paused:
			return nil, kernel.Advise(errors.New("you cannot attach to a paused container, unpause it first"), "sandbox unpause %s", name)
		case r.State.Restarting:
			return nil, kernel.Advise(errors.New("you cannot attach to a restarting container, wait until it is running"), "sandbox logs -f %s", name)
		case !r.State.Running:
			return nil, kernel.Advise(errors.New("you cannot attach to a stopped container, start it first"), "sandbox start -a %s   or, to type, too: sandbox start -ai %[1]s", name)
		}
		m, err := e.connect(r)
		if err == nil {
			return m, nil
		}
		if try == connectTries {
			return nil, kernel.Advise(fmt.Errorf("the monitor of container %s does not answer: %w", name, err), "sandbox logs -f %s   shows its output", name)
		}
		time.Sleep(5 * time.Millisecond)
		if r, err = e.Get(r.ID); err != nil {
			return nil, err
		}
	}
}

func (e *Engine) connect(r *Record) (*Monitor, error) {
	files, err := e.await(r)
	if err != nil {
		return nil, err
	}
	control, err := e.dial(r.ID)
	if err == nil {
		if err = (&frameWriter{w: control}).write(frameAttach, nil); err == nil {
			return &Monitor{control: control, door: e.Door, lost: func() (*End, error) { return e.waitWith(r, files) }}, nil
		}
		control.Close()
	}
	files.Close()
	return nil, err
}

// dial connects to a container's monitor.
func (e *Engine) dial(id string) (*os.File, error) {
	dir, err := os.Open(e.Paths.dir(id))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dialIn(dir, socketName)
}

// dialIn connects to a socket in a directory, whose path may be too long for an address.
func dialIn(dir *os.File, name string) (*os.File, error) {
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	address := &unix.SockaddrUnix{Name: "/proc/self/fd/" + strconv.Itoa(int(dir.Fd())) + "/" + name}
	for {
		err = unix.Connect(socket, address)
		if err == nil {
			return os.NewFile(uintptr(socket), "monitor"), nil
		}
		if !errors.Is(err, unix.EINTR) {
			unix.Close(socket)
			return nil, err
		}
	}
}

// leaveTerminal gives the master of a terminal to the container's monitor, which keeps it open: the program on its other
// end goes on without us.
func (e *Engine) leaveTerminal(r *Record, master *os.File) error {
	control, err := e.dial(r.ID)
	if err != nil {
		return err
	}
	defer control.Close()
	raw, err := master.SyscallConn()
	if err != nil {
		return err
	}
	var sendErr error
	err = raw.Control(func(fd uintptr) {
		sendErr = e.Door.Do(kernel.Step{
			Effect: kernel.SendDescriptor{Socket: int(control.Fd()), FD: int(fd), Data: string([]byte{frameHold, 0, 0, 0, 0})}, Section: "3.2",
			Why: kernel.Why{EN: "the monitor keeps the terminal open: the program goes on without us", ZH: "终端交给监视进程保管：程序继续运行"},
		})
	})
	return errors.Join(err, sendErr)
}
