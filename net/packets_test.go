package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
	"sandbox/kernel/firewall"
	"sandbox/kernel/firewall/alone"
)

// place is a network namespace of the test: a container, somebody outside, or (space is nil) the host.
type place struct {
	*alone.Space
	name   string
	v4, v6 netip.Addr
}

func (p *place) do(f func()) {
	if p.Space == nil {
		f()
	} else {
		p.Do(f)
	}
}

// town is a host with networks and containers, and somebody outside who routes to the containers' addresses by way of the host.
type town struct {
	t             *testing.T
	door          *kernel.Door
	host, outside *place
	networks      map[string]*Network
}

func newTown(t *testing.T) *town {
	w := &town{t: t, door: &kernel.Door{}, networks: map[string]*Network{}}
	w.host = &place{name: "host", v4: netip.MustParseAddr("192.0.2.1"), v6: netip.MustParseAddr("2001:db8::1")}
	w.outside = w.place("outside", "192.0.2.2", "2001:db8::2")
	w.must(kernel.LinkAdd{Kind: "veth", Name: "wan", Up: true, Peer: "eth0", Into: w.handle(w.outside)})
	w.must(kernel.AddrAdd{Name: "wan", Address: netip.MustParsePrefix("192.0.2.1/24")}, kernel.AddrAdd{Name: "wan", Address: netip.MustParsePrefix("2001:db8::1/64")})
	w.configure(w.outside, "192.0.2.1", "2001:db8::1", 24)
	return w
}

func (w *town) must(effects ...kernel.Effect) {
	w.t.Helper()
	for _, e := range effects {
		if err := w.door.Do(kernel.Step{Effect: e}); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *town) mustDo(steps ...kernel.Step) {
	w.t.Helper()
	if err := w.door.Do(steps...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) place(name, v4, v6 string) *place {
	return &place{Space: alone.New(w.t), name: name, v4: netip.MustParseAddr(v4), v6: netip.MustParseAddr(v6)}
}

func (w *town) handle(p *place) *kernel.Handle {
	h := &kernel.Handle{}
	w.must(kernel.Open{Path: fmt.Sprintf("/proc/self/fd/%d", p.FD), Flags: unix.O_RDONLY, As: h})
	w.t.Cleanup(func() { unix.Close(h.Number()) })
	return h
}

func (w *town) configure(p *place, gateway4, gateway6 string, bits int) {
	p.do(func() {
		w.must(kernel.AddrAdd{Name: "eth0", Address: netip.PrefixFrom(p.v4, bits)}, kernel.AddrAdd{Name: "eth0", Address: netip.PrefixFrom(p.v6, 64)},
			kernel.LinkSet{Name: "eth0", Up: true},
			kernel.RouteAdd{Via: netip.MustParseAddr(gateway4), Name: "eth0"}, kernel.RouteAdd{Via: netip.MustParseAddr(gateway6), Name: "eth0"})
	})
}

// network makes one, number i, with its bridge and its rules.
func (w *town) network(name string, i int, options map[string]string, change func(*Network)) *Network {
	w.t.Helper()
	n := &Network{
		Name: name, ID: strings.Repeat(fmt.Sprint(i), 64), Driver: Bridge, EnableIPv4: true, EnableIPv6: true, Options: map[string]string{optionName: "br-" + name},
		IPAM: IPAM{Config: []Pool{
			{Subnet: netip.MustParsePrefix(fmt.Sprintf("172.%d.0.0/16", 16+i)), Gateway: netip.MustParseAddr(fmt.Sprintf("172.%d.0.1", 16+i))},
			{Subnet: netip.MustParsePrefix(fmt.Sprintf("fd00:%d::/64", i)), Gateway: netip.MustParseAddr(fmt.Sprintf("fd00:%d::1", i))},
		}},
	}
	for name, value := range options {
		n.Options[name] = value
	}
	if change != nil {
		change(n)
	}
	s := &Store{Dir: "networks", Door: w.door}
	w.mustDo(append(s.newBridge(n), s.bridgeOn(n)...)...)
	w.mustDo(Missing(n.RulesUp())...)
	w.networks[name] = n
	return n
}

// container number i of a network, which answers at TCP and UDP 80 and 81 with the address that it sees.
func (w *town) container(n *Network, i int, ports ...Publish) (*place, Endpoint) {
	w.t.Helper()
	pool4, _ := n.pool(false)
	pool6, _ := n.pool(true)
	p := w.place(fmt.Sprintf("%s%d", n.Name, i), nth(pool4, i+1), nth(pool6, i+1))
	e := Endpoint{
		Container: strings.Repeat(fmt.Sprint(i), 64), Interface: "eth0", Veth: "veth" + p.name,
		IPv4: netip.PrefixFrom(p.v4, 16), IPv6: netip.PrefixFrom(p.v6, 64), Ports: ports,
	}
	mac, _ := e.hardwareAddress("")
	w.mustDo(n.interfaceSteps(e, mac, w.handle(p))...)
	w.configure(p, pool4.Gateway.String(), pool6.Gateway.String(), 16)
	w.mustDo(Missing(n.Publish(e))...)
	w.serve(p)
	return p, e
}

func nth(p Pool, i int) string {
	a := p.Subnet.Addr()
	for range i {
		a = a.Next()
	}
	return a.String()
}

func (w *town) serve(p *place) {
	p.do(func() {
		for _, port := range []string{"80", "81"} {
			listener, err := net.Listen("tcp", ":"+port)
			if err != nil {
				w.t.Fatal(err)
			}
			packets, err := net.ListenPacket("udp", ":"+port)
			if err != nil {
				w.t.Fatal(err)
			}
			w.t.Cleanup(func() { listener.Close(); packets.Close() })
			go func() {
				for {
					c, err := listener.Accept()
					if err != nil {
						return
					}
					fmt.Fprintf(c, "%s sees %s", p.name, c.RemoteAddr().(*net.TCPAddr).IP)
					c.Close()
				}
			}()
			go func() {
				buffer := make([]byte, 100)
				for {
					_, from, err := packets.ReadFrom(buffer)
					if err != nil {
						return
					}
					packets.WriteTo(fmt.Appendf(nil, "%s sees %s", p.name, from.(*net.UDPAddr).IP), from)
				}
			}()
		}
	})
}

// ask asks a server; an answer may take long on a busy machine.
func (w *town) ask(from *place, protocol, address string, port uint16) (answer string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	from.do(func() { answer, err = question(ctx, protocol, address, port) })
	return answer, err
}

func question(ctx context.Context, protocol, address string, port uint16) (string, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, protocol, net.JoinHostPort(address, fmt.Sprint(port)))
	if err != nil {
		return "", err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Now()) })
	defer stop()
	if protocol == "tcp" {
		answer, err := io.ReadAll(c)
		return string(answer), err
	}
	buffer := make([]byte, 100)
	for {
		if _, err := c.Write([]byte("?")); err != nil {
			return "", err
		}
		c.SetReadDeadline(time.Now().Add(200 * time.Millisecond)) // a datagram may get lost: asked again
		n, err := c.Read(buffer)
		if ctx.Err() == nil && errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		return string(buffer[:n]), err
	}
}

