package container

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
	network "sandbox/net"
	"sandbox/net/walk"
)

// NetworkView is the machine's container networks as they are at this moment: what was asked for is in the store, what there is
// was read from the kernel.
type NetworkView struct {
	Host     HostView
	Networks []NetworkSide
	Spaces   []NetworkSpace // network namespaces of running containers, other than the host's
	Stopped  []StoppedView  // containers that do not run, and have nothing in the kernel
}

// HostView is the host's own namespace.
type HostView struct {
	Name       string
	Interfaces []kernel.Interface // those of container networks left out
	Routes     []kernel.Route     // to everywhere
	Forwards   bool               // it passes packets on from one interface to another
	Containers []string           // that use it: --network host
}

// NetworkSide is a network, and what the kernel has of it on the host.
type NetworkSide struct {
	Network *network.Network
	Link    *kernel.Interface // its bridge, or the parent of a macvlan or ipvlan; nil if it is not there
	Cables  []Cable
	Others  []kernel.Interface // in the bridge, and no container's of this store
	Reach   walk.Reach         // of a bridge: who its containers can speak to
}

// Cable leads from a network to an interface of a container.
type Cable struct {
	Space  int               // of NetworkView.Spaces
	Inside int               // of the space's interfaces; -1 if it is not there
	Host   *kernel.Interface // a veth's other end; nil if it is not there, and for macvlan and ipvlan
	Loose  bool              // the host's end is not in the network's bridge
	Name   string            // of the interface inside, as the store has it
	Veth   string            // of the host's end, likewise
}

// NetworkSpace is a network namespace with containers in it.
type NetworkSpace struct {
	ID         string // of the container that it was made for
	Name       string
	Joined     []string // other containers that are in it
	Interfaces []kernel.Interface
	Ports      []network.Publish
	Closed     bool // an ordinary user may not look inside: only names are known
}

// StoppedView is a container that does not run, with the networks that it will be in.
type StoppedView struct {
	Name     string
	Networks []string
}

// NetworkView looks at all of it.
func (e *Engine) NetworkView() (*NetworkView, error) {
	records, err := e.List()
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(records, func(a, b *Record) int { return a.Created.Compare(b.Created.Time) })
	networks, err := e.Networks().List()
	if err != nil {
		return nil, err
	}
	v := &NetworkView{}
	spaces := v.lookInside(e, records)
	host, err := kernel.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("the host's interfaces: %w", err)
	}
	used := map[int]bool{} // interfaces of the host that belong to networks
	for _, n := range networks {
		if n.Driver == network.Host || n.Driver == network.Null {
			continue
		}
		endpoints, err := e.Networks().Endpoints(n)
		if err != nil {
			return nil, err
		}
		v.Networks = append(v.Networks, v.side(n, endpoints, host, spaces, used))
	}
	for i := range v.Networks {
		v.Networks[i].findOthers(host, used)
	}
	v.Host.look(host, used)
	return v, v.findReach(host)
}

// findReach asks the kernel's routes and rules who can speak to whom.
func (v *NetworkView) findReach(host []kernel.Interface) (err error) {
	w := &walk.Walk{Spaces: []*walk.Space{hostSpace(host)}}
	segment := func(side NetworkSide) (walk.Segment, bool) {
		for _, p := range side.Network.IPAM.Config {
			if p.Subnet.Addr().Is4() && side.Link != nil && side.Network.Driver == network.Bridge {
				return walk.Segment{Name: side.Network.Name, Bridge: *side.Link, Subnet: p.Subnet}, true
			}
		}
		return walk.Segment{}, false
	}
	for i := range v.Networks {
		from, ok := segment(v.Networks[i])
		if !ok {
			continue
		}
		var others []walk.Segment
		for k := range v.Networks {
			if to, ok := segment(v.Networks[k]); ok && k != i {
				others = append(others, to)
			}
		}
		if v.Networks[i].Reach, err = w.Reach(from, others); err != nil {
			return err
		}
	}
	return nil
}

// hostSpace is the host as a packet sees it.
func hostSpace(interfaces []kernel.Interface) *walk.Space {
	return &walk.Space{Name: "host", Host: true, Interfaces: interfaces, In: func(look func() error) error { return look() }}
}

// lookInside finds the network namespaces of running containers, and what is in them. It returns which one each container is in.
func (v *NetworkView) lookInside(e *Engine, records []*Record) map[string]int {
	own, _ := os.Readlink(threadNetwork)
	places, byName := map[string]int{}, map[string]int{}
	for _, joined := range []bool{false, true} { // those for whom a namespace was made come first
		for _, r := range records {
			if (joinedID(r.HostConfig.NetworkMode) != "") != joined {
				continue
			}
			inode, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", r.State.Pid))
			switch place, known := byName[inode]; {
			case r.State.Pid == 0 || err != nil:
				v.Stopped = append(v.Stopped, stopped(r))
			case inode == own:
				v.Host.Containers = append(v.Host.Containers, r.PlainName())
			case known:
				v.Spaces[place].Joined = append(v.Spaces[place].Joined, r.PlainName())
				places[r.ID] = place
			default:
				s := NetworkSpace{ID: r.ID, Name: r.PlainName()}
				s.look(e, r)
				byName[inode], places[r.ID] = len(v.Spaces), len(v.Spaces)
				v.Spaces = append(v.Spaces, s)
			}
		}
	}
	return places
}

func stopped(r *Record) StoppedView {
	s := StoppedView{Name: r.PlainName()}
	for _, a := range r.Networks {
		s.Networks = append(s.Networks, a.Name)
	}
	if len(s.Networks) == 0 {
		s.Networks = []string{r.HostConfig.NetworkMode}
	}
	return s
}

