package container

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
	"sandbox/kernel/early"
	network "sandbox/net"
)

// Attachment is a container's membership of a network: what was asked for, and what it has, or had when it ran last.
type Attachment struct {
	Network  string            // ID
	Name     string            // of the network
	Aliases  []string          `json:",omitempty"`
	IPv4     netip.Addr        `json:",omitzero"` // that was asked for
	IPv6     netip.Addr        `json:",omitzero"`
	MAC      string            `json:",omitempty"`
	Options  map[string]string `json:",omitempty"`
	Links    []Link            `json:",omitempty"`
	Priority int               `json:",omitempty"` // of several networks that with the highest is the way to everywhere
	Endpoint *network.Endpoint `json:",omitempty"` // while it runs
	Last4    netip.Addr        `json:",omitzero"`  // the addresses that it had last
	Last6    netip.Addr        `json:",omitzero"`
	Gateway  string            `json:",omitempty"` // of the network
	Gateway6 string            `json:",omitempty"`
	Driver   string            `json:",omitempty"` // of the network
	Names    bool              `json:",omitempty"` // the network's containers find each other by name
}

// Networks is the store of networks. A container counts as alive as long as somebody holds its lock: its monitor, or who
// is just starting it.
func (e *Engine) Networks() *network.Store {
	return &network.Store{Dir: e.Paths.networks(), Door: e.Door, Alive: func(id string) bool { return isLocked(e.Paths.dir(id)) }}
}

// hasNetworks tells whether a mode names a network, and not the host's or another container's, or none.
func hasNetworks(mode string) bool {
	return mode != "none" && mode != "host" && joinedID(mode) == ""
}

// planNetworks finds the networks that a new container is to be in.
func (e *Engine) planNetworks(r *Record, asked []Attachment) error {
	hc := &r.HostConfig
	if done, err := e.planUserland(r, asked); done || err != nil {
		return err
	}
	switch hc.NetworkMode {
	case "", "default":
		hc.NetworkMode = network.Default
	case "null":
		hc.NetworkMode = "none"
	}
	if !hasNetworks(hc.NetworkMode) {
		return r.checkUnconnected(asked)
	}
	if err := e.canHaveNetworks(); err != nil {
		return err
	}
	if len(asked) == 0 {
		asked = []Attachment{{Name: hc.NetworkMode}}
	}
	store := e.Networks()
	for i, a := range asked {
		if a.Name == "default" {
			a.Name = hc.NetworkMode
		}
		n, err := store.GetOrAdvise(a.Name)
		if err != nil {
			return err
		}
		if i == 0 {
			hc.NetworkMode = n.Name
		}
		if !hasNetworks(n.Name) {
			return kernel.Advise(fmt.Errorf("conflicting options: network %s cannot be one of several", n.Name), "leave the others out")
		}
		for _, other := range r.Networks {
			if other.Network == n.ID {
				return kernel.Advise(fmt.Errorf("network %s is named twice", n.Name), "name it once")
			}
		}
		if err := checkWishes(n, &a); err != nil {
			return err
		}
		if err := e.resolveLinks(n, &a); err != nil {
			return err
		}
		a.Network, a.Name = n.ID, n.Name
		r.Networks = append(r.Networks, a)
	}
	return nil
}

// canHaveNetworks refuses what an ordinary user cannot do on this machine.
func (e *Engine) canHaveNetworks() error {
	if e.Host.Rootless() {
		return kernel.Advise(errors.New("an ordinary user cannot make the interfaces of networks on this machine"),
			"run it as root, in a pocket host (sandbox lab host sandbox run …), or with --network pasta, none or host")
	}
	return nil
}

