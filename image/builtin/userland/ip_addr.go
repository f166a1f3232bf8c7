package userland

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// address is `ip addr`.
func (c *ipCall) address(words []string) error {
	command, rest, err := verb(words, "show", "list", "lst", "add", "delete", "flush", "replace", "change")
	if err != nil {
		return err
	}
	switch command {
	case "add", "replace", "change", "delete":
		return c.changeAddress(command, &arguments{rest})
	case "flush":
		return c.flushAddresses(&arguments{rest})
	}
	return c.showAddresses(&arguments{rest})
}

func (c *ipCall) showAddresses(args *arguments) error {
	filter, err := parseLinkFilter(args)
	if err != nil {
		return err
	}
	links, err := c.chooseLinks(filter)
	if err != nil {
		return err
	}
	addresses, err := readAddresses(c.family)
	if err != nil {
		return err
	}
	addresses = slices.DeleteFunc(addresses, func(a *netAddress) bool { return filter.scope != "" && scopeName(a.scope) != filter.scope })
	for _, l := range links {
		own := slices.DeleteFunc(slices.Clone(addresses), func(a *netAddress) bool { return a.link != l.index })
		switch {
		case len(own) == 0 && (c.family != 0 || filter.scope != ""): // asked for addresses: links without are of no interest
		case c.brief:
			c.printBrief(l, own)
		case c.oneline:
			for _, a := range own {
				fmt.Fprintf(c.out, "%d: %s    ", l.index, l.name)
				c.printAddress(a)
			}
		default:
			c.printLink(l, false)
			fmt.Fprintln(c.out)
			for _, a := range own {
				fmt.Fprint(c.out, "    ")
				c.printAddress(a)
			}
		}
	}
	return nil
}

func (c *ipCall) printBrief(l *netLink, own []*netAddress) {
	fmt.Fprintf(c.out, "%-16s %-14s ", c.fullName(l), operState(l.state))
	for _, a := range own {
		fmt.Fprintf(c.out, "%s ", a.withPrefix())
		if a.metric != 0 {
			fmt.Fprintf(c.out, "metric %d ", a.metric)
		}
	}
	fmt.Fprintln(c.out)
}

// withPrefix is 172.17.0.2/16, or 10.0.0.1 peer 10.0.0.2/32 on a point-to-point link.
func (a *netAddress) withPrefix() string {
	if a.local != a.peer {
		return fmt.Sprintf("%s peer %s/%d", a.local, a.peer, a.prefix)
	}
	return fmt.Sprintf("%s/%d", a.local, a.prefix)
}

func (c *ipCall) printAddress(a *netAddress) {
	family := "inet"
	if a.family == unix.AF_INET6 {
		family = "inet6"
	}
	fmt.Fprintf(c.out, "%s %s ", family, a.withPrefix())
	if a.metric != 0 {
		fmt.Fprintf(c.out, "metric %d ", a.metric)
	}
	if a.broadcast.IsValid() {
		fmt.Fprintf(c.out, "brd %s ", a.broadcast)
	}
	if a.anycast.IsValid() {
		fmt.Fprintf(c.out, "any %s ", a.anycast)
	}
	fmt.Fprintf(c.out, "scope %s ", scopeName(a.scope))
	for _, name := range a.flagNames() {
		fmt.Fprintf(c.out, "%s ", name)
	}
	fmt.Fprint(c.out, a.label)
	fmt.Fprintf(c.out, "%s       valid_lft %s preferred_lft %s\n", c.separator(), lifetime(a.valid), lifetime(a.preferred))
}

func lifetime(seconds uint32) string {
	if seconds == forever {
		return "forever"
	}
	return strconv.FormatUint(uint64(seconds), 10) + "sec"
}

// addressFlags in iproute2's order.
var addressFlags = []struct {
	flag uint32
	name string
}{
	{unix.IFA_F_SECONDARY, "secondary"}, {unix.IFA_F_NODAD, "nodad"}, {unix.IFA_F_OPTIMISTIC, "optimistic"}, {unix.IFA_F_DADFAILED, "dadfailed"},
	{unix.IFA_F_HOMEADDRESS, "home"}, {unix.IFA_F_DEPRECATED, "deprecated"}, {unix.IFA_F_TENTATIVE, "tentative"}, {unix.IFA_F_PERMANENT, "dynamic"},
	{unix.IFA_F_MANAGETEMPADDR, "mngtmpaddr"}, {unix.IFA_F_NOPREFIXROUTE, "noprefixroute"}, {unix.IFA_F_MCAUTOJOIN, "autojoin"},
	{unix.IFA_F_STABLE_PRIVACY, "stable-privacy"},
}

