package walk

import (
	"net/netip"
	"slices"

	"sandbox/kernel"
	"sandbox/kernel/firewall"
)

// place is an interface in a namespace.
type place struct {
	space *Space
	kernel.Interface
}

// cross takes a packet from an interface to the one that has the address next, on the same wire.
func (w *Walk) cross(s *Space, p Packet, out kernel.Interface, next netip.Addr) (End, error) {
	switch out.Kind {
	case "veth":
		return w.crossVeth(s, p, out, next)
	case "bridge":
		return w.fromBridge(s, p, out, next)
	case "macvlan", "ipvlan":
		return w.crossParent(s, p, out, next)
	}
	return w.away(s, p, out), nil
}

// find looks for the interface with an address.
func (w *Walk) find(a netip.Addr, where func(place) bool) (place, bool) {
	for _, s := range w.Spaces {
		for _, i := range s.Interfaces {
			if has(i, a) && where(place{s, i}) {
				return place{s, i}, true
			}
		}
	}
	return place{}, false
}

func has(i kernel.Interface, a netip.Addr) bool {
	return slices.ContainsFunc(i.Addresses, func(p netip.Prefix) bool { return p.Addr() == a })
}

func (w *Walk) host() *Space { return w.Spaces[0] }

// peer is the other end of a container's cable: an interface of the host that says the same of it.
func (w *Walk) peer(i kernel.Interface) (kernel.Interface, bool) {
	list := w.host().Interfaces
	at := slices.IndexFunc(list, func(h kernel.Interface) bool { return h.Kind == "veth" && h.Index == i.Peer && h.Peer == i.Index })
	if at < 0 {
		return kernel.Interface{}, false
	}
	return list[at], true
}

// crossVeth leads from a container to the host, or by the bridge there to another container.
func (w *Walk) crossVeth(s *Space, p Packet, out kernel.Interface, next netip.Addr) (End, error) {
	if s.Host {
		return w.fromHostVeth(s, p, out, next)
	}
	end, ok := w.peer(out)
	if !ok {
		return w.lost(s, p, "the other end of %s is gone", "%s 的另一头不见了", out.Name), nil
	}
	cable := out.IPName() + " = " + end.IPName()
	if !end.Up {
		return w.lost(s, p, "the other end of %s is switched off", "%s 的另一头没有启用", cable), nil
	}
	at := slices.IndexFunc(w.host().Interfaces, func(h kernel.Interface) bool { return h.Index == end.Master })
	if end.Master == 0 || at < 0 {
		w.note(s, nil, "by the cable %s, which is plugged into nothing", "经网线 %s，那一头没有插在网桥上", cable)
		if !has(end, next) {
			return w.lost(s, p, "nobody there has the address %s", "那里没有谁有地址 %s", next), nil
		}
		return w.Enter(w.host(), p, end)
	}
	bridge := w.host().Interfaces[at]
	if !bridge.Up {
		return w.lost(s, p, "the bridge %s is switched off", "网桥 %s 没有启用", bridge.Name), nil
	}
	w.note(s, nil, "by the cable %s into the bridge %s", "经网线 %s 进入网桥 %s", cable, bridge.Name)
	if has(bridge, next) {
		w.port = end
		return w.Enter(w.host(), p, bridge)
	}
	found, ok := w.inBridge(bridge, next)
	if !ok {
		return w.nobody(s, p, bridge, next), nil
	}
	return w.switched(p, bridge, end, found)
}

// nobody is how it ends when no container of ours in a bridge has an address.
func (w *Walk) nobody(s *Space, p Packet, bridge kernel.Interface, next netip.Addr) End {
	known := map[int]bool{}
	for _, c := range w.Spaces[1:] {
		for _, i := range c.Interfaces {
			known[i.Peer] = true
		}
	}
	for _, h := range w.host().Interfaces {
		if h.Master == bridge.Index && !known[h.Index] { // a network card, or a container of somebody else
			return w.away(s, p, h)
		}
	}
	question := "ARP"
	if next.Is6() {
		question = "NDP"
	}
	return w.lost(s, p, "nobody in the bridge %s has the address %s: no answer to the question who has it (%s)", "网桥 %s 上没有谁有地址 %s：问“谁有这个地址”（%s）得不到回答", bridge.Name, next, question)
}

// inBridge finds the container with an address that is plugged into a bridge.
func (w *Walk) inBridge(bridge kernel.Interface, a netip.Addr) (place, bool) {
	return w.find(a, func(c place) bool {
		end, ok := w.peer(c.Interface)
		return !c.space.Host && ok && end.Master == bridge.Index
	})
}

// switched takes a packet from one port of a bridge to another. The host's rules see it on its way if br_netfilter is there.
func (w *Walk) switched(p Packet, bridge, from kernel.Interface, to place) (End, error) {
	host := w.host()
	if err := host.learn(p.family()); err != nil {
		return End{}, err
	}
	port, _ := w.peer(to.Interface)
	if end := w.refused(p, bridge, from, port); end != nil {
		return *end, nil
	}
	if !host.facts.bridgeCalls {
		w.note(host, nil, "the bridge %s hands it on; no rules are asked (bridge-nf-call-iptables is off)", "网桥 %s 直接转交，不问规则（bridge-nf-call-iptables 没有打开）", bridge.Name)
		return w.Enter(to.space, p, to.Interface)
	}
	v, end := w.ask(host, firewall.Prerouting, p, between{in: bridge.Name})
	if end != nil {
		return *end, nil
	}
	if v.Packet.To != p.To {
		return w.Enter(host, p, bridge)
	}
	for _, hook := range []firewall.Hook{firewall.Forward, firewall.Postrouting} {
		at := between{in: bridge.Name, out: bridge.Name}
		if hook == firewall.Postrouting {
			at.in = ""
		}
		if v, end = w.ask(host, hook, v.Packet, at); end != nil {
			return *end, nil
		}
	}
	w.note(host, nil, "the bridge %s hands it on by %s", "网桥 %s 从 %s 转交出去", bridge.Name, port.IPName())
	return w.Enter(to.space, v.Packet, to.Interface)
}

