package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Interface is an interface with its addresses. As `ip addr` has it, a veth that is called eth0@if7 has its other end in
// another namespace, and there it has the number 7.
type Interface struct {
	Link
	Addresses []netip.Prefix // with how long the subnet's prefix is; those of one link only (fe80::) left out
}

// IPName is the interface as `ip` names it: 7: veth4f3a2b1@if2. Numbers that are not known are left out.
func (l Link) IPName() string {
	text := l.Name
	if l.Index != 0 {
		text = fmt.Sprintf("%d: %s", l.Index, l.Name)
	}
	if l.Peer != 0 {
		text += "@if" + strconv.Itoa(l.Peer)
	}
	return text
}

// Interfaces are all of the namespace that the thread is in, by number: RTM_GETLINK and RTM_GETADDR.
func Interfaces() ([]Interface, error) {
	links, err := Links()
	if err != nil {
		return nil, err
	}
	addresses, err := allAddresses()
	if err != nil {
		return nil, err
	}
	list := make([]Interface, len(links))
	for i, l := range links {
		list[i].Link = l
		for _, a := range addresses {
			if p, ok := prefixOf(a); ok && a.LinkIndex == l.Index && !p.Addr().IsLinkLocalUnicast() {
				list[i].Addresses = append(list[i].Addresses, p)
			}
		}
	}
	return list, nil
}

// AddressesOf are all addresses of an interface, by its number: RTM_GETADDR.
func AddressesOf(index int) (list []netip.Addr, err error) {
	all, err := allAddresses()
	for _, a := range all {
		if p, ok := prefixOf(a); ok && a.LinkIndex == index {
			list = append(list, p.Addr())
		}
	}
	return list, err
}

func allAddresses() ([]netlink.Addr, error) {
	return Whole(func() ([]netlink.Addr, error) { return netlink.AddrList(nil, netlink.FAMILY_ALL) })
}

// Whole asks for a list again as long as the kernel says that it has changed while it was told (NLM_F_DUMP_INTR): interfaces come and go,
// and something may be missing. On a machine where that never ends, it ends with the error.
func Whole[T any](ask func() (T, error)) (list T, err error) {
	for range 100 {
		if list, err = ask(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return list, err
}

func prefixOf(a netlink.Addr) (netip.Prefix, bool) {
	if a.IPNet == nil {
		return netip.Prefix{}, false
	}
	address, ok := netip.AddrFromSlice(a.IP)
	bits, _ := a.Mask.Size()
	return netip.PrefixFrom(address.Unmap(), bits), ok
}

// MissingKind tells whether the kernel lacks a kind of interface, macvlan or ipvlan: it is asked for one on the loopback, which it never
// makes (EINVAL), and if it has a module for the kind it loads it to say so.
func MissingKind(kind string) bool {
	const loopback = 1 // its number in each network namespace
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex = "question", loopback
	return errors.Is(netlink.LinkAdd(LinkAdd{Kind: kind}.subinterface(attrs)), unix.EOPNOTSUPP)
}

// Route is what the kernel answers to the question where a packet goes.
type Route struct {
	Interface int        // its number
	Via       netip.Addr // the next router; none if the destination is in the same subnet
	Source    netip.Addr // that a packet of our own gets
	Local     bool       // it is one of this namespace's own addresses
	Refused   bool       // unreachable, prohibit, blackhole: a route that says no
}

// DefaultRoutes are the ways to everywhere, of IPv4 and IPv6: RTM_GETROUTE.
func DefaultRoutes() (list []Route) {
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		routes, err := Whole(func() ([]netlink.Route, error) {
			return netlink.RouteListFiltered(family, &netlink.Route{}, netlink.RT_FILTER_DST)
		})
		if err != nil {
			continue
		}
		for _, r := range routes {
			if r.Type == unix.RTN_UNICAST && r.LinkIndex != 0 {
				list = append(list, routeOf(r))
			}
		}
	}
	return list
}

func routeOf(r netlink.Route) Route {
	via, _ := netip.AddrFromSlice(r.Gw)
	source, _ := netip.AddrFromSlice(r.Src)
	refused := r.Type == unix.RTN_UNREACHABLE || r.Type == unix.RTN_PROHIBIT || r.Type == unix.RTN_BLACKHOLE
	return Route{Interface: r.LinkIndex, Via: via.Unmap(), Source: source.Unmap(), Local: r.Type == unix.RTN_LOCAL, Refused: refused}
}

// RouteQuestion is what the kernel is asked: where does a packet to To go?
type RouteQuestion struct {
	To   netip.Addr
	From netip.Addr // none: the kernel chooses
	In   int        // the number of the interface that it has come in by; 0: it is our own
}

// RouteTo asks the kernel of the namespace that the thread is in: RTM_GETROUTE, as `ip route get` does. It looks at the same tables,
// and checks the source as strictly, as it would for the packet itself.
func RouteTo(q RouteQuestion) (Route, error) {
	options := &netlink.RouteGetOptions{IifIndex: q.In}
	if q.From.IsValid() {
		options.SrcAddr = q.From.AsSlice()
	}
	routes, err := netlink.RouteGetWithOptions(q.To.AsSlice(), options)
	if err != nil {
		return Route{}, err
	}
	if len(routes) == 0 {
		return Route{}, unix.ENETUNREACH
	}
	return routeOf(routes[0]), nil
}

// BridgePort is what is special about an interface that is plugged into a bridge.
type BridgePort struct {
	Hairpin  bool // a packet may leave by the port that it came in by
	Isolated bool // it does not speak with other ports that are isolated, too
}

// BridgePortOf looks at a port, by its number: IFLA_PROTINFO.
func BridgePortOf(index int) (BridgePort, error) {
	info, err := Whole(func() (netlink.Protinfo, error) {
		return netlink.LinkGetProtinfo(&netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: index}})
	})
	return BridgePort{Hairpin: info.Hairpin, Isolated: info.Isolated}, err
}
