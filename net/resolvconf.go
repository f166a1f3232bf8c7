package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// NameServer is where a container of a user-defined network asks for names: its monitor answers there (package resolver).
const NameServer = "127.0.0.11"

// publicServers are asked where the host names none that a container can reach. They are Docker's choice.
var publicServers = []string{"8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844"}

// ResolvConf is what a file such as /etc/resolv.conf says (resolv.conf(5)), and what becomes of it in a container.
type ResolvConf struct {
	Servers []netip.Addr
	Search  []string
	Options []string

	other, invalid []string // lines that are not known; words that are no addresses
	overrides      []string // what flags have replaced
}

// DNS is what the flags --dns, --dns-search and --dns-option ask for. What is nil is as the host has it.
type DNS struct {
	Servers         []netip.Addr
	Search, Options []string
}

// ParseResolvConf never fails: the host's own resolver, too, takes what it understands.
func ParseResolvConf(text string) ResolvConf {
	var c ResolvConf
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' || words[0][0] == ';' {
			continue
		}
		switch word, rest := words[0], words[1:]; {
		case word != "nameserver" && word != "search" && word != "domain" && word != "options":
			c.other = append(c.other, strings.TrimRight(line, "\n"))
		case len(rest) == 0:
		case word == "nameserver":
			if a, err := netip.ParseAddr(rest[0]); err == nil {
				c.Servers = append(c.Servers, a)
			} else {
				c.invalid = append(c.invalid, rest[0])
			}
		case word == "options":
			c.Options = append(c.Options, rest...)
		default: // domain is the older word; the last line counts
			c.Search = rest
		}
	}
	return c
}

// With replaces what flags ask for. --dns-search . leaves no search list.
func (c ResolvConf) With(dns DNS) ResolvConf {
	if len(dns.Servers) > 0 {
		c.Servers, c.overrides = dns.Servers, append(c.overrides, "nameservers")
	}
	if len(dns.Search) > 0 {
		c.Search, c.overrides = nil, append(c.overrides, "search")
		for _, domain := range dns.Search {
			if domain != "." {
				c.Search = append(c.Search, domain)
			}
		}
	}
	if len(dns.Options) > 0 {
		c.Options, c.overrides = dns.Options, append(c.overrides, "options")
	}
	return c
}

// replaced tells whether a flag has done so.
func (c ResolvConf) replaced(what string) bool { return slices.Contains(c.overrides, what) }

// NDots tells whether the host or a flag says from how many dots on a name is asked for as it is.
func (c ResolvConf) NDots() bool {
	for _, option := range c.Options {
		if isNDots(option) && validNDots(option) {
			return true
		}
	}
	return false
}

func isNDots(option string) bool { return option == "ndots" || strings.HasPrefix(option, "ndots:") }

func validNDots(option string) bool {
	n, err := strconv.Atoi(strings.TrimPrefix(option, "ndots:"))
	return err == nil && n >= 0
}

// ForHost is the file of a container in the host's network: the same, but for flags.
func (c ResolvConf) ForHost() string { return c.text("", nil, "") }

// ForBridge is the file of a container without a name server of its own: on the default bridge, or in no network. The host's
// loopback is not the container's, so that name servers there are left out; IPv6 ones, too, where the network has none.
// Where none is left it has public ones, as with Docker. What --dns names stays.
func (c ResolvConf) ForBridge(ipv6 bool) string {
	if c.replaced("nameservers") {
		return c.text("legacy", nil, "")
	}
	var reachable []netip.Addr
	for _, a := range c.Servers {
		if !a.IsLoopback() && (a.Is4() || ipv6) {
			reachable = append(reachable, a)
		}
	}
	note := ""
	if c.Servers = reachable; len(reachable) == 0 {
		c.Servers, note = defaultServers(ipv6), "# Used default nameservers.\n"
	}
	return c.text("legacy", nil, note)
}

// ForUserland is the file of a container whose packets a program carries: that asks the host's name servers itself, and
// answers under an address of its own.
func (c ResolvConf) ForUserland(server netip.Addr) string {
	if !c.replaced("nameservers") {
		c.Servers = []netip.Addr{server}
	}
	return c.text("userland", nil, "")
}

// ForNetwork is the file of a container in a user-defined network. The servers are those that the container's name server
// asks for other names. In the comment host(…) are those of the host's own; ndots:0, if nobody has asked for another
// number, means that a container's name is asked for before the search list is tried.
func (c ResolvConf) ForNetwork(ipv6 bool) (text string, servers []netip.Addr) {
	servers, note := c.Servers, ""
	if len(servers) == 0 { // its name server then says so to whoever asks for other names
		note = "# NO EXTERNAL NAMESERVERS DEFINED\n"
	}
	var shown []string
	for _, a := range servers {
		if !c.replaced("nameservers") && (a.IsLoopback() || a.Is6() && !ipv6 || a.Zone() != "") {
			shown = append(shown, fmt.Sprintf("host(%s)", a))
		} else {
			shown = append(shown, a.String())
		}
	}
	from := "internal"
	switch {
	case c.NDots() && c.replaced("options"):
		from = "override"
	case c.NDots():
		from = "host"
	}
	var options []string
	for _, option := range c.Options {
		if !isNDots(option) || validNDots(option) {
			options = append(options, option)
		}
	}
	if from == "internal" {
		options = append(options, "ndots:0")
	}
	c.Servers, c.Options = []netip.Addr{netip.MustParseAddr(NameServer)}, options
	return c.text("internal resolver", shown, note) + "# Option ndots from: " + from + "\n", servers
}

func defaultServers(ipv6 bool) []netip.Addr {
	var list []netip.Addr
	for _, text := range publicServers {
		if a := netip.MustParseAddr(text); a.Is4() || ipv6 {
			list = append(list, a)
		}
	}
	return list
}

// text writes the file. The comments at its end say where it comes from; the way is what was done to the host's.
func (c ResolvConf) text(way string, outside []string, note string) string {
	var b strings.Builder
	b.WriteString("# Made by sandbox for this container, which may change it.\n\n")
	for _, a := range c.Servers {
		fmt.Fprintf(&b, "nameserver %s\n", a)
	}
	if len(c.Search) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(c.Search, " "))
	}
	if len(c.Options) > 0 {
		fmt.Fprintf(&b, "options %s\n", strings.Join(c.Options, " "))
	}
	for _, line := range c.other {
		b.WriteString(line + "\n")
	}
	b.WriteString("\n# Based on host file: '/etc/resolv.conf'")
	if way != "" {
		fmt.Fprintf(&b, " (%s)", way)
	}
	b.WriteString("\n" + note)
	if len(outside) > 0 {
		fmt.Fprintf(&b, "# ExtServers: %v\n", outside)
	}
	if len(c.invalid) > 0 {
		fmt.Fprintf(&b, "# Invalid nameservers: %v\n", c.invalid)
	}
	fmt.Fprintf(&b, "# Overrides: %v\n", c.overrides)
	return b.String()
}