func (a *netAddress) flagNames() []string {
	var names []string
	for _, f := range addressFlags {
		switch {
		case f.flag == unix.IFA_F_PERMANENT: // the exception is what is worth a word
			if a.flags&f.flag == 0 {
				names = append(names, f.name)
			}
		case a.flags&f.flag == 0:
		case f.flag == unix.IFA_F_SECONDARY && a.family == unix.AF_INET6:
			names = append(names, "temporary")
		default:
			names = append(names, f.name)
		}
	}
	return names
}

// scopeName is how far an address or a route reaches: see rtnetlink(7).
func scopeName(scope uint8) string {
	switch scope {
	case unix.RT_SCOPE_UNIVERSE:
		return "global"
	case unix.RT_SCOPE_SITE:
		return "site"
	case unix.RT_SCOPE_LINK:
		return "link"
	case unix.RT_SCOPE_HOST:
		return "host"
	case unix.RT_SCOPE_NOWHERE:
		return "nowhere"
	}
	return strconv.Itoa(int(scope))
}

func scopeNumber(name string) (int, error) {
	for _, scope := range []uint8{unix.RT_SCOPE_UNIVERSE, unix.RT_SCOPE_SITE, unix.RT_SCOPE_LINK, unix.RT_SCOPE_HOST, unix.RT_SCOPE_NOWHERE} {
		if scopeName(scope) == name {
			return int(scope), nil
		}
	}
	n, err := strconv.Atoi(name)
	if err != nil || n < 0 || n > 255 {
		return 0, said("Error: argument %q is wrong: invalid scope value.", name)
	}
	return n, nil
}

// changeAddress is `ip addr add ADDRESS/PREFIX dev DEV …`, and the same for replace and delete.
func (c *ipCall) changeAddress(command string, args *arguments) error {
	a := &netlink.Addr{}
	name, broadcast := "", ""
	for args.more() {
		word := args.next()
		var err error
		switch word {
		case "dev":
			name, err = args.value()
		case "brd", "broadcast":
			broadcast, err = args.value()
		case "label":
			a.Label, err = args.value()
		case "scope":
			a.Scope, err = scopeNumber(args.next())
		case "peer", "remote":
			a.Peer, err = parseNetwork(args.next())
		case "noprefixroute":
			a.Flags |= unix.IFA_F_NOPREFIXROUTE
		case "nodad":
			a.Flags |= unix.IFA_F_NODAD
		case "local":
			a.IPNet, err = parseNetwork(args.next())
		default:
			a.IPNet, err = parseNetwork(word)
		}
		if err != nil {
			return err
		}
	}
	if name == "" || a.IPNet == nil {
		return said("Not enough information: \"dev\" argument is required.")
	}
	link, err := device(name)
	if err != nil {
		return err
	}
	if err := setBroadcast(a, broadcast); err != nil {
		return err
	}
	switch command {
	case "delete":
		return refused(netlink.AddrDel(link, a))
	case "add":
		return refused(netlink.AddrAdd(link, a))
	}
	return refused(netlink.AddrReplace(link, a))
}

// setBroadcast takes an address, or + for the highest one of the subnet. Without `brd` there is none, as with iproute2.
func setBroadcast(a *netlink.Addr, text string) error {
	ones, bits := a.Mask.Size()
	switch {
	case text == "":
		if bits == 32 {
			a.Broadcast = net.IPv4zero // the library would work one out
		}
	case text == "+":
		a.Broadcast = make(net.IP, len(a.Mask))
		for i, octet := range a.IPNet.IP[len(a.IPNet.IP)-len(a.Mask):] {
			a.Broadcast[i] = octet | ^a.Mask[i]
		}
		if ones >= 31 {
			a.Broadcast = net.IPv4zero
		}
	default:
		address, err := netip.ParseAddr(text)
		if err != nil {
			return said("Error: inet address is expected rather than %q.", text)
		}
		a.Broadcast = address.AsSlice()
	}
	return nil
}

func parseNetwork(text string) (*net.IPNet, error) {
	prefix, err := parseHost(text)
	if err != nil {
		return nil, err
	}
	return &net.IPNet{IP: prefix.Addr().AsSlice(), Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen())}, nil
}

// flushAddresses is `ip addr flush dev DEV`.
func (c *ipCall) flushAddresses(args *arguments) error {
	filter, err := parseLinkFilter(args)
	if err != nil {
		return err
	}
	if filter.name == "" {
		return said("Flush requires arguments.")
	}
	link, err := device(filter.name)
	if err != nil {
		return err
	}
	addresses, err := addressesOf(link, c.family)
	if err != nil {
		return refused(err)
	}
	for _, a := range addresses {
		// Deleting a first address takes its secondary ones along.
		if err := netlink.AddrDel(link, &a); err != nil && err != unix.EADDRNOTAVAIL {
			return refused(err)
		}
	}
	return nil
}
