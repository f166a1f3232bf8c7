package network

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"sandbox/kernel"
)

// Subnets for networks that name none, as Docker chooses them: fifteen with room for 65,534 containers, then sixteen with
// 4,094. For IPv6 there is a prefix of unique local addresses (RFC 4193) a network.
func candidates() (list []netip.Prefix) {
	for second := 17; second <= 31; second++ {
		list = append(list, netip.PrefixFrom(netip.AddrFrom4([4]byte{172, byte(second), 0, 0}), 16))
	}
	for third := 0; third < 256; third += 16 {
		list = append(list, netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 168, byte(third), 0}), 20))
	}
	return list
}

// freeSubnet is the first that no network has and that leads nowhere yet: a VPN's or a colleague's addresses stay what they are.
func freeSubnet(taken []netip.Prefix) (netip.Prefix, error) {
	routed := routes()
	for _, p := range candidates() {
		if overlapping(p, taken) == nil && overlapping(p, routed) == nil {
			return p, nil
		}
	}
	return netip.Prefix{}, kernel.Advise(errors.New("all predefined address pools have been fully subnetted: each is another network's, or this machine has a route there"),
		"sandbox network prune   removes unused networks; or name one: --subnet 10.99.0.0/24")
}

// overlapping is the first of a list that shares addresses with p.
func overlapping(p netip.Prefix, list []netip.Prefix) *netip.Prefix {
	for i := range list {
		if list[i].Overlaps(p) {
			return &list[i]
		}
	}
	return nil
}

// routes are the places that this machine knows a way to, the default route left out: /proc/net/route and ipv6_route.
func routes() (list []netip.Prefix) {
	eachLine("/proc/thread-self/net/route", func(f []string) { // Iface Destination Gateway Flags RefCnt Use Metric Mask …, hexadecimal, in the machine's order of bytes
		destination, err1 := strconv.ParseUint(f[1], 16, 32)
		mask, err2 := strconv.ParseUint(f[7], 16, 32)
		if err1 != nil || err2 != nil || mask == 0 {
			return
		}
		var a, m [4]byte
		binary.NativeEndian.PutUint32(a[:], uint32(destination))
		binary.NativeEndian.PutUint32(m[:], uint32(mask))
		ones := 0
		for _, b := range m {
			for ; b&0x80 != 0; b <<= 1 {
				ones++
			}
		}
		list = append(list, netip.PrefixFrom(netip.AddrFrom4(a), ones).Masked())
	})
	eachLine("/proc/thread-self/net/ipv6_route", func(f []string) { // destination, its prefix's length, …
		raw, err1 := hex.DecodeString(f[0])
		ones, err2 := strconv.ParseUint(f[1], 16, 8)
		if addr, ok := netip.AddrFromSlice(raw); ok && err1 == nil && err2 == nil && ones > 0 && ones < 128 && !addr.IsLinkLocalUnicast() && !addr.IsMulticast() {
			list = append(list, netip.PrefixFrom(addr, int(ones)).Masked())
		}
	})
	return list
}

// eachLine calls f with the words of each line that has at least eight of them.
func eachLine(path string, f func(words []string)) {
	file, err := os.Open(path)
	if err != nil {
		return
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) >= 8 {
			f(words)
		}
	}
}

// check looks at a pool that was asked for.
func (p *Pool) check() error {
	if p.Subnet != p.Subnet.Masked() {
		return kernel.Advise(fmt.Errorf("invalid subnet %s: it should be %s", p.Subnet, p.Subnet.Masked()), "--subnet %s", p.Subnet.Masked())
	}
	if a := p.Subnet.Addr(); a.IsLoopback() || a.IsMulticast() {
		return kernel.Advise(fmt.Errorf("the subnet %s is of addresses that no network can have: they never leave a machine, or are of many at once", p.Subnet), "--subnet 172.28.0.0/16")
	}
	if p.Subnet.Addr().Is4() && p.Subnet.Bits() > 30 || p.Subnet.Bits() > 126 {
		return kernel.Advise(fmt.Errorf("the subnet %s has no room for a container", p.Subnet), "at most /30 (two addresses) with IPv4, /126 with IPv6")
	}
	inside := func(what string, a netip.Addr) error {
		if special := p.special(a); special != "" {
			return kernel.Advise(fmt.Errorf("the %s %s is %s", what, a, special), "choose one from %s to %s", p.first(), p.last())
		}
		if p.Subnet.Contains(a) {
			return nil
		}
		return kernel.Advise(fmt.Errorf("the %s %s is not in the subnet %s", what, a, p.Subnet), "choose one from %s to %s", p.first(), p.last())
	}
	if p.IPRange.IsValid() && (!p.Subnet.Contains(p.IPRange.Addr()) || p.IPRange.Bits() < p.Subnet.Bits()) {
		return kernel.Advise(fmt.Errorf("the range %s is not in the subnet %s", p.IPRange, p.Subnet), "--ip-range is a part of --subnet")
	}
	if p.IPRange.IsValid() && p.IPRange != p.IPRange.Masked() {
		return kernel.Advise(fmt.Errorf("invalid range %s: it should be %s", p.IPRange, p.IPRange.Masked()), "--ip-range %s", p.IPRange.Masked())
	}
	if p.Gateway.IsValid() {
		if err := inside("gateway", p.Gateway); err != nil {
			return err
		}
	}
	for name, a := range p.Auxiliary {
		if err := inside("auxiliary address "+name, a); err != nil {
			return err
		}
	}
	return nil
}

// special says what an address of the subnet is that nobody can have; "" of every other address.
func (p Pool) special(a netip.Addr) string {
	switch {
	case !p.Subnet.Contains(a):
	case a.Less(p.first()):
		return fmt.Sprintf("the address of the subnet %s itself", p.Subnet)
	case p.last().Less(a):
		return fmt.Sprintf("the broadcast address of the subnet %s", p.Subnet)
	}
	return ""
}

// first and last address that somebody can have: with IPv4 neither the network's own nor the broadcast address.
func (p Pool) first() netip.Addr { return p.Subnet.Addr().Next() }

func (p Pool) last() netip.Addr {
	last := lastOf(p.Subnet)
	if last.Is4() && p.Subnet.Bits() < 31 {
		return last.Prev()
	}
	return last
}

func lastOf(p netip.Prefix) netip.Addr {
	raw := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(raw)*8; bit++ {
		raw[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(raw)
	return last
}

// givenOut are the bounds of the addresses that containers get.
func (p Pool) givenOut() (from, to netip.Addr) {
	from, to = p.first(), p.last()
	if p.IPRange.IsValid() {
		from, to = maxAddr(from, p.IPRange.Addr()), minAddr(to, lastOf(p.IPRange))
	}
	return from, to
}

func maxAddr(a, b netip.Addr) netip.Addr {
	if a.Less(b) {
		return b
	}
	return a
}

func minAddr(a, b netip.Addr) netip.Addr {
	if b.Less(a) {
		return b
	}
	return a
}

// reserved tells the addresses that no container gets, whoever asks.
func (p Pool) reserved(a netip.Addr) (by string) {
	if a == p.Gateway {
		return "the gateway"
	}
	if name := p.auxiliaryAt(a); name != "" {
		return "the auxiliary address " + name
	}
	return ""
}

// auxiliaryAt is the name of the auxiliary address that an address is; "" if it is none.
func (p Pool) auxiliaryAt(a netip.Addr) string {
	for name, other := range p.Auxiliary {
		if a == other {
			return name
		}
	}
	return ""
}
