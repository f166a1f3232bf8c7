package userland

import (
	"bufio"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func exampleLinks() []*netLink {
	return []*netLink{
		{index: 1, name: "lo", mtu: 65536, qdisc: "noqueue", queueLength: 1000, hardware: unix.ARPHRD_LOOPBACK, lower: -1, lowerNamespace: -1,
			flags: unix.IFF_UP | unix.IFF_LOOPBACK | unix.IFF_RUNNING | unix.IFF_LOWER_UP, address: make([]byte, 6), broadcast: make([]byte, 6)},
		{index: 30, name: "eth0", mtu: 1500, qdisc: "noqueue", queueLength: 1000, hardware: unix.ARPHRD_ETHER, lower: 31, lowerNamespace: 0, state: 6, kind: "veth",
			flags:   unix.IFF_UP | unix.IFF_BROADCAST | unix.IFF_MULTICAST | unix.IFF_RUNNING | unix.IFF_LOWER_UP,
			address: []byte{2, 0x42, 0xac, 0x11, 0, 2}, broadcast: []byte{255, 255, 255, 255, 255, 255}},
	}
}

func printedByIP(family int, print func(c *ipCall)) string {
	var out strings.Builder
	c := &ipCall{out: bufio.NewWriter(&out), family: family, links: exampleLinks()}
	print(c)
	c.out.Flush()
	return out.String()
}

func TestIPLinkForm(t *testing.T) {
	check(t, "ip link", printedByIP(0, func(c *ipCall) { c.printLink(c.links[1], true) }), ""+
		"30: eth0@if31: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000\n"+
		"    link/ether 02:42:ac:11:00:02 brd ff:ff:ff:ff:ff:ff link-netnsid 0")
	check(t, "ip -4 addr has one line", printedByIP(unix.AF_INET, func(c *ipCall) { c.printLink(c.links[0], false) }),
		"1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000")
	check(t, "a cable that is not plugged in", printedByIP(0, func(c *ipCall) {
		c.links[1].flags &^= unix.IFF_RUNNING
		c.out.WriteString(strings.Join(c.flagNames(c.links[1]), ","))
	}), "NO-CARRIER,BROADCAST,MULTICAST,UP,LOWER_UP")
	check(t, "the other end is here and down", printedByIP(0, func(c *ipCall) {
		c.links[1].lowerNamespace, c.links[1].lower = -1, 1
		c.links[0].flags &^= unix.IFF_UP
		c.out.WriteString(c.fullName(c.links[1]) + " " + strings.Join(c.flagNames(c.links[1]), ","))
	}), "eth0@lo BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN")
}

func TestIPAddressForm(t *testing.T) {
	address := netip.MustParseAddr("172.17.0.2")
	a := &netAddress{family: unix.AF_INET, prefix: 16, local: address, peer: address, broadcast: netip.MustParseAddr("172.17.255.255"), label: "eth0",
		flags: unix.IFA_F_PERMANENT, valid: forever, preferred: forever}
	check(t, "IPv4", printedByIP(0, func(c *ipCall) { c.printAddress(a) }),
		"inet 172.17.0.2/16 brd 172.17.255.255 scope global eth0\n       valid_lft forever preferred_lft forever\n")
	address = netip.MustParseAddr("fe80::1")
	a = &netAddress{family: unix.AF_INET6, prefix: 64, local: address, peer: address, scope: unix.RT_SCOPE_LINK, flags: unix.IFA_F_TENTATIVE | unix.IFA_F_SECONDARY, valid: 60, preferred: 30}
	check(t, "IPv6", printedByIP(0, func(c *ipCall) { c.printAddress(a) }),
		"inet6 fe80::1/64 scope link temporary tentative dynamic \n       valid_lft 60sec preferred_lft 30sec\n")
}

func TestIPRouteForm(t *testing.T) {
	direct := &netRoute{family: unix.AF_INET, kind: unix.RTN_UNICAST, proto: unix.RTPROT_KERNEL, scope: unix.RT_SCOPE_LINK, link: 30,
		destination: netip.MustParsePrefix("172.17.0.0/16"), source: netip.MustParseAddr("172.17.0.2")}
	gateway := &netRoute{family: unix.AF_INET, kind: unix.RTN_UNICAST, proto: unix.RTPROT_BOOT, link: 30, gateway: netip.MustParseAddr("172.17.0.1"),
		destination: netip.MustParsePrefix("0.0.0.0/0"), metric: 100, hasMetric: true, flags: unix.RTNH_F_LINKDOWN}
	check(t, "direct", printedByIP(0, func(c *ipCall) { c.printRoute(direct, false, true) }), "172.17.0.0/16 dev eth0 proto kernel scope link src 172.17.0.2 ")
	check(t, "default", printedByIP(0, func(c *ipCall) { c.printRoute(gateway, false, true) }), "default via 172.17.0.1 dev eth0 metric 100 linkdown ")
	check(t, "route", direct.oldLine("eth0", false, false), "172.17.0.0      *               255.255.0.0     U     0      0        0 eth0")
	check(t, "route -n", gateway.oldLine("eth0", true, false), "0.0.0.0         172.17.0.1      0.0.0.0         UG    100    0        0 eth0")
	check(t, "netstat -rn", gateway.oldLine("eth0", true, true), "0.0.0.0         172.17.0.1      0.0.0.0         UG        0 0          0 eth0")
}

func TestIPRefuses(t *testing.T) {
	mustRefuse(t, "Object \"nonsense\" is unknown, try \"ip help\".\n", 1, "ip", "nonsense")
	mustRefuse(t, "Cannot find device \"nonesuch0\"\n", 1, "ip", "link", "set", "nonesuch0", "up")
	mustRefuse(t, "Device \"nonesuch0\" does not exist.\n", 1, "ip", "addr", "show", "nonesuch0")
}

func TestIPInANamespace(t *testing.T) {
	ownNetwork(t)
	for _, line := range []string{
		"ip link set lo up", "ip link add br0 type bridge", "ip link set br0 address 02:42:00:00:00:01", "ip addr add 172.17.0.1/16 brd + dev br0",
		"ip link add veth0 type veth peer name eth1", "ip link set veth0 master br0", "ip link set veth0 up", "ip link set eth1 up", "ip link set br0 up mtu 1400",
		"ip route add 192.168.5.0/24 via 172.17.0.7 metric 50", "ip route add 192.168.6.0/24 dev br0",
	} {
		mustPrint(t, "", strings.Fields(line)...)
	}
	mustPrint(t, "bridge name\tbridge id\t\tSTP enabled\tinterfaces\nbr0\t\t8000.024200000001\tno\t\tveth0\n", "brctl", "show")
	addresses, _, _ := call(t, "", "ip", "-4", "addr", "show", "br0")
	if !strings.Contains(addresses, " mtu 1400 ") || !strings.Contains(addresses, "    inet 172.17.0.1/16 brd 172.17.255.255 scope global br0\n") {
		t.Errorf("ip -4 addr show br0 printed\n%s", addresses)
	}
	routes, _, _ := call(t, "", "ip", "route")
	for _, want := range []string{"172.17.0.0/16 dev br0 proto kernel scope link src 172.17.0.1 ", "192.168.5.0/24 via 172.17.0.7 dev br0 metric 50 ", "192.168.6.0/24 dev br0 scope link "} {
		if !strings.Contains(routes, want) {
			t.Errorf("ip route lacks %q:\n%s", want, routes)
		}
	}
	mustPrint(t, "", "ip", "route", "del", "192.168.6.0/24")
	mustRefuse(t, "RTNETLINK answers: No such process\n", 2, "ip", "route", "del", "192.168.6.0/24")
	mustPrint(t, "", "ip", "link", "del", "br0")
	mustRefuse(t, "Cannot find device \"br0\"\n", 1, "ip", "link", "del", "br0")
}
