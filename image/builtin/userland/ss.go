package userland

import (
	"bufio"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// runSs lists sockets in iproute2's form. Ports are always printed as numbers.
func runSs(p *Process) int {
	opts, _, err := p.options("tulanpwH46", map[string]string{
		"tcp": "t", "udp": "u", "listening": "l", "all": "a", "numeric": "n", "processes": "p", "raw": "w", "no-header": "H",
	})
	if err != nil {
		return p.Fail("%v", err)
	}
	protos := socketProtos(opts)
	slices.SortStableFunc(protos, func(a, b string) int { return strings.Compare(b[:3], a[:3]) }) // udp before tcp
	sockets, err := readSockets(protos)
	if err != nil {
		return p.Fail("%v", err)
	}
	takeBacklogs(sockets)
	var owners map[uint64][]socketOwner
	if opts.has('p') {
		owners = socketOwners()
	}
	mixed := strings.TrimSuffix(protos[0], "6") != strings.TrimSuffix(protos[len(protos)-1], "6")
	var rows []ssRow
	if !opts.has('H') {
		rows = append(rows, ssRow{[]string{"Netid", "State", "Recv-Q", "Send-Q"}, "Local Address", "Port", "Peer Address", "Port", "Process"})
	}
	for _, s := range sockets {
		if opts.has('a') || s.isServer() == opts.has('l') {
			rows = append(rows, newSsRow(s, owners[s.inode]))
		}
	}
	if !mixed {
		for i := range rows {
			rows[i].left = rows[i].left[1:]
		}
	}
	out := bufio.NewWriter(p.Stdout)
	defer out.Flush()
	printSsRows(out, rows)
	return 0
}

// takeBacklogs replaces a listening socket's send queue by how many connections may wait, which /proc does not tell. The
// kernel may be built without the interface that does; then it stays 0.
func takeBacklogs(sockets []*netSocket) {
	backlogs := map[uint64]uint64{}
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		found, err := netlink.SocketDiagTCP(family)
		if err != nil {
			continue
		}
		for _, d := range found {
			if d.State == tcpListen {
				backlogs[uint64(d.INode)] = uint64(d.WQueue)
			}
		}
	}
	for _, s := range sockets {
		if s.isTCP() && s.state == tcpListen {
			s.sendQueue = backlogs[s.inode]
		}
	}
}

// ssRow is a line; addresses are aligned to the right and ports to the left of the colon between them.
type ssRow struct {
	left                                  []string
	local, localPort, remote, port, owner string
}

func newSsRow(s *netSocket, owners []socketOwner) ssRow {
	r := ssRow{left: []string{
		strings.TrimSuffix(s.proto, "6"), s.shortState(), strconv.FormatUint(s.waiting, 10), strconv.FormatUint(s.sendQueue, 10),
	}}
	r.local, r.localPort = splitEndpoint(s.local)
	r.remote, r.port = splitEndpoint(s.remote)
	var names []string
	for _, o := range owners {
		names = append(names, fmt.Sprintf("(%q,pid=%d,fd=%d)", o.name, o.pid, o.fd))
	}
	if len(names) > 0 {
		r.owner = " users:(" + strings.Join(names, ",") + ")"
	}
	return r
}

func splitEndpoint(e netip.AddrPort) (address, port string) {
	address, port = e.Addr().String(), "*"
	switch {
	case e.Addr() == netip.IPv6Unspecified(): // takes IPv4 connections, too, unless the program forbade that
		address = "*"
	case e.Addr().Is6():
		address = "[" + address + "]"
	}
	if e.Port() != 0 {
		port = strconv.Itoa(int(e.Port()))
	}
	return address, port
}

// shortState writes states with dashes: ESTAB, TIME-WAIT. A UDP socket that is not connected is UNCONN.
func (s *netSocket) shortState() string {
	switch {
	case s.state == tcpEstablished:
		return "ESTAB"
	case s.state == tcpClose:
		return "UNCONN"
	}
	return strings.Replace(strings.Replace(s.stateName(), "_", "-", 1), "WAIT1", "WAIT-1", 1)
}

func printSsRows(out *bufio.Writer, rows []ssRow) {
	var widths [9]int
	for _, r := range rows {
		for i, cell := range append(r.left, r.local, r.localPort, r.remote, r.port, r.owner) {
			widths[i] = max(widths[i], len(cell))
		}
	}
	for _, r := range rows {
		for i, cell := range r.left {
			fmt.Fprintf(out, "%-*s ", widths[i], cell)
		}
		w := widths[len(r.left):]
		fmt.Fprintf(out, "%*s:%-*s %*s:%-*s%-*s\n", w[0], r.local, w[1], r.localPort, w[2], r.remote, w[3], r.port, w[4], r.owner)
	}
}
