package userland

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// link is `ip link`.
func (c *ipCall) link(words []string) error {
	command, rest, err := verb(words, "show", "list", "lst", "set", "add", "delete")
	if err != nil {
		return err
	}
	switch command {
	case "set":
		return c.setLink(&arguments{rest})
	case "add":
		return c.addLink(&arguments{rest})
	case "delete":
		return c.deleteLink(&arguments{rest})
	}
	return c.showLinks(&arguments{rest})
}

// linkFilter is what `show` may be followed by.
type linkFilter struct {
	name, master, kind string
	up                 bool
	scope              string
}

func parseLinkFilter(args *arguments) (f linkFilter, err error) {
	for err == nil && args.more() {
		switch word := args.next(); word {
		case "dev":
			f.name, err = args.value()
		case "master":
			f.master, err = args.value()
		case "type":
			f.kind, err = args.value()
		case "scope":
			f.scope, err = args.value()
		case "up":
			f.up = true
		default:
			if f.name != "" {
				return f, garbage(word)
			}
			f.name = word
		}
	}
	return f, err
}

// chooseLinks reads the interfaces and keeps those that the filter lets through.
func (c *ipCall) chooseLinks(f linkFilter) ([]*netLink, error) {
	links, err := readLinks()
	if err != nil {
		return nil, err
	}
	c.links = links
	master := findLink(links, f.master)
	switch {
	case f.name != "" && findLink(links, f.name) == nil:
		return nil, said("Device %q does not exist.", f.name)
	case f.master != "" && master == nil:
		return nil, said("Device %q does not exist.", f.master)
	}
	return slices.DeleteFunc(slices.Clone(links), func(l *netLink) bool {
		return f.name != "" && l != findLink(links, f.name) || master != nil && l.master != master.index ||
			f.kind != "" && l.kind != f.kind || f.up && l.flags&unix.IFF_UP == 0
	}), nil
}

func (c *ipCall) showLinks(args *arguments) error {
	filter, err := parseLinkFilter(args)
	if err != nil {
		return err
	}
	links, err := c.chooseLinks(filter)
	if err != nil {
		return err
	}
	for _, l := range links {
		if c.brief {
			fmt.Fprintf(c.out, "%-16s %-14s %s <%s> \n", c.fullName(l), operState(l.state), hardwareAddress(l.address), strings.Join(c.flagNames(l), ","))
			continue
		}
		c.printLink(l, true)
		fmt.Fprintln(c.out)
	}
	return nil
}

// separator stands between the lines about one interface; -o makes it a backslash.
func (c *ipCall) separator() string {
	if c.oneline {
		return "\\"
	}
	return "\n"
}

// printLink writes the one or two lines about an interface, with no newline at the end.
func (c *ipCall) printLink(l *netLink, withMode bool) {
	fmt.Fprintf(c.out, "%d: %s: <%s> mtu %d ", l.index, c.fullName(l), strings.Join(c.flagNames(l), ","), l.mtu)
	withQueue := c.family != unix.AF_INET6 // for -6, iproute2 asks only for what IPv6 knows of an interface
	if l.qdisc != "" && withQueue {
		fmt.Fprintf(c.out, "qdisc %s ", l.qdisc)
	}
	if l.master != 0 {
		fmt.Fprintf(c.out, "master %s ", linkName(c.links, l.master))
	}
	fmt.Fprintf(c.out, "state %s ", operState(l.state))
	if withMode {
		fmt.Fprintf(c.out, "mode %s ", linkMode(l.mode))
	}
	group := "default"
	if l.group != 0 {
		group = strconv.Itoa(l.group)
	}
	if withQueue {
		fmt.Fprintf(c.out, "group %s ", group)
	}
	if l.queueLength != 0 {
		fmt.Fprintf(c.out, "qlen %d", l.queueLength)
	}
	if c.family != 0 && c.family != unix.AF_PACKET {
		return
	}
	fmt.Fprintf(c.out, "%s    link/%s ", c.separator(), hardwareType(l.hardware))
	if len(l.address) > 0 {
		fmt.Fprint(c.out, hardwareAddress(l.address))
		if len(l.broadcast) > 0 {
			word := "brd"
			if l.flags&unix.IFF_POINTOPOINT != 0 {
				word = "peer"
			}
			fmt.Fprintf(c.out, " %s %s", word, hardwareAddress(l.broadcast))
		}
	}
	if l.lowerNamespace >= 0 {
		fmt.Fprintf(c.out, " link-netnsid %d", l.lowerNamespace)
	}
	for _, name := range l.altNames {
		fmt.Fprintf(c.out, "%s    altname %s", c.separator(), name)
	}
	if c.details && l.kind != "" {
		fmt.Fprintf(c.out, "%s    %s ", c.separator(), l.kind)
	}
	if c.stats {
		c.printStats(l)
	}
}

// fullName adds what the interface is tied to: eth0@if7, the index of its other end in another namespace, or vlan5@eth0.
func (c *ipCall) fullName(l *netLink) string {
	switch {
	case l.lower < 0:
		return l.name
	case l.lower == 0:
		return l.name + "@NONE"
	case l.lowerNamespace >= 0:
		return fmt.Sprintf("%s@if%d", l.name, l.lower)
	}
	return l.name + "@" + linkName(c.links, l.lower)
}

