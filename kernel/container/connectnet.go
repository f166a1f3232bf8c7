package container

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
	network "sandbox/net"
)

// ConnectNetwork puts a container into another network. If it runs it gets another interface at once; else when it starts.
func (e *Engine) ConnectNetwork(r *Record, a Attachment) error {
	if joinedID(a.Name) != "" {
		return r.checkConnectable(&network.Network{Name: a.Name})
	}
	n, err := e.Networks().GetOrAdvise(a.Name)
	if err != nil {
		return err
	}
	if err := r.checkConnectable(n); err != nil {
		return err
	}
	if err := checkWishes(n, &a); err != nil {
		return err
	}
	if err := e.resolveLinks(n, &a); err != nil {
		return err
	}
	a.Network, a.Name = n.ID, n.Name
	resolved := false
	connected, err := e.change(r.ID, true, func(r *Record) error {
		for _, other := range r.Networks {
			if other.Network == n.ID {
				return kernel.Advise(fmt.Errorf("endpoint with name %s already exists in network %s", r.PlainName(), n.Name), "sandbox network disconnect %s %s   first", n.Name, r.PlainName())
			}
		}
		r.Networks = slices.DeleteFunc(r.Networks, func(other Attachment) bool { return other.Name == n.Name && other.Endpoint == nil }) // one of that name that is no more
		resolved = r.needsResolver()
		r.Networks = append(r.Networks, a)
		if !r.State.Running || r.State.Restarting {
			return nil
		}
		return e.plugInRunning(r, len(r.Networks)-1)
	})
	if err != nil {
		return err
	}
	if a := connected.Networks[len(connected.Networks)-1]; a.Endpoint != nil {
		e.Event(r.networkEvent(a, "connect"))
	}
	if now, err := e.Paths.load(r.ID); err == nil && now.State.Running && now.needsResolver() && !resolved {
		return e.lendResolver(now)
	}
	return nil
}

// checkConnectable refuses containers whose network is the host's, another container's, or none by their own wish.
func (r *Record) checkConnectable(n *network.Network) error {
	mode := r.HostConfig.NetworkMode
	switch {
	case !hasNetworks(n.Name):
		return kernel.Advise(fmt.Errorf("container cannot be connected to network %s", n.Name), "it is not a network but a way to run without one: sandbox run --network %s", n.Name)
	case mode == "host" || joinedID(mode) != "":
		return kernel.Advise(errors.New("container sharing network namespace with another container or host cannot be connected to any other network"),
			"connect the one whose network it is, or run it with a network of its own")
	case r.Userland != nil:
		return kernel.Advise(fmt.Errorf("container cannot be connected to network %s: a program carries its packets, %s", n.Name, mode),
			"run both in a pocket host, where networks can be had: sandbox lab host")
	case mode == "none":
		return kernel.Advise(errors.New("container cannot be connected to multiple networks with one of the networks in private (none) mode"),
			"run it with --network %s", n.Name)
	}
	return nil
}

// plugInRunning gives a running container an interface. The caller has the record for itself.
func (e *Engine) plugInRunning(r *Record, i int) (err error) {
	space, err := e.openNetworkOf(r)
	if err != nil {
		return err
	}
	defer unix.Close(space.Number())
	e.Networks().TakeBack(r.Networks[i].Network, r.ID)
	ports := r.Held
	for _, a := range r.Networks {
		if a.Endpoint != nil && len(a.Endpoint.Ports) > 0 {
			ports = nil // they are published already
		}
	}
	if err := e.plugIn(r, i, space, ports); err != nil {
		if a := r.Networks[i]; a.Endpoint != nil {
			e.unplug(r, a)
		}
		return err
	}
	return e.editHosts(r, func(lines []string) []string {
		for _, address := range addressesOf(*r.Networks[i].Endpoint) {
			lines = append(lines, address.String()+"\t"+r.Config.Hostname)
		}
		return lines
	})
}

// openNetworkOf opens a running container's network namespace.
func (e *Engine) openNetworkOf(r *Record) (*kernel.Handle, error) {
	pidfd, err := e.openRunning(r)
	if err != nil {
		return nil, err
	}
	defer unix.Close(pidfd)
	space := &kernel.Handle{}
	err = whileItExecutes(r, pidfd, unix.ENOENT, func() error {
		return e.Door.Do(kernel.In("3.6", kernel.Because(kernel.Open{Path: fmt.Sprintf("/proc/%d/ns/net", r.State.Pid), Flags: unix.O_RDONLY | unix.O_CLOEXEC, As: space},
			"the container's network namespace", "容器的网络 namespace"))...)
	})
	if err == nil && hasEnded(pidfd) { // the number may be another process's by now
		unix.Close(space.Number())
		err = e.notRunning(r)
	}
	return space, err
}

func addressesOf(p network.Endpoint) (list []netip.Addr) {
	for _, a := range []netip.Prefix{p.IPv4, p.IPv6} {
		if a.IsValid() {
			list = append(list, a.Addr())
		}
	}
	return list
}

