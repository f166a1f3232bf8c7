package firewall

import "testing"

// TestDoes: what a rule does, and whether it is known of which packets.
func TestDoes(t *testing.T) {
	for _, c := range []struct {
		entry  Entry
		target string
		sure   bool
	}{
		{Entry{Rule: Rule{Target: "DROP"}, Known: true}, "DROP", true},
		{Entry{Rule: Rule{Target: "DROP"}, strange: " [limit]"}, "DROP", false},
		{Entry{strangeJump: " -j REJECT --reject-with icmp-port-unreachable"}, "REJECT", true},
		{Entry{strange: " [limit]", strangeJump: " -j REJECT"}, "REJECT", false},
		{Entry{Known: true}, "", true},
	} {
		if target, sure := c.entry.Does(); target != c.target || sure != c.sure {
			t.Errorf("%+v: %s %v", c.entry, target, sure)
		}
	}
}
