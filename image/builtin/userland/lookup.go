package userland

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// names looks names up. A name server to which there is no way, says the network, is given up at once: Linux tells a UDP socket
// of that only if it asks for it (IP_RECVERR, ip(7)), and whoever does not waits twice for five seconds. Nor is it asked a second
// time, because the kernel says so only a few times a second.
func names() *net.Resolver {
	dialer := &net.Dialer{Control: func(_, _ string, socket syscall.RawConn) error {
		return socket.Control(func(fd uintptr) {
			unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_RECVERR, 1)
			unix.SetsockoptInt(int(fd), unix.SOL_IPV6, unix.IPV6_RECVERR, 1) // one of the two fits the socket
		})
	}}
	var away sync.Map // why there is no way, by the server's address
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if why, known := away.Load(address); known {
			return nil, why.(error)
		}
		conn, err := dialer.DialContext(ctx, network, address)
		if udp, ok := conn.(*net.UDPConn); ok {
			return &query{udp, func(err error) { away.Store(address, err) }}, err
		}
		return conn, err
	}}
}

// query is a socket for one question to a name server.
type query struct {
	*net.UDPConn
	noWay func(error)
}

func (q *query) Read(answer []byte) (int, error) {
	n, err := q.UDPConn.Read(answer)
	if errors.Is(err, unix.ENETUNREACH) || errors.Is(err, unix.EHOSTUNREACH) {
		q.noWay(err)
	}
	return n, err
}
