package userland

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// netSocket is a line of /proc/net/tcp, udp, raw or their IPv6 counterparts.
type netSocket struct {
	proto              string // tcp, tcp6, udp …
	local, remote      netip.AddrPort
	state              int // as in TCP: 1 established, 10 listening
	sendQueue, waiting uint64
	uid                int
	inode              uint64
}

const (
	tcpEstablished = 1
	tcpClose       = 7
	tcpListen      = 10
)

func (s *netSocket) isTCP() bool { return strings.HasPrefix(s.proto, "tcp") }

// isServer tells of sockets that wait for somebody: listening ones, and for UDP those that are not connected.
func (s *netSocket) isServer() bool {
	if s.isTCP() {
		return s.state == tcpListen
	}
	return s.state == tcpClose
}

// readSockets reads the tables of this network namespace. A kernel without IPv6 has not all of them.
func readSockets(protos []string) ([]*netSocket, error) {
	var sockets []*netSocket
	for _, proto := range protos {
		text, err := os.ReadFile("/proc/net/" + proto)
		if os.IsNotExist(err) && strings.HasSuffix(proto, "6") {
			continue
		}
		if err != nil {
			return nil, err
		}
		_, lines, _ := strings.Cut(string(text), "\n") // without the heading
		for line := range strings.Lines(lines) {
			s, err := parseSocket(proto, line)
			if err != nil {
				return nil, err
			}
			sockets = append(sockets, s)
		}
	}
	return sockets, nil
}

// parseSocket reads `0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 12345 …`
func parseSocket(proto, line string) (*netSocket, error) {
	fields := strings.Fields(line)
	if len(fields) < 10 {
		return nil, fmt.Errorf("unexpected line in /proc/net/%s: %q", proto, line)
	}
	s := &netSocket{proto: proto}
	var err error
	if s.local, err = parseEndpoint(fields[1]); err != nil {
		return nil, err
	}
	if s.remote, err = parseEndpoint(fields[2]); err != nil {
		return nil, err
	}
	state, err := strconv.ParseUint(fields[3], 16, 8)
	if err != nil {
		return nil, err
	}
	s.state = int(state)
	send, waiting, _ := strings.Cut(fields[4], ":")
	s.sendQueue, _ = strconv.ParseUint(send, 16, 64)
	s.waiting, _ = strconv.ParseUint(waiting, 16, 64)
	s.uid, _ = strconv.Atoi(fields[7])
	s.inode, err = strconv.ParseUint(fields[9], 10, 64)
	return s, err
}

// parseEndpoint reads 0100007F:1F90. The address is printed in words of 32 bits, each in the machine's byte order.
func parseEndpoint(text string) (netip.AddrPort, error) {
	host, portText, _ := strings.Cut(text, ":")
	words, err := hex.DecodeString(host)
	port, errPort := strconv.ParseUint(portText, 16, 16)
	if err != nil || errPort != nil || len(words)%4 != 0 {
		return netip.AddrPort{}, fmt.Errorf("unexpected address %q", text)
	}
	b := make([]byte, len(words))
	for i := 0; i < len(words); i += 4 {
		binary.NativeEndian.PutUint32(b[i:], binary.BigEndian.Uint32(words[i:]))
	}
	address, ok := netip.AddrFromSlice(b)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("unexpected address %q", text)
	}
	return netip.AddrPortFrom(address, uint16(port)), nil
}

// socketOwner is a process that holds a socket open.
type socketOwner struct {
	pid, fd int
	name    string
}

// socketOwners finds by inode who holds which socket, looking through all descriptors that may be seen.
func socketOwners() map[uint64][]socketOwner {
	owners := map[uint64][]socketOwner{}
	tasks, _ := readTasks() // without /proc nobody is known
	for _, t := range tasks {
		dir := fmt.Sprintf("/proc/%d/fd", t.pid)
		descriptors, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, d := range descriptors {
			target, err := os.Readlink(dir + "/" + d.Name())
			number, isSocket := strings.CutPrefix(target, "socket:[")
			if err != nil || !isSocket {
				continue
			}
			inode, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 64)
			fd, errFD := strconv.Atoi(d.Name())
			if err == nil && errFD == nil {
				owners[inode] = append(owners[inode], socketOwner{t.pid, fd, t.comm})
			}
		}
	}
	return owners
}