// linkFlags in the order in which iproute2 prints them. IFF_RUNNING is not among them: its absence is NO-CARRIER.
var linkFlags = []struct {
	flag uint32
	name string
}{
	{unix.IFF_LOOPBACK, "LOOPBACK"}, {unix.IFF_BROADCAST, "BROADCAST"}, {unix.IFF_POINTOPOINT, "POINTOPOINT"}, {unix.IFF_MULTICAST, "MULTICAST"},
	{unix.IFF_NOARP, "NOARP"}, {unix.IFF_ALLMULTI, "ALLMULTI"}, {unix.IFF_PROMISC, "PROMISC"}, {unix.IFF_MASTER, "MASTER"},
	{unix.IFF_SLAVE, "SLAVE"}, {unix.IFF_DEBUG, "DEBUG"}, {unix.IFF_DYNAMIC, "DYNAMIC"}, {unix.IFF_AUTOMEDIA, "AUTOMEDIA"},
	{unix.IFF_PORTSEL, "PORTSEL"}, {unix.IFF_NOTRAILERS, "NOTRAILERS"}, {unix.IFF_UP, "UP"}, {unix.IFF_LOWER_UP, "LOWER_UP"},
	{unix.IFF_DORMANT, "DORMANT"}, {unix.IFF_ECHO, "ECHO"},
}

func (c *ipCall) flagNames(l *netLink) []string {
	var names []string
	if l.flags&unix.IFF_UP != 0 && l.flags&unix.IFF_RUNNING == 0 {
		names = append(names, "NO-CARRIER")
	}
	rest := l.flags &^ unix.IFF_RUNNING
	for _, f := range linkFlags {
		if rest&f.flag != 0 {
			names = append(names, f.name)
			rest &^= f.flag
		}
	}
	if rest != 0 {
		names = append(names, fmt.Sprintf("%x", rest))
	}
	for _, lower := range c.links {
		if l.lower > 0 && l.lowerNamespace < 0 && lower.index == l.lower && lower.flags&unix.IFF_UP == 0 {
			names = append(names, "M-DOWN")
		}
	}
	return names
}

// operState is what RFC 2863 calls the state of an interface. Those that cannot tell, such as lo, are UNKNOWN.
func operState(state int) string {
	names := [...]string{"UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP"}
	if state < 0 || state >= len(names) {
		return fmt.Sprintf("%#x", state)
	}
	return names[state]
}

func linkMode(mode int) string {
	if mode == 1 {
		return "DORMANT"
	}
	return "DEFAULT"
}

func hardwareType(kind uint16) string {
	switch kind {
	case unix.ARPHRD_ETHER:
		return "ether"
	case unix.ARPHRD_LOOPBACK:
		return "loopback"
	case unix.ARPHRD_NONE:
		return "none"
	case unix.ARPHRD_TUNNEL:
		return "ipip"
	case unix.ARPHRD_TUNNEL6:
		return "tunnel6"
	case unix.ARPHRD_SIT:
		return "sit"
	case unix.ARPHRD_IPGRE:
		return "gre"
	case unix.ARPHRD_PPP:
		return "ppp"
	}
	return fmt.Sprintf("[%d]", kind)
}

// hardwareAddress is 02:42:ac:11:00:02; tunnels have IP addresses for that.
func hardwareAddress(b []byte) string {
	if len(b) == 4 {
		return addressOf(b).String()
	}
	parts := make([]string, len(b))
	for i, octet := range b {
		parts[i] = fmt.Sprintf("%02x", octet)
	}
	return strings.Join(parts, ":")
}

// printStats writes the counters in columns as wide as they need to be.
func (c *ipCall) printStats(l *netLink) {
	rx := []uint64{l.counters[2], l.counters[0], l.counters[4], l.counters[6], l.rxMissed, l.multicast}
	tx := []uint64{l.counters[3], l.counters[1], l.counters[5], l.counters[7], l.txCarrier, l.collisions}
	headers := [][]string{{"bytes", "packets", "errors", "dropped", "missed", "mcast"}, {"bytes", "packets", "errors", "dropped", "carrier", "collsns"}}
	widths := make([]int, len(rx))
	for i := range rx {
		widths[i] = max(len(headers[0][i]), len(headers[1][i]), len(strconv.FormatUint(rx[i], 10)), len(strconv.FormatUint(tx[i], 10)))
	}
	widths[0] = max(widths[0], 6)
	for row, values := range [][]uint64{rx, tx} {
		fmt.Fprintf(c.out, "%s    %cX: ", c.separator(), "RT"[row])
		for i, h := range headers[row] {
			fmt.Fprintf(c.out, "%*s ", widths[i], h)
		}
		fmt.Fprintf(c.out, "          %s        ", c.separator())
		for i, v := range values {
			fmt.Fprintf(c.out, "%*d ", widths[i], v)
		}
	}
}
