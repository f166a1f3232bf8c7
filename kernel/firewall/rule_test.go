package firewall

import (
	"net/netip"
	"testing"
)

func chain(f Family, table, name string) Chain { return Chain{f, table, name} }

func prefix(s string) Prefix    { return Prefix{Prefix: netip.MustParsePrefix(s)} }
func notPrefix(s string) Prefix { return Prefix{netip.MustParsePrefix(s), true} }

// examples of rules, and of what iptables-save prints for them.
var examples = []struct {
	rule Rule
	line string
}{
	{Rule{Chain: chain(IPv4, "filter", "FORWARD")}, "-A FORWARD"},
	{Rule{Chain: chain(IPv4, "nat", "POSTROUTING"), From: prefix("172.17.0.0/16"), Out: Interface{"docker0", true}, Target: "MASQUERADE"},
		"-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"},
	{Rule{Chain: chain(IPv4, "filter", "FORWARD"), From: prefix("10.16.0.0/12"), To: notPrefix("10.1.2.3/32"), In: Interface{"br-+", false}, Out: Interface{"eth0", true}, Protocol: "icmp", Target: "DROP"},
		"-A FORWARD -s 10.16.0.0/12 ! -d 10.1.2.3/32 -i br-+ ! -o eth0 -p icmp -j DROP"},
	{Rule{Chain: chain(IPv4, "nat", "PREROUTING"), ToType: Local, To: notPrefix("127.0.0.0/8"), Comment: "sandbox", Target: "SANDBOX-PORTS"},
		"-A PREROUTING ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -m comment --comment sandbox -j SANDBOX-PORTS"},
	{Rule{Chain: chain(IPv4, "nat", "PREROUTING"), FromType: Local, ToType: NotLocal, Target: "RETURN"},
		"-A PREROUTING -m addrtype --src-type LOCAL ! --dst-type LOCAL -j RETURN"},
	{Rule{Chain: chain(IPv4, "filter", "FORWARD"), Out: Interface{"br0", false}, State: Established | Related, Comment: "sandbox:0123456789ab", Target: "ACCEPT"},
		`-A FORWARD -o br0 -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment "sandbox:0123456789ab" -j ACCEPT`},
	{Rule{Chain: chain(IPv4, "filter", "FORWARD"), State: Established | Related | New | Untracked | DestNAT | SourceNAT | Invalid, Target: "ACCEPT"},
		"-A FORWARD -m conntrack --ctstate INVALID,NEW,RELATED,ESTABLISHED,UNTRACKED,SNAT,DNAT -j ACCEPT"},
	{Rule{Chain: chain(IPv4, "nat", "PREROUTING"), Protocol: "tcp", Ports: Port(8080), Target: "DNAT", ToAddress: netip.MustParseAddr("172.17.0.2"), ToPorts: Port(80)},
		"-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80"},
	{Rule{Chain: chain(IPv4, "nat", "PREROUTING"), To: prefix("10.0.0.1/32"), Protocol: "udp", Ports: Ports{8000, 8010}, Target: "DNAT", ToAddress: netip.MustParseAddr("172.17.0.2")},
		"-A PREROUTING -d 10.0.0.1/32 -p udp -m udp --dport 8000:8010 -j DNAT --to-destination 172.17.0.2"},
	{Rule{Chain: chain(IPv4, "nat", "PREROUTING"), Protocol: "sctp", SourcePorts: Port(7), Ports: Ports{8000, 8010}, Target: "DNAT", ToAddress: netip.MustParseAddr("172.17.0.2"), ToPorts: Ports{80, 90}},
		"-A PREROUTING -p sctp -m sctp --sport 7 --dport 8000:8010 -j DNAT --to-destination 172.17.0.2:80-90"},
	{Rule{Chain: chain(IPv4, "nat", "POSTROUTING"), From: prefix("127.0.0.11/32"), Protocol: "tcp", SourcePorts: Port(40000), Target: "SNAT", ToPorts: Port(53)},
		"-A POSTROUTING -s 127.0.0.11/32 -p tcp -m tcp --sport 40000 -j SNAT --to-source :53"},
	{Rule{Chain: chain(IPv4, "nat", "POSTROUTING"), Comment: `a "b" \ c`, Target: "ACCEPT"}, `-A POSTROUTING -m comment --comment "a \"b\" \\ c" -j ACCEPT`},
	{Rule{Chain: chain(IPv6, "nat", "POSTROUTING"), From: prefix("fd00:1::/64"), Out: Interface{"br0", true}, Target: "MASQUERADE"},
		"-A POSTROUTING -s fd00:1::/64 ! -o br0 -j MASQUERADE"},
	{Rule{Chain: chain(IPv6, "nat", "PREROUTING"), To: notPrefix("::1/128"), Protocol: "tcp", Ports: Port(8080), Target: "DNAT", ToAddress: netip.MustParseAddr("fd00:1::2"), ToPorts: Port(80)},
		"-A PREROUTING ! -d ::1/128 -p tcp -m tcp --dport 8080 -j DNAT --to-destination [fd00:1::2]:80"},
	{Rule{Chain: chain(IPv6, "nat", "POSTROUTING"), Protocol: "udp", Ports: Port(53), Target: "SNAT", ToAddress: netip.MustParseAddr("fd00:1::3")},
		"-A POSTROUTING -p udp -m udp --dport 53 -j SNAT --to-source fd00:1::3"},
	{Rule{Chain: chain(IPv6, "filter", "FORWARD"), From: prefix("fd00::/12"), Protocol: "ipv6-icmp", State: Established, ToType: Local, Target: "ACCEPT"},
		"-A FORWARD -s fd00::/12 -p ipv6-icmp -m addrtype --dst-type LOCAL -m conntrack --ctstate ESTABLISHED -j ACCEPT"},
	{Rule{Chain: chain(IPv6, "raw", "PREROUTING"), To: prefix("fd00:1::/64"), In: Interface{"br0", true}, ToType: NotLocal, Target: "DROP"},
		"-A PREROUTING -d fd00:1::/64 ! -i br0 -m addrtype ! --dst-type LOCAL -j DROP"},
}

func TestNotation(t *testing.T) {
	for _, e := range examples {
		if got := e.rule.String(); got != e.line {
			t.Errorf("%s\nwant\n%s", got, e.line)
		}
	}
	r := examples[1].rule
	for verb, want := range map[Verb]string{
		Append: "iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE", Insert: "iptables -t nat -I POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
		Delete: "iptables -t nat -D POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE", NewChain: "iptables -t nat -N POSTROUTING",
		FlushChain: "iptables -t nat -F POSTROUTING", DeleteChain: "iptables -t nat -X POSTROUTING",
	} {
		if got := (Change{verb, r}).String(); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
	if got := (Change{Append, examples[len(examples)-2].rule}).String(); got[:20] != "ip6tables -A FORWARD" {
		t.Error(got)
	}
}

// TestReadBack: what is sent to the kernel is read back as the same rule, whether it is made of iptables' extensions or of nf_tables' own expressions.
func TestReadBack(t *testing.T) {
	for _, native := range []bool{false, true} {
		for _, e := range examples {
			body, err := e.rule.message(native)
			if err != nil {
				t.Fatalf("%s: %v", e.line, err)
			}
			got, err := decode(e.rule.Chain, body)
			if err != nil || !got.Known || got.Rule != e.rule || got.Text() != e.rule.Body() {
				t.Errorf("native %v: %s\nis read as\n%s (known: %v, %v)", native, e.line, got.Rule, got.Known, err)
			}
		}
	}
}
