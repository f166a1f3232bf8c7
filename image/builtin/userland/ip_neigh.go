package userland

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// neighbour is `ip neigh`: the ARP table, and its IPv6 counterpart.
func (c *ipCall) neighbour(words []string) error {
	command, rest, err := verb(words, "show", "list", "lst", "add", "delete", "replace", "flush")
	if err != nil {
		return err
	}
	switch command {
	case "add", "replace", "delete":
		return c.changeNeighbour(command, &arguments{rest})
	case "flush":
		return said("\"ip neigh flush\" is not supported here: delete the entries one by one")
	}
	filter, err := parseLinkFilter(&arguments{rest})
	if err != nil {
		return err
	}
	if c.links, err = readLinks(); err != nil {
		return err
	}
	neighbours, err := readNeighbours(c.family)
	if err != nil {
		return err
	}
	for _, n := range neighbours {
		name := linkName(c.links, n.link)
		if n.state == 0 || n.state&unix.NUD_NOARP != 0 || filter.name != "" && name != filter.name {
			continue
		}
		fmt.Fprintf(c.out, "%s ", n.address)
		if filter.name == "" {
			fmt.Fprintf(c.out, "dev %s ", name)
		}
		if len(n.hardware) > 0 {
			fmt.Fprintf(c.out, "lladdr %s ", hardwareAddress(n.hardware))
		}
		if n.flags&unix.NTF_ROUTER != 0 {
			fmt.Fprint(c.out, "router ")
		}
		fmt.Fprintf(c.out, "%s \n", neighbourState(n.state))
	}
	return nil
}

func neighbourState(state uint16) string {
	names := [...]string{"INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "NOARP", "PERMANENT"}
	for i, name := range names {
		if state&(1<<i) != 0 {
			return name
		}
	}
	return "NONE"
}

// changeNeighbour is `ip neigh add ADDRESS lladdr MAC dev DEV`.
func (c *ipCall) changeNeighbour(command string, args *arguments) error {
	n := &netlink.Neigh{State: netlink.NUD_PERMANENT}
	for args.more() {
		var err error
		switch word := args.next(); word {
		case "dev":
			var link netlink.Link
			if link, err = device(args.next()); err == nil {
				n.LinkIndex = link.Attrs().Index
			}
		case "lladdr":
			n.HardwareAddr, err = net.ParseMAC(args.next())
		case "to":
		default:
			var address netip.Addr
			if address, err = netip.ParseAddr(word); err == nil {
				n.IP = address.AsSlice()
			}
		}
		if err != nil {
			return err
		}
	}
	if n.IP == nil || n.LinkIndex == 0 {
		return said("Device and destination are required arguments.")
	}
	switch command {
	case "delete":
		return refused(netlink.NeighDel(n))
	case "replace":
		return refused(netlink.NeighSet(n))
	}
	return refused(netlink.NeighAdd(n))
}
