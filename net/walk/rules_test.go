package walk

import (
	"net/netip"
	"testing"

	"sandbox/kernel/firewall"
)

// ruleset of the chains of a filter table: FORWARD, and one that it jumps to.
func ruleset(drops bool, forward, inner []firewall.Entry) *Ruleset {
	base := firewall.Chain{Family: firewall.IPv4, Table: "filter", Name: "FORWARD"}
	own := base
	own.Name = "OWN"
	for i := range forward {
		forward[i].Chain = base
	}
	for i := range inner {
		inner[i].Chain = own
	}
	return &Ruleset{
		Bases: []firewall.Base{{Chain: base, Hook: firewall.Forward, Type: "filter", Drops: drops}},
		Rules: map[firewall.Chain][]firewall.Entry{base: forward, own: inner},
	}
}

func rule(r firewall.Rule) firewall.Entry { return firewall.Entry{Rule: r, Known: true} }

func prefix(s string, not bool) firewall.Prefix {
	return firewall.Prefix{Prefix: netip.MustParsePrefix(s), Not: not}
}

// TestJudge: each condition of a rule, both ways.
func TestJudge(t *testing.T) {
	p := Packet{
		From: netip.MustParseAddr("172.17.0.2"), To: netip.MustParseAddr("172.18.0.2"),
		Protocol: "tcp", SourcePort: 40000, Port: 80, State: firewall.New | firewall.DestNAT,
	}
	local := func(a netip.Addr) bool { return a == p.From }
	for _, c := range []struct {
		rule firewall.Rule
		hits bool
	}{
		{firewall.Rule{}, true},
		{firewall.Rule{From: prefix("172.17.0.0/16", false)}, true}, {firewall.Rule{From: prefix("172.17.0.0/16", true)}, false},
		{firewall.Rule{To: prefix("172.17.0.0/16", false)}, false}, {firewall.Rule{To: prefix("172.17.0.0/16", true)}, true},
		{firewall.Rule{In: firewall.Interface{Name: "br1"}}, true}, {firewall.Rule{In: firewall.Interface{Name: "br1", Not: true}}, false},
		{firewall.Rule{In: firewall.Interface{Name: "br+"}}, true}, {firewall.Rule{Out: firewall.Interface{Name: "br1"}}, false},
		{firewall.Rule{Out: firewall.Interface{Name: "br1", Not: true}}, true},
		{firewall.Rule{Protocol: "tcp", Ports: firewall.Port(80)}, true}, {firewall.Rule{Protocol: "udp", Ports: firewall.Port(80)}, false},
		{firewall.Rule{Protocol: "tcp", Ports: firewall.Ports{First: 70, Last: 80}}, true}, {firewall.Rule{Protocol: "tcp", Ports: firewall.Ports{First: 81, Last: 90}}, false},
		{firewall.Rule{Protocol: "tcp", SourcePorts: firewall.Port(80)}, false},
		{firewall.Rule{State: firewall.Established | firewall.DestNAT}, true}, {firewall.Rule{State: firewall.Established}, false},
		{firewall.Rule{FromType: firewall.Local}, true}, {firewall.Rule{FromType: firewall.NotLocal}, false},
		{firewall.Rule{ToType: firewall.Local}, false}, {firewall.Rule{ToType: firewall.NotLocal}, true},
	} {
		c.rule.Target = "DROP"
		v := ruleset(false, []firewall.Entry{rule(c.rule)}, nil).Ask(firewall.Forward, p, between{in: "br1", out: "br2"}, local)
		if v.Dropped != c.hits {
			t.Errorf("%s: %v, want %v", c.rule.Body(), v.Dropped, c.hits)
		}
	}
}