// reaches: an answer comes, and it is this one.
func (w *town) reaches(from *place, protocol, address string, port uint16, want string) {
	w.t.Helper()
	if got, err := w.ask(from, protocol, address, port); err != nil || got != want {
		w.t.Errorf("%s asks %s %s port %d: %q, %v; want %q", from.name, protocol, address, port, got, err, want)
	}
}

// stopped: one of our rules drops what is sent (its counter says so), and no answer comes until then.
func (w *town) stopped(from *place, protocol, address string, port uint16) {
	w.t.Helper()
	before := w.dropped()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	answer := make(chan string, 1)
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		from.do(func() {
			text, err := question(ctx, protocol, address, port)
			if err == nil {
				answer <- text
			} else if ctx.Err() == nil {
				w.t.Errorf("%s asks %s %s port %d: %v; nothing was sent", from.name, protocol, address, port, err)
				cancel()
			}
		})
	}()
	defer func() { cancel(); <-asked }()
	for ctx.Err() == nil {
		select {
		case text := <-answer:
			w.t.Errorf("%s asks %s %s port %d and is answered: %q", from.name, protocol, address, port, text)
			return
		case <-time.After(5 * time.Millisecond):
			if w.dropped() > before {
				return
			}
		}
	}
	w.t.Errorf("%s asks %s %s port %d: there is no answer, but no rule of ours has dropped anything", from.name, protocol, address, port)
}

// dropped is how many packets our rules have dropped.
func (w *town) dropped() (packets uint64) {
	found, _, err := firewall.Rules("", places()...)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, entries := range found {
		for _, e := range entries {
			if e.Target == "DROP" {
				packets += e.Packets
			}
		}
	}
	return packets
}

// needFirewall skips a test where the kernel has no nf_tables.
func needFirewall(t *testing.T) {
	t.Helper()
	if _, err := OwnedRules(); err != nil {
		t.Skipf("needs [nf_tables]: %v", err)
	}
}

