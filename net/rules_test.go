package network

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"sandbox/kernel"
	"sandbox/kernel/firewall"
	"sandbox/kernel/firewall/alone"
)

func exampleNetwork(change func(*Network)) *Network {
	n := &Network{ID: strings.Repeat("0123456789abcdef", 4), Driver: Bridge, Options: map[string]string{}, IPAM: IPAM{Config: []Pool{{Subnet: netip.MustParsePrefix("172.18.0.0/16")}}}}
	if change != nil {
		change(n)
	}
	return n
}

// lines of a plan, as the explanation shows them.
func lines(t *testing.T, steps []kernel.Step) []string {
	t.Helper()
	r := &kernel.Recorder{}
	r.Do(steps...)
	for i, s := range steps {
		if s.Section != "3.6" || s.Why.EN == "" || s.Why.ZH == "" {
			t.Errorf("without section or reason: %s", r.Lines[i])
		}
	}
	return r.Lines
}

func expect(t *testing.T, got []string, want string) {
	t.Helper()
	for i := range got {
		got[i] = strings.TrimPrefix(got[i], "[3.6] ")
	}
	if all := strings.Join(got, "\n"); all != strings.TrimSpace(want) {
		t.Errorf("%s\nwant\n%s", all, want)
	}
}

func TestPlan(t *testing.T) {
	expect(t, lines(t, exampleNetwork(nil).RulesUp()), `
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/ipv4/conf/br-0123456789ab/route_localnet
iptables -N SANDBOX-FORWARD
iptables -N SANDBOX-INTERNAL
iptables -N SANDBOX-ACCEPT
iptables -N SANDBOX-ISOLATION
iptables -N SANDBOX-OUT
iptables -A SANDBOX-FORWARD -m comment --comment sandbox -j SANDBOX-INTERNAL
iptables -A SANDBOX-FORWARD -m comment --comment sandbox -j SANDBOX-ACCEPT
iptables -A SANDBOX-FORWARD -m comment --comment sandbox -j SANDBOX-ISOLATION
iptables -A SANDBOX-FORWARD -m comment --comment sandbox -j SANDBOX-OUT
iptables -I FORWARD -m comment --comment sandbox -j SANDBOX-FORWARD
iptables -t nat -N SANDBOX-PORTS
iptables -t nat -N SANDBOX-MASQUERADE
iptables -t nat -A PREROUTING ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -m comment --comment sandbox -j SANDBOX-PORTS
iptables -t nat -A OUTPUT -m addrtype --dst-type LOCAL -m comment --comment sandbox -j SANDBOX-PORTS
iptables -t nat -A POSTROUTING -m comment --comment sandbox -j SANDBOX-MASQUERADE
iptables -t raw -N SANDBOX-DIRECT
iptables -t raw -A PREROUTING -m comment --comment sandbox -j SANDBOX-DIRECT
iptables -A SANDBOX-ACCEPT -o br-0123456789ab -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment "sandbox:0123456789ab" -j ACCEPT
iptables -A SANDBOX-ACCEPT -o br-0123456789ab -m conntrack --ctstate DNAT -m comment --comment "sandbox:0123456789ab" -j ACCEPT
iptables -A SANDBOX-ISOLATION ! -i br-0123456789ab -o br-0123456789ab -m comment --comment "sandbox:0123456789ab" -j DROP
iptables -A SANDBOX-OUT -i br-0123456789ab -m comment --comment "sandbox:0123456789ab" -j ACCEPT
iptables -t nat -A SANDBOX-MASQUERADE -s 172.18.0.0/16 ! -o br-0123456789ab -m comment --comment "sandbox:0123456789ab" -j MASQUERADE
iptables -t raw -A SANDBOX-DIRECT -d 172.18.0.0/16 ! -i br-0123456789ab -m addrtype ! --dst-type LOCAL -m comment --comment "sandbox:0123456789ab" -j DROP
iptables -t nat -A SANDBOX-MASQUERADE -s 172.18.0.0/16 -o br-0123456789ab -m conntrack --ctstate DNAT -m comment --comment "sandbox:0123456789ab" -j MASQUERADE
iptables -t nat -A SANDBOX-MASQUERADE -s 127.0.0.0/8 -o br-0123456789ab -m comment --comment "sandbox:0123456789ab" -j MASQUERADE
iptables -t raw -A SANDBOX-DIRECT -d 127.0.0.0/8 -i br-0123456789ab -m comment --comment "sandbox:0123456789ab" -j DROP
`)
}

