package container

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
	network "sandbox/net"
)

// A published port is a rule of the firewall: packets to a port of the host get the container's address. Beside that the
// container's monitor holds a socket that is bound to the port. So nobody else can take it, and what no rule can send on
// gets through all the same: what comes to the host's ::1, or by a version of IP that the container does not speak, is accepted by the
// monitor, which carries it to the container and brings back the answers.

// held is a socket of a published port.
type held struct {
	network.Publish
	socket int
}

// holdPorts chooses the host's ports and binds them.
func (e *Engine) holdPorts(r *Record) (list []held, err error) {
	defer func() {
		if err != nil {
			closePorts(list)
		}
	}()
	bindings := r.HostConfig.PortBindings
	if r.HostConfig.PublishAllPorts {
		all := maps.Clone(bindings)
		for name := range r.Config.ExposedPorts {
			if len(all[name]) == 0 {
				if all == nil {
					all = map[string][]PortBinding{}
				}
				all[name] = []PortBinding{{}}
			}
		}
		bindings = all
	}
	for _, name := range slices.Sorted(maps.Keys(bindings)) {
		for _, p := range portsOf(name) {
			for _, b := range bindings[name] {
				h, err := e.holdPort(r, p, b, list)
				if err != nil {
					return list, err
				}
				list = append(list, h)
			}
		}
	}
	slices.SortFunc(list, func(a, b held) int {
		return cmp.Or(int(a.Port)-int(b.Port), cmp.Compare(a.Protocol, b.Protocol), int(a.HostPort)-int(b.HostPort))
	})
	return list, nil
}

// holdPort binds one port of the host, beside those that are held already; of several that are allowed the first that is free.
func (e *Engine) holdPort(r *Record, p Port, b PortBinding, already []held) (h held, err error) {
	h = held{Publish: network.Publish{Protocol: p.Protocol, Port: p.Private}}
	if h.HostIP, err = e.hostAddress(r, b); err != nil {
		return h, err
	}
	first, last := uint16(0), uint16(0)
	if b.HostPort != "" {
		if first, last, err = portRange(b.HostPort); err != nil {
			return h, kernel.Advise(fmt.Errorf("invalid port %q of the host", b.HostPort), "1 to 65535")
		}
	}
	for port := int(first); port <= int(last); port++ {
		if h.socket, err = e.bindPort(h.Protocol, netip.AddrPortFrom(h.HostIP, uint16(port))); !errors.Is(err, unix.EADDRINUSE) {
			break
		}
	}
	if err != nil {
		return h, e.explainPort(r, h.Publish, first, already, err)
	}
	if h.HostPort = kernel.PortOf(h.socket); h.HostPort == 0 {
		h.HostPort = first
	}
	return h, nil
}

// hostAddress is the host's address that a port is published on.
func (e *Engine) hostAddress(r *Record, b PortBinding) (netip.Addr, error) {
	if b.HostIP != "" {
		return netip.ParseAddr(b.HostIP)
	}
	if r.Userland != nil {
		return netip.IPv4Unspecified(), nil
	}
	n, err := e.networkOf(r, r.Networks[0])
	if err != nil {
		return netip.Addr{}, err
	}
	return n.HostIP(), nil
}

// bindPort binds it. A port on all of the host's addresses is one of both families where the host has IPv6.
func (e *Engine) bindPort(protocol string, address netip.AddrPort) (socket int, err error) {
	as := &kernel.Handle{}
	bind := func(b kernel.Bind) error {
		b.Protocol, b.As = protocol, as
		return e.Door.Do(kernel.In("3.6", kernel.Because(b, "the port is taken for the container; nobody else can have it", "替容器占住这个端口，别人不能再用"))...)
	}
	if address.Addr() == netip.IPv4Unspecified() {
		err = bind(kernel.Bind{Address: netip.AddrPortFrom(netip.IPv6Unspecified(), address.Port()), Both: true})
		if err == nil || errors.Is(err, unix.EADDRINUSE) || errors.Is(err, unix.EACCES) {
			return as.Number(), err
		}
	}
	err = bind(kernel.Bind{Address: address})
	return as.Number(), err
}

