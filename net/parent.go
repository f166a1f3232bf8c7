package network

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// Networks of the drivers macvlan and ipvlan have no bridge: a container's interface is made from one of the host's, its parent, and is on
// the same wire. What may be there is said when the network is made; the parent may be another one, or used otherwise, when a container
// starts.

// mode of its interfaces: the option macvlan_mode or ipvlan_mode; "" for the usual one.
func (n *Network) mode() string { return n.Options[n.Driver+"_mode"] }

// parentRoutes tells whether it is the parent's side that routes containers' packets, by the host's table: then there is no gateway to
// send them to, and nobody to ask for its MAC address.
func (n *Network) parentRoutes() bool {
	return n.Driver == IPvlan && (n.mode() == "l3" || n.mode() == "l3s")
}

// checkParent looks for the interface of the host that a macvlan or ipvlan belongs to, and whether the kernel has such interfaces.
func (n *Network) checkParent() error {
	parent := n.Options[optionParent]
	if parent == "" {
		return kernel.Advise(fmt.Errorf("the driver %s needs an interface of the host", n.Driver), "-o parent=eth0: `ip link` lists them")
	}
	if _, err := kernel.LinkOf(parent); err != nil {
		return noParent(parent)
	}
	if modes := kernel.Modes(n.Driver); n.mode() != "" && !slices.Contains(modes, n.mode()) {
		return kernel.Advise(fmt.Errorf("invalid option %s_mode=%s", n.Driver, n.mode()), strings.Join(modes, ", "))
	}
	if kernel.MissingKind(n.Driver) {
		return n.missingKind()
	}
	return nil
}

func noParent(name string) error {
	if wire, vlan, tagged := strings.Cut(name, "."); tagged {
		return kernel.Advise(fmt.Errorf("there is no interface %s on this machine", name), "ip link add link %s name %s type vlan id %s && ip link set %s up   makes it", wire, name, vlan, name)
	}
	return kernel.Advise(fmt.Errorf("there is no interface %s on this machine", name), "`ip link` lists them")
}

func (n *Network) missingKind() error {
	other := map[string]string{Macvlan: IPvlan, IPvlan: Macvlan}[n.Driver]
	return kernel.Advise(fmt.Errorf("this kernel has no interfaces of the kind %s (CONFIG_%s)", n.Driver, strings.ToUpper(n.Driver)),
		"`modprobe %s` if it is a module, or another driver: %s or bridge", n.Driver, other)
}

// parentError says why a container's interface could not be made from the parent.
func (n *Network) parentError(err error) error {
	parent := n.Options[optionParent]
	switch {
	case n.Driver == Bridge || err == nil:
		return err
	case errors.Is(err, unix.EOPNOTSUPP):
		return n.missingKind()
	case errors.Is(err, unix.ENODEV):
		return noParent(parent)
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EINVAL):
		return kernel.Advise(fmt.Errorf("network %s: %s cannot be the parent of an interface of the kind %s: %w", n.Name, parent, n.Driver, err),
			"it is in a bridge, or has interfaces of the other kind or of the mode passthru (`ip -d link` shows them), or is no Ethernet: choose another parent")
	}
	return err
}
