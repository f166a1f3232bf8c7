package userland

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sort"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// Reading the network configuration. The kernel is asked over a netlink socket, rtnetlink(7): one message for every link,
// address or route, each a fixed structure followed by attributes. What ip, ifconfig, route and brctl print is taken from
// these messages directly, so that it is what the kernel says.

// attributes of a message, by type (IFLA_…, IFA_…, RTA_…, NDA_…).
type attributes map[uint16][]byte

func parseAttributes(b []byte) (attributes, error) {
	list, err := nl.ParseRouteAttr(b)
	if err != nil {
		return nil, err
	}
	attrs := attributes{}
	for _, a := range list {
		attrs[a.Attr.Type&^unix.NLA_F_NESTED] = a.Value
	}
	return attrs, nil
}

func (a attributes) has(kind uint16) bool {
	_, ok := a[kind]
	return ok
}

func (a attributes) text(kind uint16) string {
	return string(bytes.TrimRight(a[kind], "\x00"))
}

func (a attributes) number(kind uint16) int {
	switch b := a[kind]; len(b) {
	case 1:
		return int(b[0])
	case 2:
		return int(binary.NativeEndian.Uint16(b))
	case 4:
		return int(int32(binary.NativeEndian.Uint32(b)))
	}
	return 0
}

// nested attributes, such as IFLA_LINKINFO. What cannot be parsed is empty.
func (a attributes) nested(kind uint16) attributes {
	inner, _ := parseAttributes(a[kind])
	return inner
}

// addressesOf are all addresses of an interface.
func addressesOf(link netlink.Link, family int) ([]netlink.Addr, error) {
	return kernel.Whole(func() ([]netlink.Addr, error) { return netlink.AddrList(link, family) })
}

// dump asks for all objects of a kind and calls add with the fixed part and the attributes of each.
func dump(request, answer uint16, header nl.NetlinkRequestData, fixed int, add func(b []byte, attrs attributes)) error {
	req := nl.NewNetlinkRequest(int(request), unix.NLM_F_DUMP)
	req.AddData(header)
	messages, err := req.Execute(unix.NETLINK_ROUTE, answer)
	if err != nil && !errors.Is(err, nl.ErrDumpInterrupted) { // interrupted: something changed meanwhile; what came is still good to show
		return refused(err)
	}
	for _, m := range messages {
		if len(m) < fixed {
			return fmt.Errorf("rtnetlink: message of %d bytes is too short", len(m))
		}
		attrs, err := parseAttributes(m[fixed:])
		if err != nil {
			return err
		}
		add(m[:fixed], attrs)
	}
	return nil
}

// netLink is a network interface.
type netLink struct {
	index, mtu, group, queueLength int
	name, kind, qdisc              string // kind: veth, bridge …, "" for hardware and lo
	flags                          uint32
	hardware                       uint16 // ARPHRD_…
	address, broadcast             []byte
	state, mode                    int // IFLA_OPERSTATE, IFLA_LINKMODE
	master                         int
	lower                          int // the other end of a veth, what a vlan is on …; -1 for none
	lowerNamespace                 int // id of the namespace that lower is in; -1 for ours
	altNames                       []string
	data                           attributes // IFLA_INFO_DATA: what belongs to the kind
	counters                       [8]uint64  // rx packets, tx packets, rx bytes, tx bytes, rx errors, tx errors, rx dropped, tx dropped
	multicast, collisions          uint64
	rxMissed, txCarrier            uint64
	rxOverruns, txOverruns         uint64
	rxFrame                        uint64
}

// readLinks lists the interfaces of this network namespace by index.
func readLinks() ([]*netLink, error) {
	var links []*netLink
	err := dump(unix.RTM_GETLINK, unix.RTM_NEWLINK, nl.NewIfInfomsg(unix.AF_UNSPEC), unix.SizeofIfInfomsg, func(b []byte, attrs attributes) {
		links = append(links, decodeLink(b, attrs))
	})
	sort.Slice(links, func(i, j int) bool { return links[i].index < links[j].index })
	return links, err
}

func decodeLink(b []byte, attrs attributes) *netLink {
	header, info := nl.DeserializeIfInfomsg(b), attrs.nested(unix.IFLA_LINKINFO)
	l := &netLink{
		index: int(header.Index), flags: header.Flags, hardware: header.Type,
		name: attrs.text(unix.IFLA_IFNAME), qdisc: attrs.text(unix.IFLA_QDISC), kind: info.text(unix.IFLA_INFO_KIND),
		mtu: attrs.number(unix.IFLA_MTU), group: attrs.number(unix.IFLA_GROUP), queueLength: attrs.number(unix.IFLA_TXQLEN),
		address: attrs[unix.IFLA_ADDRESS], broadcast: attrs[unix.IFLA_BROADCAST],
		state: attrs.number(unix.IFLA_OPERSTATE), mode: attrs.number(unix.IFLA_LINKMODE), master: attrs.number(unix.IFLA_MASTER),
		lower: -1, lowerNamespace: -1, data: info.nested(unix.IFLA_INFO_DATA),
	}
	if attrs.has(unix.IFLA_LINK) {
		l.lower = attrs.number(unix.IFLA_LINK)
	}
	if attrs.has(unix.IFLA_LINK_NETNSID) {
		l.lowerNamespace = attrs.number(unix.IFLA_LINK_NETNSID)
	}
	if names, err := nl.ParseRouteAttr(attrs[unix.IFLA_PROP_LIST]); err == nil {
		for _, n := range names {
			l.altNames = append(l.altNames, string(bytes.TrimRight(n.Value, "\x00")))
		}
	}
	l.takeCounters(attrs[unix.IFLA_STATS64])
	return l
}

// takeCounters reads struct rtnl_link_stats64 of linux/if_link.h.
func (l *netLink) takeCounters(b []byte) {
	counter := func(i int) uint64 {
		if len(b) < 8*i+8 {
			return 0
		}
		return binary.NativeEndian.Uint64(b[8*i:])
	}
	for i := range l.counters {
		l.counters[i] = counter(i)
	}
	l.multicast, l.collisions = counter(8), counter(9)
	l.rxFrame = counter(10) + counter(11) + counter(12) + counter(13) // wrong length, too long, wrong checksum, wrong frame
	l.rxOverruns, l.rxMissed = counter(14), counter(15)
	l.txCarrier, l.txOverruns = counter(17), counter(18)
}

// findLink finds an interface by its name, or one of its other names.
func findLink(links []*netLink, name string) *netLink {
	for _, l := range links {
		if l.name == name {
			return l
		}
		for _, other := range l.altNames {
			if other == name {
				return l
			}
		}
	}
	return nil
}

// linkName is the name of the interface with an index, or ifN when it is not in this namespace.
func linkName(links []*netLink, index int) string {
	for _, l := range links {
		if l.index == index {
			return l.name
		}
	}
	return fmt.Sprintf("if%d", index)
}