// TestChains: jumps, returns, policies, and rules that nobody here understands.
func TestChains(t *testing.T) {
	p := Packet{From: netip.MustParseAddr("172.17.0.2"), To: netip.MustParseAddr("172.18.0.2"), Protocol: "icmp", State: firewall.New}
	jump, drop, accept, back := rule(firewall.Rule{Target: "OWN"}), rule(firewall.Rule{Target: "DROP"}), rule(firewall.Rule{Target: "ACCEPT"}), rule(firewall.Rule{Target: "RETURN"})
	never := rule(firewall.Rule{In: firewall.Interface{Name: "nosuch"}, Target: "DROP"})
	strange := firewall.Entry{Rule: firewall.Rule{Target: "DROP"}}
	strangeElsewhere := firewall.Entry{Rule: firewall.Rule{In: firewall.Interface{Name: "nosuch"}, Target: "DROP"}}
	refused := rule(firewall.Rule{Target: "REJECT"})
	perhaps := firewall.Entry{Rule: firewall.Rule{Target: "REJECT"}}
	logged := firewall.Entry{Rule: firewall.Rule{Target: "LOG"}}
	for name, c := range map[string]struct {
		drops          bool
		forward, inner []firewall.Entry
		dropped        bool
		unsure         bool
		last           string // chain and number of the last rule that was met
	}{
		"nothing":              {},
		"policy":               {drops: true, dropped: true},
		"accepted":             {drops: true, forward: []firewall.Entry{never, accept, drop}, last: "FORWARD 2"},
		"dropped inside":       {forward: []firewall.Entry{never, jump}, inner: []firewall.Entry{never, never, drop}, dropped: true, last: "OWN 3"},
		"returned":             {forward: []firewall.Entry{jump, accept}, inner: []firewall.Entry{back, drop}, last: "FORWARD 2"},
		"end of inner chain":   {forward: []firewall.Entry{jump, drop}, inner: []firewall.Entry{never}, dropped: true, last: "FORWARD 2"},
		"accepted inside":      {drops: true, forward: []firewall.Entry{jump, drop}, inner: []firewall.Entry{accept}, last: "OWN 1"},
		"strange":              {forward: []firewall.Entry{strange, accept}, unsure: true, last: "FORWARD 2"},
		"strange for others":   {forward: []firewall.Entry{strangeElsewhere, accept}, last: "FORWARD 2"},
		"refused":              {forward: []firewall.Entry{never, refused}, dropped: true, last: "FORWARD 2"},
		"perhaps refused":      {forward: []firewall.Entry{never, perhaps}, unsure: true, last: "FORWARD 2"},
		"written into the log": {forward: []firewall.Entry{logged, accept}, last: "FORWARD 2"},
	} {
		v := ruleset(c.drops, c.forward, c.inner).Ask(firewall.Forward, p, between{in: "br1", out: "br2"}, func(netip.Addr) bool { return false })
		last := ""
		if n := len(v.Hits); n > 0 {
			last = v.Hits[n-1].Chain + " " + string(rune('0'+v.Hits[n-1].Number))
		}
		if v.Dropped != c.dropped || v.Unsure != c.unsure || last != c.last || (v.Policy != "") != (c.drops && c.dropped) {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// TestTranslation: DNAT with and without a port, and with a range that the port is in.
func TestTranslation(t *testing.T) {
	for _, c := range []struct {
		rule firewall.Rule
		port uint16
		want string
	}{
		{firewall.Rule{ToAddress: netip.MustParseAddr("172.17.0.2"), ToPorts: firewall.Port(80)}, 8080, "172.17.0.2:80"},
		{firewall.Rule{ToAddress: netip.MustParseAddr("172.17.0.2")}, 8080, "172.17.0.2:8080"},
		{firewall.Rule{ToAddress: netip.MustParseAddr("172.17.0.2"), ToPorts: firewall.Ports{First: 80, Last: 89}}, 83, "172.17.0.2:83"},
	} {
		c.rule.Target = "DNAT"
		p := Packet{From: netip.MustParseAddr("10.0.0.1"), To: netip.MustParseAddr("10.0.0.2"), Protocol: "tcp", Port: c.port, State: firewall.New}
		v := ruleset(false, []firewall.Entry{rule(c.rule)}, nil).Ask(firewall.Forward, p, between{}, func(netip.Addr) bool { return true })
		if got := netip.AddrPortFrom(v.Packet.To, v.Packet.Port).String(); got != c.want || v.NAT != "DNAT" || v.Packet.State&firewall.DestNAT == 0 {
			t.Errorf("%s: %s, %+v", c.rule.Body(), got, v)
		}
	}
}

func TestParseSocket(t *testing.T) {
	for text, want := range map[string]string{
		"0100007F:1F90":                         "127.0.0.1:8080",
		"00000000:0050":                         "0.0.0.0:80",
		"00000000000000000000000000000000:0035": "[::]:53",
		"0000000000000000FFFF0000020011AC:0050": "172.17.0.2:80",
	} {
		if got, err := parseSocket(text); err != nil || got.String() != want {
			t.Errorf("%s: %v, %v, want %s", text, got, err, want)
		}
	}
}