// refused tells whether a bridge does not let anything from one port to another.
func (w *Walk) refused(p Packet, bridge, from, to kernel.Interface) *End {
	in, err1 := kernel.BridgePortOf(from.Index)
	out, err2 := kernel.BridgePortOf(to.Index)
	if err1 != nil || err2 != nil {
		return nil
	}
	var end End
	switch {
	case from.Index == to.Index && !out.Hairpin:
		end = w.lost(w.host(), p, "the bridge %s sends nothing back by the port that it came in by: hairpin is off at %s", "网桥 %s 不会把包从进来的端口送回去：%s 没有打开 hairpin", bridge.Name, to.Name)
	case from.Index != to.Index && in.Isolated && out.Isolated:
		end = w.lost(w.host(), p, "the bridge %s hands nothing on between %s and %s: both ports are isolated", "网桥 %s 不在 %s 和 %s 之间转交：两个端口都设了隔离（isolated）", bridge.Name, from.Name, to.Name)
	default:
		return nil
	}
	return &end
}

// fromBridge leads from the host into a bridge.
func (w *Walk) fromBridge(s *Space, p Packet, bridge kernel.Interface, next netip.Addr) (End, error) {
	if !s.Host {
		return w.lost(s, p, "a bridge inside a container: what is behind it cannot be seen from here", "容器里的网桥：它后面是什么，从这里看不到"), nil
	}
	found, ok := w.inBridge(bridge, next)
	if !ok {
		return w.nobody(s, p, bridge, next), nil
	}
	end, _ := w.peer(found.Interface)
	if port := w.port; port.Master == bridge.Index && p.State&firewall.DestNAT != 0 && s.facts.bridgeCalls { // it does not leave the bridge for that: br_nf_pre_routing_finish of the kernel
		if end := w.refused(p, bridge, port, end); end != nil {
			return *end, nil
		}
	}
	if !end.Up {
		return w.lost(s, p, "%s is switched off", "%s 没有启用", end.IPName()), nil
	}
	w.note(s, nil, "by the bridge %s and the cable %s = %s", "经网桥 %s 和网线 %s = %s", bridge.Name, end.IPName(), found.Interface.IPName())
	return w.Enter(found.space, p, found.Interface)
}

// fromHostVeth leads from the host into a cable that is in no bridge.
func (w *Walk) fromHostVeth(s *Space, p Packet, out kernel.Interface, next netip.Addr) (End, error) {
	atEnd := func(c place) bool { return !c.space.Host && c.Peer == out.Index && out.Peer == c.Index }
	if found, ok := w.find(next, atEnd); ok {
		w.note(s, nil, "by the cable %s = %s", "经网线 %s = %s", out.IPName(), found.IPName())
		return w.Enter(found.space, p, found.Interface)
	}
	for _, c := range w.Spaces {
		if slices.ContainsFunc(c.Interfaces, func(i kernel.Interface) bool { return atEnd(place{c, i}) }) {
			return w.lost(s, p, "%s, at the end of %s, has not the address %s", "%[2]s 那一头的 %[1]s 没有地址 %[3]s", c.Name, out.Name, next), nil
		}
	}
	return w.away(s, p, out), nil
}

// away is the end of what can be seen.
func (w *Walk) away(s *Space, p Packet, out kernel.Interface) End {
	return End{Arrives: true, Where: s.Name, Packet: p, Unsure: w.unsure(),
		Why: why("it leaves by %s; what becomes of it there cannot be seen from here", "它从 %s 出去，之后的事从这里看不到", out.Name)}
}

// crossParent leads from a macvlan or ipvlan onto the wire of the host's interface.
func (w *Walk) crossParent(s *Space, p Packet, out kernel.Interface, next netip.Addr) (End, error) {
	at := slices.IndexFunc(w.host().Interfaces, func(h kernel.Interface) bool { return h.Index == out.Peer })
	if s.Host || at < 0 {
		return w.lost(s, p, "the interface that %s belongs to cannot be seen from here", "看不到 %s 所属的网卡", out.Name), nil
	}
	parent := w.host().Interfaces[at]
	w.note(s, nil, "by %s onto the wire of the host's %s (%s)", "经 %s 到 host %s 的线上（%s）", out.IPName(), parent.Name, out.Kind)
	if has(parent, next) {
		return w.lost(s, p, "a %s does not reach the host by the interface that it belongs to", "%s 到不了它所属网卡的 host", out.Kind), nil
	}
	if found, ok := w.find(next, func(c place) bool { return !c.space.Host && c.Kind == out.Kind && c.Peer == out.Peer }); ok {
		return w.Enter(found.space, p, found.Interface)
	}
	return w.away(s, p, parent), nil
}
