package kernel

import (
	"fmt"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// Bind is bind(2) of a new socket to an address of the network namespace that the calling thread is in, and of a stream
// listen(2). From then on nobody else can have the address.
type Bind struct {
	Protocol string // tcp, udp or sctp
	Address  netip.AddrPort
	Both     bool    // an IPv6 socket for both families (IPV6_V6ONLY is 0)
	As       *Handle // the socket
}

// Call in strace's notation.
func (b Bind) Call() Call {
	address := fmt.Sprintf("{sa_family=AF_INET, sin_port=htons(%d), sin_addr=inet_addr(%s)}", b.Address.Port(), quote(b.Address.Addr().String()))
	length := unix.SizeofSockaddrInet4
	if b.Address.Addr().Is6() {
		address = fmt.Sprintf("{sa_family=AF_INET6, sin6_port=htons(%d), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, %s, &sin6_addr), sin6_scope_id=0}", b.Address.Port(), quote(b.Address.Addr().String()))
		length = unix.SizeofSockaddrInet6
	}
	return Call{Name: "bind", Args: []string{b.As.FD().String(), address, strconv.Itoa(length)}}
}

func (b Bind) compile(*compiler) { panic("kernel: Bind is for the parent") }

func (b Bind) performInGo() (int, error) {
	kind, protocol := unix.SOCK_STREAM, 0
	switch b.Protocol {
	case "udp":
		kind = unix.SOCK_DGRAM
	case "sctp":
		protocol = unix.IPPROTO_SCTP
	}
	family := unix.AF_INET
	if b.Address.Addr().Is6() {
		family = unix.AF_INET6
	}
	socket, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return 0, err
	}
	b.As.set(socket)
	if err = b.bind(socket, family, kind); err != nil {
		unix.Close(socket)
	}
	return 0, err
}

func (b Bind) bind(socket, family, kind int) error {
	if kind == unix.SOCK_STREAM { // so that connections of before, which are about to be forgotten, do not count
		unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if family == unix.AF_INET6 {
		only := 1
		if b.Both {
			only = 0
		}
		unix.SetsockoptInt(socket, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only)
	}
	var address unix.Sockaddr = &unix.SockaddrInet4{Port: int(b.Address.Port()), Addr: v4(b.Address.Addr())}
	if family == unix.AF_INET6 {
		address = &unix.SockaddrInet6{Port: int(b.Address.Port()), Addr: b.Address.Addr().As16()}
	}
	err := unix.Bind(socket, address)
	if err == nil && kind == unix.SOCK_STREAM {
		err = unix.Listen(socket, unix.SOMAXCONN)
	}
	return err
}

func v4(a netip.Addr) (raw [4]byte) {
	if a.Is4() {
		raw = a.As4()
	}
	return raw
}

// PortOf is the port that a socket is bound to.
func PortOf(socket int) uint16 {
	switch a, _ := unix.Getsockname(socket); a := a.(type) {
	case *unix.SockaddrInet4:
		return uint16(a.Port)
	case *unix.SockaddrInet6:
		return uint16(a.Port)
	}
	return 0
}
