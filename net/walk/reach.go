package walk

import (
	"net/netip"

	"sandbox/kernel"
	"sandbox/kernel/firewall"
)

// Reach is who the containers of a network can speak to, as the kernel's routes and rules have it now.
type Reach struct {
	Known     bool // the rules could be read
	EachOther bool
	Host      bool
	Outside   bool     // addresses that are nobody's here
	NoRoute   bool     // there is no way to them
	As        string   // MASQUERADE or SNAT: what their packets leave with is not their own address
	Networks  []string // others, by name
	Unsure    bool     // there are rules that could not be judged
}

// Segment is a network that is to be asked about.
type Segment struct {
	Name   string
	Bridge kernel.Interface
	Subnet netip.Prefix
}

// outside is an address that is nobody's: RFC 5737 keeps it for examples.
var outside = netip.AddrFrom4([4]byte{203, 0, 113, 1})

// Reach finds out who the containers of a segment, which need not be there yet, can speak to: with a ping that each network's
// last but one address would send or get.
func (w *Walk) Reach(from Segment, others []Segment) (r Reach, err error) {
	host := w.host()
	if err := host.learn(firewall.IPv4); err != nil || host.facts.rulesError != nil {
		return r, err
	}
	r.Known = true
	p := Packet{From: sample(from.Subnet), Protocol: "icmp", State: firewall.New}
	pass := func(to netip.Addr) (passes, noRoute bool, nat string) {
		p.To = to
		passes, noRoute, nat, unsure := w.passes(from.Bridge, p)
		r.Unsure = r.Unsure || unsure
		return passes, noRoute, nat
	}
	r.EachOther = !w.isolated(from.Bridge) && w.switches(from.Bridge, Packet{From: p.From, To: p.From.Prev(), Protocol: p.Protocol, State: p.State})
	for _, a := range from.Bridge.Addresses {
		if a.Addr().Is4() {
			r.Host, _, _ = pass(a.Addr())
			break
		}
	}
	r.Outside, r.NoRoute, r.As = pass(outside)
	for _, other := range others {
		if yes, _, _ := pass(sample(other.Subnet)); yes {
			r.Networks = append(r.Networks, other.Name)
		}
	}
	return r, nil
}

// sample is the last address but one that a container of a subnet can have.
func sample(p netip.Prefix) netip.Addr {
	raw := p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < len(raw)*8; bit++ {
		raw[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(raw)
	return last.Prev()
}

// passes tells whether the host would take a packet that comes by a bridge: for itself, or to pass it on.
func (w *Walk) passes(in kernel.Interface, p Packet) (passes, noRoute bool, nat string, unsure bool) {
	host := w.host()
	v := host.facts.rules.Ask(firewall.Prerouting, p, between{in: in.Name}, host.isLocal)
	if v.Dropped {
		return false, false, "", v.Unsure
	}
	route, err := host.route(kernel.RouteQuestion{To: v.Packet.To, From: v.Packet.From, In: in.Index})
	if err != nil {
		return false, true, "", v.Unsure
	}
	unsure = v.Unsure
	if route.Local {
		v = host.facts.rules.Ask(firewall.Input, v.Packet, between{in: in.Name}, host.isLocal)
		return !v.Dropped, false, "", v.Unsure || unsure
	}
	if !host.facts.forwards {
		return false, false, "", unsure
	}
	out := host.name(route.Interface)
	for _, hook := range []firewall.Hook{firewall.Forward, firewall.Postrouting} {
		at := between{in: in.Name, out: out}
		if hook == firewall.Postrouting {
			at.in = ""
		}
		v = host.facts.rules.Ask(hook, v.Packet, at, host.isLocal)
		unsure = unsure || v.Unsure
		if v.Dropped {
			return false, false, "", unsure
		}
	}
	return true, false, v.NAT, unsure
}

// switches tells whether a bridge hands a packet on from one container to another.
func (w *Walk) switches(bridge kernel.Interface, p Packet) bool {
	host := w.host()
	if !host.facts.bridgeCalls {
		return true
	}
	for _, hook := range []firewall.Hook{firewall.Prerouting, firewall.Forward} {
		at := between{in: bridge.Name}
		if hook == firewall.Forward {
			at.out = bridge.Name
		}
		if host.facts.rules.Ask(hook, p, at, host.isLocal).Dropped {
			return false
		}
	}
	return true
}

// isolated tells whether all ports of a bridge are kept apart, whatever the rules say.
func (w *Walk) isolated(bridge kernel.Interface) bool {
	ports := 0
	for _, i := range w.host().Interfaces {
		if i.Master != bridge.Index {
			continue
		}
		if port, err := kernel.BridgePortOf(i.Index); err != nil || !port.Isolated {
			return false
		}
		ports++
	}
	return ports > 0
}
