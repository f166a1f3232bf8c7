package firewall

import (
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sandbox/kernel/firewall/alone"
)

// TestMade: what was made for rules is taken away with them, unless somebody else has come to use it, or had it before.
func TestMade(t *testing.T) {
	if !alone.Run(t) {
		return
	}
	noFirewall(t)
	forward, output := Rule{Chain: chain(IPv4, "filter", "FORWARD"), Target: "ACCEPT"}, Rule{Chain: chain(IPv6, "nat", "OUTPUT"), Target: "ACCEPT"}
	for _, c := range []struct{ name, before, meanwhile, want string }{
		{name: "alone", want: "iptables -X FORWARD, nft delete table ip filter, ip6tables -t nat -X OUTPUT, nft delete table ip6 nat"},
		{name: "another rule in the chain", meanwhile: "-A FORWARD -j DROP", want: "ip6tables -t nat -X OUTPUT, nft delete table ip6 nat"},
		{name: "another chain in the table", meanwhile: "-N OTHER", want: "iptables -X FORWARD, ip6tables -t nat -X OUTPUT, nft delete table ip6 nat"},
		{name: "a policy", meanwhile: "-P FORWARD DROP", want: "ip6tables -t nat -X OUTPUT, nft delete table ip6 nat"},
		{name: "a chain of before", before: "-P FORWARD ACCEPT", want: "ip6tables -t nat -X OUTPUT, nft delete table ip6 nat"},
	} {
		t.Run(c.name, func(t *testing.T) {
			runtime.LockOSThread() // and never unlocked: the thread ends with the test
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
				t.Fatal(err)
			}
			iptables := func(arguments string) {
				if arguments != "" {
					needIptables(t)
					run(t, "iptables", strings.Fields(arguments)...)
				}
			}
			iptables(c.before)
			mustApply(t, Change{Append, forward}, Change{Append, output})
			if left, _, err := Made(); err != nil || len(left) > 0 {
				t.Errorf("in use, but to be taken away: %v %v", left, err)
			}
			iptables(c.meanwhile)
			mustApply(t, Change{Delete, forward}, Change{Delete, output})
			left, generation, err := Made()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, errno := range Apply(left, generation) {
				got = append(got, left[i].String())
				if errno != 0 {
					t.Errorf("%s: %v", left[i], errno)
				}
			}
			if all := strings.Join(got, ", "); all != c.want {
				t.Errorf("taken away were\n%s, not\n%s", all, c.want)
			}
		})
	}
}
