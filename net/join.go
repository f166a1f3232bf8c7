package network

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// Up makes what the kernel should have of a network and has not: its bridge, its rules.
func (s *Store) Up(n *Network) error {
	if n.Driver != Bridge {
		return nil
	}
	link, err := kernel.LinkOf(n.Bridge())
	fresh := err != nil || !link.Up
	if fresh || len(s.lostAddresses(n, link)) > 0 {
		if err := s.bridgeUp(n); err != nil {
			return fmt.Errorf("network %s: %w", n.Name, err)
		}
	}
	return s.rulesUp(n, fresh)
}

// bridgeUp makes a network's bridge, or completes it. It is switched on last: one that is up is whole, whoever was killed before.
// Of several containers that come at once one does it, and the others wait.
func (s *Store) bridgeUp(n *Network) error {
	making, err := lock(s.addresses(n.ID), unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer making.Close()
	s.lookAgain(n)
	link, err := kernel.LinkOf(n.Bridge())
	switch missing := errors.Is(err, unix.ENODEV); {
	case missing:
		if err := s.avoidRoutes(n); err != nil {
			return err
		}
		if err := s.Door.Do(append(s.newBridge(n), s.bridgeOn(n)...)...); err != nil {
			return err
		}
		inside, err := s.Endpoints(n) // somebody may have deleted the bridge while they run
		if err != nil {
			return err
		}
		for _, e := range inside {
			if err := s.plugBack(n, e); err != nil && !errors.Is(err, unix.ENODEV) {
				return err
			}
		}
		return nil
	case err != nil:
		return err
	case link.Up:
		return s.addressesBack(n, link)
	case link.Kind != "bridge" || link.MAC != n.bridgeAddress().String():
		return kernel.Advise(fmt.Errorf("the interface %s of this machine is somebody else's", n.Bridge()), "ip link del %s   if nobody needs it, or make another network", n.Bridge())
	}
	for _, step := range s.bridgeOn(n) {
		if err := s.Door.Do(step); err != nil && !errors.Is(err, unix.EEXIST) { // an address that it has already
			return err
		}
	}
	return nil
}

// lostAddresses are those of the host in a network that its bridge has not: somebody has deleted them, or has switched the bridge off
// and on again, which takes those of IPv6 away. None if that cannot be looked at.
func (s *Store) lostAddresses(n *Network, bridge kernel.Link) (lost []netip.Prefix) {
	if bridge.MAC != n.bridgeAddress().String() {
		return nil // somebody else's
	}
	have, err := kernel.AddressesOf(bridge.Index)
	if err != nil {
		return nil
	}
	for _, p := range n.IPAM.Config {
		if p.Gateway.IsValid() && !slices.Contains(have, p.Gateway) {
			lost = append(lost, netip.PrefixFrom(p.Gateway, p.Subnet.Bits()))
		}
	}
	return lost
}

// addressesBack gives a bridge that is switched on the addresses that it has lost.
func (s *Store) addressesBack(n *Network, bridge kernel.Link) error {
	now, err := s.load(n.ID) // it may have got another subnet just now
	if err != nil {
		return err
	}
	*n = *now
	var steps []kernel.Step
	if n.EnableIPv6 {
		steps = ipv6On(n.Bridge())
	}
	for _, a := range s.lostAddresses(n, bridge) {
		steps = append(steps, kernel.Because(kernel.AddrAdd{Name: n.Bridge(), Address: a}, "the bridge has lost it: the containers' gateway is there again", "网桥丢了这个地址：把容器的网关加回来"))
	}
	return s.Door.Do(kernel.In(section, steps...)...)
}

// newBridge are the steps that make it.
func (s *Store) newBridge(n *Network) []kernel.Step {
	return kernel.In(section,
		kernel.Because(kernel.LinkAdd{Kind: "bridge", Name: n.Bridge(), MTU: n.MTU(), MAC: n.bridgeAddress()},
			"a bridge: a switch in the kernel, and the containers of the network are plugged into it", "网桥：内核里的一台交换机，网络里的容器都插在上面"),
		kernel.Because(kernel.LinkSet{Name: n.Bridge(), Alias: s.alias()}, "it says whose it is", "写明它是谁的"),
	)
}

// bridgeOn are the steps that give it its addresses and switch it on.
func (s *Store) bridgeOn(n *Network) []kernel.Step {
	var steps []kernel.Step
	if n.EnableIPv6 {
		steps = ipv6On(n.Bridge())
	}
	for _, p := range n.IPAM.Config {
		if p.Gateway.IsValid() {
			steps = append(steps, kernel.Because(kernel.AddrAdd{Name: n.Bridge(), Address: netip.PrefixFrom(p.Gateway, p.Subnet.Bits())},
				"the host is in the network, too: this is the containers' gateway", "host 也在这个网络里：这就是容器的网关"))
		}
	}
	return kernel.In(section, append(steps, kernel.Because(kernel.LinkSet{Name: n.Bridge(), Up: true}, "the bridge is switched on", "启用网桥"))...)
}

// ipv6On is the step that switches IPv6 on for an interface where it is off: for this one, or for all that are new.
func ipv6On(name string) []kernel.Step {
	const conf = "/proc/sys/net/ipv6/conf/"
	off, err := os.ReadFile(conf + name + "/disable_ipv6")
	if errors.Is(err, fs.ErrNotExist) { // it is still to be made
		off, err = os.ReadFile(conf + "default/disable_ipv6")
	}
	if err != nil || string(off) != "1\n" {
		return nil
	}
	return []kernel.Step{kernel.Because(kernel.WriteFile{Path: conf + name + "/disable_ipv6", Data: "0"},
		"IPv6 is switched off here, and the network has it: on, for this interface alone", "这台机器关掉了 IPv6，而这个网络要用：只给这个接口打开")}
}

// What an interface of a store's says of itself: this, and the end of the store's path. The kernel keeps 255 bytes.
const (
	aliasTag  = "sandbox "
	aliasPath = 200
)

func (s *Store) alias() string {
	return aliasTag + s.Dir[max(0, len(s.Dir)-aliasPath):]
}

// avoidRoutes gives a network that is about to come up another subnet, if this machine has got a way to its own one meanwhile: a VPN,
// say. A subnet that somebody has chosen stays, and so does one that containers have addresses of.
func (s *Store) avoidRoutes(n *Network) error {
	now, err := s.load(n.ID) // somebody may have done so just now
	if err != nil {
		return err
	}
	*n = *now
	inside, err := s.Endpoints(n)
	if err != nil || n.Chosen || len(inside) > 0 {
		return err
	}
	i := slices.IndexFunc(n.IPAM.Config, func(p Pool) bool { return p.Subnet.Addr().Is4() })
	if i < 0 || overlapping(n.IPAM.Config[i].Subnet, routes()) == nil {
		return nil
	}
	others, err := s.read()
	if err != nil {
		return err
	}
	subnet, err := freeSubnet(subnetsOf(others))
	if err != nil {
		return err
	}
	n.IPAM.Config[i] = Pool{Subnet: subnet, Gateway: Pool{Subnet: subnet}.first()}
	return s.write(n)
}

func subnetsOf(list []*Network) (all []netip.Prefix) {
	for _, n := range list {
		for _, p := range n.IPAM.Config {
			all = append(all, p.Subnet)
		}
	}
	return all
}

// bridgeAddress is the bridge's MAC address, from the network's ID. One that is not set changes with each port that comes and goes.
func (n *Network) bridgeAddress() net.HardwareAddr {
	mac := net.HardwareAddr{0x02, 0x42, 0, 0, 0, 0}
	hex.Decode(mac[2:], []byte(n.ID[:8]))
	return mac
}

// takeDown takes away what the kernel has of a network.
func (s *Store) takeDown(n *Network) error {
	if n.Driver != Bridge {
		return nil
	}
	err := s.rulesDown(n)
	if _, lookErr := kernel.LinkOf(n.Bridge()); lookErr != nil {
		return err
	}
	return errors.Join(err, s.Door.Do(kernel.In(section, kernel.Because(kernel.LinkDel{Name: n.Bridge()}, "the bridge goes with its network", "网桥随网络一起拆除"))...))
}

// Request is a container that wants to be in a network.
type Request struct {
	Container, Name string // ID and name
	Names           []string
	IPv4, IPv6      netip.Addr // that it asks for
	Last4, Last6    netip.Addr // that it had before
	MAC             string     // that it asks for
	Interface       string     // the name of the interface that it will see
	Ports           []Publish
	Links           map[string]string // names that it alone knows others by, and their own names
	Into            *kernel.Handle    // its network namespace
}

// Join gives a container an address in a network and makes its interface. It has to be set up from within: Configure.
func (s *Store) Join(n *Network, r Request) (e Endpoint, err error) {
	joining, err := lock(s.dir(n.ID), unix.LOCK_SH) // so that the network is not removed meanwhile
	if err != nil {
		return e, kernel.Advise(&NotFoundError{n.Name}, "sandbox network ls   lists them")
	}
	defer joining.Close()
	now, err := s.load(n.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return e, kernel.Advise(&NotFoundError{n.Name}, "sandbox network ls   lists them")
	}
	if err != nil {
		return e, err
	}
	*n = *now
	e = Endpoint{Container: r.Container, Name: r.Name, ID: newID(), Interface: r.Interface, Names: r.Names, Ports: r.Ports, Links: r.Links}
	defer func() {
		if err != nil {
			s.leave(n, e)
		}
	}()
	if err := s.Up(n); err != nil {
		return e, err
	}
	if p, ok := n.pool(false); ok {
		if e.IPv4, err = s.lease(n, p, r.Container, r.IPv4, r.Last4); err != nil {
			return e, err
		}
	}
	if p, ok := n.pool(true); ok {
		if e.IPv6, err = s.lease(n, p, r.Container, r.IPv6, r.Last6); err != nil {
			return e, err
		}
	}
	mac, err := e.hardwareAddress(r.MAC)
	if err != nil {
		return e, err
	}
	e.MAC = mac.String()
	if n.Driver == Bridge {
		e.Veth = "veth" + newID()[:7]
	}
	data, err := json.Marshal(e)
	if err != nil {
		return e, err
	}
	steps := []kernel.Step{kernel.Because(kernel.ReplaceFile{Path: s.endpoint(n.ID, e.Container), Data: data, Mode: 0o644},
		"the container's place in the network, for names to be looked up", "容器在网络中的位置，查名字时要用")}
	return e, n.parentError(s.Door.Do(kernel.In(section, append(steps, n.interfaceSteps(e, mac, r.Into)...)...)...))
}

// Rename gives a container that is in a network another name there.
func (s *Store) Rename(networkID string, e *Endpoint, name string) error {
	e.Names = slices.Clone(e.Names)
	if i := slices.Index(e.Names, e.Name); i >= 0 {
		e.Names[i] = name
	}
	e.Name = name
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return s.Door.Do(kernel.In(section, kernel.Because(kernel.ReplaceFile{Path: s.endpoint(networkID, e.Container), Data: data, Mode: 0o644},
		"the others in the network find it by its new name", "网络里的其他容器用新名字找到它"))...)
}

// Publish writes the rules for an endpoint's published ports.
func (s *Store) Publish(n *Network, e Endpoint) error {
	if len(e.Ports) == 0 {
		return nil
	}
	return s.publish(n, e)
}

// Publishes tells whether ports can be published by way of the network.
func (n *Network) Publishes() bool { return n.Driver == Bridge && !n.Internal }

// Republish publishes ports of a container that is in the network already.
func (s *Store) Republish(n *Network, e Endpoint) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	steps := []kernel.Step{kernel.Because(kernel.ReplaceFile{Path: s.endpoint(n.ID, e.Container), Data: data, Mode: 0o644},
		"its ports are reached by way of this network from now on", "从现在起，它的端口经由这个网络访问")}
	if err := s.Door.Do(kernel.In(section, append(steps, n.portSteps(e)...)...)...); err != nil {
		return err
	}
	return s.Publish(n, e)
}