// checkUnconnected refuses what makes no sense without a network.
func (r *Record) checkUnconnected(asked []Attachment) error {
	mode := r.HostConfig.NetworkMode
	for _, a := range asked {
		switch {
		case a.IPv4.IsValid() || a.IPv6.IsValid():
			return kernel.Advise(fmt.Errorf("invalid endpoint settings: --ip needs a network of one's own, and the mode is %s", mode), "sandbox network create --subnet 172.28.0.0/16 NAME, and --network NAME")
		case len(a.Aliases) > 0:
			return kernel.Advise(fmt.Errorf("invalid endpoint settings: network-scoped aliases need a network of one's own, and the mode is %s", mode), "sandbox network create NAME, and --network NAME")
		case a.MAC != "" && mode != "none":
			return kernel.Advise(errors.New("conflicting options: mac-address and the network mode"), "the interfaces are there already, with addresses of their own: leave --mac-address out")
		}
	}
	if err := r.checkNoLinks(asked); err != nil {
		return err
	}
	if len(asked) > 1 {
		return kernel.Advise(fmt.Errorf("conflicting options: network %s cannot be one of several", mode), "leave the others out")
	}
	if r.HostConfig.publishes() && joinedID(mode) != "" {
		return kernel.Advise(errors.New("conflicting options: port publishing and the container type network mode"), "publish the ports of the container whose network it is")
	}
	return nil
}

// publishes tells whether ports are to be published, named ones or all.
func (hc HostConfig) publishes() bool { return len(hc.PortBindings) > 0 || hc.PublishAllPorts }

// checkWishes looks at the addresses and names that are asked for in a network.
func checkWishes(n *network.Network, a *Attachment) error {
	if n.IsDefault() {
		switch {
		case a.IPv4.IsValid() || a.IPv6.IsValid():
			return kernel.Advise(errors.New("invalid config for network bridge: user specified IP address is supported on user defined networks only"),
				"sandbox network create --subnet 172.28.0.0/16 NAME, and --network NAME")
		case len(a.Aliases) > 0:
			return kernel.Advise(errors.New("invalid config for network bridge: network-scoped aliases are only supported for user-defined networks"),
				"sandbox network create NAME, and --network NAME")
		}
	}
	return n.CheckWish(a.IPv4, a.IPv6)
}

// enterNetworks makes the container's network namespace with its interfaces, and has the birth enter it. What it has there is in
// the record then. The three files of /etc are written, too, which tell of it.
func (e *Engine) enterNetworks(r *Record, b *birth, renumbered bool) (sockets, error) {
	if r.Userland != nil {
		return sockets{}, e.enterUserland(r, b)
	}
	if !hasNetworks(r.HostConfig.NetworkMode) || len(r.Networks) == 0 {
		return sockets{}, e.writeEtc(r)
	}
	variables, err := e.linkVariables(r)
	if err != nil {
		return sockets{}, err
	}
	b.spec.Process.Env = linkedEnvironment(variables, b.spec.Process.Env)
	ports, err := e.holdPorts(r)
	if err != nil {
		return sockets{}, err
	}
	s := sockets{ports: ports}
	space, err := e.makeNetworkNamespace(r, &s)
	if err == nil {
		if err = e.writeEtc(r); err != nil {
			unix.Close(space)
		}
	}
	if err != nil {
		s.close()
		e.leaveNetworks(r)
		return sockets{}, err
	}
	j := joined{flags: unix.CLONE_NEWNET, pidfd: space, fd: space, fresh: true}
	if renumbered {
		j.fd = early.Joined + len(b.joined)
	}
	b.joined = append(b.joined, j)
	for i, n := range b.spec.Linux.Namespaces {
		if n.Type == specs.NetworkNamespace {
			b.spec.Linux.Namespaces[i].Path = fmt.Sprintf("/proc/self/fd/%d", j.fd)
		}
	}
	return s, nil
}

