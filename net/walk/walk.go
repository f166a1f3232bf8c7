// Package walk follows a packet through the network namespaces of a machine, from where it is sent to where it arrives or is lost.
//
// Nothing is sent. At each place the kernel is asked what it would do: for the route (RTM_GETROUTE, in the namespace that the packet is
// in), for interfaces and who is plugged into which bridge, for the firewall's rules and policies. The rules are then judged here, in
// the order in which the kernel asks them (rules.go):
//
//	own packet    ─► route ─► OUTPUT ─► route again if DNAT ─► POSTROUTING ─► interface
//	from outside  ─► PREROUTING ─► route ─┬► INPUT ─► a program
//	                                      └► FORWARD ─► POSTROUTING ─► interface
//	in a bridge   ─► PREROUTING ─► FORWARD ─► POSTROUTING, with the bridge as both interfaces, if bridge-nf-call-iptables is on
//
// It is the first packet of a connection that is followed; the answers have it easier: the kernel remembers the connection, and
// undoes what it did to the addresses.
package walk

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
	"sandbox/kernel/firewall"
)

// Space is a network namespace.
type Space struct {
	Name       string // of the container; "host"
	Host       bool
	Interfaces []kernel.Interface
	In         func(look func() error) error // calls look on a thread that is in there

	facts *facts
}

// Walk is what is known of the machine, and the way so far.
type Walk struct {
	Spaces []*Space // the first is the host
	Steps  []Step
	Sent   Packet // as it set out

	hops int
	port kernel.Interface // of a bridge, by which the packet came to the host
}

// Step is one thing that happens to the packet.
type Step struct {
	Where string // a container, or host
	What  kernel.Why
	Hits  []Hit
}

// End is how it ends.
type End struct {
	Arrives bool
	Where   string
	Why     kernel.Why
	Rule    *Hit // that stops it
	Unsure  bool // rules that cannot be judged lie on the way
	Packet  Packet
}

func (w *Walk) note(s *Space, hits []Hit, en, zh string, args ...any) {
	w.Steps = append(w.Steps, Step{Where: s.Name, What: why(en, zh, args...), Hits: hits})
}

func why(en, zh string, args ...any) kernel.Why {
	return kernel.Why{EN: fmt.Sprintf(en, args...), ZH: fmt.Sprintf(zh, args...)}
}

func (w *Walk) lost(s *Space, p Packet, en, zh string, args ...any) End {
	return End{Where: s.Name, Why: why(en, zh, args...), Packet: p}
}

// Send follows a packet that a program in s sends.
func (w *Walk) Send(s *Space, p Packet) (End, error) {
	w.Sent = p
	if err := s.learn(p.family()); err != nil {
		return End{}, err
	}
	route, err := s.route(kernel.RouteQuestion{To: p.To, From: p.From})
	if err != nil {
		return w.noRoute(s, p, err), nil
	}
	if !p.From.IsValid() {
		p.From = route.Source
	}
	w.Sent = p
	w.note(s, nil, "a program sends to %s: %s", "程序发往 %s：%s", p.To, w.say(s, route))
	v, end := w.ask(s, firewall.Output, p, between{out: s.name(route.Interface)})
	if end != nil {
		return *end, nil
	}
	if v.Packet.To != p.To {
		if route, err = s.route(kernel.RouteQuestion{To: v.Packet.To, From: v.Packet.From}); err != nil {
			return w.noRoute(s, v.Packet, err), nil
		}
		w.note(s, nil, "the new destination: %s", "新的目的地：%s", w.say(s, route))
	}
	if route.Local {
		return w.deliver(s, v.Packet, "lo")
	}
	return w.leave(s, v.Packet, route)
}

