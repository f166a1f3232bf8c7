package network

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// CreateOptions are what `network create` was asked for.
type CreateOptions struct {
	Name                               string
	Driver                             string
	Internal, Attachable, IPv6, NoIPv4 bool
	Subnets, Gateways, Ranges          []string
	Auxiliary                          map[string]string // name → address
	Options, IPAMOptions, Labels       map[string]string
}

// Create makes a network, and of a bridge network what the kernel has of it.
func (s *Store) Create(o CreateOptions) (*Network, error) {
	if err := checkName(o.Name); err != nil {
		return nil, err
	}
	changing, err := s.change()
	if err != nil {
		return nil, err
	}
	defer changing.Close()
	s.sweep()
	list, err := s.readWithDefaults()
	if err != nil {
		return nil, err
	}
	if o.Name == "default" {
		return nil, kernel.Advise(errors.New("operation is not permitted on predefined default network"), "choose another name: --network default is the network bridge")
	}
	if (&Network{Name: o.Name}).Predefined() {
		return nil, kernel.Advise(fmt.Errorf("operation is not permitted on predefined %s network", o.Name), "choose another name: this one is always there")
	}
	if slices.ContainsFunc(list, func(n *Network) bool { return n.Name == o.Name }) {
		return nil, kernel.Advise(fmt.Errorf("network with name %s already exists", o.Name), "sandbox network rm %s   first, or choose another name", o.Name)
	}
	n, err := o.network(list)
	if err != nil {
		return nil, err
	}
	if err = s.save(n); err == nil {
		err = s.Up(n)
	}
	if err != nil {
		s.takeDown(n)
		s.discard(n)
		return nil, err
	}
	return n, nil
}

