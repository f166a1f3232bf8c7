package kernel

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Effects on network interfaces are messages of rtnetlink(7). Each is sent through a socket of its own, which belongs to
// the network namespace that the calling thread is in at that moment: whoever wants them elsewhere locks the goroutine to its thread and
// enters that namespace with Setns. The text form is what ip(8) would be told.

// LinkAdd makes a network interface: RTM_NEWLINK.
type LinkAdd struct {
	Kind   string // bridge, veth, macvlan, ipvlan, dummy
	Name   string
	MTU    int              // 0: the kernel's choice
	MAC    net.HardwareAddr // nil: the kernel makes one up
	Up     bool
	Parent string // of a macvlan or ipvlan
	Mode   string // of a macvlan (bridge, private, vepa, passthru) or ipvlan (l2, l3, l3s)

	Peer    string           // of a veth: the name of its other end,
	PeerMAC net.HardwareAddr // … its address,
	Into    *Handle          // and the network namespace that the other end (of a macvlan or ipvlan: the interface itself) is made in; nil: here
}

// Call as the message; the text form is ip's.
func (l LinkAdd) Call() Call {
	words := []string{"ip", "link", "add", l.Name}
	also := func(name, value string) { words = append(words, name, value) }
	if l.MTU != 0 {
		also("mtu", strconv.Itoa(l.MTU))
	}
	if l.MAC != nil {
		also("address", l.MAC.String())
	}
	if l.Parent != "" {
		also("link", l.Parent)
	}
	if l.Into != nil && l.Peer == "" {
		also("netns", l.Into.FD().String())
	}
	if l.Up {
		words = append(words, "up")
	}
	also("type", l.Kind)
	if l.Mode != "" {
		also("mode", l.Mode)
	}
	if l.Peer != "" {
		words = append(words, "peer")
		also("name", l.Peer)
		if l.PeerMAC != nil {
			also("address", l.PeerMAC.String())
		}
		if l.MTU != 0 {
			also("mtu", strconv.Itoa(l.MTU))
		}
		if l.Into != nil {
			also("netns", l.Into.FD().String())
		}
	}
	facts := []string{quote(l.Name), quote(l.Kind)}
	if l.Peer != "" {
		facts = append(facts, quote(l.Peer))
	}
	return netlinkCall("RTM_NEWLINK", words, facts...)
}

// netlinkCall is a message to the kernel: its type and some of what is in it, and what a person would type.
func netlinkCall(kind string, words []string, facts ...string) Call {
	return Call{Name: "sendto", Args: append([]string{kind}, facts...), Shell: strings.Join(words, " ")}
}

func (l LinkAdd) compile(*compiler) { panic("kernel: interfaces are made by the parent") }

func (l LinkAdd) performInGo() (int, error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.HardwareAddr = l.Name, l.MAC
	if l.MTU != 0 {
		attrs.MTU = l.MTU
	}
	if l.Up {
		attrs.Flags |= net.FlagUp
	}
	var err error
	if attrs.ParentIndex, err = linkIndex(l.Parent); err != nil {
		return 0, err
	}
	var link netlink.Link
	switch l.Kind {
	case "bridge":
		link = &netlink.Bridge{LinkAttrs: attrs}
	case "veth":
		veth := netlink.NewVeth(attrs)
		veth.PeerName, veth.PeerHardwareAddr = l.Peer, l.PeerMAC
		if l.MTU != 0 {
			veth.PeerMTU = uint32(l.MTU)
		}
		if l.Into != nil {
			veth.PeerNamespace = netlink.NsFd(l.Into.Number())
		}
		link = veth
	case "macvlan", "ipvlan":
		if l.Into != nil {
			attrs.Namespace = netlink.NsFd(l.Into.Number())
		}
		link = l.subinterface(attrs)
	case "dummy":
		link = &netlink.Dummy{LinkAttrs: attrs}
	default:
		return 0, unix.EOPNOTSUPP
	}
	return 0, netlink.LinkAdd(link)
}

var macvlanModes = map[string]netlink.MacvlanMode{
	"": netlink.MACVLAN_MODE_BRIDGE, "bridge": netlink.MACVLAN_MODE_BRIDGE, "private": netlink.MACVLAN_MODE_PRIVATE,
	"vepa": netlink.MACVLAN_MODE_VEPA, "passthru": netlink.MACVLAN_MODE_PASSTHRU,
}