// Enter follows a packet that comes into s by an interface.
func (w *Walk) Enter(s *Space, p Packet, in kernel.Interface) (End, error) {
	if w.hops++; w.hops > 16 {
		return w.lost(s, p, "it goes in circles", "在兜圈子"), nil
	}
	if err := s.learn(p.family()); err != nil {
		return End{}, err
	}
	p.State = firewall.New // each namespace remembers connections by itself
	v, end := w.ask(s, firewall.Prerouting, p, between{in: in.Name})
	if end != nil {
		return *end, nil
	}
	p = v.Packet
	route, err := s.route(kernel.RouteQuestion{To: p.To, From: p.From, In: in.Index})
	switch {
	case err == nil && route.Local:
		return w.deliver(s, p, in.Name)
	case !s.facts.forwards:
		return w.lost(s, p, "%s is not an address of %s, and it passes no packets on (ip_forward = 0)", "%s 不是 %s 的地址，它又不转发包（ip_forward = 0）", p.To, s.Name), nil
	case err != nil:
		return w.noRoute(s, p, err), nil
	}
	w.note(s, nil, "it is for somebody else, and is passed on: %s", "不是给自己的，转发：%s", w.say(s, route))
	out := s.name(route.Interface)
	v, end = w.ask(s, firewall.Forward, p, between{in: in.Name, out: out})
	if end != nil {
		return *end, nil
	}
	return w.leave(s, v.Packet, route)
}

// leave takes a packet out of a namespace by the interface that the route names.
func (w *Walk) leave(s *Space, p Packet, route kernel.Route) (End, error) {
	at := slices.IndexFunc(s.Interfaces, func(i kernel.Interface) bool { return i.Index == route.Interface })
	if at < 0 {
		return w.lost(s, p, "its interface is gone", "网卡不见了"), nil
	}
	out := s.Interfaces[at]
	v, end := w.ask(s, firewall.Postrouting, p, between{out: out.Name})
	if end != nil {
		return *end, nil
	}
	if v.NAT == "MASQUERADE" {
		if plain, err := s.route(kernel.RouteQuestion{To: v.Packet.To}); err == nil && plain.Source.IsValid() {
			v.Packet.From = plain.Source
		}
		w.Steps[len(w.Steps)-1].What = why("POSTROUTING (-o %[2]s): the source becomes %[1]s", "POSTROUTING（-o %[2]s）：源地址换成 %[1]s", v.Packet.From, out.Name)
	}
	next := route.Via
	if !next.IsValid() {
		next = v.Packet.To
	}
	return w.cross(s, v.Packet, out, next)
}

// deliver gives a packet to a program in s, if one listens.
func (w *Walk) deliver(s *Space, p Packet, in string) (End, error) {
	v, end := w.ask(s, firewall.Input, p, between{in: in})
	if end != nil {
		return *end, nil
	}
	end = &End{Arrives: true, Where: s.Name, Why: why("it has arrived", "到了"), Packet: v.Packet, Unsure: w.unsure()}
	if p.Port == 0 {
		return *end, nil
	}
	listens, known := s.listens(v.Packet)
	switch {
	case known && !listens:
		end.Arrives = false
		end.Why = why("it has arrived, but no program listens on port %d/%s: refused", "到了，但没有程序在监听 %d/%s 端口：连接被拒绝", p.Port, p.Protocol)
	case known:
		end.Why = why("it has arrived: a program listens on port %d/%s", "到了：有程序在监听 %d/%s 端口", p.Port, p.Protocol)
	}
	return *end, nil
}

func (w *Walk) unsure() bool {
	for _, s := range w.Steps {
		if slices.ContainsFunc(s.Hits, func(h Hit) bool { return h.Why != "" }) {
			return true
		}
	}
	return false
}