// look reads the interfaces in a container's namespace.
func (s *NetworkSpace) look(e *Engine, r *Record) {
	err := e.InNetworkOf(r, func() (err error) {
		s.Interfaces, err = kernel.Interfaces()
		return err
	})
	if err == nil {
		return
	}
	s.Closed = true
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", r.State.Pid))
	for _, line := range strings.Split(string(data), "\n") { // two lines of headings, then NAME: numbers
		if name, _, ok := strings.Cut(line, ":"); ok {
			s.Interfaces = append(s.Interfaces, kernel.Interface{Link: kernel.Link{Name: strings.TrimSpace(name)}})
		}
	}
}

// InNetworkOf calls look on a thread that is in the container's network namespace.
func (e *Engine) InNetworkOf(r *Record, look func() error) error {
	pidfd, err := e.openRunning(r)
	if err != nil {
		return err
	}
	unix.Close(pidfd)
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and not unlocked: the thread ends with this goroutine, and needs no way back
		done <- e.lookFrom(r, look)
	}()
	return <-done
}

func (e *Engine) lookFrom(r *Record, look func() error) error {
	space := &kernel.Handle{}
	err := e.Door.Do(kernel.In("3.6", kernel.Because(
		kernel.Open{Path: fmt.Sprintf("/proc/%d/ns/net", r.State.Pid), Flags: unix.O_RDONLY | unix.O_CLOEXEC, As: space},
		"the network namespace of "+r.PlainName(), r.PlainName()+" 的网络 namespace"))...)
	if err != nil {
		return err
	}
	defer unix.Close(space.Number())
	if startTicks(r.State.Pid) != r.State.Born { // it was another process's that has got its number since
		return e.notRunning(r)
	}
	if err := e.Door.Do(kernel.In("3.6", kernel.Because(kernel.Setns{FD: space.FD(), Flags: unix.CLONE_NEWNET}, "to look from there", "进去看看"))...); err != nil {
		return err
	}
	return look()
}

// side is one network with its cables. used notes which of the host's interfaces are its own.
func (v *NetworkView) side(n *network.Network, endpoints []network.Endpoint, host []kernel.Interface, places map[string]int, used map[int]bool) NetworkSide {
	side := NetworkSide{Network: n, Link: named(host, n.Parent())}
	if n.Driver == network.Bridge {
		if side.Link = named(host, n.Bridge()); side.Link != nil {
			used[side.Link.Index] = true
		}
	}
	for _, p := range endpoints {
		place, runs := places[p.Container]
		if !runs {
			continue
		}
		c := cable(p, place, v.Spaces[place].Interfaces, host)
		if c.Host != nil {
			used[c.Host.Index] = true
			c.Loose = side.Link == nil || c.Host.Master != side.Link.Index
		}
		v.Spaces[place].Ports = append(v.Spaces[place].Ports, p.Ports...)
		side.Cables = append(side.Cables, c)
	}
	return side
}

// findOthers looks for what else is plugged into the bridge.
func (side *NetworkSide) findOthers(host []kernel.Interface, used map[int]bool) {
	for _, i := range host {
		if side.Network.Driver == network.Bridge && side.Link != nil && i.Master == side.Link.Index && !used[i.Index] {
			used[i.Index] = true
			side.Others = append(side.Others, i)
		}
	}
}

// cable finds both ends of one: the one inside by its name, the one on the host by the number that the kernel says of the
// other end, and only if it says the same.
func cable(p network.Endpoint, place int, inside, host []kernel.Interface) Cable {
	c := Cable{Space: place, Inside: slices.IndexFunc(inside, func(i kernel.Interface) bool { return i.Name == p.Interface }), Name: p.Interface, Veth: p.Veth}
	if p.Veth == "" {
		return c
	}
	c.Host = named(host, p.Veth)
	if c.Inside < 0 || inside[c.Inside].Index == 0 {
		return c
	}
	end := inside[c.Inside]
	if at := slices.IndexFunc(host, func(i kernel.Interface) bool { return i.Index == end.Peer && i.Peer == end.Index && i.Kind == "veth" }); at >= 0 {
		c.Host = &host[at] // it may have got another name
	} else {
		c.Host = nil
	}
	return c
}

func named(list []kernel.Interface, name string) *kernel.Interface {
	at := slices.IndexFunc(list, func(i kernel.Interface) bool { return i.Name == name })
	if name == "" || at < 0 {
		return nil
	}
	return &list[at]
}

// look takes what is left of the host's interfaces.
func (h *HostView) look(list []kernel.Interface, used map[int]bool) {
	h.Name, _ = os.Hostname()
	h.Routes = kernel.DefaultRoutes()
	forward, _ := os.ReadFile("/proc/sys/net/ipv4/ip_forward")
	h.Forwards = strings.TrimSpace(string(forward)) == "1"
	for _, i := range list {
		if !used[i.Index] && i.Name != "lo" {
			h.Interfaces = append(h.Interfaces, i)
		}
	}
	slices.SortStableFunc(h.Interfaces, func(a, b kernel.Interface) int { return cmp.Compare(a.Index, b.Index) })
}

// Keep leaves out the networks that keep does not want, the containers that no cable is left of, and what is not running.
func (v *NetworkView) Keep(keep func(id string) bool) {
	v.Networks = slices.DeleteFunc(v.Networks, func(n NetworkSide) bool { return !keep(n.Network.ID) })
	places := map[int]int{}
	var spaces []NetworkSpace
	for i := range v.Networks {
		for k := range v.Networks[i].Cables {
			c := &v.Networks[i].Cables[k]
			place, known := places[c.Space]
			if !known {
				place = len(spaces)
				places[c.Space] = place
				spaces = append(spaces, v.Spaces[c.Space])
			}
			c.Space = place
		}
	}
	v.Spaces, v.Stopped = spaces, nil
}