// network is what they mean, among the others there are.
func (o CreateOptions) network(others []*Network) (*Network, error) {
	n := &Network{
		Name: o.Name, ID: newID(), Created: time.Now().UTC(), Scope: "local", Driver: o.Driver, EnableIPv4: !o.NoIPv4, EnableIPv6: o.IPv6,
		IPAM: IPAM{Driver: "default", Options: orEmpty(o.IPAMOptions)}, Internal: o.Internal, Attachable: o.Attachable,
		Options: orEmpty(o.Options), Labels: orEmpty(o.Labels),
	}
	if n.Driver == "" {
		n.Driver = Bridge
	}
	if err := n.checkDriver(others); err != nil {
		return nil, err
	}
	if err := o.pools(n); err != nil {
		return nil, err
	}
	return n, n.completePools(others)
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func (n *Network) checkDriver(others []*Network) error {
	switch n.Driver {
	case Bridge:
		return n.checkBridge(others)
	case Macvlan, IPvlan:
		return n.checkParent()
	case Host, Null:
		return kernel.Advise(fmt.Errorf("only one instance of %q network is allowed", n.Driver), "--network %s   uses it", map[string]string{Host: "host", Null: "none"}[n.Driver])
	case "overlay":
		return kernel.Advise(errors.New("the overlay driver joins several machines of a swarm, and there is no swarm here"), "bridge, macvlan or ipvlan")
	}
	return kernel.Advise(fmt.Errorf("could not find network driver %q", n.Driver), "bridge, macvlan or ipvlan")
}

func (n *Network) checkBridge(others []*Network) error {
	for name, value := range n.Options {
		var err error
		switch name {
		case optionICC, optionMasquerade:
			if value != "true" && value != "false" {
				err = kernel.Advise(fmt.Errorf("invalid option %s=%s", name, value), "true or false")
			}
		case optionMTU:
			if mtu := n.MTU(); mtu < 68 || mtu > 65535 {
				err = kernel.Advise(fmt.Errorf("invalid option %s=%s", name, value), "bytes, from 68 (IPv6: 1280) to 65535")
			}
		case optionHostIP:
			if _, parseErr := netip.ParseAddr(value); parseErr != nil {
				err = kernel.Advise(fmt.Errorf("invalid option %s=%s", name, value), "an address of this machine, as 127.0.0.1")
			}
		case optionName:
			err = checkInterfaceName(value)
		case optionDefault:
		default:
			if strings.HasPrefix(name, "com.docker.network.") && !(strings.HasPrefix(name, optionGatewayMode) && value == "nat") {
				err = kernel.Advise(fmt.Errorf("the option %s=%s is not known here", name, value), "leave it out; sandbox network create --help   lists those that are")
			}
		}
		if err != nil {
			return err
		}
	}
	for _, other := range others {
		if other.Driver == Bridge && other.Bridge() == n.Bridge() {
			return kernel.Advise(fmt.Errorf("network %s has the bridge %s already", other.Name, n.Bridge()), "choose another name: -o %s=…", optionName)
		}
	}
	if _, err := kernel.LinkOf(n.Bridge()); err == nil {
		return kernel.Advise(fmt.Errorf("there is an interface %s on this machine already", n.Bridge()), "choose another name: -o %s=…", optionName)
	}
	return nil
}

func checkInterfaceName(name string) error {
	if name == "" || len(name) >= unix.IFNAMSIZ || name == "." || name == ".." || strings.ContainsAny(name, "/: \t\n") {
		return kernel.Advise(fmt.Errorf("%q is not a name for an interface", name), "1 to 15 characters without spaces, slashes and colons")
	}
	return nil
}

// pools reads --subnet, --gateway, --ip-range and --aux-address: each belongs to the subnet that it lies in.
func (o CreateOptions) pools(n *Network) error {
	pools := make([]Pool, len(o.Subnets))
	for i, text := range o.Subnets {
		subnet, err := netip.ParsePrefix(text)
		if err != nil {
			return kernel.Advise(fmt.Errorf("invalid subnet %q: it is no address with the length of a prefix", text), "--subnet 172.28.0.0/16")
		}
		pools[i].Subnet = subnet
	}
	home := func(what string, a netip.Addr) (*Pool, error) {
		for i := range pools {
			if pools[i].Subnet.Contains(a) {
				return &pools[i], nil
			}
		}
		if len(pools) == 0 {
			return nil, kernel.Advise(fmt.Errorf("%s %s needs a subnet", what, a), "name that, too: --subnet 172.28.0.0/16")
		}
		return nil, kernel.Advise(fmt.Errorf("the %s %s is in none of the subnets", what, a), "choose one from %s to %s", pools[0].first(), pools[0].last())
	}
	for _, text := range o.Gateways {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return kernel.Advise(fmt.Errorf("invalid gateway %q: it is no address", text), "--gateway 172.28.0.1")
		}
		pool, err := home("gateway", a)
		if err != nil {
			return err
		}
		if pool.Gateway.IsValid() {
			return kernel.Advise(fmt.Errorf("cannot configure multiple gateways (%s, %s) for the same subnet (%s)", pool.Gateway, a, pool.Subnet), "choose one of them")
		}
		pool.Gateway = a
	}
	for _, text := range o.Ranges {
		r, err := netip.ParsePrefix(text)
		if err != nil {
			return kernel.Advise(fmt.Errorf("invalid range %q: it is no address with the length of a prefix", text), "--ip-range 172.28.5.0/24")
		}
		pool, err := home("range", r.Addr())
		if err != nil {
			return err
		}
		if pool.IPRange.IsValid() {
			return kernel.Advise(fmt.Errorf("cannot configure multiple ranges (%s, %s) on the same subnet (%s)", pool.IPRange, r, pool.Subnet), "choose one of them")
		}
		pool.IPRange = r
	}
	for name, text := range o.Auxiliary {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return kernel.Advise(fmt.Errorf("invalid auxiliary address %q", text), "--aux-address printer=172.28.0.9")
		}
		pool, err := home("auxiliary address", a)
		if err != nil {
			return err
		}
		if pool.Auxiliary == nil {
			pool.Auxiliary = map[string]netip.Addr{}
		}
		pool.Auxiliary[name] = a
	}
	n.IPAM.Config, n.Chosen = pools, len(pools) > 0
	return nil
}