// ask has a hook judge, and notes what it says. end is not nil if it stops the packet.
func (w *Walk) ask(s *Space, hook firewall.Hook, p Packet, at between) (v Verdict, end *End) {
	if s.facts.rulesError != nil {
		if !s.facts.told {
			s.facts.told = true
			w.note(s, []Hit{{Why: s.facts.rulesError.Error()}}, "the rules cannot be read", "读不到规则")
		}
		return Verdict{Packet: p, Unsure: true}, nil
	}
	v = s.facts.rules.Ask(hook, p, at, s.isLocal)
	if legacy := s.facts.rules.Legacy; len(legacy) > 0 && !s.facts.told {
		s.facts.told = true
		var hits []Hit
		for _, t := range legacy {
			hits = append(hits, Hit{Text: t.String(), Why: "is not followed here"})
		}
		w.note(s, hits, "tables of the older kind have rules, too", "旧式的表里也有规则")
	}
	if len(v.Hits) == 0 && !v.Dropped {
		return v, nil
	}
	passage := strings.TrimSpace(map[bool]string{true: " -i " + at.in}[at.in != ""] + map[bool]string{true: " -o " + at.out}[at.out != ""])
	en, zh := hook.String()+" ("+passage+")", hook.String()+"（"+passage+"）"
	switch {
	case v.Rejected:
		en, zh = en+": rejected", zh+"：拒绝"
	case v.Dropped:
		en, zh = en+": dropped", zh+"：丢弃"
	case v.NAT == "DNAT":
		en, zh = en+": the destination becomes "+socket(v.Packet.To, v.Packet.Port), zh+"：目的地换成 "+socket(v.Packet.To, v.Packet.Port)
	}
	w.Steps = append(w.Steps, Step{Where: s.Name, What: kernel.Why{EN: en, ZH: zh}, Hits: v.Hits})
	if !v.Dropped {
		return v, nil
	}
	e := w.lost(s, p, "the policy of %s drops what no rule lets through", "%s 的默认策略丢弃所有没有规则放行的包", v.Policy)
	if v.Policy == "" {
		stop := v.Hits[len(v.Hits)-1]
		en, zh = "rule %d of chain %s drops it", "被链 %[2]s 的第 %[1]d 条规则丢弃"
		if v.Rejected {
			en, zh = "rule %d of chain %s rejects it: the sender is told so at once", "被链 %[2]s 的第 %[1]d 条规则拒绝：发送方马上就会得知"
		}
		e = w.lost(s, p, en, zh, stop.Number, stop.Chain)
		e.Rule = &stop
	}
	e.Unsure = w.unsure()
	return v, &e
}

func socket(a netip.Addr, port uint16) string {
	if port == 0 {
		return a.String()
	}
	return netip.AddrPortFrom(a, port).String()
}

func (w *Walk) noRoute(s *Space, p Packet, err error) End {
	switch {
	case errors.Is(err, unix.EXDEV) || errors.Is(err, unix.EINVAL):
		return w.lost(s, p, "the kernel refuses it: an answer to %s would not go back the way it came", "内核拒收：发往 %s 的回应不会原路返回", p.From)
	case errors.Is(err, unix.EACCES):
		return w.lost(s, p, "a route forbids %s", "有一条路由禁止去 %s", p.To)
	}
	return w.lost(s, p, "there is no route to %s", "没有去 %s 的路由", p.To)
}

// say writes a route as `ip route get` does.
func (w *Walk) say(s *Space, r kernel.Route) string {
	switch {
	case r.Local:
		return "local"
	case r.Via.IsValid():
		return "via " + r.Via.String() + " dev " + s.name(r.Interface)
	}
	return "dev " + s.name(r.Interface)
}

func (s *Space) name(index int) string {
	for _, i := range s.Interfaces {
		if i.Index == index {
			return i.Name
		}
	}
	return fmt.Sprint(index)
}

// Arrive notes that a packet comes in from outside the machine.
func (w *Walk) Arrive(in kernel.Interface, p Packet) {
	w.Sent = p
	w.note(w.Spaces[0], nil, "%s is nobody's here: its packets come in by %s, where answers to it go out", "这里没有谁有地址 %s：它的包从 %s 进来，发给它的回应也从那里出去", p.From, in.Name)
}
