package userland

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// runBrctl shows bridges and what is plugged into them, and changes that.
func runBrctl(p *Process) int {
	args := p.Args[1:]
	if len(args) == 0 {
		return p.brctlUsage()
	}
	needed := map[string]int{"show": 0, "addbr": 1, "delbr": 1, "addif": 2, "delif": 2, "stp": 2}
	count, known := needed[args[0]]
	if !known || len(args)-1 < count {
		return p.brctlUsage()
	}
	var err error
	switch command, rest := args[0], args[1:]; command {
	case "show":
		return p.showBridges(rest)
	case "addbr":
		attrs := netlink.NewLinkAttrs()
		attrs.Name = rest[0]
		err = netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs})
		if errors.Is(err, unix.EEXIST) {
			err = fmt.Errorf("device %s already exists; can't create bridge with the same name", rest[0])
		}
	case "delbr":
		err = onBridge(rest[0], func(bridge netlink.Link) error { return netlink.LinkDel(bridge) })
	case "stp":
		err = onBridge(rest[0], func(bridge netlink.Link) error {
			return setSpanningTree(bridge, rest[1] == "on" || rest[1] == "yes" || rest[1] == "1")
		})
	default:
		err = onBridge(rest[0], func(bridge netlink.Link) error { return plug(bridge, rest[1:], command == "addif") })
	}
	if err != nil {
		fmt.Fprintln(p.Stderr, causeText(err))
		return 1
	}
	return 0
}

func (p *Process) brctlUsage() int {
	return p.Fail("usage: brctl show [BRIDGE] | addbr BRIDGE | delbr BRIDGE | addif BRIDGE DEV | delif BRIDGE DEV | stp BRIDGE on|off")
}

func onBridge(name string, change func(bridge netlink.Link) error) error {
	bridge, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("bridge %s does not exist", name)
	}
	if bridge.Type() != "bridge" {
		return fmt.Errorf("device %s is not a bridge", name)
	}
	return change(bridge)
}

// setSpanningTree turns the protocol on or off that keeps several bridges from sending frames round in circles.
func setSpanningTree(bridge netlink.Link, on bool) error {
	state := uint32(0)
	if on {
		state = 1
	}
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Index = int32(bridge.Attrs().Index)
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(unix.IFLA_INFO_KIND, nl.NonZeroTerminated("bridge"))
	info.AddRtAttr(unix.IFLA_INFO_DATA, nil).AddRtAttr(nl.IFLA_BR_STP_STATE, nl.Uint32Attr(state))
	req := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
	req.AddData(header)
	req.AddData(info)
	_, err := req.Execute(unix.NETLINK_ROUTE, 0)
	return err
}

// plug puts interfaces into a bridge, or takes them out.
func plug(bridge netlink.Link, names []string, in bool) error {
	for _, name := range names {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return fmt.Errorf("interface %s does not exist", name)
		}
		switch {
		case in && link.Attrs().MasterIndex != 0:
			return fmt.Errorf("device %s is already a member of a bridge; can't add it to bridge %s", name, bridge.Attrs().Name)
		case in:
			err = netlink.LinkSetMaster(link, bridge)
		case link.Attrs().MasterIndex != bridge.Attrs().Index:
			return fmt.Errorf("device %s is not a slave of %s", name, bridge.Attrs().Name)
		default:
			err = netlink.LinkSetNoMaster(link)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *Process) showBridges(names []string) int {
	links, err := readLinks()
	if err != nil {
		return p.Fail("%v", err)
	}
	slices.SortFunc(links, func(a, b *netLink) int { return strings.Compare(a.name, b.name) })
	for _, name := range names {
		if findLink(links, name) == nil {
			fmt.Fprintf(p.Stderr, "bridge %s does not exist!\n", name)
			return 1
		}
	}
	fmt.Fprint(p.Stdout, "bridge name\tbridge id\t\tSTP enabled\tinterfaces\n")
	for _, bridge := range links {
		if bridge.kind != "bridge" || len(names) > 0 && !slices.Contains(names, bridge.name) {
			continue
		}
		stp := "no"
		if bridge.data.number(nl.IFLA_BR_STP_STATE) != 0 {
			stp = "yes"
		}
		fmt.Fprintf(p.Stdout, "%s\t\t%s\t%s\t\t", bridge.name, bridge.bridgeID(), stp)
		first := true
		for _, port := range links {
			if port.master != bridge.index {
				continue
			}
			if !first {
				fmt.Fprint(p.Stdout, "\n\t\t\t\t\t\t\t")
			}
			fmt.Fprint(p.Stdout, port.name)
			first = false
		}
		fmt.Fprintln(p.Stdout)
	}
	return 0
}

// bridgeID is the priority and the hardware address by which spanning trees know a bridge: 8000.02422521d581.
func (l *netLink) bridgeID() string {
	id := l.data[nl.IFLA_BR_BRIDGE_ID]
	if len(id) < 8 {
		return ""
	}
	return fmt.Sprintf("%x.%x", id[:2], id[2:8])
}