// makeNetworkNamespace makes it and what is in it. This goroutine's thread goes there and comes back.
func (e *Engine) makeNetworkNamespace(r *Record, s *sockets) (space int, err error) {
	home, fresh := &kernel.Handle{}, &kernel.Handle{}
	runtime.LockOSThread() // not unlocked if there is no way back: then the thread ends with the goroutine
	if err := e.Door.Do(kernel.In("3.6",
		kernel.Because(kernel.Open{Path: threadNetwork, Flags: unix.O_RDONLY | unix.O_CLOEXEC, As: home}, "the way back", "记住回来的路"),
		kernel.Because(kernel.Unshare{Flags: unix.CLONE_NEWNET}, "a new network namespace: interfaces, routes and rules of its own, and none of them yet", "新的网络 namespace：网卡、路由、防火墙规则都是自己的，现在还什么都没有"),
		kernel.Because(kernel.Open{Path: threadNetwork, Flags: unix.O_RDONLY | unix.O_CLOEXEC, As: fresh}, "it lives as long as somebody holds it", "只要有人拿着它，它就不会消失"),
		kernel.Because(kernel.LinkUp{Name: "lo"}, "a new network namespace has only a loopback, and that is down", "新的网络 namespace 里只有 lo，而且还没启用"),
		goHome(home),
	)...); err != nil {
		return -1, err
	}
	runtime.UnlockOSThread()
	defer unix.Close(home.Number())
	r.Held = s.published()
	ports := r.Held
	for i := range r.Networks {
		if err = e.plugIn(r, i, fresh, ports); err != nil {
			break
		}
		if len(r.Networks[i].Endpoint.Ports) > 0 {
			ports = nil // they are published by way of the first that can
		}
	}
	if err == nil && r.needsResolver() {
		err = e.openResolver(fresh, s)
	}
	if err != nil {
		unix.Close(fresh.Number())
		return -1, err
	}
	return fresh.Number(), nil
}

const threadNetwork = "/proc/thread-self/ns/net"

func goHome(home *kernel.Handle) kernel.Step {
	return kernel.Because(kernel.Setns{FD: home.FD(), Flags: unix.CLONE_NEWNET}, "back to the host's network", "回到 host 的网络")
}

// within does something in another network namespace: a thread goes there and comes back.
func (e *Engine) within(space *kernel.Handle, do func() error) error {
	runtime.LockOSThread() // not unlocked if there is no way back: then the thread ends with the goroutine
	home := &kernel.Handle{}
	if err := e.Door.Do(kernel.In("3.6",
		kernel.Because(kernel.Open{Path: threadNetwork, Flags: unix.O_RDONLY | unix.O_CLOEXEC, As: home}, "the way back", "记住回来的路"),
		kernel.Because(kernel.Setns{FD: space.FD(), Flags: unix.CLONE_NEWNET}, "into the container's network namespace", "进入容器的网络 namespace"),
	)...); err != nil {
		return err
	}
	defer unix.Close(home.Number())
	err := do()
	if back := e.Door.Do(kernel.In("3.6", goHome(home))...); back != nil {
		return errors.Join(err, back)
	}
	runtime.UnlockOSThread()
	return err
}

// networkOf is the network of one of a container's memberships, which outlives it.
func (e *Engine) networkOf(r *Record, a Attachment) (*network.Network, error) {
	n, err := e.Networks().Get(a.Network)
	var missing *network.NotFoundError
	if !errors.As(err, &missing) {
		return n, err
	}
	if now, err := e.Networks().Get(a.Name); err == nil && now.Name == a.Name {
		return nil, kernel.Advise(fmt.Errorf("network %s of container %s is no more: the one of that name that there is now is another one, made later", a.Name, r.PlainName()),
			"sandbox network disconnect %[1]s %[2]s && sandbox network connect %[1]s %[2]s   takes the container into that", a.Name, r.PlainName())
	}
	return nil, kernel.Advise(fmt.Errorf("network %s of container %s is no more", a.Name, r.PlainName()),
		"sandbox network disconnect -f %s %s   takes the container out of it; or make it anew and connect it", a.Name, r.PlainName())
}