var ipvlanModes = map[string]netlink.IPVlanMode{
	"": netlink.IPVLAN_MODE_L2, "l2": netlink.IPVLAN_MODE_L2, "l3": netlink.IPVLAN_MODE_L3, "l3s": netlink.IPVLAN_MODE_L3S,
}

// Modes of a macvlan or ipvlan, as its option says them.
func Modes(kind string) []string {
	if kind == "ipvlan" {
		return []string{"l2", "l3", "l3s"}
	}
	return []string{"bridge", "private", "vepa", "passthru"}
}

func (l LinkAdd) subinterface(attrs netlink.LinkAttrs) netlink.Link {
	if l.Kind == "ipvlan" {
		return &netlink.IPVlan{LinkAttrs: attrs, Mode: ipvlanModes[l.Mode]}
	}
	return &netlink.Macvlan{LinkAttrs: attrs, Mode: macvlanModes[l.Mode]}
}

// linkIndex is an interface's number; 0 for no name.
func linkIndex(name string) (int, error) {
	if name == "" {
		return 0, nil
	}
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq(name)
	if err == nil {
		err = unix.IoctlIfreq(socket, unix.SIOCGIFINDEX, request)
	}
	if err != nil {
		return 0, err
	}
	return int(request.Uint32()), nil
}

// byName is an interface as far as netlink needs to know it to change it: asking for all of it takes longer than most changes.
func byName(name string) (netlink.Link, error) {
	index, err := linkIndex(name)
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.Index = name, index
	return &netlink.Device{LinkAttrs: attrs}, err
}

// linkError gives a link that is not there the kernel's number for it.
func linkError(err error) error {
	var missing netlink.LinkNotFoundError
	if errors.As(err, &missing) {
		return unix.ENODEV
	}
	return err
}

// LinkSet changes an interface: RTM_SETLINK, or for up and down RTM_NEWLINK. One thing at a time: up, down, another name, a bridge
// that it is put into, a remark on what it is for; or, of one that is in a bridge, a flag of its place in there.
type LinkSet struct {
	Name     string
	Up       bool
	Down     bool
	Rename   string
	Master   string
	Alias    string
	Hairpin  bool // a packet may leave by the port that it came in by
	Isolated bool // no packet goes to another port that is isolated (since Linux 4.18)
}

// Call as the message; the text form is ip's.
func (l LinkSet) Call() Call {
	words := []string{"ip", "link", "set", l.Name}
	switch {
	case l.Up:
		words = append(words, "up")
	case l.Down:
		words = append(words, "down")
	case l.Rename != "":
		words = append(words, "name", l.Rename)
	case l.Master != "":
		words = append(words, "master", l.Master)
	case l.Alias != "":
		words = append(words, "alias", shellWord(l.Alias))
	case l.Hairpin:
		words = append(words, "type", "bridge_slave", "hairpin", "on")
	case l.Isolated:
		words = append(words, "type", "bridge_slave", "isolated", "on")
	}
	if l.Rename != "" {
		return netlinkCall("RTM_SETLINK", words, quote(l.Rename))
	}
	if l.Alias != "" {
		return netlinkCall("RTM_SETLINK", words, quote(l.Alias))
	}
	if l.Master != "" || l.Hairpin || l.Isolated {
		return netlinkCall("RTM_SETLINK", words)
	}
	return netlinkCall("RTM_NEWLINK", words)
}

func (l LinkSet) compile(*compiler) { panic("kernel: interfaces are changed by the parent") }

func (l LinkSet) performInGo() (int, error) {
	link, err := byName(l.Name)
	if err != nil {
		return 0, err
	}
	switch {
	case l.Up:
		err = netlink.LinkSetUp(link)
	case l.Down:
		err = netlink.LinkSetDown(link)
	case l.Rename != "":
		err = netlink.LinkSetName(link, l.Rename)
	case l.Hairpin:
		err = netlink.LinkSetHairpin(link, true)
	case l.Master != "":
		var master int
		if master, err = linkIndex(l.Master); err == nil {
			err = netlink.LinkSetMasterByIndex(link, master)
		}
	case l.Alias != "":
		err = netlink.LinkSetAlias(link, l.Alias)
	case l.Isolated:
		err = netlink.LinkSetIsolated(link, true)
	}
	return 0, err
}

// LinkDel removes an interface, and of a veth pair both ends: RTM_DELLINK.
type LinkDel struct{ Name string }

