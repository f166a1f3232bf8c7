package userland

import (
	"fmt"
	"net"
	"strings"

	"github.com/vishvananda/netlink"
)

// setLink is `ip link set DEV …`. The settings are made in the order in which they were typed.
func (c *ipCall) setLink(args *arguments) error {
	name := args.next()
	if name == "dev" {
		name = args.next()
	}
	if name == "" {
		return said("Not enough information: \"dev\" argument is required.")
	}
	link, err := device(name)
	if err != nil {
		return err
	}
	for args.more() {
		if err := setOne(link, args.next(), args); err != nil {
			return refused(err)
		}
	}
	return nil
}

func setOne(link netlink.Link, setting string, args *arguments) error {
	switch setting {
	case "up":
		return netlink.LinkSetUp(link)
	case "down":
		return netlink.LinkSetDown(link)
	case "nomaster":
		return netlink.LinkSetNoMaster(link)
	case "mtu", "txqueuelen", "qlen":
		n, err := args.number(setting)
		if err != nil {
			return err
		}
		if setting == "mtu" {
			return netlink.LinkSetMTU(link, n)
		}
		return netlink.LinkSetTxQLen(link, n)
	}
	value, err := args.value()
	if err != nil {
		return err
	}
	switch setting {
	case "name":
		return netlink.LinkSetName(link, value)
	case "address":
		mac, err := net.ParseMAC(value)
		if err != nil {
			return said("%q is invalid lladdr.", value)
		}
		return netlink.LinkSetHardwareAddr(link, mac)
	case "master":
		master, err := device(value)
		if err != nil {
			return err
		}
		return netlink.LinkSetMaster(link, master)
	case "netns":
		namespace, err := namespaceOf(value)
		if err != nil {
			return err
		}
		defer namespace.Close()
		return netlink.LinkSetNsFd(link, int(namespace.Fd()))
	case "promisc", "multicast", "arp", "allmulticast":
		return setSwitch(link, setting, value)
	}
	return garbage(setting)
}

// setSwitch turns one of an interface's flags on or off.
func setSwitch(link netlink.Link, setting, value string) error {
	if value != "on" && value != "off" {
		return said("Error: argument of %q must be \"on\" or \"off\", not %q", setting, value)
	}
	change := map[string][2]func(netlink.Link) error{
		"promisc":      {netlink.SetPromiscOff, netlink.SetPromiscOn},
		"multicast":    {netlink.LinkSetMulticastOff, netlink.LinkSetMulticastOn},
		"arp":          {netlink.LinkSetARPOff, netlink.LinkSetARPOn},
		"allmulticast": {netlink.LinkSetAllmulticastOff, netlink.LinkSetAllmulticastOn},
	}[setting]
	if value == "on" {
		return change[1](link)
	}
	return change[0](link)
}

// newLink is what `ip link add` was told before the type.
type newLink struct {
	attrs netlink.LinkAttrs
	kind  string
}

// addLink is `ip link add [link DEV] [name] NAME … type TYPE …`.
func (c *ipCall) addLink(args *arguments) error {
	n := newLink{attrs: netlink.NewLinkAttrs()}
	for n.kind == "" {
		if !args.more() {
			return said("Not enough information: \"type\" argument is required")
		}
		if err := n.take(args); err != nil {
			return err
		}
	}
	link, err := n.typed(args)
	if err != nil {
		return err
	}
	if args.more() {
		return garbage(args.next())
	}
	return refused(netlink.LinkAdd(link))
}

func (n *newLink) take(args *arguments) error {
	word := args.next()
	switch word {
	case "mtu", "txqueuelen":
		number, err := args.number(word)
		if word == "mtu" {
			n.attrs.MTU = number
		} else {
			n.attrs.TxQLen = number
		}
		return err
	case "name", "dev", "type", "link", "address":
	default:
		n.attrs.Name = word
		return nil
	}
	value, err := args.value()
	if err != nil {
		return err
	}
	switch word {
	case "name", "dev":
		n.attrs.Name = value
	case "type":
		n.kind = value
	case "link":
		parent, err := device(value)
		if err != nil {
			return err
		}
		n.attrs.ParentIndex = parent.Attrs().Index
	case "address":
		if n.attrs.HardwareAddr, err = net.ParseMAC(value); err != nil {
			return said("%q is invalid lladdr.", value)
		}
	}
	return nil
}

