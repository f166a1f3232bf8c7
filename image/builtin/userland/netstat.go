package userland

import (
	"bufio"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// runNetstat lists the TCP and UDP sockets (-l listening, -a all, -p with the process), routes (-r) or interfaces (-i).
// Addresses and ports are always printed as numbers: in a container there is seldom anybody to ask for names.
func runNetstat(p *Process) int {
	opts, _, err := p.options("tulanpriWw46", map[string]string{
		"tcp": "t", "udp": "u", "listening": "l", "all": "a", "numeric": "n", "programs": "p", "route": "r", "interfaces": "i", "wide": "W",
		"raw": "w",
	})
	if err != nil {
		return p.Fail("%v", err)
	}
	switch {
	case opts.has('r'):
		return p.showRoutingTable(opts.has('n'), true)
	case opts.has('i'):
		return p.showInterfaceTable(opts.has('a'))
	}
	sockets, err := readSockets(socketProtos(opts))
	if err != nil {
		return p.Fail("%v", err)
	}
	out := bufio.NewWriter(p.Stdout)
	defer out.Flush()
	which := "w/o servers"
	switch {
	case opts.has('a'):
		which = "servers and established"
	case opts.has('l'):
		which = "only servers"
	}
	fmt.Fprintf(out, "Active Internet connections (%s)\n", which)
	fmt.Fprint(out, "Proto Recv-Q Send-Q Local Address           Foreign Address         State      ")
	var owners map[uint64][]socketOwner
	if opts.has('p') {
		fmt.Fprint(out, " PID/Program name    ")
		owners = socketOwners()
	}
	fmt.Fprintln(out)
	for _, s := range sockets {
		if !opts.has('a') && s.isServer() != opts.has('l') {
			continue
		}
		fmt.Fprintf(out, "%-5s %6d %6d %-23s %-23s %-11s", s.proto, s.waiting, s.sendQueue, oldEndpoint(s.local), oldEndpoint(s.remote), s.stateName())
		if opts.has('p') {
			owner := "-"
			if held := owners[s.inode]; len(held) > 0 {
				owner = fmt.Sprintf("%d/%s", held[0].pid, held[0].name)
			}
			fmt.Fprintf(out, " %-20s", owner)
		}
		fmt.Fprintln(out)
	}
	return 0
}

// socketProtos are the tables that the flags ask for.
func socketProtos(opts *options) []string {
	var protos []string
	for _, p := range []struct {
		letter rune
		name   string
	}{{'t', "tcp"}, {'u', "udp"}, {'w', "raw"}} {
		if !opts.has(p.letter) && (p.letter == 'w' || opts.has('t') || opts.has('u') || opts.has('w')) {
			continue
		}
		if !opts.has('6') || opts.has('4') {
			protos = append(protos, p.name)
		}
		if !opts.has('4') || opts.has('6') {
			protos = append(protos, p.name+"6")
		}
	}
	return protos
}

// oldEndpoint writes 0.0.0.0:80, and * for any port.
func oldEndpoint(e netip.AddrPort) string {
	if e.Port() == 0 {
		return e.Addr().String() + ":*"
	}
	return fmt.Sprintf("%s:%d", e.Addr(), e.Port())
}

// stateName is the state in RFC 9293's words, as netstat writes them. A UDP socket has one only when it is connected.
func (s *netSocket) stateName() string {
	if !s.isTCP() {
		if s.state == tcpEstablished {
			return "ESTABLISHED"
		}
		return ""
	}
	names := [...]string{
		"", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "SYN_RECV",
	}
	if s.state < len(names) {
		return names[s.state]
	}
	return "UNKNOWN"
}

// showInterfaceTable is netstat -i.
func (p *Process) showInterfaceTable(all bool) int {
	links, err := readLinks()
	if err != nil {
		return p.Fail("%v", err)
	}
	slices.SortFunc(links, func(a, b *netLink) int { return strings.Compare(a.name, b.name) })
	fmt.Fprintln(p.Stdout, "Kernel Interface table")
	fmt.Fprintln(p.Stdout, "Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg")
	for _, l := range links {
		flags := shortFlags(l.flags)
		if !all && !strings.Contains(flags, "U") {
			continue
		}
		c := l.counters
		fmt.Fprintf(p.Stdout, "%-15s %5d %8d %6d %6d %-6d %8d %6d %6d %6d %s\n",
			l.name, l.mtu, c[0], c[4], c[6]+l.rxMissed, l.rxOverruns, c[1], c[5], c[7], l.txOverruns, flags)
	}
	return 0
}

// shortFlags are the letters of netstat -i: B broadcast, L loopback, M multicast, O no ARP, P point-to-point, R running, U up.
func shortFlags(flags uint32) string {
	var letters strings.Builder
	for _, f := range []struct {
		name   string
		letter byte
	}{{"ALLMULTI", 'A'}, {"BROADCAST", 'B'}, {"DEBUG", 'D'}, {"LOOPBACK", 'L'}, {"MULTICAST", 'M'}, {"NOARP", 'O'}, {"POINTOPOINT", 'P'}, {"RUNNING", 'R'}, {"UP", 'U'}} {
		for _, known := range oldLinkFlags {
			if known.name == f.name && flags&known.flag != 0 {
				letters.WriteByte(f.letter)
			}
		}
	}
	return letters.String()
}
