package firewall

import (
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"sandbox/kernel/firewall/alone"
)

// mustApply makes changes, and ends the test if one fails.
func mustApply(t *testing.T, changes ...Change) {
	t.Helper()
	for i, errno := range Apply(changes, 0) {
		if errno != 0 {
			t.Fatalf("%s: %v", changes[i], errno)
		}
	}
}

// noFirewall skips the test where the kernel has none.
func noFirewall(t *testing.T) {
	t.Helper()
	_, _, err := Rules("", Chain{IPv4, "filter", "FORWARD"})
	if err != nil {
		t.Skipf("needs [nf_tables]: %v", err)
	}
}

// allExamples are the examples as changes, with the chain that one of them jumps to.
func allExamples() []Change {
	changes := []Change{{NewChain, Rule{Chain: chain(IPv4, "nat", "SANDBOX-PORTS")}}}
	for _, e := range examples {
		changes = append(changes, Change{Append, e.rule})
	}
	return changes
}

func TestWrittenAndRead(t *testing.T) {
	if !alone.Run(t) {
		return
	}
	noFirewall(t)
	mustApply(t, allExamples()...)
	for _, e := range examples {
		found, _, err := Rules("", e.rule.Chain)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(found[e.rule.Chain], func(f Entry) bool { return f.Known && f.Rule == e.rule }) {
			t.Errorf("%s\nis not among\n%v", e.line, found[e.rule.Chain])
		}
	}
}

// run a program, which must succeed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func needIptables(t *testing.T) {
	t.Helper()
	out, err := exec.Command("iptables", "--version").Output()
	if err != nil || !strings.Contains(string(out), "nf_tables") {
		t.Skip("needs [iptables]: iptables-nft is not installed")
	}
}

// lines of iptables-save's that are rules.
func saved(t *testing.T, f Family, table string) (rules []string) {
	t.Helper()
	for _, line := range strings.Split(run(t, f.Program()+"-save", "-t", table), "\n") {
		if strings.HasPrefix(line, "-A") {
			rules = append(rules, strings.TrimSpace(line))
		}
	}
	return rules
}

// TestLikeIptables: iptables prints our rules as we do, finds them, and can take them away; and we find those that it has written.
func TestLikeIptables(t *testing.T) {
	if !alone.Run(t) {
		return
	}
	noFirewall(t)
	needIptables(t)
	mustApply(t, allExamples()...)
	for _, e := range examples {
		if !slices.Contains(saved(t, e.rule.Family, e.rule.Table), e.line) {
			t.Errorf("%s\nis not among\n%s", e.line, strings.Join(saved(t, e.rule.Family, e.rule.Table), "\n"))
		}
		words := commandWords(Change{"-C", e.rule}.withBody())
		run(t, words[0], words[1:]...)
	}
	for _, e := range examples {
		words := commandWords(Change{Delete, e.rule}.String())
		run(t, words[0], words[1:]...)
		if left := saved(t, e.rule.Family, e.rule.Table); slices.Contains(left, e.line) {
			t.Errorf("iptables -D has left %s", e.line)
		}
		words = commandWords(Change{Append, e.rule}.String())
		run(t, words[0], words[1:]...)
		found, _, err := Rules("", e.rule.Chain)
		if err != nil || !slices.ContainsFunc(found[e.rule.Chain], func(f Entry) bool { return f.Known && f.Rule == e.rule }) {
			t.Errorf("what iptables has written is not found (%v):\n%s\namong %v", err, e.line, found[e.rule.Chain])
		}
		mustApply(t, Change{Delete, e.rule})
		if left := saved(t, e.rule.Family, e.rule.Table); slices.Contains(left, e.line) {
			t.Errorf("it is still there: %s", e.line)
		}
	}
}

func (c Change) withBody() string {
	return c.Rule.Command() + " " + string(c.Verb) + " " + c.Rule.Name + c.Rule.Body()
}

