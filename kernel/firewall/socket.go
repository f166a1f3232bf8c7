package firewall

import (
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// socket speaks with nf_tables: netlink(7), NETLINK_NETFILTER.
type socket struct {
	fd     int
	space  uint64 // the network namespace that it belongs to: its number in /proc/PID/ns
	number uint32 // of the last message
	buffer []byte
}

// idle are sockets that are kept for the next time. They are not closed: what somebody has just deleted the kernel frees a little
// later, when no packet can be looking at it any more, and whoever closes a socket of netfilter's before that has to wait for it, and
// lets nobody else change rules meanwhile (nft_rcv_nl_event in net/netfilter/nf_tables_api.c). That would be 10 ms or more for
// each container that starts just after another one has ended.
var idle struct {
	sync.Mutex
	sockets []*socket
}

// open takes a socket of the network namespace that the calling thread is in, or makes one.
func open() (*socket, error) {
	var here unix.Stat_t
	if err := unix.Stat("/proc/thread-self/ns/net", &here); err != nil {
		return nil, err
	}
	idle.Lock()
	defer idle.Unlock()
	for i, s := range idle.sockets {
		if s.space == here.Ino {
			idle.sockets = slices.Delete(idle.sockets, i, i+1)
			return s, nil
		}
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, err
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		unix.Close(fd)
		return nil, err
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer) // a transaction is sent at once; net.core.wmem_max is the limit
	return &socket{fd: outOfTheWay(fd), space: here.Ino}, nil
}

const sendBuffer = 1 << 20

// outOfTheWay gives a descriptor that is open for long a number that nobody else wants to have: a monitor's have fixed numbers, up to 44
// and then those of its ports, which it has before it has this one. It is below 64, if they are not many: package early says why.
func outOfTheWay(fd int) int {
	high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 48)
	if err != nil {
		return fd
	}
	unix.Close(fd)
	return high
}

// close keeps the socket for the next time. One that is for another namespace than the others is rarely wanted again.
func (s *socket) close() {
	idle.Lock()
	defer idle.Unlock()
	if len(idle.sockets) < mostIdle {
		idle.sockets = append(idle.sockets, s)
	} else {
		unix.Close(s.fd)
	}
}

const mostIdle = 4

// attribute appends a netlink attribute to a message: its length, its type, its data, padded to a multiple of 4.
func attribute(b []byte, kind uint16, data []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(4+len(data)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, data...)
	return append(b, make([]byte, -len(data)&3)...)
}

func nested(b []byte, kind uint16, data []byte) []byte {
	return attribute(b, kind|unix.NLA_F_NESTED, data)
}

func text(b []byte, kind uint16, s string) []byte { return attribute(b, kind, append([]byte(s), 0)) }

// number of 32 bits: numbers of nf_tables' are in network byte order.
func number(b []byte, kind uint16, n uint32) []byte {
	return attribute(b, kind, binary.BigEndian.AppendUint32(nil, n))
}

// message appends a message to a batch. Its body begins with struct nfgenmsg: family, version 0, and a number that only
// the batch's own messages use.
func (s *socket) message(b []byte, kind uint16, flags uint16, family Family, resource uint16, body []byte) []byte {
	s.number++
	b = binary.NativeEndian.AppendUint32(b, uint32(unix.SizeofNlMsghdr+4+len(body)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, flags)
	b = binary.NativeEndian.AppendUint32(b, s.number)
	b = append(b, 0, 0, 0, 0, byte(family), unix.NFNETLINK_V0)
	b = binary.BigEndian.AppendUint16(b, resource)
	return append(b, body...)
}

// table is the type of a message for nf_tables.
func table(message uint16) uint16 { return unix.NFNL_SUBSYS_NFTABLES<<8 | message }

func (s *socket) send(b []byte) error {
	for {
		err := unix.Sendto(s.fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// receive waits for the next messages.
func (s *socket) receive() ([]syscall.NetlinkMessage, error) {
	if s.buffer == nil {
		s.buffer = make([]byte, 64<<10) // the kernel's largest part of a list is 32 KiB
	}
	for {
		n, _, err := unix.Recvfrom(s.fd, s.buffer, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return syscall.ParseNetlinkMessage(s.buffer[:n])
	}
}

// refusal is the errno in an acknowledgement (struct nlmsgerr); 0 for success.
func refusal(m syscall.NetlinkMessage) syscall.Errno {
	if len(m.Data) < 4 {
		return syscall.EIO
	}
	return syscall.Errno(-int32(binary.NativeEndian.Uint32(m.Data)))
}