// Leave takes a container's place in a network away, as far as it is known by files and rules. Its interface goes with its
// namespace.
func (s *Store) Leave(networkID string, e Endpoint) {
	n, err := s.load(networkID)
	if err != nil {
		n = &Network{ID: networkID, Driver: Null}
	}
	s.leave(n, e)
}

func (s *Store) leave(n *Network, e Endpoint) {
	if len(e.Ports) > 0 {
		s.unpublish(n, e)
	}
	var steps []kernel.Step
	for _, a := range []netip.Prefix{e.IPv4, e.IPv6} {
		path := filepath.Join(s.addresses(n.ID), a.Addr().String())
		if owner, err := os.ReadFile(path); err == nil && string(owner) == e.Container { // it may be somebody else's by now
			steps = append(steps, kernel.Because(kernel.Remove{Path: path}, "the address is free again", "地址又空出来了"))
		}
	}
	steps = append(steps, kernel.Because(kernel.Remove{Path: s.endpoint(n.ID, e.Container)}, "the container has left the network", "容器离开了网络"))
	s.Door.Do(kernel.Try(kernel.In(section, steps...)...)...)
}

// Unplug removes the interface of a container that runs on: `network disconnect`.
func (s *Store) Unplug(e Endpoint) error {
	if e.Veth == "" {
		return nil
	}
	return s.Door.Do(kernel.In(section, kernel.Because(kernel.LinkDel{Name: e.Veth}, "with one end of the cable the other goes, too", "网线的一头拆了，另一头也就没了"))...)
}