// explainPort says why a port cannot be had, and who has it.
func (e *Engine) explainPort(r *Record, p network.Publish, port uint16, already []held, err error) error {
	where := net.JoinHostPort(p.HostIP.String(), strconv.Itoa(int(port)))
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		owner, cure := e.portOwner(r, p, port, already)
		//lint:ignore ST1005 these are Docker's words
		return kernel.Advise(fmt.Errorf("Bind for %s failed: port is already allocated%s", where, owner), "%s", cure)
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return kernel.Advise(fmt.Errorf("this machine has no address %s", p.HostIP), "`ip addr` lists its addresses; without one the port is published on all of them")
	case errors.Is(err, unix.EACCES):
		return kernel.Advise(fmt.Errorf("port %d is privileged", port), "use one from %d on, or let everybody have it: sudo sysctl net.ipv4.ip_unprivileged_port_start=%d", firstUnprivileged(), port)
	case errors.Is(err, unix.EPROTONOSUPPORT):
		return kernel.Advise(fmt.Errorf("this kernel has no %s", p.Protocol), "modprobe %s", p.Protocol)
	}
	return err
}

// firstUnprivileged is the lowest port that an ordinary user can have (ip-sysctl.rst).
func firstUnprivileged() int {
	text, _ := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if n, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
		return n
	}
	return 1024
}

// portOwner finds out who has a port: the container itself, one of the others, or another process.
func (e *Engine) portOwner(r *Record, wanted network.Publish, port uint16, already []held) (owner, cure string) {
	if slices.ContainsFunc(already, func(h held) bool {
		sameAddress := h.HostIP == wanted.HostIP || h.HostIP.IsUnspecified() || wanted.HostIP.IsUnspecified()
		return sameAddress && h.HostPort == port && h.Protocol == wanted.Protocol
	}) {
		return " (to another port of this container)", "give each port of the container a port of the host of its own"
	}
	others := slices.DeleteFunc(e.Peek(), func(other *Record) bool { return other.ID == r.ID || !other.State.Running })
	i := slices.IndexFunc(others, func(other *Record) bool {
		return slices.ContainsFunc(other.Ports(), func(p Port) bool { return p.Public == port && p.Protocol == wanted.Protocol })
	})
	pid := 0
	if i < 0 {
		pid = listener(wanted.Protocol, port)
	}
	if pid != 0 {
		i = slices.IndexFunc(others, func(other *Record) bool { // in the host's network
			pids, _ := e.Processes(other)
			return slices.Contains(pids, pid)
		})
	}
	switch {
	case i >= 0:
		name := others[i].PlainName()
		return " (to container " + name + ")", "sandbox stop " + name + "   first, or choose another port"
	case pid != 0:
		return fmt.Sprintf(" (to process %d, %s)", pid, statusField(pid, "Name")), "choose another port, or none: then a free one is found"
	}
	return "", "choose another port, or none: then a free one is found"
}

func closePorts(list []held) {
	for _, h := range list {
		unix.Close(h.socket)
	}
}

// relay accepts connections to a published port and carries what they say to the container, if that can be reached just now: else they
// are reset, for the port is the container's as long as it runs. It ends with the socket.
func relay(listener net.Listener, to func() netip.AddrPort) {
	for {
		from, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		go convey(from, to())
	}
}

func convey(from net.Conn, address netip.AddrPort) {
	defer from.Close()
	to, err := net.Dial("tcp", address.String())
	if err != nil {
		from.(*net.TCPConn).SetLinger(0) // a reset, not an end: nobody has answered
		return
	}
	defer to.Close()
	done := make(chan struct{})
	go func() {
		io.Copy(to, from)
		to.(*net.TCPConn).CloseWrite()
		close(done)
	}()
	io.Copy(from, to)
	from.(*net.TCPConn).CloseWrite()
	<-done
}

