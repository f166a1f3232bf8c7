package container

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"sandbox/kernel"
	"sandbox/kernel/firewall"
	"sandbox/net/walk"
)

// PathEnd is one end of a path: a container, the host, or an address.
type PathEnd struct {
	Text     string // as it was asked for, without the port
	Port     uint16 // 0: none
	Protocol string // tcp, udp or sctp, with a port
}

// ParsePathEnd reads NAME, NAME:80, 172.17.0.2:53/udp or [fd00::2]:80.
func ParsePathEnd(text string) (PathEnd, error) {
	rest, protocol, given := strings.Cut(text, "/")
	if !given {
		protocol = "tcp"
	}
	e := PathEnd{Text: rest}
	if _, err := netip.ParseAddr(rest); err == nil && !given {
		return e, nil // an IPv6 address has colons of its own
	}
	at := strings.LastIndex(rest, ":")
	if at < 0 && !given {
		return e, nil
	}
	wrong := kernel.Advise(fmt.Errorf("invalid end of a path: %q", text), "NAME, NAME:80, 172.17.0.2:53/udp or [fd00::2]:80")
	if at <= 0 || protocol != "tcp" && protocol != "udp" && protocol != "sctp" {
		return e, wrong
	}
	port, err := strconv.ParseUint(rest[at+1:], 10, 16)
	if err != nil || port == 0 {
		return e, wrong
	}
	return PathEnd{Text: strings.Trim(rest[:at], "[]"), Port: uint16(port), Protocol: protocol}, nil
}

// Path is where a packet went, and how it ended.
type Path struct {
	Packet walk.Packet // as it was sent
	Steps  []walk.Step
	End    walk.End
	Cure   string // what may help if it does not arrive: a network of one of the ends has lost something
}

// NetworkPath follows a packet from one end to the other.
func (e *Engine) NetworkPath(from, to PathEnd) (*Path, error) {
	v, err := e.NetworkView()
	if err != nil {
		return nil, err
	}
	m := e.pathMachine(v)
	source, err := m.place(from)
	if err != nil {
		return nil, err
	}
	target, err := m.place(to)
	if err != nil {
		return nil, err
	}
	p := walk.Packet{Protocol: "icmp", State: firewall.New, Port: to.Port, From: source.address}
	if p.To, err = m.destination(source, target); err != nil {
		return nil, err
	}
	if to.Port != 0 {
		p.Protocol, p.SourcePort = to.Protocol, from.Port
		if p.SourcePort == 0 {
			p.SourcePort = 40000 // one of those that the kernel gives to who asks for none
		}
	} else if p.To.Is6() {
		p.Protocol = "ipv6-icmp"
	}
	path := &Path{}
	if source.space == nil {
		path.End, err = m.fromOutside(p)
	} else {
		path.End, err = m.walk.Send(source.space, p)
	}
	path.Packet, path.Steps = m.walk.Sent, m.walk.Steps
	if err == nil && !path.End.Arrives {
		path.Cure = e.pathCure(v, source, target)
	}
	return path, err
}

// pathCure is the repair of a network that one of the ends is in, if the kernel has lost something of it.
func (e *Engine) pathCure(v *NetworkView, ends ...end) string {
	for _, side := range v.Networks {
		concerned := slices.ContainsFunc(side.Cables, func(c Cable) bool {
			return slices.ContainsFunc(ends, func(end end) bool {
				return end.space != nil && !end.space.Host && end.space.Name == v.Spaces[c.Space].Name
			})
		})
		if !concerned {
			continue
		}
		if wrong := e.Networks().Wrong(side.Network); wrong != "" {
			return fmt.Sprintf("sandbox network repair %s   %s", side.Network.Name, wrong)
		}
	}
	return ""
}

// pathMachine is the machine as the walk sees it.
type pathMachine struct {
	engine *Engine
	walk   *walk.Walk
	byName map[string]*walk.Space // of each container
}

func (e *Engine) pathMachine(v *NetworkView) *pathMachine {
	interfaces, _ := kernel.Interfaces()
	host := hostSpace(interfaces)
	m := &pathMachine{engine: e, walk: &walk.Walk{Spaces: []*walk.Space{host}}, byName: map[string]*walk.Space{}}
	for _, s := range v.Spaces {
		r, err := e.Get(s.ID)
		if err != nil {
			continue // it has just ended
		}
		space := &walk.Space{Name: s.Name, Interfaces: s.Interfaces, In: func(look func() error) error { return e.InNetworkOf(r, look) }}
		m.walk.Spaces = append(m.walk.Spaces, space)
		for _, name := range append(s.Joined, s.Name) {
			m.byName[name] = space
		}
	}
	for _, name := range v.Host.Containers {
		m.byName[name] = host
	}
	return m
}

// end of a path: a namespace, or none for an address outside, and the address if one was named.
type end struct {
	space   *walk.Space
	address netip.Addr
}

func (m *pathMachine) place(p PathEnd) (end, error) {
	if a, err := netip.ParseAddr(p.Text); err == nil {
		a = a.Unmap()
		for _, s := range m.walk.Spaces {
			for _, i := range s.Interfaces {
				for _, have := range i.Addresses {
					if have.Addr() == a && (s.Host || !a.IsLoopback()) {
						return end{s, a}, nil
					}
				}
			}
		}
		return end{nil, a}, nil
	}
	r, err := m.engine.Get(p.Text)
	if err != nil {
		if p.Text == "host" {
			return end{space: m.walk.Spaces[0]}, nil
		}
		return end{}, err
	}
	space := m.byName[r.PlainName()]
	if space == nil {
		return end{}, m.engine.notRunning(r)
	}
	return end{space: space}, nil
}

// destination is the address that the packet is sent to: of several that the target has the one in a network that the source is
// in, too.
func (m *pathMachine) destination(from, to end) (netip.Addr, error) {
	if to.address.IsValid() {
		return to.address, nil
	}
	if from.space == to.space {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	var first netip.Addr
	for _, i := range to.space.Interfaces {
		for _, a := range i.Addresses {
			if a.Addr().IsLoopback() || from.address.IsValid() && from.address.Is4() != a.Addr().Is4() {
				continue
			}
			if from.space != nil && shares(from.space, a) {
				return a.Addr(), nil
			}
			if !first.IsValid() {
				first = a.Addr()
			}
		}
	}
	if !first.IsValid() {
		return first, kernel.Advise(fmt.Errorf("%s has no address that others could send to", to.space.Name), "sandbox network show   shows who has which")
	}
	return first, nil
}

// shares tells whether a namespace has an address in the same subnet.
func shares(s *walk.Space, a netip.Prefix) bool {
	for _, i := range s.Interfaces {
		for _, mine := range i.Addresses {
			if !mine.Addr().IsLoopback() && mine.Masked() == a.Masked() {
				return true
			}
		}
	}
	return false
}

// fromOutside follows a packet that comes from an address which is nobody's here: it comes in where an answer would go out.
func (m *pathMachine) fromOutside(p walk.Packet) (walk.End, error) {
	host := m.walk.Spaces[0]
	back, err := kernel.RouteTo(kernel.RouteQuestion{To: p.From})
	if err == nil {
		for _, i := range host.Interfaces {
			if i.Index == back.Interface {
				m.walk.Arrive(i, p)
				return m.walk.Enter(host, p, i)
			}
		}
	}
	return walk.End{}, kernel.Advise(fmt.Errorf("nobody here has the address %s, and there is no route to it: no packet comes from there", p.From), "sandbox network show   shows the addresses that there are")
}