// ownLines are a network's own rules.
func ownLines(t *testing.T, n *Network) []string {
	return slices.DeleteFunc(lines(t, n.RulesUp()), func(line string) bool { return !strings.Contains(line, "0123456789ab\"") })
}

func TestPlanOfOptions(t *testing.T) {
	expect(t, ownLines(t, exampleNetwork(func(n *Network) {
		n.Internal, n.Options[optionICC], n.Options[optionName] = true, "false", "inner"
	})), `
iptables -A SANDBOX-INTERNAL -i inner ! -o inner -m comment --comment "sandbox:0123456789ab" -j DROP
iptables -A SANDBOX-INTERNAL ! -i inner -o inner -m comment --comment "sandbox:0123456789ab" -j DROP
iptables -A SANDBOX-ISOLATION -i inner -o inner -m comment --comment "sandbox:0123456789ab" -j DROP
iptables -A SANDBOX-OUT -i inner -m comment --comment "sandbox:0123456789ab" -j ACCEPT
iptables -t nat -A SANDBOX-MASQUERADE -s 127.0.0.0/8 -o inner -m comment --comment "sandbox:0123456789ab" -j MASQUERADE
iptables -t raw -A SANDBOX-DIRECT -d 127.0.0.0/8 -i inner -m comment --comment "sandbox:0123456789ab" -j DROP
`)
	expect(t, ownLines(t, exampleNetwork(func(n *Network) {
		n.IPAM.Config[0].Subnet = netip.MustParsePrefix("fd00::5/64")
		n.Options[optionMasquerade], n.Options[optionName] = "false", "b"
	})), `
ip6tables -A SANDBOX-ACCEPT -o b -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment "sandbox:0123456789ab" -j ACCEPT
ip6tables -A SANDBOX-ACCEPT -o b -m conntrack --ctstate DNAT -m comment --comment "sandbox:0123456789ab" -j ACCEPT
ip6tables -A SANDBOX-ISOLATION ! -i b -o b -m comment --comment "sandbox:0123456789ab" -j DROP
ip6tables -A SANDBOX-OUT -i b -m comment --comment "sandbox:0123456789ab" -j ACCEPT
ip6tables -t nat -A SANDBOX-MASQUERADE -s fd00::/64 -o b -m conntrack --ctstate DNAT -m comment --comment "sandbox:0123456789ab" -j MASQUERADE
`)
}

var examplePorts = Endpoint{
	Container: strings.Repeat("fedcba98", 8), IPv4: netip.MustParsePrefix("172.18.0.2/16"),
	Ports: []Publish{
		{"tcp", netip.IPv4Unspecified(), 8080, 80}, {"udp", netip.MustParseAddr("192.0.2.1"), 53, 53}, {"sctp", netip.IPv4Unspecified(), 7000, 7000},
		{"tcp", netip.MustParseAddr("2001:db8::1"), 8080, 80}, {"tcp", netip.IPv6Loopback(), 8081, 80},
	},
}

func TestPlanOfPorts(t *testing.T) {
	expect(t, lines(t, exampleNetwork(nil).Publish(examplePorts)), `
iptables -t nat -A SANDBOX-PORTS -p tcp -m tcp --dport 8080 -m comment --comment "sandbox:0123456789ab:fedcba98fedc" -j DNAT --to-destination 172.18.0.2:80
iptables -t nat -A SANDBOX-PORTS -d 192.0.2.1/32 -p udp -m udp --dport 53 -m comment --comment "sandbox:0123456789ab:fedcba98fedc" -j DNAT --to-destination 172.18.0.2:53
iptables -t nat -A SANDBOX-PORTS -p sctp -m sctp --dport 7000 -m comment --comment "sandbox:0123456789ab:fedcba98fedc" -j DNAT --to-destination 172.18.0.2:7000
`)
	if got := lines(t, exampleNetwork(nil).Unpublish(examplePorts)); len(got) != 3 || !strings.HasPrefix(got[0], "[3.6] iptables -t nat -D SANDBOX-PORTS -p tcp") {
		t.Errorf("%q", got)
	}
}

