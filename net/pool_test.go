package network

import (
	"net/netip"
	"strings"
	"testing"
)

func TestCandidates(t *testing.T) {
	list := candidates()
	if len(list) != 31 || list[0].String() != "172.17.0.0/16" || list[14].String() != "172.31.0.0/16" || list[15].String() != "192.168.0.0/20" || list[30].String() != "192.168.240.0/20" {
		t.Errorf("%v", list)
	}
	for i, p := range list {
		if p != p.Masked() || overlapping(p, list[:i]) != nil {
			t.Errorf("%s overlaps another one", p)
		}
	}
}

func TestFreeSubnet(t *testing.T) {
	var taken []netip.Prefix
	for range candidates() {
		p, err := freeSubnet(taken)
		if err != nil { // this machine has routes of its own, perhaps
			break
		}
		if overlapping(p, taken) != nil || overlapping(p, routes()) != nil {
			t.Fatalf("%s is not free", p)
		}
		taken = append(taken, p)
	}
	_, err := freeSubnet(append(taken, candidates()...))
	if err == nil || !strings.Contains(err.Error(), "fully subnetted") {
		t.Errorf("%v", err)
	}
}

func TestPoolBounds(t *testing.T) {
	for _, c := range []struct{ subnet, ipRange, first, last, from, to string }{
		{"10.0.0.0/24", "", "10.0.0.1", "10.0.0.254", "10.0.0.1", "10.0.0.254"},
		{"10.0.0.0/24", "10.0.0.128/25", "10.0.0.1", "10.0.0.254", "10.0.0.128", "10.0.0.254"},
		{"10.0.0.0/24", "10.0.0.0/28", "10.0.0.1", "10.0.0.254", "10.0.0.1", "10.0.0.15"},
		{"10.0.0.0/30", "", "10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.2"},
		{"172.16.0.0/12", "", "172.16.0.1", "172.31.255.254", "172.16.0.1", "172.31.255.254"},
		{"fd00::/64", "", "fd00::1", "fd00::ffff:ffff:ffff:ffff", "fd00::1", "fd00::ffff:ffff:ffff:ffff"},
	} {
		p := Pool{Subnet: netip.MustParsePrefix(c.subnet)}
		if c.ipRange != "" {
			p.IPRange = netip.MustParsePrefix(c.ipRange)
		}
		from, to := p.givenOut()
		if p.first().String() != c.first || p.last().String() != c.last || from.String() != c.from || to.String() != c.to {
			t.Errorf("%s: %s to %s, given out %s to %s", c.subnet, p.first(), p.last(), from, to)
		}
	}
}

func TestPoolCheck(t *testing.T) {
	for _, c := range []struct {
		subnet, gateway, ipRange, problem string
	}{
		{"10.0.0.0/24", "10.0.0.1", "10.0.0.0/25", ""},
		{"10.0.0.5/24", "", "", "it should be 10.0.0.0/24"},
		{"10.0.0.4/32", "", "", "no room for a container"},
		{"10.0.0.4/31", "", "", "no room for a container"},
		{"127.5.0.0/16", "", "", "no network can have"},
		{"224.1.0.0/16", "", "", "no network can have"},
		{"10.0.0.0/24", "10.0.0.0", "", "the gateway 10.0.0.0 is the address of the subnet 10.0.0.0/24 itself"},
		{"10.0.0.0/24", "10.0.0.255", "", "the gateway 10.0.0.255 is the broadcast address of the subnet 10.0.0.0/24"},
		{"10.0.0.0/24", "", "10.0.0.1/25", "invalid range 10.0.0.1/25: it should be 10.0.0.0/25"},
		{"fd00::/127", "", "", "no room for a container"},
		{"10.0.0.0/24", "10.0.1.1", "", "the gateway 10.0.1.1 is not in the subnet"},
		{"10.0.0.0/24", "", "10.0.0.0/16", "the range 10.0.0.0/16 is not in the subnet"},
		{"10.0.0.0/24", "", "10.0.1.0/25", "the range 10.0.1.0/25 is not in the subnet"},
	} {
		p := Pool{Subnet: netip.MustParsePrefix(c.subnet)}
		if c.gateway != "" {
			p.Gateway = netip.MustParseAddr(c.gateway)
		}
		if c.ipRange != "" {
			p.IPRange = netip.MustParsePrefix(c.ipRange)
		}
		if err := p.check(); (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"net": true, "my_net": true, "a": true, "9.9-x": true, strings.Repeat("a", 128): true,
		"": false, "-a": false, ".a": false, "a b": false, "a/b": false, "网": false, "a\n": false, strings.Repeat("a", 129): false,
	} {
		if err := checkName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestInterfaceNames(t *testing.T) {
	for name, ok := range map[string]bool{"br0": true, "a-name-of-15-ch": true, "a-name-of-16-cha": false, "": false, ".": false, "a/b": false, "a b": false, "a:b": false} {
		if err := checkInterfaceName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// What is always there has an ID that follows from the store's place; two stores on one machine do not want the same bridge.
func TestPredefined(t *testing.T) {
	here, there := &Store{Dir: usualDir}, &Store{Dir: "/tmp/other/networks"}
	if here.defaultBridge() != "sandbox0" || there.defaultBridge() == "sandbox0" || checkInterfaceName(there.defaultBridge()) != nil {
		t.Errorf("%s and %s", here.defaultBridge(), there.defaultBridge())
	}
	if a, b := here.PredefinedID("none"), there.PredefinedID("none"); a == b || len(a) != 64 || a != here.PredefinedID("none") {
		t.Errorf("%s and %s", a, b)
	}
}
