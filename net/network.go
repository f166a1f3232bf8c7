// Package network is about what containers speak to each other through: networks, addresses, bridges, firewall rules.
//
// A network is a directory, networks/ID, in the state directory:
//
//	network.json         what `network create` was asked for, with Docker's names
//	addresses/172.17.0.2 a lease: the file's name is the address, its content the ID of the container that has it. It is made
//	                     with O_EXCL, so an address cannot be had twice, and no lock is needed to give one out
//	endpoints/ID.json    a running container's place in the network: interface, addresses, names, published ports
//	last                 the address that was given out last: the search for the next one begins behind it, so that an address
//	                     that has just become free is not handed out again at once
//
// Endpoints and leases live as long as the container runs. Who ends it takes them away: its monitor, or whoever finds out
// that the monitor was killed.
//
// What the kernel has of a network (a bridge, rules, a veth pair a container) is planned here, as steps, from these files,
// and can be made anew from them at any time: `network repair`, and each start of a container, make what is missing. How a
// container gets its interface:
//
//  1. the client (or, when a container comes again, its monitor) makes a new network namespace, and holds it by a descriptor
//  2. for each network a veth pair is made, with one end in the bridge and the other one, eth0, in the new namespace; that end
//     gets its addresses and routes; the rules of its published ports are written
//  3. for a network with names the socket of the resolver is opened in there, 127.0.0.11, and handed to the monitor
//  4. the container's first process enters the namespace: one setns(2) in its birth
//
// When the container ends its namespace goes, and the kernel takes the veth pair away with it; the rules are removed.
//
// Rules (rules.go) are in chains of our own, with one jump to each from the kernel's chains; no policy is changed. The comment of
// each says whom it belongs to: a network ("sandbox:" and the first 12 digits of its ID), or a container's endpoint in it
// ("sandbox:NETWORK:CONTAINER"). That is how they are found again.
package network

import (
	"net/netip"
	"strconv"
	"time"
)

// Drivers of networks.
const (
	Bridge  = "bridge"
	Host    = "host"
	Null    = "null"
	Macvlan = "macvlan"
	IPvlan  = "ipvlan"
)

// Default is the network of containers that name none; it is always there, as are host and none.
const Default = "bridge"

// Names of options, as Docker has them.
const (
	optionName        = "com.docker.network.bridge.name"
	optionICC         = "com.docker.network.bridge.enable_icc"
	optionMasquerade  = "com.docker.network.bridge.enable_ip_masquerade"
	optionHostIP      = "com.docker.network.bridge.host_binding_ipv4"
	optionDefault     = "com.docker.network.bridge.default_bridge"
	optionGatewayMode = "com.docker.network.bridge.gateway_mode_ipv" // 4 or 6
	optionMTU         = "com.docker.network.driver.mtu"
	optionParent      = "parent" // of macvlan and ipvlan
)

// Network is what network.json and `network inspect` have of one.
type Network struct {
	Name       string
	ID         string `json:"Id"`
	Created    time.Time
	Scope      string
	Driver     string
	EnableIPv4 bool
	EnableIPv6 bool
	IPAM       IPAM
	Internal   bool
	Attachable bool
	Ingress    bool
	ConfigFrom struct{ Network string }
	ConfigOnly bool
	Options    map[string]string
	Labels     map[string]string
	Chosen     bool `json:"SandboxSubnetChosen,omitempty"` // its subnet was named by the user: a container can have an address of its choice
}

// IPAM is where a network's addresses come from.
type IPAM struct {
	Driver  string
	Options map[string]string
	Config  []Pool
}

// Pool is one subnet: IPv4 or IPv6.
type Pool struct {
	Subnet    netip.Prefix
	IPRange   netip.Prefix          `json:",omitzero"` // of the addresses that are given out; the whole subnet
	Gateway   netip.Addr            `json:",omitzero"`
	Auxiliary map[string]netip.Addr `json:"AuxiliaryAddresses,omitempty"` // that are somebody else's
}

// Endpoint is a running container's place in a network.
type Endpoint struct {
	Container string // ID
	Name      string // of the container
	ID        string `json:"EndpointID"`
	Interface string // in the container: eth0
	Veth      string // the other end, on the host
	MAC       string
	IPv4      netip.Prefix      `json:",omitzero"` // the address, and how long the subnet's prefix is
	IPv6      netip.Prefix      `json:",omitzero"`
	Names     []string          // under which others in the network find it
	Ports     []Publish         // that are published by way of this network
	Links     map[string]string `json:",omitempty"` // names that it alone knows others by → their names
}

// Publish is a port of a container that is reached by a port of the host.
type Publish struct {
	Protocol string     // tcp, udp or sctp
	HostIP   netip.Addr // 0.0.0.0: all of the host's addresses
	HostPort uint16
	Port     uint16
}

// Short is the ID as it is shown.
func (n *Network) Short() string { return n.ID[:12] }

// Bridge is the name of the network's bridge on the host.
func (n *Network) Bridge() string {
	if name := n.Options[optionName]; name != "" {
		return name
	}
	return "br-" + n.Short()
}

// Interface is that of the host which the network goes by: its bridge, or the one that its containers' are made from.
func (n *Network) Interface() string {
	if parent := n.Options[optionParent]; parent != "" && n.Driver != Bridge {
		return parent
	}
	return n.Bridge()
}

// IsDefault tells whether it is the network of containers that name none: it has no names.
func (n *Network) IsDefault() bool { return n.Options[optionDefault] == "true" }

// MTU is the largest packet of its links; 0 for the kernel's own choice.
func (n *Network) MTU() int {
	mtu, _ := strconv.Atoi(n.Options[optionMTU])
	return mtu
}

// ICC tells whether its containers reach each other (inter-container communication).
func (n *Network) ICC() bool { return n.flag(optionICC, true) }

// Masquerade tells whether packets that leave the host get the host's address.
func (n *Network) Masquerade() bool { return n.flag(optionMasquerade, !n.Internal) }

// HostIP is the host's address that ports are published on where none is named.
func (n *Network) HostIP() netip.Addr {
	if ip, err := netip.ParseAddr(n.Options[optionHostIP]); err == nil {
		return ip
	}
	return netip.IPv4Unspecified()
}

func (n *Network) flag(option string, otherwise bool) bool {
	if value, err := strconv.ParseBool(n.Options[option]); err == nil {
		return value
	}
	return otherwise
}

// Pools of one family.
func (n *Network) pool(v6 bool) (Pool, bool) {
	for _, p := range n.IPAM.Config {
		if p.Subnet.Addr().Is6() == v6 {
			return p, true
		}
	}
	return Pool{}, false
}

// Parent is the interface of the host that a macvlan or ipvlan network belongs to; "" for others.
func (n *Network) Parent() string {
	if n.Driver != Macvlan && n.Driver != IPvlan {
		return ""
	}
	return n.Options[optionParent]
}