// commandWords splits a command line as a shell does, as far as quotes go.
func commandWords(line string) (words []string) {
	var word strings.Builder
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && quoted:
			i++
			word.WriteByte(line[i])
		case c == '"':
			quoted = !quoted
		case c == ' ' && !quoted:
			words = append(words, word.String())
			word.Reset()
		default:
			word.WriteByte(c)
		}
	}
	return append(words, word.String())
}

// TestTransaction: all or nothing, who is to blame, and what may be missing.
func TestTransaction(t *testing.T) {
	if !alone.Run(t) {
		return
	}
	noFirewall(t)
	ours, other := chain(IPv4, "filter", "SANDBOX"), chain(IPv4, "filter", "NOBODY")
	add := Change{Append, Rule{Chain: ours, Target: "DROP"}}
	outcome := Apply([]Change{{NewChain, Rule{Chain: ours}}, add, {Append, Rule{Chain: other, Target: "DROP"}}}, 0)
	if want := []syscall.Errno{ErrNotSent, ErrNotSent, unix.ENOENT}; !slices.Equal(outcome, want) {
		t.Errorf("%v, want %v", outcome, want)
	}
	if found, _, err := Rules("", ours); err != nil || len(found) != 0 {
		t.Errorf("half of a transaction was made: %v, %v", found, err)
	}

	mustApply(t, Change{NewChain, Rule{Chain: ours}}, Change{NewChain, Rule{Chain: ours}}, add, add, Change{Insert, Rule{Chain: ours, Target: "ACCEPT"}})
	outcome = Apply([]Change{{Delete, Rule{Chain: ours, Target: "RETURN"}}, {Delete, Rule{Chain: other}}, {FlushChain, Rule{Chain: other}}, {Delete, add.Rule}}, 0)
	if want := []syscall.Errno{unix.ENOENT, unix.ENOENT, unix.ENOENT, 0}; !slices.Equal(outcome, want) {
		t.Errorf("%v, want %v", outcome, want)
	}
	found, generation, err := Rules("", ours)
	if err != nil || len(found[ours]) != 1 || found[ours][0].Target != "ACCEPT" {
		t.Errorf("left are %v, %v", found, err)
	}

	mustApply(t, add)
	if outcome := Apply([]Change{add}, generation); outcome[0] != unix.ERESTART {
		t.Errorf("somebody else has changed the rules, and it is not noticed: %v", outcome)
	}
	_, generation, _ = Rules("", ours)
	if outcome := Apply([]Change{{FlushChain, Rule{Chain: ours}}, {DeleteChain, Rule{Chain: ours}}}, generation); outcome[0] != 0 || outcome[1] != 0 {
		t.Errorf("nobody has changed the rules: %v", outcome)
	}
}

// TestMany: a transaction that does not fit into the socket at once.
func TestMany(t *testing.T) {
	if !alone.Run(t) {
		return
	}
	noFirewall(t)
	ours := chain(IPv4, "nat", "SANDBOX-PORTS")
	changes := []Change{{NewChain, Rule{Chain: ours}}}
	for port := range uint16(2000) {
		changes = append(changes, Change{Append, Rule{Chain: ours, Protocol: "tcp", Ports: Port(port + 1), Target: "DNAT", ToAddress: examples[7].rule.ToAddress, ToPorts: Port(80), Comment: strings.Repeat("x", 200)}})
	}
	mustApply(t, changes...)
	found, _, err := Rules("", ours)
	if err != nil || len(found[ours]) != 2000 || found[ours][1999].Rule != changes[2000].Rule {
		t.Errorf("%d rules, %v", len(found[ours]), err)
	}
}

// TestChainsStay: a chain of the kernel's that is there keeps its policy and its priority.
func TestChainsStay(t *testing.T) {
	if !alone.Run(t) {
		return
	}
	noFirewall(t)
	needIptables(t)
	run(t, "iptables", "-P", "FORWARD", "DROP")
	mustApply(t, Change{Insert, Rule{Chain: chain(IPv4, "filter", "FORWARD"), Target: "ACCEPT"}})
	if got := run(t, "iptables", "-S", "FORWARD"); got != "-P FORWARD DROP\n-A FORWARD -j ACCEPT\n" {
		t.Errorf("%s", got)
	}
}

