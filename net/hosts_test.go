package network

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"sandbox/kernel"
)

func TestHosts(t *testing.T) {
	own := []netip.Addr{netip.MustParseAddr("172.18.0.2"), netip.MustParseAddr("fd00::2")}
	extra, err := ExtraHost("db:192.0.2.7", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := usualHosts + "192.0.2.7\tdb\n172.18.0.2\tweb.example.org web\nfd00::2\tweb.example.org web\n"
	if got := Hosts(own, "web", "example.org", extra); got != want {
		t.Errorf("%s", got)
	}
	if got := Hosts(nil, "0123456789ab", "", nil); got != usualHosts {
		t.Errorf("without a network: %s", got)
	}
	if got := Hosts(own[:1], "0123456789ab", "", nil); got != usualHosts+"172.18.0.2\t0123456789ab\n" {
		t.Errorf("with its ID as its name: %s", got)
	}
	for line := range strings.Lines(want) {
		address, _, _ := strings.Cut(line, "\t")
		if _, err := netip.ParseAddr(address); err != nil {
			t.Error(err)
		}
	}
}

func TestExtraHost(t *testing.T) {
	gateway := []netip.Addr{netip.MustParseAddr("172.17.0.1"), netip.MustParseAddr("fd00::1")}
	for _, c := range []struct{ text, want string }{
		{"db:192.0.2.7", "[{192.0.2.7 db}]"},
		{"db=192.0.2.7", "[{192.0.2.7 db}]"},
		{"db:fd00::7", "[{fd00::7 db}]"},
		{"db:[fd00::7]", "[{fd00::7 db}]"},
		{"db=::1", "[{::1 db}]"},
		{"up:host-gateway", "[{172.17.0.1 up} {fd00::1 up}]"},
	} {
		got, err := ExtraHost(c.text, gateway)
		if err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, %v", c.text, got, err)
		}
	}
	for text, cause := range map[string]string{
		"db": "bad format", ":192.0.2.7": "bad format", "": "bad format", "a b:192.0.2.7": "bad format", "db:": "invalid IP", "db:192.0.2": "invalid IP",
		"db:host-gate": "invalid IP", "db:fe80::1%eth0": "invalid IP",
	} {
		if _, err := ExtraHost(text, gateway); err == nil || !strings.Contains(err.Error(), cause) || kernel.CureOf(err) == "" {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := ExtraHost("up:host-gateway", nil); err == nil || kernel.CureOf(err) == "" {
		t.Errorf("without a gateway: %v", err)
	}
}

const hostFile = `# of the host
nameserver 127.0.0.53
nameserver 192.0.2.1
nameserver fd00::53
nameserver fe80::1%eth0
nameserver some.name
domain example.net
search example.org corp.example.org
options edns0 trust-ad
sortlist 192.0.2.0
`

func TestResolvConf(t *testing.T) {
	const header = "# Made by sandbox for this container, which may change it.\n\n"
	rest := "search example.org corp.example.org\noptions edns0 trust-ad\nsortlist 192.0.2.0\n\n# Based on host file: '/etc/resolv.conf'"
	const invalid = "# Invalid nameservers: [some.name]\n"
	host := ParseResolvConf(hostFile)
	check := func(what, got, want string) {
		t.Helper()
		if got != header+want {
			t.Errorf("%s:\n%s", what, got)
		}
	}
	check("the host's network", host.ForHost(),
		"nameserver 127.0.0.53\nnameserver 192.0.2.1\nnameserver fd00::53\nnameserver fe80::1%eth0\n"+rest+"\n"+invalid+"# Overrides: []\n")
	check("the default bridge", host.ForBridge(false), "nameserver 192.0.2.1\n"+rest+" (legacy)\n"+invalid+"# Overrides: []\n")
	check("the same with IPv6", host.ForBridge(true),
		"nameserver 192.0.2.1\nnameserver fd00::53\nnameserver fe80::1%eth0\n"+rest+" (legacy)\n"+invalid+"# Overrides: []\n")

	text, servers := host.ForNetwork(false)
	check("a network of one's own", text, "nameserver 127.0.0.11\n"+strings.Replace(rest, "trust-ad", "trust-ad ndots:0", 1)+
		" (internal resolver)\n# ExtServers: [host(127.0.0.53) 192.0.2.1 host(fd00::53) host(fe80::1%eth0)]\n"+invalid+"# Overrides: []\n# Option ndots from: internal\n")
	if len(servers) != 4 || host.NDots() {
		t.Errorf("servers %v, ndots %v", servers, host.NDots())
	}

	only := ParseResolvConf("nameserver 127.0.0.1\noptions ndots:2\n")
	check("only a loopback server", only.ForBridge(false),
		"nameserver 8.8.8.8\nnameserver 8.8.4.4\noptions ndots:2\n\n# Based on host file: '/etc/resolv.conf' (legacy)\n# Used default nameservers.\n# Overrides: []\n")
	text, _ = only.ForNetwork(false)
	check("the host has ndots", text,
		"nameserver 127.0.0.11\noptions ndots:2\n\n# Based on host file: '/etc/resolv.conf' (internal resolver)\n# ExtServers: [host(127.0.0.1)]\n# Overrides: []\n# Option ndots from: host\n")
	if !only.NDots() {
		t.Error("ndots is not seen")
	}

	flags := only.With(DNS{Servers: []netip.Addr{netip.MustParseAddr("127.0.0.5")}, Search: []string{"."}, Options: []string{"ndots:x", "ndots:1"}})
	check("flags", flags.ForBridge(false), "nameserver 127.0.0.5\noptions ndots:x ndots:1\n\n# Based on host file: '/etc/resolv.conf' (legacy)\n# Overrides: [nameservers search options]\n")
	text, servers = flags.ForNetwork(false)
	check("flags, in a network", text, "nameserver 127.0.0.11\noptions ndots:1\n\n# Based on host file: '/etc/resolv.conf' (internal resolver)\n"+
		"# ExtServers: [127.0.0.5]\n# Overrides: [nameservers search options]\n# Option ndots from: override\n")
	if len(servers) != 1 {
		t.Error(servers)
	}

	text, servers = ParseResolvConf("").ForNetwork(true)
	if !strings.Contains(text, "(internal resolver)\n# NO EXTERNAL NAMESERVERS DEFINED\n# Overrides") || len(servers) != 0 {
		t.Errorf("an empty file:\n%s", text)
	}
}

func TestFlagsOfNames(t *testing.T) {
	for text, good := range map[string]bool{
		"example.org": true, ".": true, "a_b.c-d.": true, " lan ": true, "": false, "-a.org": false, "a..b": false, "a b": false, "ä.org": false,
		strings.Repeat("a", 64): false, strings.Repeat("abcdefgh.", 30): false,
	} {
		if _, err := SearchFlag(text); (err == nil) != good || err != nil && kernel.CureOf(err) == "" {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := NameServerFlag("example.org"); err == nil || kernel.CureOf(err) == "" {
		t.Error(err)
	}
}
