package userland

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// route is `ip route`. Without -6 it means IPv4.
func (c *ipCall) route(words []string) error {
	command, rest, err := verb(words, "show", "list", "lst", "add", "delete", "replace", "change", "append", "get", "flush")
	if err != nil {
		return err
	}
	switch command {
	case "show", "list", "lst":
		return c.showRoutes(&arguments{rest})
	case "get":
		return c.getRoute(&arguments{rest})
	case "flush":
		return said("\"ip route flush\" is not supported here: delete the routes one by one")
	}
	return c.changeRoute(command, &arguments{rest})
}

func (c *ipCall) routeFamily() int {
	if c.family == 0 {
		return unix.AF_INET
	}
	return c.family
}

func (c *ipCall) showRoutes(args *arguments) error {
	table, name, destination := unix.RT_TABLE_MAIN, "", ""
	for args.more() {
		var err error
		switch word := args.next(); word {
		case "table":
			table, err = tableNumber(args.next())
		case "dev":
			name, err = args.value()
		case "default":
			destination = "0.0.0.0/0"
			if c.routeFamily() == unix.AF_INET6 {
				destination = "::/0"
			}
		default:
			destination = word
		}
		if err != nil {
			return err
		}
	}
	var err error
	if c.links, err = readLinks(); err != nil {
		return err
	}
	if name != "" && findLink(c.links, name) == nil {
		return said("Cannot find device %q", name)
	}
	routes, err := readRoutes(c.routeFamily())
	if err != nil {
		return err
	}
	if table == 0 && c.family == 0 { // all tables: of both families, too
		more, err := readRoutes(unix.AF_INET6)
		if err != nil {
			return err
		}
		routes = append(routes, more...)
	}
	for _, r := range routes {
		if table != 0 && r.table != table || name != "" && linkName(c.links, r.link) != name || destination != "" && r.destination.String() != destination {
			continue
		}
		c.printRoute(r, table == 0, name == "")
		fmt.Fprintln(c.out)
	}
	return nil
}

// tableNumber knows the names of the tables that always exist. 0 stands for all.
func tableNumber(name string) (int, error) {
	switch name {
	case "all":
		return 0, nil
	case "main":
		return unix.RT_TABLE_MAIN, nil
	case "local":
		return unix.RT_TABLE_LOCAL, nil
	case "default":
		return unix.RT_TABLE_DEFAULT, nil
	}
	n, err := strconv.Atoi(name)
	if err != nil {
		return 0, said("Error: argument %q is wrong: table id value is invalid", name)
	}
	return n, nil
}

func tableName(n int) string {
	switch n {
	case unix.RT_TABLE_MAIN:
		return "main"
	case unix.RT_TABLE_LOCAL:
		return "local"
	case unix.RT_TABLE_DEFAULT:
		return "default"
	}
	return strconv.Itoa(n)
}

// printRoute writes a route in the form in which `ip route add` would take it again.
func (c *ipCall) printRoute(r *netRoute, withTable, withDevice bool) {
	if r.kind != unix.RTN_UNICAST {
		fmt.Fprintf(c.out, "%s ", routeKind(r.kind))
	}
	fmt.Fprintf(c.out, "%s ", r.destinationText())
	if r.tos != 0 {
		fmt.Fprintf(c.out, "tos %#x ", r.tos)
	}
	if r.gateway.IsValid() {
		fmt.Fprintf(c.out, "via %s ", r.gateway)
	}
	if r.link != 0 && withDevice {
		fmt.Fprintf(c.out, "dev %s ", linkName(c.links, r.link))
	}
	if withTable && r.table != unix.RT_TABLE_MAIN {
		fmt.Fprintf(c.out, "table %s ", tableName(r.table))
	}
	if r.proto != unix.RTPROT_BOOT {
		fmt.Fprintf(c.out, "proto %s ", routeProtocol(r.proto))
	}
	if r.scope != unix.RT_SCOPE_UNIVERSE {
		fmt.Fprintf(c.out, "scope %s ", scopeName(r.scope))
	}
	if r.source.IsValid() {
		fmt.Fprintf(c.out, "src %s ", r.source)
	}
	if r.hasMetric {
		fmt.Fprintf(c.out, "metric %d ", r.metric)
	}
	c.printNextHopFlags(r.flags)
	if r.mtu != 0 {
		fmt.Fprintf(c.out, "mtu %d ", r.mtu)
	}
	for _, hop := range r.hops {
		fmt.Fprintf(c.out, "%s\tnexthop ", c.separator())
		if hop.gateway.IsValid() {
			fmt.Fprintf(c.out, "via %s ", hop.gateway)
		}
		fmt.Fprintf(c.out, "dev %s weight %d ", linkName(c.links, hop.link), hop.weight)
		c.printNextHopFlags(hop.flags)
	}
	if r.hasPreference {
		fmt.Fprintf(c.out, "pref %s", map[uint8]string{0: "medium", 1: "high", 3: "low"}[r.preference&3])
	}
}

func (c *ipCall) printNextHopFlags(flags uint32) {
	for _, f := range []struct {
		flag uint32
		name string
	}{{unix.RTNH_F_DEAD, "dead"}, {unix.RTNH_F_ONLINK, "onlink"}, {unix.RTNH_F_PERVASIVE, "pervasive"}, {unix.RTNH_F_LINKDOWN, "linkdown"}} {
		if flags&f.flag != 0 {
			fmt.Fprintf(c.out, "%s ", f.name)
		}
	}
}

// destinationText is a subnet, a single host without its /32, or default.
func (r *netRoute) destinationText() string {
	switch {
	case r.isDefault():
		return "default"
	case r.destination.IsSingleIP():
		return r.destination.Addr().String()
	}
	return r.destination.String()
}

