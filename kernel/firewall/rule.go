// Package firewall reads and writes the kernel's firewall rules, in iptables' terms and without that program.
//
// Since 2018 `iptables` is, on most systems, a translator: it keeps its tables, chains and rules in nf_tables, the kernel's newer
// packet filter. This package writes rules in the same form over the same netlink socket, so that `iptables-save` shows them like its
// own and `iptables -C` and `-D` find them. A rule is a list of expressions, small instructions: load the name of the interface that
// the packet came in by, compare, go on or leave the rule (encode.go, decode.go). What nf_tables has no expression for that iptables
// understands is done by iptables' old extensions, which the kernel can call from a rule (NFT_COMPAT); a kernel without those gets
// expressions of nf_tables' own, which do the same but are not understood by `iptables-save`.
//
// Changes are sent as a batch, a transaction: the kernel makes all of them, or none (batch.go).
//
// Sources: include/uapi/linux/netfilter/nf_tables.h and nfnetlink.h, net/netfilter/nft_compat.c (Linux 3.13 or newer); iptables-extensions(8)
// for what the options mean.
package firewall

import (
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Family is the version of IP: each has tables of its own.
type Family uint8

// Families, with their numbers in the kernel (NFPROTO_…).
const (
	IPv4 Family = unix.NFPROTO_IPV4
	IPv6 Family = unix.NFPROTO_IPV6
)

// FamilyOf an address.
func FamilyOf(a netip.Addr) Family {
	if a.Is4() || a.Is4In6() {
		return IPv4
	}
	return IPv6
}

// Program is the command that a person would use.
func (f Family) Program() string {
	if f == IPv6 {
		return "ip6tables"
	}
	return "iptables"
}

func (f Family) nft() string {
	if f == IPv6 {
		return "ip6"
	}
	return "ip"
}

// Chain is a list of rules in a table: filter, nat, raw or mangle.
type Chain struct {
	Family Family
	Table  string
	Name   string
}

// Command is how iptables is called for the chain's table.
func (c Chain) Command() string {
	if c.Table == "filter" {
		return c.Family.Program()
	}
	return c.Family.Program() + " -t " + c.Table
}

// Rule is what a packet must be like, and what then happens to it. What is empty is not looked at. Two rules that say the same are
// equal (==).
type Rule struct {
	Chain

	From, To    Prefix    // -s, -d: the packet's addresses
	In, Out     Interface // -i, -o
	Protocol    string    // -p: tcp, udp, sctp, icmp, ipv6-icmp
	SourcePorts Ports     // --sport
	Ports       Ports     // --dport
	FromType    Type      // -m addrtype --src-type
	ToType      Type      // -m addrtype --dst-type
	State       State     // -m conntrack --ctstate: any of these
	Comment     string    // -m comment --comment, at most 255 bytes
	Target      string    // -j: ACCEPT, DROP, RETURN, MASQUERADE, DNAT, SNAT, or a chain; "": only counted
	ToAddress   netip.Addr
	ToPorts     Ports // of DNAT and SNAT; none: the port stays
}

// Prefix is addresses that begin alike, or (Not) all others.
type Prefix struct {
	netip.Prefix
	Not bool
}

// Interface is one by its name, those whose names begin with it (a + at its end), or (Not) all others.
type Interface struct {
	Name string
	Not  bool
}

// Ports from the first to the last; Last is 0 when it is one.
type Ports struct{ First, Last uint16 }

// Type of address, as the routing tables know it. Only LOCAL, one of this machine's, is needed here.
type Type uint8

// Types of addresses.
const (
	AnyType Type = iota
	Local
	NotLocal
)

// State is what the connection that a packet belongs to is like, as a set of bits: XT_CONNTRACK_STATE_… of
// include/uapi/linux/netfilter/xt_conntrack.h.
type State uint16

// States.
const (
	Invalid     State = 1 << 0
	Established State = 1 << 1 // packets have been seen in both directions
	Related     State = 1 << 2 // it begins because of another one: an ICMP error, say
	New         State = 1 << 3
	SourceNAT   State = 1 << 6 // its source address has been replaced
	DestNAT     State = 1 << 7 // its destination has been replaced: it came by a published port
	Untracked   State = 1 << 8
)

var stateNames = []struct {
	bit  State
	name string
}{{Invalid, "INVALID"}, {New, "NEW"}, {Related, "RELATED"}, {Established, "ESTABLISHED"}, {Untracked, "UNTRACKED"}, {SourceNAT, "SNAT"}, {DestNAT, "DNAT"}}

func (s State) String() string {
	var names []string
	for _, n := range stateNames {
		if s&n.bit != 0 {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, ",")
}

// Port is a range of one.
func Port(n uint16) Ports { return Ports{First: n} }

// Some are given at all.
func (p Ports) some() bool { return p.First != 0 || p.Last != 0 }

func (p Ports) last() uint16 { return max(p.First, p.Last) }

func (p Ports) text(separator string) string {
	if p.last() == p.First {
		return strconv.Itoa(int(p.First))
	}
	return strconv.Itoa(int(p.First)) + separator + strconv.Itoa(int(p.Last))
}

// String is the rule as iptables-save prints it.
func (r Rule) String() string { return "-A " + r.Name + r.Body() }

// Body is the rule as iptables-save prints it, without the chain.
func (r Rule) Body() string { return r.matches() + r.jump() }

// matches is what a packet must be like.
func (r Rule) matches() string {
	w := &words{}
	w.prefix("-s", r.From)
	w.prefix("-d", r.To)
	w.interfaceName("-i", r.In)
	w.interfaceName("-o", r.Out)
	if r.Protocol != "" {
		w.add("-p", r.Protocol)
	}
	w.ports(r)
	w.addressTypes(r)
	if r.State != 0 {
		w.add("-m", "conntrack", "--ctstate", r.State.String())
	}
	w.comment(r.Comment)
	return w.String()
}

// jump is what happens to it.
func (r Rule) jump() string {
	w := &words{}
	w.target(r)
	return w.String()
}

// words of a command line, each with a blank before it.
type words struct{ strings.Builder }

func (w *words) add(list ...string) {
	for _, word := range list {
		w.WriteByte(' ')
		w.WriteString(word)
	}
}

func (w *words) not(not bool) {
	if not {
		w.add("!")
	}
}

func (w *words) prefix(option string, p Prefix) {
	if p.IsValid() {
		w.not(p.Not)
		w.add(option, p.Prefix.String())
	}
}

func (w *words) interfaceName(option string, i Interface) {
	if i.Name != "" {
		w.not(i.Not)
		w.add(option, i.Name)
	}
}

func (w *words) ports(r Rule) {
	if !r.SourcePorts.some() && !r.Ports.some() {
		return
	}
	w.add("-m", r.Protocol)
	if r.SourcePorts.some() {
		w.add("--sport", r.SourcePorts.text(":"))
	}
	if r.Ports.some() {
		w.add("--dport", r.Ports.text(":"))
	}
}

func (w *words) addressTypes(r Rule) {
	if r.FromType == AnyType && r.ToType == AnyType {
		return
	}
	w.add("-m", "addrtype")
	if r.FromType != AnyType {
		w.not(r.FromType == NotLocal)
		w.add("--src-type", "LOCAL")
	}
	if r.ToType != AnyType {
		w.not(r.ToType == NotLocal)
		w.add("--dst-type", "LOCAL")
	}
}

// comment is quoted when it has more than letters, digits and a few signs, as iptables does it.
func (w *words) comment(text string) {
	if text == "" {
		return
	}
	if strings.Trim(text, "_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		text = `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(text) + `"`
	}
	w.add("-m", "comment", "--comment", text)
}

func (w *words) target(r Rule) {
	if r.Target == "" {
		return
	}
	w.add("-j", r.Target)
	switch r.Target {
	case "DNAT":
		w.add("--to-destination", r.translation())
	case "SNAT":
		w.add("--to-source", r.translation())
	case "REDIRECT", "MASQUERADE":
		if r.ToPorts.some() {
			w.add("--to-ports", r.ToPorts.text("-"))
		}
	}
}

// translation is ADDRESS:PORT, either of which may be missing.
func (r Rule) translation() string {
	var address string
	if r.ToAddress.IsValid() {
		address = r.ToAddress.String()
	}
	if !r.ToPorts.some() {
		return address
	}
	if r.Family == IPv6 && address != "" {
		address = "[" + address + "]"
	}
	return address + ":" + r.ToPorts.text("-")
}