// TestNative: without NFT_COMPAT.
func TestNative(t *testing.T) {
	if !alone.Run(t) {
		return
	}
	noFirewall(t)
	s, err := open()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	changes := allExamples()
	for i, errno := range s.apply(changes, 0, true) {
		if errno != 0 {
			t.Errorf("%s: %v", changes[i], errno)
		}
	}
	for _, e := range examples {
		found, _, _ := Rules("", e.rule.Chain)
		if !slices.ContainsFunc(found[e.rule.Chain], func(f Entry) bool { return f.Known && f.Rule == e.rule }) {
			t.Errorf("%s\nis not among\n%v", e.line, found[e.rule.Chain])
		}
	}
}

// withoutDates leaves the comments out.
func withoutDates(text string) string {
	lines := strings.Split(text, "\n")
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "#") }), "\n")
}

// TestSaved: what we print of rules, ours and others', is what iptables prints.
func TestSaved(t *testing.T) {
	if !alone.Run(t) {
		return
	}
	noFirewall(t)
	needIptables(t)
	mustApply(t, allExamples()...)
	for _, line := range []string{
		"iptables -P FORWARD DROP", "iptables -N OTHERS", "iptables -A INPUT -g OTHERS",
		"iptables -A INPUT -m mark --mark 0x1/0xff -j MARK --set-xmark 0x10/0x10", "iptables -A INPUT -m mark ! --mark 0x4000 -j REJECT", "iptables -A INPUT -p tcp -j REJECT --reject-with tcp-reset",
		"iptables -A INPUT ! -p tcp -j ACCEPT", "iptables -A INPUT -p tcp ! --dport 22 -j ACCEPT", "iptables -A INPUT -p udp ! --sport 22:24 -j ACCEPT",
		"iptables -A INPUT -m state --state NEW -j ACCEPT", "iptables -A INPUT -m conntrack ! --ctstate NEW -j DROP", "iptables -A INPUT -p icmp --icmp-type echo-request -j ACCEPT",
		"iptables -t nat -A PREROUTING -p tcp -j REDIRECT --to-ports 8080", "ip6tables -A INPUT -p icmpv6 --icmpv6-type echo-request -j REJECT",
		"ip6tables -A INPUT -m mark --mark 1 -j REJECT --reject-with icmp6-adm-prohibited",
	} {
		words := strings.Fields(line)
		run(t, words[0], words[1:]...)
	}
	for _, family := range []Family{IPv4, IPv6} {
		var ours strings.Builder
		if err := Save(&ours, family, "", false); err != nil {
			t.Fatal(err)
		}
		if want := withoutDates(run(t, family.Program()+"-save")); withoutDates(ours.String()) != want {
			t.Errorf("%s\nwant\n%s", ours.String(), want)
		}
	}
	list, exists, err := Table(IPv4, "nat")
	if err != nil || !exists {
		t.Fatal(err)
	}
	var ours strings.Builder
	for i, l := range list {
		if i > 0 {
			ours.WriteString("\n")
		}
		List(&ours, l, ListOptions{Verbose: true, Numbers: true, Exact: true})
	}
	want := run(t, "iptables", "-t", "nat", "-L", "-v", "-x", "-n", "--line-numbers")
	if squeeze(ours.String()) != squeeze(want) {
		t.Errorf("%s\nwant\n%s", ours.String(), want)
	}
}

// squeeze makes one blank of many: how wide a column is differs from version to version; and so does whether a protocol has a name.
func squeeze(text string) string {
	for _, p := range [][2]string{{" 0 -- ", " all -- "}, {" 6 -- ", " tcp -- "}, {" 17 -- ", " udp -- "}, {" 132 -- ", " sctp -- "}} {
		text = strings.ReplaceAll(strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }), " "), p[0], p[1])
	}
	return text
}