func routeKind(kind uint8) string {
	names := [...]string{"none", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit", "throw", "nat"}
	if int(kind) < len(names) {
		return names[kind]
	}
	return strconv.Itoa(int(kind))
}

// routeProtocol is who made the route.
func routeProtocol(proto uint8) string {
	switch proto {
	case unix.RTPROT_REDIRECT:
		return "redirect"
	case unix.RTPROT_KERNEL:
		return "kernel"
	case unix.RTPROT_BOOT:
		return "boot"
	case unix.RTPROT_STATIC:
		return "static"
	case unix.RTPROT_RA:
		return "ra"
	case unix.RTPROT_DHCP:
		return "dhcp"
	}
	return strconv.Itoa(int(proto))
}

// changeRoute is `ip route add DESTINATION via GATEWAY dev DEV …`.
func (c *ipCall) changeRoute(command string, args *arguments) error {
	r := &newRoute{Route: netlink.Route{Family: c.routeFamily(), Protocol: unix.RTPROT_BOOT}}
	for args.more() {
		if err := r.take(args); err != nil {
			return err
		}
	}
	direct := r.Gw == nil && (r.Type == unix.RTN_UNSPEC || r.Type == unix.RTN_UNICAST)
	switch {
	case r.hasScope:
	case command == "delete":
		r.Scope, r.Protocol = netlink.SCOPE_NOWHERE, 0 // any
	case direct && r.Family == unix.AF_INET:
		r.Scope = netlink.SCOPE_LINK // without a gateway the destination is on the link itself
	}
	switch command {
	case "delete":
		return refused(netlink.RouteDel(&r.Route))
	case "add":
		return refused(netlink.RouteAdd(&r.Route))
	case "append":
		return refused(netlink.RouteAppend(&r.Route))
	case "change":
		return refused(netlink.RouteChange(&r.Route))
	}
	return refused(netlink.RouteReplace(&r.Route))
}

// newRoute is a route as far as it has been read from a command line.
type newRoute struct {
	netlink.Route
	hasScope bool
}

// take reads one keyword and what belongs to it.
func (r *newRoute) take(args *arguments) (err error) {
	word := args.next()
	switch word {
	case "via":
		var gateway netip.Addr
		if gateway, err = parseAddress(args.next()); err == nil {
			r.Gw = gateway.AsSlice()
		}
	case "dev":
		var link netlink.Link
		if link, err = device(args.next()); err == nil {
			r.LinkIndex = link.Attrs().Index
		}
	case "src":
		var source netip.Addr
		if source, err = parseAddress(args.next()); err == nil {
			r.Src = source.AsSlice()
		}
	case "metric", "priority", "preference":
		r.Priority, err = args.number(word)
	case "mtu":
		r.MTU, err = args.number(word)
	case "table":
		r.Table, err = tableNumber(args.next())
	case "proto", "protocol":
		err = setProtocol(&r.Route, args.next())
	case "scope":
		var scope int
		scope, err = scopeNumber(args.next())
		r.Scope, r.hasScope = netlink.Scope(scope), true
	case "onlink":
		r.Flags |= unix.RTNH_F_ONLINK
	case "blackhole", "unreachable", "prohibit", "throw", "unicast", "local":
		for kind := range uint8(unix.RTN_NAT) {
			if routeKind(kind) == word {
				r.Type = int(kind)
			}
		}
	default:
		if r.Dst != nil {
			return said("Error: either \"to\" is duplicate, or %q is a garbage.", word)
		}
		err = setDestination(&r.Route, word)
	}
	return err
}

func setProtocol(r *netlink.Route, name string) error {
	for proto := range 256 {
		if routeProtocol(uint8(proto)) == name {
			r.Protocol = netlink.RouteProtocol(proto)
			return nil
		}
	}
	return said("Error: argument %q is wrong: \"protocol\" value is invalid", name)
}

func setDestination(r *netlink.Route, text string) error {
	if text == "default" {
		text = "0.0.0.0/0"
		if r.Family == unix.AF_INET6 {
			text = "::/0"
		}
	}
	network, err := parseNetwork(text)
	if err != nil {
		return err
	}
	if network.IP.To4() == nil {
		r.Family = unix.AF_INET6
	}
	r.Dst = network
	return nil
}

// getRoute is `ip route get ADDRESS`: which way would a packet take?
func (c *ipCall) getRoute(args *arguments) error {
	text := args.next()
	destination, err := netip.ParseAddr(text)
	if err != nil {
		return said("Error: any valid prefix is expected rather than %q.", text)
	}
	family := unix.AF_INET
	if destination.Is6() {
		family = unix.AF_INET6
	}
	req := nl.NewNetlinkRequest(unix.RTM_GETROUTE, unix.NLM_F_REQUEST)
	req.AddData(&nl.RtMsg{RtMsg: unix.RtMsg{Family: uint8(family), Dst_len: uint8(destination.BitLen())}})
	req.AddData(nl.NewRtAttr(unix.RTA_DST, destination.AsSlice()))
	messages, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWROUTE)
	if err != nil {
		return refused(err)
	}
	if c.links, err = readLinks(); err != nil {
		return err
	}
	for _, m := range messages {
		attrs, err := parseAttributes(m[unix.SizeofRtMsg:])
		if err != nil {
			return err
		}
		r := decodeRoute(m, attrs)
		r.proto, r.scope = unix.RTPROT_BOOT, unix.RT_SCOPE_UNIVERSE // not said of the answer for one packet
		c.printRoute(r, true, true)
		fmt.Fprintf(c.out, "uid %d %s    cache \n", attrs.number(unix.RTA_UID), c.separator())
	}
	return nil
}
