package network

import (
	"fmt"
	"net/netip"
	"strings"

	"sandbox/kernel"
)

// HostLine is a line of /etc/hosts: an address and its names.
type HostLine struct {
	Address netip.Addr
	Names   string // with spaces between them
}

// usualHosts are in every container's /etc/hosts.
const usualHosts = `127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
fe00::	ip6-localnet
ff00::	ip6-mcastprefix
ff02::1	ip6-allnodes
ff02::2	ip6-allrouters
`

// Hosts is a container's /etc/hosts: what everybody has, what --add-host adds, and its own addresses with its name. A
// container that was not given a host name has its short ID for one.
func Hosts(own []netip.Addr, hostname, domain string, extra []HostLine) string {
	var b strings.Builder
	b.WriteString(usualHosts)
	for _, l := range extra {
		fmt.Fprintf(&b, "%s\t%s\n", l.Address, l.Names)
	}
	for _, a := range own {
		fmt.Fprintf(&b, "%s\t%s\n", a, ownNames(hostname, domain))
	}
	return b.String()
}

// ownNames are the full name and its first part: db1.example.org db1.
func ownNames(hostname, domain string) string {
	full := hostname
	if domain != "" {
		full += "." + domain
	}
	if short, _, dotted := strings.Cut(full, "."); dotted {
		return full + " " + short
	}
	return full
}

// Hostname is a container's /etc/hostname.
func Hostname(name string) string { return name + "\n" }

// hostGateway stands for the host, as a container reaches it.
const hostGateway = "host-gateway"

// ExtraHost reads a value of --add-host: NAME:ADDRESS, NAME=ADDRESS, or NAME:host-gateway, which is the gateway of the container's
// network (several, if it has both families).
func ExtraHost(text string, gateway []netip.Addr) ([]HostLine, error) {
	name, address, found := strings.Cut(text, "=")
	if !found {
		name, address, found = strings.Cut(text, ":") // the first colon: IPv6 addresses have more of them
	}
	if !found || name == "" || strings.ContainsAny(name, " \t\r\n#") {
		return nil, kernel.Advise(fmt.Errorf("bad format for add-host: %q", text), "write it as NAME:ADDRESS, for example --add-host db1:172.18.0.9")
	}
	if address == hostGateway {
		if len(gateway) == 0 {
			return nil, kernel.Advise(fmt.Errorf("unable to derive the IP value for %s", hostGateway),
				"only a network with a gateway has one: name the address itself, or run it in another network")
		}
		var lines []HostLine
		for _, a := range gateway {
			lines = append(lines, HostLine{a, name})
		}
		return lines, nil
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(address, "["), "]"))
	if err != nil || a.Zone() != "" {
		return nil, kernel.Advise(fmt.Errorf("invalid IP address in add-host: %q", address), "after the name comes an IPv4 or IPv6 address, or host-gateway")
	}
	return []HostLine{{a, name}}, nil
}

// NameServerFlag reads a value of --dns.
func NameServerFlag(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return a, kernel.Advise(fmt.Errorf("IP address is not correctly formatted: %s", text), "name servers are named by their addresses: --dns 192.0.2.53")
	}
	return a, nil
}

// SearchFlag reads a value of --dns-search; a dot alone stands for no search list.
func SearchFlag(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text != "." && !isDomain(strings.TrimSuffix(text, ".")) {
		return "", kernel.Advise(fmt.Errorf("%q is not a valid domain", text), "for example --dns-search example.org; a dot alone leaves no search list")
	}
	return text, nil
}

// isDomain: labels of letters, digits, _ and, inside, -, with dots between them.
func isDomain(text string) bool {
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
				continue
			}
			return false
		}
	}
	return len(text) < 255
}
