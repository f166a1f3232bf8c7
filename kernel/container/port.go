package container

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"sandbox/kernel"
)

// PortBinding is where on the host one of a container's ports is published.
type PortBinding struct {
	HostIP   string `json:"HostIp"`
	HostPort string
}

// protocols are those that have ports.
var protocols = []string{"tcp", "udp", "sctp"}

// Port is one that the container says it listens on, and, with a public port, where on the host that one is published.
type Port struct {
	Private  uint16
	Protocol string // tcp, udp or sctp
	IP       string
	Public   uint16
}

// Ports are a container's, in the order of their numbers.
type Ports []Port

// Ports are those that the image or --expose name, and, while it runs, those that are published.
func (r *Record) Ports() Ports {
	var list Ports
	published := map[string]bool{}
	for _, a := range r.Networks {
		if a.Endpoint == nil {
			continue
		}
		for _, p := range a.Endpoint.Ports {
			port := Port{p.Port, p.Protocol, p.HostIP.String(), p.HostPort}
			list = append(list, port)
			published[port.Name()] = true
		}
	}
	if r.Userland != nil {
		for _, p := range r.Userland.Ports {
			port := Port{p.Port, p.Protocol, p.HostIP.String(), p.HostPort}
			list = append(list, port)
			published[port.Name()] = true
		}
	}
	for name := range r.Config.ExposedPorts {
		for _, p := range portsOf(name) {
			if !published[p.Name()] {
				list = append(list, p)
			}
		}
	}
	slices.SortFunc(list, func(a, b Port) int {
		if a.Private != b.Private {
			return int(a.Private) - int(b.Private)
		}
		return strings.Compare(a.Protocol+a.IP, b.Protocol+b.IP)
	})
	return list
}

func portsOf(name string) []Port {
	list, _ := ParsePorts(name)
	return list
}

// ParsePorts reads 80, 53/udp or 8000-8010/tcp.
func ParsePorts(s string) ([]Port, error) {
	numbers, protocol, given := strings.Cut(strings.ToLower(s), "/")
	if !given {
		protocol = "tcp"
	}
	first, last, isRange := strings.Cut(numbers, "-")
	if !isRange {
		last = first
	}
	from, err1 := strconv.ParseUint(first, 10, 16)
	to, err2 := strconv.ParseUint(last, 10, 16)
	if err1 != nil || err2 != nil || from > to || from == 0 || !slices.Contains(protocols, protocol) {
		return nil, kernel.Advise(fmt.Errorf("invalid port: %q", s), "80, 53/udp or 8000-8010/tcp")
	}
	var list []Port
	for n := from; n <= to; n++ {
		list = append(list, Port{Private: uint16(n), Protocol: protocol})
	}
	return list, nil
}

// Name is a port as Docker's JSON has it: 80/tcp.
func (p Port) Name() string { return fmt.Sprintf("%d/%s", p.Private, p.Protocol) }

// String writes ports as `ps` shows them: 8000-8002/tcp, 0.0.0.0:80->80/tcp. Neighbours are drawn together, if they are published
// under their own numbers or not at all.
func (list Ports) String() string {
	type row struct {
		Port
		last uint16
	}
	var rows []row
	for _, p := range list {
		joined := false
		for i := range rows {
			r := &rows[i]
			if r.Protocol == p.Protocol && r.IP == p.IP && r.last+1 == p.Private && p.own() && r.own() && (p.Public == 0) == (r.Public == 0) {
				r.last, joined = p.Private, true
			}
		}
		if !joined {
			rows = append(rows, row{p, p.Private})
		}
	}
	var parts []string
	for _, r := range rows {
		text := span(r.Private, r.last) + "/" + r.Protocol
		if r.Public != 0 {
			text = net.JoinHostPort(r.IP, span(r.Public, r.Public+r.last-r.Private)) + "->" + text
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

// own tells whether a port has no number but its own.
func (p Port) own() bool { return p.Public == 0 || p.Public == p.Private }

func span(first, last uint16) string {
	if first == last {
		return strconv.Itoa(int(first))
	}
	return fmt.Sprintf("%d-%d", first, last)
}