func TestPackets(t *testing.T) {
	if alone.Run(t) {
		testPackets(t)
	}
}

// TestPacketsUnfiltered: as on a machine whose bridges do not ask the firewall (br_netfilter is not loaded).
func TestPacketsUnfiltered(t *testing.T) {
	if alone.Run(t) {
		letBridgesPass(t)
		testPackets(t)
	}
}

// TestPacketsNative: as on a kernel without iptables' extensions.
func TestPacketsNative(t *testing.T) {
	if alone.Run(t) {
		firewall.Native = true
		testPackets(t)
	}
}

func letBridgesPass(t *testing.T) {
	t.Helper()
	for _, name := range []string{"iptables", "ip6tables"} {
		if err := os.WriteFile("/proc/sys/net/bridge/bridge-nf-call-"+name, []byte("0"), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

func testPackets(t *testing.T) {
	needFirewall(t)
	w := newTown(t)
	any4 := netip.IPv4Unspecified()
	a, b := w.network("a", 1, nil, nil), w.network("b", 2, nil, nil)
	a1, _ := w.container(a, 1, Publish{"tcp", any4, 8080, 80}, Publish{"udp", any4, 8080, 80}, Publish{"tcp", netip.MustParseAddr("127.0.0.1"), 8081, 81})
	a2, _ := w.container(a, 2)
	b1, _ := w.container(b, 1)
	w.serve(w.outside)

	for _, version := range []struct {
		of       func(*place) string
		host     string
		gateway  string
		loopback string
	}{
		{func(p *place) string { return p.v4.String() }, "192.0.2.1", "172.17.0.1", "127.0.0.1"},
		{func(p *place) string { return p.v6.String() }, "2001:db8::1", "fd00:1::1", ""},
	} {
		of, host, gateway := version.of, version.host, version.gateway
		// Neighbours, and the world outside, which sees the host's address.
		w.reaches(a2, "tcp", of(a1), 81, "a1 sees "+of(a2))
		w.reaches(a1, "tcp", of(w.outside), 80, "outside sees "+host)
		w.reaches(a1, "udp", of(w.outside), 80, "outside sees "+host)
		w.reaches(w.host, "tcp", of(a1), 81, "a1 sees "+gateway)

		// Nobody comes in from another network or from outside, whatever they know.
		w.stopped(b1, "tcp", of(a1), 80)
		w.stopped(a1, "udp", of(b1), 80)
		w.stopped(w.outside, "tcp", of(a1), 80)
		w.stopped(w.outside, "tcp", of(a1), 81)

		// A published port: from outside, from the host, from neighbours, from itself, from another network.
		w.reaches(w.outside, "tcp", host, 8080, "a1 sees "+of(w.outside))
		w.reaches(w.host, "tcp", host, 8080, "a1 sees "+host)
		w.reaches(w.host, "tcp", gateway, 8080, "a1 sees "+gateway)
		w.reaches(a2, "tcp", host, 8080, "a1 sees "+gateway)
		w.reaches(a1, "tcp", host, 8080, "a1 sees "+gateway)
		w.reaches(b1, "tcp", host, 8080, "a1 sees "+gateway)
	}
	w.reaches(w.outside, "udp", "192.0.2.1", 8080, "a1 sees 192.0.2.2")
	w.reaches(w.host, "tcp", "127.0.0.1", 8080, "a1 sees 172.17.0.1")
	w.reaches(w.host, "udp", "127.0.0.1", 8080, "a1 sees 172.17.0.1")
	w.reaches(w.host, "tcp", "127.0.0.1", 8081, "a1 sees 172.17.0.1")
	if answer, err := w.ask(w.outside, "tcp", "192.0.2.1", 8081); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("what is published on 127.0.0.1 is had from outside: %q, %v", answer, err)
	}
}

func TestInternalAndApart(t *testing.T) {
	if alone.Run(t) {
		testInternalAndApart(t)
	}
}

func TestInternalAndApartNative(t *testing.T) {
	if alone.Run(t) {
		firewall.Native = true
		testInternalAndApart(t)
	}
}

func testInternalAndApart(t *testing.T) {
	needFirewall(t)
	w := newTown(t)
	w.serve(w.outside)
	inner := w.network("inner", 3, nil, func(n *Network) { n.Internal = true })
	apart := w.network("apart", 4, map[string]string{optionICC: "false"}, nil)
	own := w.network("own", 5, map[string]string{optionMasquerade: "false"}, nil)
	i1, _ := w.container(inner, 1)
	i2, _ := w.container(inner, 2)
	p1, _ := w.container(apart, 1, Publish{"tcp", netip.IPv4Unspecified(), 8080, 80})
	p2, _ := w.container(apart, 2)
	o1, _ := w.container(own, 1)

	w.reaches(i1, "tcp", i2.v4.String(), 80, "inner2 sees "+i1.v4.String())
	w.reaches(w.host, "tcp", i1.v4.String(), 80, "inner1 sees 172.19.0.1")
	w.stopped(i1, "tcp", w.outside.v4.String(), 80)
	w.stopped(i1, "tcp", w.outside.v6.String(), 80)
	w.stopped(w.outside, "tcp", i1.v4.String(), 80)
	w.stopped(p1, "tcp", i1.v4.String(), 80)
	w.stopped(i1, "tcp", "192.0.2.1", 8080) // not even a published port

	w.reaches(p2, "tcp", w.outside.v4.String(), 80, "outside sees 192.0.2.1")
	w.stopped(p2, "tcp", p1.v4.String(), 80)
	w.stopped(p2, "tcp", p1.v6.String(), 80)
	w.reaches(p2, "tcp", "192.0.2.1", 8080, "apart1 sees 172.20.0.1")

	w.reaches(o1, "tcp", w.outside.v4.String(), 80, "outside sees "+o1.v4.String())
	w.stopped(w.outside, "tcp", o1.v4.String(), 80)
}

// TestApartUnfiltered: where bridges do not ask the firewall the bridge itself keeps its ports apart: not even ARP comes through.
func TestApartUnfiltered(t *testing.T) {
	if !alone.Run(t) {
		return
	}
	needFirewall(t)
	letBridgesPass(t)
	w := newTown(t)
	apart := w.network("apart", 4, map[string]string{optionICC: "false"}, nil)
	p1, _ := w.container(apart, 1, Publish{"tcp", netip.IPv4Unspecified(), 8080, 80})
	p2, _ := w.container(apart, 2)
	if answer, err := w.ask(p2, "tcp", p1.v4.String(), 80); !errors.Is(err, unix.EHOSTUNREACH) {
		t.Errorf("%q, %v; want it to be unreachable", answer, err)
	}
	w.reaches(p2, "tcp", "192.0.2.1", 8080, "apart1 sees 172.20.0.1")
}

// TestLoopback: 127.0.0.1 of the host is reached by its published ports, and that must not open it to anybody else.
func TestLoopback(t *testing.T) {
	if !alone.Run(t) {
		return
	}
	needFirewall(t)
	w := newTown(t)
	a := w.network("a", 1, nil, nil)
	a1, _ := w.container(a, 1, Publish{"tcp", netip.MustParseAddr("127.0.0.1"), 8080, 80})
	a2, _ := w.container(a, 2)
	private, err := net.Listen("tcp", "127.0.0.1:9000")
	if err != nil {
		t.Fatal(err)
	}
	defer private.Close()
	w.reaches(w.host, "tcp", "127.0.0.1", 8080, "a1 sees 172.17.0.1")

	w.forge(a2, "172.17.0.1")
	w.stopped(a2, "tcp", "127.0.0.1", 9000)
	w.stopped(a2, "tcp", "127.0.0.1", 8080)

	w.forge(w.outside, "192.0.2.1")
	for _, port := range []uint16{8080, 9000} {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		w.outside.do(func() {
			if answer, err := question(ctx, "tcp", "127.0.0.1", port); err == nil {
				t.Errorf("port %d of the host's 127.0.0.1 is had from outside: %q", port, answer)
			}
		})
		cancel()
	}
	w.reaches(w.host, "tcp", a1.v4.String(), 80, "a1 sees 172.17.0.1")
}

// forge lets a place send packets for 127.0.0.1 to its gateway.
func (w *town) forge(p *place, gateway string) {
	w.t.Helper()
	p.do(func() {
		w.must(kernel.WriteFile{Path: "/proc/sys/net/ipv4/conf/eth0/route_localnet", Data: "1"})
		lo, err := netlink.LinkByName("lo")
		if err == nil {
			err = netlink.AddrDel(lo, &netlink.Addr{IPNet: &net.IPNet{IP: net.IPv4(127, 0, 0, 1), Mask: net.CIDRMask(8, 32)}})
		}
		if err != nil {
			w.t.Fatal(err)
		}
		eth0, err := netlink.LinkByName("eth0")
		if err == nil {
			_, loopback, _ := net.ParseCIDR("127.0.0.1/32")
			err = netlink.RouteAdd(&netlink.Route{LinkIndex: eth0.Attrs().Index, Dst: loopback, Gw: net.ParseIP(gateway)})
		}
		if err != nil {
			w.t.Fatal(err)
		}
	})
}
