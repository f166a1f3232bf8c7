package network

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// A container's interface in a network: how it is made from outside, and set up from within.

// hardwareAddress is the one that was asked for; else one of a range for private use that tells the IPv4 address, as Docker's
// do; else a random one.
func (e *Endpoint) hardwareAddress(wanted string) (net.HardwareAddr, error) {
	if wanted != "" {
		mac, err := net.ParseMAC(wanted)
		if err != nil || len(mac) != 6 || mac[0]&1 != 0 {
			return nil, kernel.Advise(fmt.Errorf("invalid MAC address %q", wanted), "six bytes, the first of them even: 02:42:ac:11:00:09")
		}
		return mac, nil
	}
	mac := net.HardwareAddr{0x02, 0x42, 0, 0, 0, 0}
	if e.IPv4.IsValid() {
		a := e.IPv4.Addr().As4()
		copy(mac[2:], a[:])
	} else {
		rand.Read(mac[2:])
	}
	return mac, nil
}

// interfaceSteps make the interface that a container has in a network.
func (n *Network) interfaceSteps(e Endpoint, mac net.HardwareAddr, into *kernel.Handle) []kernel.Step {
	if n.Driver != Bridge {
		link := kernel.LinkAdd{Kind: n.Driver, Name: temporaryName(e), MTU: n.MTU(), Parent: n.Options[optionParent], Mode: n.mode(), Into: into}
		if n.Driver == Macvlan { // an ipvlan has its parent's address
			link.MAC = mac
		}
		return []kernel.Step{kernel.Because(link, "an interface of the container's own on the wire of the host's", "容器自己的网卡，接在 host 网卡的同一根线上")}
	}
	steps := []kernel.Step{
		kernel.Because(kernel.LinkAdd{Kind: "veth", Name: e.Veth, MTU: n.MTU(), Up: true, Peer: e.Interface, PeerMAC: mac, Into: into},
			"a cable with two ends: one here, the other in the container's network namespace", "一根网线的两头：一头在这里，另一头在容器的网络 namespace 里"),
		kernel.Because(kernel.LinkSet{Name: e.Veth, Master: n.Bridge()}, "this end is plugged into the bridge", "这一头插到网桥上"),
	}
	return append(steps, n.portSteps(e)...)
}

// portSteps say how the bridge treats the port that a container's cable is plugged into.
func (n *Network) portSteps(e Endpoint) (steps []kernel.Step) {
	if len(e.Ports) > 0 && !n.Internal {
		steps = append(steps, kernel.Because(kernel.LinkSet{Name: e.Veth, Hairpin: true},
			"the container may ask its own published port: the packet leaves the bridge where it came in", "容器可能访问自己发布的端口：包从哪个口进网桥，就从哪个口出"))
	}
	if !n.ICC() && !bridgeFiltered() {
		steps = append(steps, kernel.Because(kernel.LinkSet{Name: e.Veth, Isolated: true},
			"no packet goes from here to the network's other containers (enable_icc=false)", "包不能从这里转给同一网络的其他容器（enable_icc=false）"))
	}
	return steps
}

// bridgeFiltered tells whether packets that a bridge passes on go through the firewall's rules (br_netfilter): then a rule keeps
// containers apart, and otherwise the bridge itself has to.
func bridgeFiltered() bool {
	value, err := os.ReadFile("/proc/sys/net/bridge/bridge-nf-call-iptables")
	return err == nil && string(value) == "1\n"
}

// temporaryName is what a macvlan is called until it is renamed in the container: the host may have an eth0 itself.
func temporaryName(e Endpoint) string { return "mv" + e.ID[:12] }

// Way says what a network is to a container that comes into it, beside those that it is in already.
type Way int

// Ways.
const (
	NoWay     Way = iota // another network is the way to everywhere
	FirstWay             // there is none yet
	BetterWay            // this one takes the place of another one
)

// Configure sets the interface up, from within the container's network namespace: the calling thread is in it. way tells
// whether this network is the way to all others.
func (s *Store) Configure(n *Network, e Endpoint, way Way) error {
	var steps []kernel.Step
	if n.Driver != Bridge {
		steps = append(steps, kernel.Because(kernel.LinkSet{Name: temporaryName(e), Rename: e.Interface}, "", ""))
	}
	if e.IPv6.IsValid() {
		steps = append(steps, ipv6On(e.Interface)...)
	} else {
		steps = append(steps, kernel.Try(kernel.Because(kernel.WriteFile{Path: "/proc/sys/net/ipv6/conf/" + e.Interface + "/disable_ipv6", Data: "1"},
			"the network has no IPv6: no addresses of that kind, not even local ones", "这个网络没有 IPv6：连链路本地地址也不要"))...)
	}
	for _, a := range []netip.Prefix{e.IPv4, e.IPv6} {
		if a.IsValid() {
			steps = append(steps, kernel.Because(kernel.AddrAdd{Name: e.Interface, Address: a}, "its address in the network", "容器在网络中的地址"))
		}
	}
	if err := s.switchOn(e, steps); err != nil {
		return err
	}
	steps = nil
	if way != NoWay && !n.Internal {
		for _, p := range n.IPAM.Config {
			switch {
			case !p.Gateway.IsValid():
			case n.parentRoutes():
				steps = append(steps, kernel.Because(kernel.RouteAdd{V6: p.Gateway.Is6(), Name: e.Interface, Replace: way == BetterWay}, "everything else goes to the parent's side, which routes it", "去别处的都从这块网卡发出，由父网卡那边来路由"))
			default:
				steps = append(steps, kernel.Because(kernel.RouteAdd{Via: p.Gateway, Name: e.Interface, Replace: way == BetterWay}, "everything else goes to the gateway", "去别处的都交给网关"))
			}
		}
	}
	return s.Door.Do(kernel.In(section, steps...)...)
}

// switchOn does the steps before, and switches the interface on. A macvlan has to wait if another one of the same parent has its MAC
// address still: that of a container that had this address, and has just ended. The kernel takes it away within a moment.
func (s *Store) switchOn(e Endpoint, before []kernel.Step) error {
	on := kernel.Because(kernel.LinkSet{Name: e.Interface, Up: true}, "", "")
	err := s.Door.Do(kernel.In(section, append(before, on)...)...)
	for try := 0; errors.Is(err, unix.EADDRINUSE) && try < 250; try++ {
		time.Sleep(20 * time.Millisecond)
		err = s.Door.Do(kernel.In(section, on)...)
	}
	if errors.Is(err, unix.EADDRINUSE) {
		return kernel.Advise(fmt.Errorf("another interface on the same wire has the MAC address %s: %w", e.MAC, err), "`ip -d link` shows those of this machine; --mac-address, or another --ip, gives the container another one")
	}
	return err
}
