package kernel

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// Listen is bind(2) of a new unix socket to a file, which it makes, and listen(2): whoever may write to that file can
// connect. Path has at most 107 bytes (unix(7)); a longer one can be had through /proc/self/fd of an open directory.
type Listen struct {
	Path string
	As   *Handle // the socket
}

// Call as the bind(2), which is what makes the file.
func (l Listen) Call() Call {
	address := fmt.Sprintf("{sa_family=AF_UNIX, sun_path=%s}", quote(l.Path))
	return Call{Name: "bind", Args: []string{l.As.FD().String(), address, strconv.Itoa(2 + len(l.Path) + 1)}}
}

func (l Listen) compile(c *compiler) { panic("kernel: Listen is for the parent") }

func (l Listen) performInGo() (int, error) {
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, err
	}
	l.As.set(socket)
	if err = unix.Bind(socket, &unix.SockaddrUnix{Name: l.Path}); err == nil {
		err = unix.Listen(socket, unix.SOMAXCONN)
	}
	if err != nil {
		unix.Close(socket)
	}
	return 0, err
}
