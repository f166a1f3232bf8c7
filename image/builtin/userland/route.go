package userland

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// runRoute shows the routing table in the older form, and changes it: route add default gw 172.17.0.1.
func runRoute(p *Process) int {
	opts, words, err := p.options("+neA:46", map[string]string{"numeric": "n"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(words) == 0 {
		return p.showRoutingTable(opts.has('n'), false)
	}
	r, err := parseOldRoute(&arguments{words[1:]})
	if err != nil {
		return p.Fail("%v", err)
	}
	switch words[0] {
	case "add":
		if r.Gw == nil {
			r.Scope = netlink.SCOPE_LINK
		}
		err = netlink.RouteAdd(r)
	case "del":
		r.Scope, r.Protocol = netlink.SCOPE_NOWHERE, 0
		err = netlink.RouteDel(r)
	default:
		return p.Fail("usage: route [-n], route add|del [-net|-host] TARGET [netmask MASK] [gw GATEWAY] [metric N] [dev DEV]")
	}
	if err != nil {
		return p.Fail("%s", causeText(err))
	}
	return 0
}

// showRoutingTable is also netstat -r, which has TCP's settings in the place of the metric.
func (p *Process) showRoutingTable(numeric, forTCP bool) int {
	links, err := readLinks()
	if err != nil {
		return p.Fail("%v", err)
	}
	routes, err := readRoutes(unix.AF_INET)
	if err != nil {
		return p.Fail("%v", err)
	}
	out := bufio.NewWriter(p.Stdout)
	defer out.Flush()
	fmt.Fprintln(out, "Kernel IP routing table")
	if forTCP {
		fmt.Fprintln(out, "Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface")
	} else {
		fmt.Fprintln(out, "Destination     Gateway         Genmask         Flags Metric Ref    Use Iface")
	}
	for _, r := range routes {
		if r.table != unix.RT_TABLE_MAIN {
			continue
		}
		fmt.Fprintln(out, r.oldLine(linkName(links, r.link), numeric, forTCP))
	}
	return 0
}

func (r *netRoute) oldLine(device string, numeric, forTCP bool) string {
	destination, gateway, unused := r.destination.Addr().String(), "*", "0"
	if numeric {
		gateway = "0.0.0.0"
	} else if r.isDefault() {
		destination = "default"
	}
	if r.gateway.IsValid() {
		gateway = r.gateway.String()
	}
	if r.rejects() {
		gateway, device, unused = "-", "-", "-"
	}
	line := fmt.Sprintf("%-15s %-15s %-15s %-5s ", destination, gateway, maskOf(r.destination.Bits()), r.oldFlags())
	if forTCP {
		return line + fmt.Sprintf("%5s %-5s %6s %s", unused, unused, unused, device)
	}
	return line + fmt.Sprintf("%-6d %-2s %7d %s", r.metric, unused, 0, device)
}

// rejects tells of routes that lead nowhere on purpose.
func (r *netRoute) rejects() bool {
	return r.kind == unix.RTN_UNREACHABLE || r.kind == unix.RTN_PROHIBIT || r.kind == unix.RTN_BLACKHOLE
}

// oldFlags: U up, G by a gateway, H to one host, ! refused.
func (r *netRoute) oldFlags() string {
	flags := "U"
	if r.rejects() {
		flags = "!"
	}
	if r.gateway.IsValid() {
		flags += "G"
	}
	if r.destination.IsSingleIP() {
		flags += "H"
	}
	return flags
}

// maskOf writes a prefix length as a mask: 16 is 255.255.0.0.
func maskOf(bits int) string {
	return net.IP(net.CIDRMask(bits, 32)).String()
}

// parseOldRoute reads `-net 10.0.0.0 netmask 255.0.0.0 gw 172.17.0.1 dev eth0`.
func parseOldRoute(args *arguments) (*netlink.Route, error) {
	r := &netlink.Route{Family: unix.AF_INET, Protocol: unix.RTPROT_BOOT}
	for args.more() {
		word := args.next()
		var err error
		switch word {
		case "-net", "-host":
		case "netmask":
			err = setMask(r, args.next())
		case "gw":
			var gateway netip.Addr
			if gateway, err = parseAddress(args.next()); err == nil {
				r.Gw = gateway.AsSlice()
			}
		case "metric":
			r.Priority, err = args.number(word)
		case "reject":
			r.Type = unix.RTN_UNREACHABLE
		default:
			if word != "dev" && r.Dst == nil {
				err = setDestination(r, word)
				break
			}
			if word == "dev" {
				word = args.next()
			}
			var link netlink.Link
			if link, err = device(word); err == nil {
				r.LinkIndex = link.Attrs().Index
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if r.Dst == nil {
		return nil, fmt.Errorf("no target given")
	}
	return r, nil
}

func setMask(r *netlink.Route, text string) error {
	address, err := parseAddress(text)
	if err != nil {
		return err
	}
	if r.Dst == nil || !address.Is4() {
		return fmt.Errorf("netmask %s without a target", text)
	}
	r.Dst.Mask = net.IPMask(address.AsSlice())
	return nil
}