// relayPackets does so with the packets that come to a published port of UDP. Each sender's get a socket of their own, which the answers
// come back to. It ends with the socket.
func relayPackets(socket net.PacketConn, to func() netip.AddrPort) {
	var talks sync.Map // by the sender's address
	packet := make([]byte, 1<<16)
	for {
		n, from, err := socket.ReadFrom(packet)
		if errors.Is(err, net.ErrClosed) {
			talks.Range(func(_, talk any) bool { talk.(net.Conn).Close(); return true })
			return
		}
		if err != nil {
			continue
		}
		talk, known := talks.Load(from.String())
		if !known {
			if talk, err = net.Dial("udp", to().String()); err != nil {
				continue
			}
			talks.Store(from.String(), talk)
			go func() {
				defer talks.Delete(from.String())
				answerPackets(socket, from, talk.(net.Conn))
			}()
		}
		talk.(net.Conn).Write(packet[:n])
	}
}

// packetsForgotten is after how long without an answer a sender of packets is forgotten: as long as the kernel remembers an answered
// flow of UDP (nf_conntrack_udp_timeout_stream in nf_conntrack-sysctl.rst).
const packetsForgotten = 120 * time.Second

func answerPackets(socket net.PacketConn, to net.Addr, talk net.Conn) {
	defer talk.Close()
	packet := make([]byte, 1<<16)
	for {
		talk.SetReadDeadline(time.Now().Add(packetsForgotten))
		n, err := talk.Read(packet)
		if err != nil && !errors.Is(err, unix.ECONNREFUSED) { // that is said of a packet, and another may find somebody
			return
		}
		if err == nil {
			socket.WriteTo(packet[:n], to)
		}
	}
}

// serving is what a monitor does for its container's networks.
type serving struct {
	mu   sync.Mutex
	stop []func()
}

// add is something to be done at the end.
func (s *serving) add(stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop = append(s.stop, stop)
}

func (s *serving) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stop := range s.stop {
		stop()
	}
	s.stop = nil
}

// servePorts holds sockets, and accepts at those that can.
func (m *monitor) servePorts(ports []held) {
	for _, p := range ports {
		f := os.NewFile(uintptr(p.socket), "port")
		stop := f.Close
		to := func() netip.AddrPort { return netip.AddrPortFrom(behind(p.HostIP, m.publishing()), p.Port) }
		switch p.Protocol {
		case "tcp":
			if listener, err := net.FileListener(f); err == nil {
				f.Close()
				stop = listener.Close
				go relay(listener, to)
			}
		case "udp":
			if socket, err := net.FilePacketConn(f); err == nil {
				f.Close()
				stop = socket.Close
				go relayPackets(socket, to)
			}
		}
		m.serving.add(func() { stop() })
	}
}

// publishing is the membership by way of which the container's ports are published just now. Networks can be left and joined while it
// runs, and an internal one publishes nothing: then there is none.
func (m *monitor) publishing() network.Endpoint {
	r, err := m.engine.Paths.load(m.current().ID)
	if err != nil {
		return network.Endpoint{}
	}
	for _, a := range r.Networks {
		if a.Endpoint != nil && len(a.Endpoint.Ports) > 0 {
			return *a.Endpoint
		}
	}
	return network.Endpoint{}
}

// behind is the container's address that is reached by a port on an address of the host: one of the same version of IP, if it has one.
// What comes to the monitor at 0.0.0.0 is of IPv6.
func behind(host netip.Addr, inside network.Endpoint) netip.Addr {
	v4, v6 := inside.IPv4.Addr(), inside.IPv6.Addr()
	if v6.IsValid() && (host.Is6() || host.IsUnspecified() || !v4.IsValid()) {
		return v6
	}
	return v4
}
