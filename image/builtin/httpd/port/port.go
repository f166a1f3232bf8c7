// Package port opens the web server's port before the rest of the program has been initialised (see package early): whoever
// starts the server and asks it for a page at once is heard within a millisecond, and answered when it is ready.
package port

import (
	"syscall"

	"sandbox/kernel/early"
)

// Names under which the program is the web server.
const (
	Name       = "httpd"
	Foreground = "httpd-foreground" // what the classic image calls it
)

// Usual is where it listens if it is not told otherwise.
const Usual = 80

// FD is the socket that listens; -1 if there is none.
var FD = -1

func init() {
	name := early.Name()
	if name != Name && name != Foreground {
		return
	}
	hold()
	if len(early.Args()) == 1 {
		FD = open()
	}
}

// open listens on all addresses, of both families where there are two. What goes wrong is not told here: the server tries
// once more, and says it.
func open() int {
	fd, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	var all syscall.Sockaddr = &syscall.SockaddrInet6{Port: Usual}
	if err == nil {
		syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, 0)
	} else {
		if fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0); err != nil {
			return -1
		}
		all = &syscall.SockaddrInet4{Port: Usual}
	}
	syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if syscall.Bind(fd, all) != nil || syscall.Listen(fd, syscall.SOMAXCONN) != nil {
		syscall.Close(fd)
		return -1
	}
	return fd
}