// plugIn connects a namespace to one of the container's networks.
func (e *Engine) plugIn(r *Record, i int, into *kernel.Handle, ports []network.Publish) error {
	store, a := e.Networks(), &r.Networks[i]
	n, err := e.networkOf(r, *a)
	if err != nil {
		return err
	}
	request := network.Request{
		Container: r.ID, Name: r.PlainName(), Names: r.namesIn(n, a.Aliases), IPv4: a.IPv4, IPv6: a.IPv6, MAC: a.MAC,
		Last4: a.Last4, Last6: a.Last6, Links: aliases(a.Links), Interface: fmt.Sprintf("eth%d", r.freeInterface()), Ports: ports, Into: into,
	}
	if !n.Publishes() {
		request.Ports = nil
	}
	endpoint, err := store.Join(n, request)
	if err != nil {
		return err
	}
	before := a.Last4
	a.Endpoint, a.Last4, a.Last6, a.Gateway, a.Gateway6, a.Names = &endpoint, endpoint.IPv4.Addr(), endpoint.IPv6.Addr(), "", "", n.HasNames()
	a.Driver = n.Driver
	if !n.Internal {
		a.Gateway, a.Gateway6 = n.Gateway(false), n.Gateway(true)
	}
	if err := e.within(into, func() error { return store.Configure(n, endpoint, r.wayOut(i)) }); err != nil {
		return err
	}
	if n.IsDefault() && before.IsValid() && before != a.Last4 {
		if err := e.relink(r, before); err != nil {
			return err
		}
	}
	return store.Publish(n, endpoint)
}

// freeInterface is the smallest number of an interface that the container has not.
func (r *Record) freeInterface() int {
	for number := 0; ; number++ {
		taken := false
		for _, a := range r.Networks {
			taken = taken || a.Endpoint != nil && a.Endpoint.Interface == fmt.Sprintf("eth%d", number)
		}
		if !taken {
			return number
		}
	}
}

// gateway is the network that is the way to everywhere: of those that the container is in, the i-th left out, the one with the highest
// priority, of equal ones the first; -1 for none.
func (r *Record) gateway(i int) int {
	best := -1
	for j, a := range r.Networks {
		if j != i && a.Endpoint != nil && a.Gateway+a.Gateway6 != "" && (best < 0 || a.Priority > r.Networks[best].Priority) {
			best = j
		}
	}
	return best
}

// wayOut tells whether the i-th network, which the container is just coming into, is to be its way to everywhere.
func (r *Record) wayOut(i int) network.Way {
	other := r.gateway(i)
	switch {
	case other < 0:
		return network.FirstWay
	case r.Networks[i].Priority > r.Networks[other].Priority:
		return network.BetterWay
	}
	return network.NoWay
}

// namesIn are those under which others in a network find the container.
func (r *Record) namesIn(n *network.Network, aliases []string) []string {
	if !n.HasNames() {
		return nil
	}
	names := append([]string{r.PlainName()}, aliases...)
	names = append(names, r.Short())
	if h := r.Config.Hostname; h != "" && h != r.Short() && !strings.EqualFold(h, r.PlainName()) {
		names = append(names, h)
	}
	return names
}

// leaveNetworks gives up what a container that has ended has in its networks.
func (e *Engine) leaveNetworks(r *Record) {
	store := e.Networks()
	for i := range r.Networks {
		if a := &r.Networks[i]; a.Endpoint != nil {
			store.Leave(a.Network, *a.Endpoint)
			a.Endpoint = nil
		}
	}
	r.forgetPorts()
}

// forgetEndpoints says in a record that they are given up.
func (r *Record) forgetEndpoints() {
	r.Held = nil
	for i := range r.Networks {
		r.Networks[i].Endpoint = nil
	}
	r.forgetPorts()
}

func (r *Record) forgetPorts() {
	if r.Userland != nil {
		*r.Userland = Userland{Program: r.Userland.Program}
	}
}

// leaveNetworks is what the monitor does when its container has ended. It returns the events that tell of it.
func (m *monitor) leaveNetworks() []Event {
	if now, err := m.engine.Paths.load(m.record.ID); err == nil {
		m.record.Networks = now.Networks // it may have been connected to others meanwhile
	}
	m.serving.end()
	m.cables = nil
	for _, a := range m.record.Networks {
		if a.Endpoint != nil && a.Endpoint.Veth != "" {
			m.cables = append(m.cables, a.Endpoint.Veth)
		}
	}
	events := m.engine.networkEvents(m.record, "disconnect")
	m.engine.leaveNetworks(m.record)
	return events
}