// completePools compares the pools with those of others, and chooses what was left open.
func (n *Network) completePools(others []*Network) error {
	for _, other := range others {
		for _, p := range other.IPAM.Config {
			for _, mine := range n.IPAM.Config {
				if mine.Subnet.Overlaps(p.Subnet) {
					return kernel.Advise(fmt.Errorf("Pool overlaps with other one on this address space: %s has %s", other.Name, p.Subnet),
						"choose another --subnet, or none: then a free one is found")
				}
			}
		}
	}
	if err := n.checkFamilies(); err != nil {
		return err
	}
	if _, has := n.pool(false); !has && n.EnableIPv4 {
		subnet, err := freeSubnet(subnetsOf(others))
		if err != nil {
			return err
		}
		n.IPAM.Config = append(n.IPAM.Config, Pool{Subnet: subnet})
	}
	if _, has := n.pool(true); !has && n.EnableIPv6 {
		n.IPAM.Config = append(n.IPAM.Config, Pool{Subnet: uniqueLocal()})
	}
	families := map[bool]int{}
	for i := range n.IPAM.Config {
		p := &n.IPAM.Config[i]
		if err := p.check(); err != nil {
			return err
		}
		if families[p.Subnet.Addr().Is6()]++; families[p.Subnet.Addr().Is6()] > 1 {
			return kernel.Advise(errors.New("a network has one IPv4 subnet and one IPv6 subnet at most"), "make one network a subnet; a container can be in several: sandbox network connect")
		}
		if !p.Gateway.IsValid() && !(n.Internal && n.Driver != Bridge) {
			p.Gateway = p.first()
			for p.auxiliaryAt(p.Gateway) != "" && p.Gateway != p.last() {
				p.Gateway = p.Gateway.Next()
			}
		}
		if name := p.auxiliaryAt(p.Gateway); name != "" {
			return kernel.Advise(fmt.Errorf("the auxiliary address %s (%s) is the gateway's", name, p.Gateway), "choose another one for one of them, from %s to %s", p.first(), p.last())
		}
	}
	return nil
}

// checkFamilies compares the subnets with the kinds of addresses that the network is to have. An IPv6 subnet says by itself that it
// is to have those.
func (n *Network) checkFamilies() error {
	_, v4 := n.pool(false)
	_, v6 := n.pool(true)
	n.EnableIPv6 = n.EnableIPv6 || v6
	switch {
	case !n.EnableIPv4 && v4:
		return kernel.Advise(errors.New("conflicting options: --ipv4=false and an IPv4 subnet"), "leave one of them out")
	case !n.EnableIPv4 && !n.EnableIPv6:
		return kernel.Advise(errors.New("IPv4 or IPv6 must be enabled"), "--ipv4=false --ipv6   for a network with IPv6 only")
	case n.EnableIPv6:
		if _, err := os.Stat("/proc/sys/net/ipv6/conf"); errors.Is(err, fs.ErrNotExist) {
			return kernel.Advise(errors.New("this kernel has no IPv6: it was built or started without it (ipv6.disable=1)"), "leave out --ipv6, and subnets of IPv6")
		}
	}
	return nil
}

// uniqueLocal is a prefix of RFC 4193: fd, 40 random bits, a subnet.
func uniqueLocal() netip.Prefix {
	var raw [16]byte
	raw[0] = 0xfd
	rand.Read(raw[1:6])
	return netip.PrefixFrom(netip.AddrFrom16(raw), 64)
}

func newID() string {
	var b [32]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// checkName is Docker's rule for names of networks.
func checkName(name string) error {
	ok := name != ""
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || c != '_' && c != '.' && c != '-') {
			ok = false
		}
	}
	if !ok || len(name) > 128 {
		return kernel.Advise(fmt.Errorf("%q is not a network's name", name), "use a-z A-Z 0-9 _ . - and begin with a letter or a digit")
	}
	return nil
}