// Call as the message; the text form is ip's.
func (l LinkDel) Call() Call {
	return netlinkCall("RTM_DELLINK", []string{"ip", "link", "del", l.Name})
}

func (l LinkDel) compile(*compiler) { panic("kernel: interfaces are removed by the parent") }

func (l LinkDel) performInGo() (int, error) {
	link, err := byName(l.Name)
	if err == nil {
		err = netlink.LinkDel(link)
	}
	return 0, err
}

// AddrAdd gives an interface an address: RTM_NEWADDR. An IPv6 address is used at once: there is nobody else in a network of
// containers who could have it, and finding that out (duplicate address detection) takes a second.
type AddrAdd struct {
	Name    string
	Address netip.Prefix // the address, and how long the subnet's prefix is
}

// Call as the message; the text form is ip's.
func (a AddrAdd) Call() Call {
	words := []string{"ip", "addr", "add", a.Address.String()}
	if a.Address.Addr().Is4() {
		words = append(words, "brd", "+")
	}
	words = append(words, "dev", a.Name)
	if a.Address.Addr().Is6() {
		words = append(words, "nodad")
	}
	return netlinkCall("RTM_NEWADDR", words, a.Address.Addr().String())
}

func (a AddrAdd) compile(*compiler) { panic("kernel: addresses are given by the parent") }

func (a AddrAdd) performInGo() (int, error) {
	link, err := byName(a.Name)
	if err != nil {
		return 0, err
	}
	addr := &netlink.Addr{IPNet: ipNet(a.Address)}
	if a.Address.Addr().Is6() {
		addr.Flags = unix.IFA_F_NODAD
	}
	return 0, netlink.AddrAdd(link, addr)
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// RouteAdd is the way to all other addresses: RTM_NEWROUTE.
type RouteAdd struct {
	Via  netip.Addr
	V6   bool   // of a route without Via
	Name string // of the interface; "" where Via tells it

	Replace bool // one that is there
}

// Call as the message; the text form is ip's.
func (r RouteAdd) Call() Call {
	words := []string{"ip"}
	if r.family() == unix.AF_INET6 {
		words = append(words, "-6")
	}
	verb := "add"
	if r.Replace {
		verb = "replace"
	}
	words = append(words, "route", verb, "default")
	if r.Via.IsValid() {
		words = append(words, "via", r.Via.String())
	}
	if r.Name != "" {
		words = append(words, "dev", r.Name)
	}
	if r.Via.IsValid() {
		return netlinkCall("RTM_NEWROUTE", words, r.Via.String())
	}
	return netlinkCall("RTM_NEWROUTE", words)
}

func (r RouteAdd) family() int {
	if r.V6 || r.Via.Is6() {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

func (r RouteAdd) compile(*compiler) { panic("kernel: routes are made by the parent") }

func (r RouteAdd) performInGo() (int, error) {
	route := &netlink.Route{Family: r.family()}
	everywhere := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if r.family() == unix.AF_INET6 {
		everywhere = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	route.Dst = ipNet(everywhere)
	if r.Via.IsValid() {
		route.Gw = r.Via.AsSlice()
	}
	var err error
	if route.LinkIndex, err = linkIndex(r.Name); err != nil {
		return 0, err
	}
	if r.Replace {
		return 0, netlink.RouteReplace(route)
	}
	return 0, netlink.RouteAdd(route)
}

// Link is what is asked of an interface.
type Link struct {
	Name   string
	Index  int
	Kind   string
	Up     bool
	MTU    int
	MAC    string
	Peer   int // of a veth: the number of its other end, in that one's namespace
	Master int // the bridge it is in
	Alias  string
}

// LinkOf looks at an interface of the namespace that the thread is in.
func LinkOf(name string) (Link, error) {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return Link{}, linkError(err)
	}
	return linkOf(l), nil
}

// Links are all interfaces of the namespace that the thread is in.
func Links() ([]Link, error) {
	list, err := Whole(netlink.LinkList)
	if err != nil {
		return nil, err
	}
	links := make([]Link, len(list))
	for i, l := range list {
		links[i] = linkOf(l)
	}
	return links, nil
}

func linkOf(l netlink.Link) Link {
	a := l.Attrs()
	return Link{
		Name: a.Name, Index: a.Index, Kind: l.Type(), Up: a.Flags&net.FlagUp != 0, MTU: a.MTU, MAC: a.HardwareAddr.String(),
		Peer: a.ParentIndex, Master: a.MasterIndex, Alias: a.Alias,
	}
}