// TestPlanOfLoopback: IPv6 has no route_localnet, so no rule catches ::1.
func TestPlanOfLoopback(t *testing.T) {
	n := exampleNetwork(func(n *Network) { n.IPAM.Config[0].Subnet = netip.MustParsePrefix("fd00::/64") })
	for _, line := range lines(t, n.RulesUp()) {
		if strings.HasSuffix(line, "-j SANDBOX-PORTS") && !strings.Contains(line, " ! -d ::1/128 ") {
			t.Error(line)
		}
	}
	e := examplePorts
	e.IPv6 = netip.MustParsePrefix("fd00::2/64")
	for _, line := range lines(t, n.Publish(e)) {
		if strings.Contains(line, "8081") {
			t.Error(line)
		}
	}
}

// ruleSteps leaves out what needs a bridge.
func ruleSteps(steps []kernel.Step) []kernel.Step {
	return slices.DeleteFunc(steps, func(s kernel.Step) bool { _, rule := s.Effect.(kernel.Rule); return !rule })
}

// TestMissing: what is there is not made again; what somebody has removed is.
func TestMissing(t *testing.T) {
	if !alone.Run(t) {
		return
	}
	needFirewall(t)
	n := exampleNetwork(nil)
	plan := func() []kernel.Step { return append(ruleSteps(n.RulesUp()), n.Publish(examplePorts)...) }
	door := &kernel.Door{}
	if missing := Missing(plan()); len(missing) != len(plan()) {
		t.Errorf("of %d steps %d are missing", len(plan()), len(missing))
	}
	if err := door.Do(Missing(plan())...); err != nil {
		t.Fatal(err)
	}
	if missing := lines(t, Missing(plan())); len(missing) != 0 {
		t.Errorf("done, and still missing: %q", missing)
	}
	owned, err := OwnedRules()
	if err != nil || len(owned) != 21 {
		t.Errorf("%d rules of ours, %v", len(owned), err)
	}
	for _, o := range owned { // whichever is removed, just that one is missing
		if err := door.Do(o.Remove("", "")); err != nil {
			t.Fatal(err)
		}
		missing := Missing(plan())
		switch {
		case o.Rule.Name == chainForward: // in which the order matters
			expect(t, lines(t, missing), `
iptables -F SANDBOX-FORWARD
iptables -A SANDBOX-FORWARD -m comment --comment sandbox -j SANDBOX-INTERNAL
iptables -A SANDBOX-FORWARD -m comment --comment sandbox -j SANDBOX-ACCEPT
iptables -A SANDBOX-FORWARD -m comment --comment sandbox -j SANDBOX-ISOLATION
iptables -A SANDBOX-FORWARD -m comment --comment sandbox -j SANDBOX-OUT`)
		case len(missing) != 1 || missing[0].Effect.(kernel.Rule).Rule != o.Rule:
			t.Errorf("%s was removed; missing are %q", o.Rule, lines(t, missing))
		}
		if err := door.Do(missing...); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAtOnce: many who want the same at the same time, and nothing is there twice; and when the last network goes nothing is left.
func TestAtOnce(t *testing.T) {
	if !alone.Run(t) {
		return
	}
	needFirewall(t)
	s := &Store{Door: &kernel.Door{}}
	var networks []*Network
	for i := range 8 {
		networks = append(networks, exampleNetwork(func(n *Network) { n.ID = strings.Repeat(string(rune('a'+i)), 64) }))
	}
	var all sync.WaitGroup
	for _, n := range append(networks, networks...) {
		all.Go(func() {
			if err := s.ensure(func() []kernel.Step { return ruleSteps(n.RulesUp()) }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	owned, err := OwnedRules()
	seen := map[firewall.Rule]bool{}
	for _, o := range owned {
		if seen[o.Rule] {
			t.Errorf("twice: %s", o.Rule)
		}
		seen[o.Rule] = true
	}
	if want := 9 + 8*9; err != nil || len(seen) != want {
		t.Errorf("%d rules, %v; want %d", len(seen), err, want)
	}
	for _, n := range networks {
		if err := s.rulesDown(n); err != nil {
			t.Error(err)
		}
	}
	found, _, err := firewall.Rules("", places()...)
	for chain, entries := range found {
		if strings.HasPrefix(chain.Name, "SANDBOX") || len(entries) > 0 {
			t.Errorf("left are %v: %v", chain, entries)
		}
	}
	if err != nil {
		t.Error(err)
	}
}