// Gateway is the network's gateway of one family, as text; "" for none.
func (n *Network) Gateway(v6 bool) string {
	if p, ok := n.pool(v6); ok && p.Gateway.IsValid() {
		return p.Gateway.String()
	}
	return ""
}

// HasNames tells whether containers of the network find each other by name.
func (n *Network) HasNames() bool {
	return !n.IsDefault() && n.Driver != Host && n.Driver != Null
}

// CheckWish looks at addresses that a container asks for.
func (n *Network) CheckWish(addresses ...netip.Addr) error {
	for _, a := range addresses {
		if !a.IsValid() {
			continue
		}
		if !n.Chosen {
			return kernel.Advise(fmt.Errorf("invalid config for network %s: user specified IP address is supported only when connecting to networks with user configured subnets", n.Name),
				"sandbox network create --subnet %s NAME   makes one", n.exampleSubnet())
		}
		p, ok := n.pool(a.Is6())
		if !ok {
			return kernel.Advise(fmt.Errorf("invalid address %s: network %s has no subnet of that kind", a, n.Name), "sandbox network inspect %s   shows its subnets", n.Name)
		}
		if !p.Subnet.Contains(a) {
			return kernel.Advise(fmt.Errorf("invalid address %s: it does not belong to the subnet %s of network %s", a, p.Subnet, n.Name), "choose one from %s to %s", p.first(), p.last())
		}
	}
	return nil
}

func (n *Network) exampleSubnet() string {
	if p, ok := n.pool(false); ok {
		return p.Subnet.String()
	}
	return "172.28.0.0/16"
}

// TakeBack takes away what a command that was killed half way has made for a container that runs, and that knows nothing of it.
func (s *Store) TakeBack(networkID, container string) {
	data, err := os.ReadFile(s.endpoint(networkID, container))
	if err != nil {
		return
	}
	var e Endpoint
	if json.Unmarshal(data, &e) != nil {
		return
	}
	if _, err := kernel.LinkOf(e.Veth); err == nil {
		s.Unplug(e) // what is left of it the kernel takes away with the namespace
	}
	s.Leave(networkID, e)
}