// editHosts changes a running container's /etc/hosts in its place: it is mounted, so another file would not be seen.
func (e *Engine) editHosts(r *Record, edit func(lines []string) []string) error {
	path := e.etcDir(r) + "/hosts"
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := edit(strings.Split(strings.TrimRight(string(data), "\n"), "\n"))
	return e.rewriteEtc("hosts", path, strings.Join(lines, "\n")+"\n")
}

func (e *Engine) rewriteEtc(name, path, text string) error {
	return e.Door.Do(kernel.In("3.6", kernel.Because(kernel.RewriteFile{Path: path, Data: []byte(text), Truncate: true},
		"the running container sees it in its /etc/"+name, "运行中的容器在 /etc/"+name+" 里马上就能看到"))...)
}

// DisconnectNetwork takes a container out of a network. With force also out of one that is no more (without, if
// there is another one of its name).
func (e *Engine) DisconnectNetwork(r *Record, ref string, force bool) error {
	id := ref
	n, err := e.Networks().Get(ref)
	if err == nil {
		id = n.ID
	} else if !force {
		return err
	}
	if n != nil && !hasNetworks(n.Name) && r.HostConfig.NetworkMode == n.Name {
		return kernel.Advise(fmt.Errorf("container %s cannot be disconnected from network %s: it was made to run without networks", r.PlainName(), n.Name),
			"make another one in a network: sandbox run --network NAME")
	}
	_, err = e.change(r.ID, true, func(r *Record) error {
		i := slices.IndexFunc(r.Networks, func(a Attachment) bool { return a.Network == id })
		if i < 0 { // one that is no more, whose name another one may have by now
			i = slices.IndexFunc(r.Networks, func(a Attachment) bool { return a.Name == ref || n != nil && a.Name == n.Name })
		}
		if i < 0 {
			return kernel.Advise(fmt.Errorf("container %s is not connected to network %s", r.PlainName(), ref), "sandbox inspect -f '{{json .NetworkSettings.Networks}}' %s   shows its networks", r.PlainName())
		}
		a := r.Networks[i]
		r.Networks = slices.Delete(r.Networks, i, i+1)
		if a.Endpoint == nil {
			return nil
		}
		e.unplug(r, a)
		e.Event(r.networkEvent(a, "disconnect"))
		if err := e.routeElsewhere(r, a); err != nil {
			return err
		}
		if err := e.publishElsewhere(r, a); err != nil {
			return err
		}
		gone := addressesOf(*a.Endpoint)
		return e.editHosts(r, func(lines []string) []string {
			return slices.DeleteFunc(lines, func(line string) bool {
				return slices.ContainsFunc(gone, func(address netip.Addr) bool { return strings.HasPrefix(line, address.String()+"\t") })
			})
		})
	})
	return err
}

// publishElsewhere publishes ports by way of another network, if the one that the container has left was that of them.
func (e *Engine) publishElsewhere(r *Record, left Attachment) error {
	if len(left.Endpoint.Ports) == 0 {
		return nil
	}
	for i := range r.Networks {
		a := &r.Networks[i]
		n, err := e.Networks().Get(a.Network)
		if err == nil && a.Endpoint != nil && n.Publishes() {
			a.Endpoint.Ports = r.Held
			return e.Networks().Republish(n, *a.Endpoint)
		}
	}
	return nil // until it is connected to one
}

// unplug takes an interface out of a running container, and what was known of it.
func (e *Engine) unplug(r *Record, a Attachment) {
	if a.Endpoint.Veth == "" { // a macvlan has no other end on the host
		if space, err := e.openNetworkOf(r); err == nil {
			e.within(space, func() error {
				return e.Door.Do(kernel.In("3.6", kernel.Because(kernel.LinkDel{Name: a.Endpoint.Interface}, "the container's interface goes", "拆掉容器的这块网卡"))...)
			})
			unix.Close(space.Number())
		}
	}
	e.Networks().Unplug(*a.Endpoint)
	e.Networks().Leave(a.Network, *a.Endpoint)
}

// routeElsewhere makes another network the way to everywhere, if the one that the container has left was that.
func (e *Engine) routeElsewhere(r *Record, left Attachment) error {
	if left.Gateway+left.Gateway6 == "" {
		return nil
	}
	i := r.gateway(-1)
	if i < 0 {
		return nil
	}
	space, err := e.openNetworkOf(r)
	if err != nil {
		return err
	}
	defer unix.Close(space.Number())
	var steps []kernel.Step
	for _, gateway := range []string{r.Networks[i].Gateway, r.Networks[i].Gateway6} {
		if via, err := netip.ParseAddr(gateway); err == nil {
			steps = append(steps, kernel.Because(kernel.RouteAdd{Via: via, Name: r.Networks[i].Endpoint.Interface}, "the way to everywhere goes through another network now", "去别处的路改走另一个网络"))
		}
	}
	return e.within(space, func() error { return e.Door.Do(kernel.Try(kernel.In("3.6", steps...)...)...) }) // it may have been there before
}