// typed reads what follows the type, and makes the interface's description.
func (n *newLink) typed(args *arguments) (netlink.Link, error) {
	switch n.kind {
	case "bridge":
		return &netlink.Bridge{LinkAttrs: n.attrs}, nil
	case "dummy":
		return &netlink.Dummy{LinkAttrs: n.attrs}, nil
	case "ifb":
		return &netlink.Ifb{LinkAttrs: n.attrs}, nil
	case "veth":
		return n.veth(args)
	case "vlan":
		if word := args.next(); word != "id" {
			return nil, said("vlan: \"id\" is required")
		}
		id, err := args.number("id")
		return &netlink.Vlan{LinkAttrs: n.attrs, VlanId: id, VlanProtocol: netlink.VLAN_PROTOCOL_8021Q}, err
	case "macvlan", "ipvlan":
		mode := ""
		if args.more() && args.next() == "mode" {
			mode = args.next()
		}
		return n.parasite(mode)
	}
	return nil, said("Error: Unknown device type.")
}

// parasite is an interface that shares another one's hardware: macvlan with an address of its own, ipvlan without.
func (n *newLink) parasite(mode string) (netlink.Link, error) {
	if n.kind == "ipvlan" {
		modes := map[string]netlink.IPVlanMode{"": netlink.IPVLAN_MODE_L2, "l2": netlink.IPVLAN_MODE_L2, "l3": netlink.IPVLAN_MODE_L3, "l3s": netlink.IPVLAN_MODE_L3S}
		m, known := modes[mode]
		if !known {
			return nil, said("Error: argument of \"mode\" must be \"l2\", \"l3\" or \"l3s\"")
		}
		return &netlink.IPVlan{LinkAttrs: n.attrs, Mode: m}, nil
	}
	modes := map[string]netlink.MacvlanMode{
		"": netlink.MACVLAN_MODE_VEPA, "bridge": netlink.MACVLAN_MODE_BRIDGE, "private": netlink.MACVLAN_MODE_PRIVATE,
		"vepa": netlink.MACVLAN_MODE_VEPA, "passthru": netlink.MACVLAN_MODE_PASSTHRU,
	}
	m, known := modes[mode]
	if !known {
		return nil, said("Error: argument of \"mode\" must be \"private\", \"vepa\", \"bridge\" or \"passthru\"")
	}
	return &netlink.Macvlan{LinkAttrs: n.attrs, Mode: m}, nil
}

// veth reads `peer [name] NAME [netns NS] [address MAC] [mtu N]`. A pair whose other end has no name gets one from the kernel.
func (n *newLink) veth(args *arguments) (netlink.Link, error) {
	pair := netlink.NewVeth(n.attrs)
	pair.PeerName = "veth%d"
	if !args.more() {
		return pair, nil
	}
	if word := args.next(); word != "peer" {
		return nil, garbage(word)
	}
	for args.more() {
		word := args.next()
		var err error
		switch word {
		case "name":
			pair.PeerName, err = args.value()
		case "mtu":
			var mtu int
			mtu, err = args.number(word)
			pair.PeerMTU = uint32(mtu)
		case "address":
			if pair.PeerHardwareAddr, err = net.ParseMAC(args.next()); err != nil {
				err = said("invalid address of the peer")
			}
		case "netns":
			namespace, openErr := namespaceOf(args.next())
			if err = openErr; err == nil {
				pair.PeerNamespace = netlink.NsFd(namespace.Fd()) // stays open until the process ends
			}
		default:
			pair.PeerName = word
		}
		if err != nil {
			return nil, err
		}
	}
	return pair, nil
}

// deleteLink is `ip link del [dev] DEV`.
func (c *ipCall) deleteLink(args *arguments) error {
	name := args.next()
	if name == "dev" {
		name = args.next()
	}
	if strings.TrimSpace(name) == "" {
		return said("Not enough information: \"dev\" argument is required.")
	}
	link, err := device(name)
	if err != nil {
		return err
	}
	return refused(netlink.LinkDel(link))
}

// said is an error in iproute2's own words, which begin with a capital letter: learners look them up.
func said(format string, args ...any) error {
	return fmt.Errorf(format, args...)
}
