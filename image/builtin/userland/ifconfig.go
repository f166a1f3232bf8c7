package userland

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// runIfconfig shows interfaces as net-tools does, and sets an address: ifconfig eth0 172.17.0.2 netmask 255.255.0.0 up.
func runIfconfig(p *Process) int {
	opts, words, err := p.options("+as", map[string]string{"all": "a"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(words) > 1 {
		if err := configure(words[0], &arguments{words[1:]}); err != nil {
			return p.Fail("%s", causeText(err))
		}
		return 0
	}
	links, err := readLinks()
	if err != nil {
		return p.Fail("%v", err)
	}
	addresses, err := readAddresses(unix.AF_UNSPEC)
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(words) == 1 {
		link := findLink(links, words[0])
		if link == nil {
			fmt.Fprintf(p.Stderr, "%s: error fetching interface information: Device not found\n", words[0])
			return 1
		}
		links = []*netLink{link}
	}
	slices.SortFunc(links, func(a, b *netLink) int { return strings.Compare(a.name, b.name) })
	out := bufio.NewWriter(p.Stdout)
	defer out.Flush()
	for _, l := range links {
		if len(words) == 1 || opts.has('a') || l.flags&unix.IFF_UP != 0 {
			printInterface(out, l, addresses)
		}
	}
	return 0
}

// oldLinkFlags in ifconfig's order. It knows the lower 16 bits only.
var oldLinkFlags = []struct {
	flag uint32
	name string
}{
	{unix.IFF_UP, "UP"}, {unix.IFF_BROADCAST, "BROADCAST"}, {unix.IFF_DEBUG, "DEBUG"}, {unix.IFF_LOOPBACK, "LOOPBACK"},
	{unix.IFF_POINTOPOINT, "POINTOPOINT"}, {unix.IFF_NOTRAILERS, "NOTRAILERS"}, {unix.IFF_RUNNING, "RUNNING"}, {unix.IFF_NOARP, "NOARP"},
	{unix.IFF_PROMISC, "PROMISC"}, {unix.IFF_ALLMULTI, "ALLMULTI"}, {unix.IFF_SLAVE, "SLAVE"}, {unix.IFF_MASTER, "MASTER"},
	{unix.IFF_MULTICAST, "MULTICAST"}, {unix.IFF_DYNAMIC, "DYNAMIC"},
}

func printInterface(out io.Writer, l *netLink, addresses []*netAddress) {
	var names []string
	for _, f := range oldLinkFlags {
		if l.flags&f.flag != 0 {
			names = append(names, f.name)
		}
	}
	fmt.Fprintf(out, "%s: flags=%d<%s>  mtu %d\n", l.name, l.flags&0xffff, strings.Join(names, ","), l.mtu)
	for _, a := range addresses {
		if a.link == l.index && a.family == unix.AF_INET {
			fmt.Fprintf(out, "        inet %s  netmask %s", a.local, maskOf(a.prefix))
			switch {
			case l.flags&unix.IFF_POINTOPOINT != 0:
				fmt.Fprintf(out, "  destination %s", a.peer)
			case l.flags&unix.IFF_BROADCAST != 0 && a.broadcast.IsValid():
				fmt.Fprintf(out, "  broadcast %s", a.broadcast)
			case l.flags&unix.IFF_BROADCAST != 0:
				fmt.Fprint(out, "  broadcast 0.0.0.0")
			}
			fmt.Fprintln(out)
			break // the others need a label of their own, eth0:1, to be seen here
		}
	}
	for _, a := range addresses {
		if a.link == l.index && a.family == unix.AF_INET6 {
			fmt.Fprintf(out, "        inet6 %s  prefixlen %d  scopeid %s\n", a.local, a.prefix, scopeID(a.scope))
		}
	}
	printCounters(out, l)
}

func printCounters(out io.Writer, l *netLink) {
	switch l.hardware {
	case unix.ARPHRD_ETHER:
		fmt.Fprintf(out, "        ether %s  txqueuelen %d  (Ethernet)\n", hardwareAddress(l.address), l.queueLength)
	case unix.ARPHRD_LOOPBACK:
		fmt.Fprintf(out, "        loop  txqueuelen %d  (Local Loopback)\n", l.queueLength)
	default:
		fmt.Fprintf(out, "        unspec %s  txqueuelen %d  (UNSPEC)\n", hardwareAddress(l.address), l.queueLength)
	}
	c := l.counters
	fmt.Fprintf(out, "        RX packets %d  bytes %d (%s)\n", c[0], c[2], binarySize(c[2]))
	fmt.Fprintf(out, "        RX errors %d  dropped %d  overruns %d  frame %d\n", c[4], c[6]+l.rxMissed, l.rxOverruns, l.rxFrame)
	fmt.Fprintf(out, "        TX packets %d  bytes %d (%s)\n", c[1], c[3], binarySize(c[3]))
	fmt.Fprintf(out, "        TX errors %d  dropped %d overruns %d  carrier %d  collisions %d\n\n", c[5], c[7], l.txOverruns, l.txCarrier, l.collisions)
}

// scopeID is the scope as IPv6's own code numbers it.
func scopeID(scope uint8) string {
	switch scope {
	case unix.RT_SCOPE_HOST:
		return "0x10<host>"
	case unix.RT_SCOPE_LINK:
		return "0x20<link>"
	case unix.RT_SCOPE_SITE:
		return "0x40<site>"
	}
	return "0x0<global>"
}

func binarySize(bytes uint64) string {
	value, unit := float64(bytes), "B"
	for _, larger := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if value < 1024 {
			break
		}
		value, unit = value/1024, larger
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

// configure makes the settings that follow an interface's name.
func configure(name string, args *arguments) error {
	link, err := device(name)
	if err != nil {
		return err
	}
	var address *netlink.Addr
	up := false
	for args.more() {
		word := args.next()
		var err error
		switch word {
		case "up":
			up = true
		case "down":
			err = netlink.LinkSetDown(link)
		case "mtu":
			var mtu int
			if mtu, err = args.number(word); err == nil {
				err = netlink.LinkSetMTU(link, mtu)
			}
		case "netmask", "broadcast":
			err = adjust(address, word, args.next())
		case "hw":
			args.next() // ether
			var mac net.HardwareAddr
			if mac, err = net.ParseMAC(args.next()); err == nil {
				err = netlink.LinkSetHardwareAddr(link, mac)
			}
		case "promisc":
			err = netlink.SetPromiscOn(link)
		case "-promisc":
			err = netlink.SetPromiscOff(link)
		default:
			address, err = classfulAddress(word)
			up = true
		}
		if err != nil {
			return err
		}
	}
	if address != nil {
		if err := replaceAddress(link, address); err != nil {
			return err
		}
	}
	if up {
		return netlink.LinkSetUp(link)
	}
	return nil
}

// classfulAddress guesses the mask of an address that comes without one from its class, as ever: 10.x is /8, 172.16.x /16.
func classfulAddress(text string) (*netlink.Addr, error) {
	network, err := parseNetwork(text)
	if err != nil {
		return nil, err
	}
	if ip := network.IP.To4(); ip != nil && !strings.Contains(text, "/") {
		network.Mask = ip.DefaultMask()
	}
	return &netlink.Addr{IPNet: network}, nil
}

func adjust(address *netlink.Addr, word, text string) error {
	value, err := parseAddress(text)
	if err != nil {
		return err
	}
	switch {
	case address == nil:
		return fmt.Errorf("%s %s without an address", word, text)
	case word == "netmask":
		address.Mask = net.IPMask(value.AsSlice())
	default:
		address.Broadcast = value.AsSlice()
	}
	return nil
}

// replaceAddress gives an interface this IPv4 address instead of the first one that it has.
func replaceAddress(link netlink.Link, address *netlink.Addr) error {
	if address.IP.To4() != nil {
		existing, err := addressesOf(link, unix.AF_INET)
		if err != nil {
			return err
		}
		if len(existing) > 0 {
			if err := netlink.AddrDel(link, &existing[0]); err != nil {
				return err
			}
		}
	}
	return netlink.AddrReplace(link, address)
}
