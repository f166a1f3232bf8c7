package container

import (
	"context"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
	"sandbox/kernel/early"
	network "sandbox/net"
	"sandbox/net/resolver"
)

// sockets are what a monitor gets for its container's networks: those of published ports, and those of the resolver, which
// are opened in the container's network namespace.
type sockets struct {
	ports          []held
	packet, stream int // 0: none
}

func (s *sockets) published() []network.Publish {
	var list []network.Publish
	for _, p := range s.ports {
		list = append(list, p.Publish)
	}
	return list
}

// numbered are the descriptors, under the numbers that the monitor will have them under.
func (s *sockets) numbered() iter.Seq2[byte, int] {
	return func(yield func(byte, int) bool) {
		for i, p := range s.ports {
			if i < early.Ports && !yield(byte(early.Port+i), p.socket) {
				return
			}
		}
		if s.packet != 0 && yield(early.Names, s.packet) {
			yield(early.Stream, s.stream)
		}
	}
}

// close closes our copies.
func (s *sockets) close() {
	closePorts(s.ports)
	if s.packet != 0 {
		unix.Close(s.packet)
		unix.Close(s.stream)
	}
	*s = sockets{}
}

// take gives them away.
func (s *sockets) take() sockets {
	taken := *s
	*s = sockets{}
	return taken
}

// handedOver are those that came to the monitor with its order.
func handedOver(r *Record) sockets {
	var s sockets
	for i, p := range r.Held {
		if i < early.Ports {
			s.ports = append(s.ports, held{p, early.Port + i})
		}
	}
	if r.needsResolver() {
		s.packet, s.stream = early.Names, early.Stream
	}
	return s
}

// needsResolver tells whether the container is in a network whose containers find each other by name.
func (r *Record) needsResolver() bool {
	for _, a := range r.Networks {
		if a.Endpoint != nil && a.Names {
			return true
		}
	}
	return false
}

// openResolver opens the resolver's sockets in the container's namespace: 127.0.0.11 is a loopback address, and each namespace has a
// loopback of its own.
func (e *Engine) openResolver(space *kernel.Handle, s *sockets) error {
	address := netip.AddrPortFrom(netip.MustParseAddr(network.NameServer), 0)
	packet, stream := &kernel.Handle{}, &kernel.Handle{}
	err := e.within(space, func() error {
		err := e.Door.Do(kernel.In("3.6",
			kernel.Because(kernel.Bind{Protocol: "udp", Address: address, As: packet}, "the name server of this container: its monitor answers", "这个容器的域名服务器，由它的监视进程来回答"),
			kernel.Because(kernel.Bind{Protocol: "tcp", Address: address, As: stream}, "long answers come by a connection", "太长的回答走连接"),
		)...)
		if err == nil {
			err = e.Door.Do(network.NameRules(kernel.PortOf(packet.Number()), kernel.PortOf(stream.Number()))...)
		}
		return err
	})
	if err == nil {
		s.packet, s.stream = packet.Number(), stream.Number()
	}
	return err
}

// serveNetworks does what the container's networks need of its monitor, until the container ends.
func (m *monitor) serveNetworks(s sockets) {
	m.servePorts(s.ports)
	if s.packet != 0 {
		packet, stream := os.NewFile(uintptr(s.packet), "names"), os.NewFile(uintptr(s.stream), "names")
		m.serveNames(packet, stream)
		packet.Close()
		stream.Close()
	}
}

// serveNames answers questions for names.
func (m *monitor) serveNames(packet, stream *os.File) {
	conn, err := net.FilePacketConn(packet)
	if err != nil {
		return
	}
	listener, err := net.FileListener(stream)
	if err != nil {
		conn.Close()
		return
	}
	r := m.current()
	conf := r.dns()
	names := resolver.NewEndpoints(m.engine.Paths.networks(), r.ID)
	server := &resolver.Server{
		Packet: conn.(*net.UDPConn), Stream: listener, Names: names, Internal: names.Internal,
		Upstream: resolver.AskLikeHost("/etc/resolv.conf"), NDots: conf.NDots(),
	}
	if len(r.HostConfig.Dns) > 0 {
		server.Upstream = resolver.Ask(conf.Servers)
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.serving.add(cancel)
	go server.Serve(ctx)
}

// lendResolver gives a running container the resolver that it had no use for so far: its monitor gets the sockets.
func (e *Engine) lendResolver(r *Record) error {
	space, err := e.openNetworkOf(r)
	if err != nil {
		return err
	}
	defer unix.Close(space.Number())
	var s sockets
	if err := e.openResolver(space, &s); err != nil {
		return err
	}
	defer s.close()
	control, err := e.dial(r.ID)
	if err != nil {
		return kernel.Advise(fmt.Errorf("the monitor of container %s does not answer: %w", r.PlainName(), err), "sandbox restart %s   connects it, with names", r.PlainName())
	}
	defer control.Close()
	err = e.Door.Do(kernel.In("3.6", kernel.Because(
		kernel.SendDescriptor{Socket: int(control.Fd()), FD: s.packet, Also: []int{s.stream}, Data: string([]byte{frameNames, 0, 0, 0, 0})},
		"its monitor answers from now on", "从现在起由它的监视进程来回答"))...)
	if err == nil {
		_, _, _, err = readFrame(control, nil)
	}
	if err != nil {
		return err
	}
	return e.rewriteEtc("resolv.conf", e.etcDir(r)+"/resolv.conf", e.etcContent(r, "resolv.conf"))
}
