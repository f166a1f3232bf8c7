package userland

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Types of ICMP (RFC 792) and ICMPv6 (RFC 4443) messages.
const (
	icmpEchoReply        = 0
	icmpEchoRequest      = 8
	icmpv6EchoRequest    = 128
	icmpv6EchoReply      = 129
	icmpHeaderLength     = 8
	icmpDatagramIDOffset = 4
)

// echoSocket sends echo requests and receives the replies. Root has a raw socket, which sees all ICMP messages; others get
// a datagram socket where net.ipv4.ping_group_range lets them, on which the kernel chooses the id and sorts out the replies.
type echoSocket struct {
	fd  int
	to  netip.Addr
	raw bool
	id  uint16
}

// echoReply is a message that came in.
type echoReply struct {
	from     netip.Addr
	kind     uint8
	sequence uint16
	length   int // of the ICMP message with its header
	ttl      int
	payload  []byte
}

func openEcho(to netip.Addr, id uint16) (*echoSocket, error) {
	family, proto := unix.AF_INET, unix.IPPROTO_ICMP
	if to.Is6() {
		family, proto = unix.AF_INET6, unix.IPPROTO_ICMPV6
	}
	s := &echoSocket{to: to, raw: true, id: id}
	var err error
	s.fd, err = unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC, proto)
	if err == unix.EPERM || err == unix.EACCES {
		s.raw = false
		s.fd, err = unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, proto)
	}
	switch {
	case err == unix.EACCES || err == unix.EPERM:
		return nil, errors.New("permission denied (are you root?)")
	case err != nil:
		return nil, err
	}
	if to.Is6() {
		err = unix.SetsockoptInt(s.fd, unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT, 1)
	} else {
		err = unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_RECVTTL, 1)
	}
	return s, err
}

func (s *echoSocket) setTTL(ttl int) error {
	if s.to.Is6() {
		return unix.SetsockoptInt(s.fd, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, ttl)
	}
	return unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_TTL, ttl)
}

// bind fixes the address, or the interface, that the requests leave from.
func (s *echoSocket) bind(source string) error {
	if address, err := netip.ParseAddr(source); err == nil {
		return unix.Bind(s.fd, socketAddress(address, 0))
	}
	return unix.BindToDevice(s.fd, source)
}

func socketAddress(a netip.Addr, port int) unix.Sockaddr {
	if a.Is4() {
		return &unix.SockaddrInet4{Addr: a.As4(), Port: port}
	}
	to := &unix.SockaddrInet6{Addr: a.As16(), Port: port}
	if a.Zone() != "" {
		if links, err := readLinks(); err == nil {
			if l := findLink(links, a.Zone()); l != nil {
				to.ZoneId = uint32(l.index)
			}
		}
	}
	return to
}

// send sends one request: type, code, checksum, id, sequence number, then data.
func (s *echoSocket) send(sequence uint16, data []byte) error {
	message := make([]byte, icmpHeaderLength, icmpHeaderLength+len(data))
	message[0] = icmpEchoRequest
	if s.to.Is6() {
		message[0] = icmpv6EchoRequest
	}
	binary.BigEndian.PutUint16(message[icmpDatagramIDOffset:], s.id)
	binary.BigEndian.PutUint16(message[6:], sequence)
	message = append(message, data...)
	if s.to.Is4() { // for IPv6 the kernel does it, because the addresses count in
		binary.BigEndian.PutUint16(message[2:], internetChecksum(message))
	}
	return unix.Sendto(s.fd, message, 0, socketAddress(s.to, 0))
}

// internetChecksum is the ones' complement of the ones' complement sum of 16-bit words (RFC 1071).
func internetChecksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// receive waits for the next message that concerns us.
func (s *echoSocket) receive() (*echoReply, error) {
	buffer, control := make([]byte, 65536+128), make([]byte, 256)
	for {
		n, controlLength, _, from, err := unix.Recvmsg(s.fd, buffer, control, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		message := buffer[:n]
		if s.raw && s.to.Is4() && n > 0 { // raw IPv4 sockets deliver the IP header, too
			message = message[min(n, int(buffer[0]&0xf)*4):]
		}
		if r := s.parse(message); r != nil {
			r.from, r.ttl = senderOf(from), receivedTTL(control[:controlLength])
			return r, nil
		}
	}
}

// parse returns nil for what is not for us: a raw socket sees other programs' messages, and our own requests on lo.
func (s *echoSocket) parse(message []byte) *echoReply {
	if len(message) < icmpHeaderLength {
		return nil
	}
	r := &echoReply{kind: message[0], length: len(message)}
	if !s.isReply(r) {
		inner := message[icmpHeaderLength:] // an error quotes the packet that it is about
		if s.to.Is6() || r.kind != 3 && r.kind != 11 || len(inner) < 28 || binary.BigEndian.Uint16(inner[24:]) != s.id {
			return nil
		}
		return r
	}
	if s.raw && binary.BigEndian.Uint16(message[icmpDatagramIDOffset:]) != s.id {
		return nil
	}
	r.sequence = binary.BigEndian.Uint16(message[6:])
	r.payload = message[icmpHeaderLength:]
	return r
}

func (s *echoSocket) isReply(r *echoReply) bool {
	if s.to.Is6() {
		return r.kind == icmpv6EchoReply
	}
	return r.kind == icmpEchoReply
}

func senderOf(from unix.Sockaddr) netip.Addr {
	switch a := from.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(a.Addr)
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(a.Addr)
	}
	return netip.Addr{}
}

// receivedTTL finds the time to live, or hop limit, among the control messages.
func receivedTTL(control []byte) int {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return 0
	}
	for _, m := range messages {
		isTTL := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_TTL ||
			m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_HOPLIMIT
		if isTTL && len(m.Data) >= 4 {
			return int(binary.NativeEndian.Uint32(m.Data))
		}
	}
	return 0
}
