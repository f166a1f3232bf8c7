package walk

import (
	"fmt"
	"net/netip"
	"strings"

	"sandbox/kernel/firewall"
)

// Packet is what goes on the way: the first one of a connection.
type Packet struct {
	From, To         netip.Addr
	Protocol         string // tcp, udp, sctp, icmp, ipv6-icmp
	SourcePort, Port uint16
	State            firewall.State
}

func (p Packet) family() firewall.Family { return firewall.FamilyOf(p.To) }

// Ruleset is the firewall of a namespace.
type Ruleset struct {
	Bases  []firewall.Base
	Rules  map[firewall.Chain][]firewall.Entry
	Legacy []firewall.LegacyTable // which the kernel asks as well, and Ask does not: with them nothing is certain
}

// Hit is a rule that a packet has met.
type Hit struct {
	Table  string
	Chain  string
	Number int    // in its chain, from 1, as iptables -L --line-numbers has it
	Rule   string // in iptables' notation, with the program
	Text   string // the rule alone, without -A and the chain
	Why    string `json:",omitempty"` // of one that cannot be judged
}

// Verdict is what a hook says of a packet.
type Verdict struct {
	Packet   Packet // as it goes on
	Hits     []Hit
	Dropped  bool   // by the last of Hits, or by a policy
	Rejected bool   // … and the sender is told
	Policy   string // the chain whose policy it was: filter FORWARD
	Unsure   bool   // there are rules that could not be judged
	NAT      string // DNAT, SNAT or MASQUERADE
}

// between are the interfaces that a packet is on its way between; "" where there is none.
type between struct{ in, out string }

// judge walks a packet through all chains of a hook.
type judge struct {
	rules   *Ruleset
	at      between
	isLocal func(netip.Addr) bool
	v       Verdict
}

// outcome of a chain.
type outcome int

const (
	goOn outcome = iota // it has come to the end, or RETURN
	accepted
	dropped
)

// Ask says what the chains of a hook make of a packet.
func (r *Ruleset) Ask(hook firewall.Hook, p Packet, at between, isLocal func(netip.Addr) bool) Verdict {
	j := &judge{rules: r, at: at, isLocal: isLocal, v: Verdict{Packet: p, Unsure: len(r.Legacy) > 0}}
	for _, b := range r.Bases {
		if b.Hook != hook {
			continue
		}
		if b.Foreign != "" {
			if len(r.Rules[b.Chain]) > 0 || b.Drops {
				j.unsure(b.Chain, 0, fmt.Sprintf("nft list chain %s %s %s", b.Foreign, b.Table, b.Name), "a chain that iptables does not know")
			}
			continue
		}
		before := len(j.v.Hits)
		switch j.chain(b.Chain, b.Type, 0) {
		case dropped:
			j.v.Dropped = true
			return j.v
		case goOn:
			if b.Drops {
				j.v.Dropped, j.v.Policy = true, b.Table+" "+b.Name
				return j.v
			}
			j.v.Hits = j.deciding(before)
		}
	}
	return j.v
}

// deciding leaves out jumps to chains in which nothing happened.
func (j *judge) deciding(from int) []Hit {
	hits := j.v.Hits[:from:from]
	for _, h := range j.v.Hits[from:] {
		if h.Why != "" {
			hits = append(hits, h)
		}
	}
	return hits
}

func (j *judge) unsure(c firewall.Chain, number int, rule, why string) {
	j.v.Unsure = true
	j.v.Hits = append(j.v.Hits, Hit{Table: c.Table, Chain: c.Name, Number: number, Rule: rule, Text: strings.TrimPrefix(rule, c.Command()+" -A "+c.Name+" "), Why: why})
}

// deepest is how many chains may be in one another: the kernel's own limit is 16.
const deepest = 16

