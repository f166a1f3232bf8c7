package userland

import (
	"encoding/binary"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// netRoute is an entry of a routing table.
type netRoute struct {
	family, table, metric    int
	kind, scope, proto       uint8 // RTN_…, RT_SCOPE_…, RTPROT_…
	tos, preference          uint8
	flags                    uint32 // RTNH_F_… and RTM_F_…
	destination              netip.Prefix
	gateway, source          netip.Addr
	link                     int
	hops                     []nextHop // of a route with several
	mtu                      int
	hasPreference, hasMetric bool
}

// nextHop is one of several ways that a route may take.
type nextHop struct {
	gateway netip.Addr
	link    int
	weight  int
	flags   uint32
}

// readRoutes lists all routing tables of a family.
func readRoutes(family int) ([]*netRoute, error) {
	var routes []*netRoute
	header := &nl.RtMsg{RtMsg: unix.RtMsg{Family: uint8(family)}}
	err := dump(unix.RTM_GETROUTE, unix.RTM_NEWROUTE, header, unix.SizeofRtMsg, func(b []byte, attrs attributes) {
		if r := decodeRoute(b, attrs); r.family == family && r.flags&unix.RTM_F_CLONED == 0 {
			routes = append(routes, r)
		}
	})
	return routes, err
}

func decodeRoute(b []byte, attrs attributes) *netRoute {
	header := nl.DeserializeRtMsg(b)
	r := &netRoute{
		family: int(header.Family), table: int(header.Table), kind: header.Type, scope: header.Scope, proto: header.Protocol, tos: header.Tos,
		flags: header.Flags, metric: attrs.number(unix.RTA_PRIORITY), hasMetric: attrs.has(unix.RTA_PRIORITY),
		gateway: addressOf(attrs[unix.RTA_GATEWAY]), source: addressOf(attrs[unix.RTA_PREFSRC]), link: attrs.number(unix.RTA_OIF),
		preference: uint8(attrs.number(unix.RTA_PREF)), hasPreference: attrs.has(unix.RTA_PREF),
	}
	if attrs.has(unix.RTA_TABLE) {
		r.table = attrs.number(unix.RTA_TABLE)
	}
	destination := addressOf(attrs[unix.RTA_DST])
	if !destination.IsValid() {
		destination = netip.IPv4Unspecified()
		if r.family == unix.AF_INET6 {
			destination = netip.IPv6Unspecified()
		}
	}
	r.destination = netip.PrefixFrom(destination, int(header.Dst_len))
	r.mtu = attrs.nested(unix.RTA_METRICS).number(unix.RTAX_MTU)
	r.hops = decodeHops(attrs[unix.RTA_MULTIPATH])
	return r
}

// decodeHops takes apart RTA_MULTIPATH: struct rtnexthop, each with attributes behind it.
func decodeHops(b []byte) []nextHop {
	var hops []nextHop
	for len(b) >= unix.SizeofRtNexthop {
		length := int(binary.NativeEndian.Uint16(b))
		if length < unix.SizeofRtNexthop || length > len(b) {
			break
		}
		attrs, _ := parseAttributes(b[unix.SizeofRtNexthop:length])
		hops = append(hops, nextHop{
			flags: uint32(b[2]), weight: int(b[3]) + 1, link: int(binary.NativeEndian.Uint32(b[4:])), gateway: addressOf(attrs[unix.RTA_GATEWAY]),
		})
		b = b[min((length+3)&^3, len(b)):]
	}
	return hops
}

// isDefault tells whether the route is for everything.
func (r *netRoute) isDefault() bool { return r.destination.Bits() == 0 }
