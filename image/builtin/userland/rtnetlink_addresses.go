package userland

import (
	"encoding/binary"
	"net/netip"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// netAddress is an address of an interface.
type netAddress struct {
	link, family, prefix int
	scope                uint8
	flags                uint32
	local, peer          netip.Addr // peer is the other end of a point-to-point link, else the same as local
	broadcast, anycast   netip.Addr
	label                string
	metric               int
	valid, preferred     uint32 // seconds, forever for no end
}

// forever is INFINITY_LIFE_TIME.
const forever = ^uint32(0)

// readAddresses lists the addresses of a family, AF_UNSPEC for all, in the kernel's order.
func readAddresses(family int) ([]*netAddress, error) {
	var addresses []*netAddress
	err := dump(unix.RTM_GETADDR, unix.RTM_NEWADDR, nl.NewIfAddrmsg(family), unix.SizeofIfAddrmsg, func(b []byte, attrs attributes) {
		header := nl.DeserializeIfAddrmsg(b)
		a := &netAddress{
			link: int(header.Index), family: int(header.Family), prefix: int(header.Prefixlen), scope: header.Scope, flags: uint32(header.Flags),
			label: attrs.text(unix.IFA_LABEL), metric: attrs.number(unix.IFA_RT_PRIORITY), valid: forever, preferred: forever,
			local: addressOf(attrs[unix.IFA_LOCAL]), peer: addressOf(attrs[unix.IFA_ADDRESS]),
			broadcast: addressOf(attrs[unix.IFA_BROADCAST]), anycast: addressOf(attrs[unix.IFA_ANYCAST]),
		}
		if !a.local.IsValid() {
			a.local = a.peer
		}
		if !a.peer.IsValid() {
			a.peer = a.local
		}
		if attrs.has(unix.IFA_FLAGS) {
			a.flags = uint32(attrs.number(unix.IFA_FLAGS))
		}
		if cache := attrs[unix.IFA_CACHEINFO]; len(cache) >= 8 {
			a.preferred, a.valid = binary.NativeEndian.Uint32(cache), binary.NativeEndian.Uint32(cache[4:])
		}
		if a.family == unix.AF_INET || a.family == unix.AF_INET6 {
			addresses = append(addresses, a)
		}
	})
	return addresses, err
}

func addressOf(b []byte) netip.Addr {
	a, _ := netip.AddrFromSlice(b)
	return a
}

// netNeighbour is an entry of the table that translates IP addresses to hardware addresses.
type netNeighbour struct {
	link, family int
	state        uint16 // NUD_…
	flags        uint8
	address      netip.Addr
	hardware     []byte
}

// readNeighbours lists the neighbours of a family, AF_UNSPEC for all.
func readNeighbours(family int) ([]*netNeighbour, error) {
	var neighbours []*netNeighbour
	header := make(rawHeader, unix.SizeofNdMsg)
	header[0] = byte(family)
	err := dump(unix.RTM_GETNEIGH, unix.RTM_NEWNEIGH, header, unix.SizeofNdMsg, func(b []byte, attrs attributes) {
		n := &netNeighbour{
			family: int(b[0]), link: int(binary.NativeEndian.Uint32(b[4:])), state: binary.NativeEndian.Uint16(b[8:]), flags: b[10],
			address: addressOf(attrs[unix.NDA_DST]), hardware: attrs[unix.NDA_LLADDR],
		}
		if n.address.IsValid() {
			neighbours = append(neighbours, n)
		}
	})
	return neighbours, err
}

// rawHeader is a request's fixed part that is only filled in with a family.
type rawHeader []byte

func (h rawHeader) Len() int          { return len(h) }
func (h rawHeader) Serialize() []byte { return h }