func (j *judge) chain(c firewall.Chain, kind string, depth int) outcome {
	if depth > deepest {
		return goOn
	}
	for i, e := range j.rules.Rules[c] {
		if !j.matches(e.Rule) {
			continue
		}
		target, sure := e.Does()
		text := strings.TrimSpace(e.Text())
		whole := c.Command() + " -A " + c.Name + " " + text
		switch {
		case target == "" && !strings.Contains(text, "[reject]") && !strings.Contains(text, "[queue]"), harmless[target]:
			continue
		case !sure:
			j.unsure(c, i+1, whole, "it asks for what cannot be judged from here")
			continue
		}
		before := len(j.v.Hits)
		j.v.Hits = append(j.v.Hits, Hit{Table: c.Table, Chain: c.Name, Number: i + 1, Rule: whole, Text: text})
		switch target {
		case "ACCEPT":
			return accepted
		case "DROP", "REJECT":
			j.v.Rejected = target == "REJECT"
			return dropped
		case "RETURN":
			j.v.Hits = j.v.Hits[:before]
			return goOn
		case "MASQUERADE", "SNAT", "DNAT", "REDIRECT":
			j.translate(e.Rule)
			return accepted
		}
		inner := firewall.Chain{Family: c.Family, Table: c.Table, Name: target}
		if _, ok := j.rules.Rules[inner]; !ok {
			j.v.Hits = j.v.Hits[:before]
			j.unsure(c, i+1, whole, "what "+target+" does cannot be judged from here")
			continue
		}
		if o := j.chain(inner, kind, depth+1); o != goOn {
			return o
		}
		j.v.Hits = j.deciding(before)
	}
	return goOn
}

// harmless targets let the packet go on to the next rule.
var harmless = map[string]bool{"LOG": true, "NFLOG": true, "MARK": true, "CONNMARK": true, "TCPMSS": true, "CT": true, "TRACE": true, "CHECKSUM": true}

// translate replaces an address. The new source of MASQUERADE is known when the packet leaves.
func (j *judge) translate(r firewall.Rule) {
	j.v.NAT = r.Target
	p := &j.v.Packet
	port := r.ToPorts.First
	switch r.Target {
	case "DNAT":
		if r.ToAddress.IsValid() {
			p.To = r.ToAddress
		}
		if port != 0 && (p.Port < port || p.Port > r.ToPorts.Last) { // of several, one that is in the range already stays
			p.Port = port
		}
		p.State |= firewall.DestNAT
	case "REDIRECT":
		p.State |= firewall.DestNAT
	case "SNAT":
		if r.ToAddress.IsValid() {
			p.From = r.ToAddress
		}
	}
}

// matches tells whether a packet is as a rule wants it. Of a rule that is not wholly understood it says whether what is understood is so.
func (j *judge) matches(r firewall.Rule) bool {
	p := j.v.Packet
	return matchesPrefix(r.From, p.From) && matchesPrefix(r.To, p.To) &&
		matchesInterface(r.In, j.at.in) && matchesInterface(r.Out, j.at.out) &&
		(r.Protocol == "" || r.Protocol == p.Protocol) &&
		matchesPorts(r.SourcePorts, p.SourcePort) && matchesPorts(r.Ports, p.Port) &&
		j.matchesType(r.FromType, p.From) && j.matchesType(r.ToType, p.To) &&
		(r.State == 0 || r.State&p.State != 0)
}

func matchesPrefix(want firewall.Prefix, a netip.Addr) bool {
	return !want.IsValid() || want.Contains(a) != want.Not
}

func matchesInterface(want firewall.Interface, name string) bool {
	if want.Name == "" {
		return true
	}
	same := want.Name == name
	if start, open := strings.CutSuffix(want.Name, "+"); open {
		same = strings.HasPrefix(name, start)
	}
	return same != want.Not
}

func matchesPorts(want firewall.Ports, port uint16) bool {
	if want == (firewall.Ports{}) {
		return true
	}
	return want.First <= port && port <= max(want.First, want.Last)
}

func (j *judge) matchesType(want firewall.Type, a netip.Addr) bool {
	return want == firewall.AnyType || j.isLocal(a) == (want == firewall.Local)
}
