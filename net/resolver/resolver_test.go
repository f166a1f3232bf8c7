package resolver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// table is Names in memory.
type table struct {
	names map[string][]netip.Addr
	own   map[netip.Addr]string
}

func (t table) Lookup(name string) ([]netip.Addr, bool) { a, ok := t.names[name]; return a, ok }

func (t table) Reverse(a netip.Addr) []string {
	if name, ok := t.own[a]; ok {
		return []string{name}
	}
	return nil
}

func addresses(texts ...string) []netip.Addr {
	var list []netip.Addr
	for _, text := range texts {
		list = append(list, netip.MustParseAddr(text))
	}
	return list
}

var web = table{
	names: map[string][]netip.Addr{
		"web1":        addresses("172.18.0.2"),
		"web1.my_net": addresses("172.18.0.2"),
		"both":        addresses("172.18.0.3", "fd00::3"),
		"six":         addresses("fd00::6"),
		"three":       addresses("172.18.0.11", "172.18.0.12", "172.18.0.13"),
	},
	own: map[netip.Addr]string{
		netip.MustParseAddr("172.18.0.2"): "web1.my_net",
		netip.MustParseAddr("fd00::3"):    "both.my_net",
	},
}

// start serves on loopback until the test ends, and gives the address.
func start(t testing.TB, s *Server) netip.AddrPort {
	t.Helper()
	packet, stream := listen(t)
	s.Packet, s.Stream = packet, stream
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { s.Serve(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return packet.LocalAddr().(*net.UDPAddr).AddrPort()
}

// listen opens a UDP and a TCP socket of the same number.
func listen(t testing.TB) (*net.UDPConn, net.Listener) {
	t.Helper()
	for range 20 {
		packet, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		stream, err := net.Listen("tcp", packet.LocalAddr().String())
		if err == nil {
			t.Cleanup(func() { packet.Close(); stream.Close() })
			return packet, stream
		}
		packet.Close() // the number is taken for TCP
	}
	t.Fatal("no number is free for both")
	return nil, nil
}

func ask(name string, kind dnsmessage.Type) dnsmessage.Message {
	return dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 4711, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}},
	}
}

func withEDNS(m dnsmessage.Message, size int) dnsmessage.Message {
	var h dnsmessage.ResourceHeader
	h.SetEDNS0(size, 0, false)
	m.Additionals = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.OPTResource{}}}
	return m
}

// exchangeOnce sends a message over UDP or TCP and returns what comes back.
func exchangeOnce(t testing.TB, kind string, server netip.AddrPort, m dnsmessage.Message) dnsmessage.Message {
	t.Helper()
	packed, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial(kind, server.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	var raw []byte
	if kind == "tcp" {
		if err = writeFrame(conn, packed); err == nil {
			raw, err = readFrame(conn, nil)
		}
	} else if _, err = conn.Write(packed); err == nil {
		raw = make([]byte, 65536)
		var n int
		n, err = conn.Read(raw)
		raw = raw[:n]
	}
	if err != nil {
		t.Fatal(err)
	}
	var reply dnsmessage.Message
	if err := reply.Unpack(raw); err != nil {
		t.Fatalf("%v: %x", err, raw)
	}
	if reply.ID != m.ID || !reply.Response || !reply.RecursionAvailable {
		t.Errorf("header %+v", reply.Header)
	}
	return reply
}

// told is a reply in short: the code and what was answered.
func told(m dnsmessage.Message) string {
	words := []string{strings.TrimPrefix(m.RCode.String(), "RCode")}
	if m.Truncated {
		words = append(words, "truncated")
	}
	for _, a := range m.Answers {
		text := ""
		switch body := a.Body.(type) {
		case *dnsmessage.AResource:
			text = netip.AddrFrom4(body.A).String()
		case *dnsmessage.AAAAResource:
			text = netip.AddrFrom16(body.AAAA).String()
		case *dnsmessage.PTRResource:
			text = body.PTR.String()
		}
		words = append(words, fmt.Sprintf("%s=%s/%d", a.Header.Name, text, a.Header.TTL))
	}
	return strings.Join(words, " ")
}

func TestKnownNames(t *testing.T) {
	server := start(t, &Server{Names: web})
	for _, c := range []struct {
		name string
		kind dnsmessage.Type
		want string
	}{
		{"web1.", dnsmessage.TypeA, "Success web1.=172.18.0.2/600"},
		{"wEB1.", dnsmessage.TypeA, "Success wEB1.=172.18.0.2/600"}, // the letters are the client's
		{"web1.my_net.", dnsmessage.TypeA, "Success web1.my_net.=172.18.0.2/600"},
		{"web1.", dnsmessage.TypeAAAA, "Success"}, // there is such a name, without such an address
		{"six.", dnsmessage.TypeA, "Success"},
		{"six.", dnsmessage.TypeAAAA, "Success six.=fd00::6/600"},
		{"both.", dnsmessage.TypeA, "Success both.=172.18.0.3/600"},
		{"both.", dnsmessage.TypeAAAA, "Success both.=fd00::3/600"},
		{"web1.", dnsmessage.TypeMX, "Success"},
		{"web1.", 65, "Success"}, // HTTPS: browsers ask for it
		{"web1.", dnsmessage.TypeALL, "Success web1.=172.18.0.2/600"},
		{"2.0.18.172.in-addr.arpa.", dnsmessage.TypePTR, "Success 2.0.18.172.in-addr.arpa.=web1.my_net./600"},
		{"2.0.18.172.IN-addr.arpa.", dnsmessage.TypePTR, "Success 2.0.18.172.IN-addr.arpa.=web1.my_net./600"},
		{"3." + strings.Repeat("0.", 28) + "0.d.f.ip6.arpa.", dnsmessage.TypePTR,
			"Success 3." + strings.Repeat("0.", 28) + "0.d.f.ip6.arpa.=both.my_net./600"},
		{"nonesuch.", dnsmessage.TypeA, "ServerFailure"}, // nobody else can be asked
		{"9.0.18.172.in-addr.arpa.", dnsmessage.TypePTR, "ServerFailure"},
		{"9.0.18.in-addr.arpa.", dnsmessage.TypePTR, "ServerFailure"},
		{".", dnsmessage.TypeNS, "ServerFailure"},
	} {
		for _, network := range []string{"udp", "tcp"} {
			if got := told(exchangeOnce(t, network, server, ask(c.name, c.kind))); got != c.want {
				t.Errorf("%s %s over %s: %s, want %s", c.name, c.kind, network, got, c.want)
			}
		}
	}
}

func TestSeveralContainersTakeTurns(t *testing.T) {
	server := start(t, &Server{Names: web})
	first := map[string]int{}
	for range 9 {
		reply := exchangeOnce(t, "udp", server, ask("three.", dnsmessage.TypeA))
		if len(reply.Answers) != 3 {
			t.Fatalf("%d answers", len(reply.Answers))
		}
		first[netip.AddrFrom4(reply.Answers[0].Body.(*dnsmessage.AResource).A).String()]++
	}
	if len(first) != 3 || first["172.18.0.11"] != 3 {
		t.Errorf("first were %v", first)
	}
}

func TestLongAnswers(t *testing.T) {
	var many []netip.Addr
	for i := range 200 {
		many = append(many, netip.AddrFrom4([4]byte{172, 18, 1, byte(i)}))
	}
	server := start(t, &Server{Names: table{names: map[string][]netip.Addr{"many": many}}})
	reply := exchangeOnce(t, "udp", server, ask("many.", dnsmessage.TypeA))
	packed, _ := reply.Pack()
	if !reply.Truncated || len(reply.Answers) == 0 || len(packed) > 512 {
		t.Errorf("plain: truncated %v, %d answers, %d bytes", reply.Truncated, len(reply.Answers), len(packed))
	}
	reply = exchangeOnce(t, "udp", server, withEDNS(ask("many.", dnsmessage.TypeA), 1232))
	packed, _ = reply.Pack()
	if !reply.Truncated || len(reply.Answers) < 60 || len(packed) > 1232 || len(reply.Additionals) != 1 {
		t.Errorf("1232: truncated %v, %d answers, %d bytes, %d records more", reply.Truncated, len(reply.Answers), len(packed), len(reply.Additionals))
	}
	reply = exchangeOnce(t, "udp", server, withEDNS(ask("many.", dnsmessage.TypeA), 4096))
	if reply.Truncated || len(reply.Answers) != 200 {
		t.Errorf("4096: truncated %v, %d answers", reply.Truncated, len(reply.Answers))
	}
	reply = exchangeOnce(t, "tcp", server, ask("many.", dnsmessage.TypeA))
	if reply.Truncated || len(reply.Answers) != 200 {
		t.Errorf("tcp: truncated %v, %d answers", reply.Truncated, len(reply.Answers))
	}
}

// reason is the text of RFC 8914's option, if there is one.
func reason(m dnsmessage.Message) string {
	for _, r := range m.Additionals {
		if opt, ok := r.Body.(*dnsmessage.OPTResource); ok {
			for _, o := range opt.Options {
				if o.Code == optionError && len(o.Data) > 2 {
					return string(o.Data[2:])
				}
			}
		}
	}
	return ""
}

func TestNobodyToAsk(t *testing.T) {
	server := start(t, &Server{Names: web, Nobody: "the network is internal"})
	reply := exchangeOnce(t, "udp", server, withEDNS(ask("example.org.", dnsmessage.TypeA), 1232))
	if told(reply) != "ServerFailure" || reason(reply) != "the network is internal" {
		t.Errorf("%s, reason %q", told(reply), reason(reply))
	}
	server = start(t, &Server{Names: web, Upstream: func() []netip.AddrPort { return nil }})
	reply = exchangeOnce(t, "udp", server, withEDNS(ask("example.org.", dnsmessage.TypeA), 1232))
	if !strings.Contains(reason(reply), "/etc/resolv.conf names none") {
		t.Errorf("reason %q", reason(reply))
	}
}

func TestBadQueries(t *testing.T) {
	s := &Server{Names: web}
	code := func(change func(m *dnsmessage.Message)) string {
		m := ask("web1.", dnsmessage.TypeA)
		change(&m)
		packed, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		_, reply := s.answer(nil, packed, false)
		if reply == nil {
			return "silence"
		}
		var r dnsmessage.Message
		if err := r.Unpack(reply); err != nil {
			t.Fatal(err)
		}
		if len(r.Additionals) > 0 {
			return r.Additionals[0].Header.ExtendedRCode(r.RCode).String()
		}
		return r.RCode.String()
	}
	for _, c := range []struct {
		what, want string
		change     func(m *dnsmessage.Message)
	}{
		{"a reply", "silence", func(m *dnsmessage.Message) { m.Response = true }},
		{"an update", "RCodeNotImplemented", func(m *dnsmessage.Message) { m.OpCode = 5 }},
		{"no question", "RCodeFormatError", func(m *dnsmessage.Message) { m.Questions = nil }},
		{"two questions", "RCodeFormatError", func(m *dnsmessage.Message) { m.Questions = append(m.Questions, m.Questions[0]) }},
		{"two EDNS records", "RCodeFormatError", func(m *dnsmessage.Message) {
			*m = withEDNS(*m, 1232)
			m.Additionals = append(m.Additionals, m.Additionals[0])
		}},
		{"EDNS of the future", "16", func(m *dnsmessage.Message) {
			*m = withEDNS(*m, 1232)
			m.Additionals[0].Header.TTL |= 1 << 16
		}},
	} {
		if got := code(c.change); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
	if q, reply := s.answer(nil, []byte("short"), false); q != nil || reply != nil {
		t.Error("it says something to a message without a header")
	}
}

func TestNamesWithoutDots(t *testing.T) {
	up := startFake(t, func(dnsmessage.Question) []string { return []string{"203.0.113.1"} })
	upstream := func() []netip.AddrPort { return []netip.AddrPort{up} }
	open := start(t, &Server{Names: web, Upstream: upstream})
	if got := told(exchangeOnce(t, "udp", open, ask("printer.", dnsmessage.TypeA))); got != "Success printer.=203.0.113.1/5" {
		t.Errorf("it is passed on: %s", got)
	}
	strict := start(t, &Server{Names: web, Upstream: upstream, NDots: true})
	if got := told(exchangeOnce(t, "udp", strict, ask("printer.", dnsmessage.TypeA))); got != "Success" {
		t.Errorf("ndots set: %s", got)
	}
	if got := told(exchangeOnce(t, "udp", strict, ask("printer.lan.", dnsmessage.TypeA))); got != "Success printer.lan.=203.0.113.1/5" {
		t.Errorf("ndots set, with a dot: %s", got)
	}
}

func TestNothingGoesOnAfterwards(t *testing.T) {
	before := runtime.NumGoroutine()
	silent, _ := listen(t)
	ctx, cancel := context.WithCancel(context.Background())
	packet, stream := listen(t)
	s := &Server{Packet: packet, Stream: stream, Names: web, Upstream: func() []netip.AddrPort {
		return []netip.AddrPort{silent.LocalAddr().(*net.UDPAddr).AddrPort()}
	}}
	done := make(chan struct{})
	go func() { s.Serve(ctx); close(done) }()
	var clients []net.Conn
	for range 20 {
		for _, network := range []string{"udp", "tcp"} {
			conn, err := net.Dial(network, packet.LocalAddr().String())
			if err != nil {
				t.Fatal(err)
			}
			clients = append(clients, conn)
			m := ask("example.org.", dnsmessage.TypeA)
			packed, _ := m.Pack()
			if network == "tcp" {
				writeFrame(conn, packed)
			} else {
				conn.Write(packed)
			}
		}
	}
	silent.SetReadDeadline(time.Now().Add(30 * time.Second))
	for range 20 { // questions are with the other server
		if _, err := silent.Read(make([]byte, 512)); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	<-done
	for _, conn := range clients {
		conn.Close()
	}
	until(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	release := make(chan struct{})
	up := startFake(t, func(dnsmessage.Question) []string { <-release; return []string{"203.0.113.1"} })
	server := start(t, &Server{Names: web, Upstream: func() []netip.AddrPort { return []netip.AddrPort{up} }})
	conn, err := net.Dial("udp", server.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const count = forwardsAtOnce + 50
	go func() {
		for i := range count {
			m := ask("example.org.", dnsmessage.TypeA)
			m.ID = uint16(i)
			packed, _ := m.Pack()
			conn.Write(packed)
			if i%50 == 49 {
				time.Sleep(time.Millisecond) // sockets hold some hundred packets
			}
		}
	}()
	// What is too much fails at once; a known name is answered while the others wait.
	buffer := make([]byte, 512)
	refused := 0
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	for refused < 10 {
		if _, err := conn.Read(buffer); err != nil {
			t.Fatal(err)
		}
		if buffer[3]&0xf == 2 {
			refused++
		}
	}
	if got := told(exchangeOnce(t, "udp", server, ask("web1.", dnsmessage.TypeA))); got != "Success web1.=172.18.0.2/600" {
		t.Error(got)
	}
	close(release)
	if got := told(exchangeOnce(t, "tcp", server, ask("example.org.", dnsmessage.TypeA))); got != "Success example.org.=203.0.113.1/5" {
		t.Error(got)
	}
}

// startFake is another name server, over UDP and TCP. What it is told to answer are addresses; nil is NXDOMAIN, and an empty
// list a failure.
func startFake(t testing.TB, answer func(q dnsmessage.Question) []string) netip.AddrPort {
	t.Helper()
	packet, stream := listen(t)
	reply := func(raw []byte) []byte {
		var m dnsmessage.Message
		if m.Unpack(raw) != nil || len(m.Questions) != 1 {
			return nil
		}
		m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
		found := answer(m.Questions[0])
		switch {
		case found == nil:
			m.RCode = dnsmessage.RCodeNameError
		case len(found) == 0:
			m.RCode = dnsmessage.RCodeServerFailure
		}
		for _, a := range addresses(found...) {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, TTL: 5}, Body: &dnsmessage.AResource{A: a.As4()},
			})
		}
		packed, _ := m.Pack()
		return packed
	}
	go func() {
		for {
			buffer := make([]byte, 4096)
			n, from, err := packet.ReadFromUDPAddrPort(buffer)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			go func() { packet.WriteToUDPAddrPort(reply(buffer[:n]), from) }()
		}
	}()
	go func() {
		for {
			conn, err := stream.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for {
					raw, err := readFrame(conn, nil)
					if err != nil {
						return
					}
					writeFrame(conn, reply(raw))
				}
			}()
		}
	}()
	return packet.LocalAddr().(*net.UDPAddr).AddrPort()
}

func TestOthersAreAsked(t *testing.T) {
	var mu sync.Mutex
	var askedFor []string
	up := startFake(t, func(q dnsmessage.Question) []string {
		mu.Lock()
		defer mu.Unlock()
		askedFor = append(askedFor, q.Name.String())
		if strings.EqualFold(q.Name.String(), "example.org.") {
			return []string{"203.0.113.1"}
		}
		return nil
	})
	server := start(t, &Server{Names: web, Upstream: func() []netip.AddrPort { return []netip.AddrPort{up} }})
	for _, network := range []string{"udp", "tcp"} {
		if got := told(exchangeOnce(t, network, server, ask("eXample.ORG.", dnsmessage.TypeA))); got != "Success eXample.ORG.=203.0.113.1/5" {
			t.Error(network, got)
		}
		if got := told(exchangeOnce(t, network, server, ask("nonesuch.example.org.", dnsmessage.TypeA))); got != "NameError" {
			t.Error(network, got)
		}
	}
	exchangeOnce(t, "udp", server, ask("web1.", dnsmessage.TypeAAAA))
	if slices.Contains(askedFor, "web1.") {
		t.Error("a container's name has left the machine")
	}
}

func TestServersInTurn(t *testing.T) {
	closedOne, stream := listen(t)
	nobody := closedOne.LocalAddr().(*net.UDPAddr).AddrPort()
	closedOne.Close()
	stream.Close()
	failing := startFake(t, func(dnsmessage.Question) []string { return []string{} })
	good := startFake(t, func(dnsmessage.Question) []string { return []string{"203.0.113.7"} })
	quiet, _ := listen(t)
	silent := quiet.LocalAddr().(*net.UDPAddr).AddrPort()
	for _, c := range []struct {
		what    string
		servers []netip.AddrPort
		want    string
		reason  string
	}{
		{"refuses, fails, knows", []netip.AddrPort{nobody, failing, good}, "Success example.org.=203.0.113.7/5", ""},
		{"is silent, knows", []netip.AddrPort{silent, good}, "Success example.org.=203.0.113.7/5", ""},
		{"refuses, fails", []netip.AddrPort{nobody, failing}, "ServerFailure", ""},
		{"refuses", []netip.AddrPort{nobody}, "ServerFailure", nobody.String() + ": connection refused"},
	} {
		s := &Server{Names: web, Upstream: func() []netip.AddrPort { return c.servers }}
		server := start(t, s)
		reply := exchangeOnce(t, "udp", server, withEDNS(ask("example.org.", dnsmessage.TypeA), 1232))
		if told(reply) != c.want || !strings.HasSuffix(reason(reply), c.reason) {
			t.Errorf("%s: %s, reason %q", c.what, told(reply), reason(reply))
		}
		if c.servers[0] == silent { // it is asked last for some time
			if order := s.silent.last(c.servers); order[0] != good {
				t.Errorf("%s: next time %v", c.what, order)
			}
		}
	}
}

// TestForgedReplies: others than the server, or it with another question or number, are not believed.
func TestForgedReplies(t *testing.T) {
	packet, _ := listen(t)
	go func() {
		buffer := make([]byte, 4096)
		n, from, err := packet.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		m.Unpack(buffer[:n])
		m.Response, m.RecursionAvailable = true, true
		add := func(change func(m *dnsmessage.Message), address string) {
			forged := m
			forged.Questions = slices.Clone(m.Questions)
			change(&forged)
			forged.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET}, Body: &dnsmessage.AResource{A: netip.MustParseAddr(address).As4()},
			}}
			packed, _ := forged.Pack()
			packet.WriteToUDPAddrPort(packed, from)
		}
		add(func(m *dnsmessage.Message) { m.ID++ }, "198.51.100.1")
		add(func(m *dnsmessage.Message) { m.Response = false }, "198.51.100.2")
		add(func(m *dnsmessage.Message) { m.Questions[0].Name = dnsmessage.MustNewName("example.net.") }, "198.51.100.3")
		add(func(m *dnsmessage.Message) { m.Questions[0].Type = 0x4100 }, "198.51.100.4")
		packet.WriteToUDPAddrPort([]byte("nonsense"), from)
		add(func(m *dnsmessage.Message) {}, "203.0.113.1")
	}()
	server := start(t, &Server{Names: web, Upstream: func() []netip.AddrPort { return []netip.AddrPort{packet.LocalAddr().(*net.UDPAddr).AddrPort()} }})
	if got := told(exchangeOnce(t, "udp", server, ask("example.org.", dnsmessage.TypeA))); got != "Success example.org.=203.0.113.1/0" {
		t.Error(got)
	}
}

func TestStreamsOneQuestionAfterTheOther(t *testing.T) {
	server := start(t, &Server{Names: web})
	conn, err := net.Dial("tcp", server.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	for _, name := range []string{"web1.", "both.", "three."} { // all at once
		m := ask(name, dnsmessage.TypeA)
		packed, _ := m.Pack()
		if err := writeFrame(conn, packed); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"web1.", "both.", "three."} {
		raw, err := readFrame(conn, nil)
		if err != nil {
			t.Fatal(err)
		}
		var m dnsmessage.Message
		if err := m.Unpack(raw); err != nil || m.Questions[0].Name.String() != name || len(m.Answers) == 0 {
			t.Errorf("%s: %v %s", name, err, told(m))
		}
	}
	conn.Write([]byte{0, 3, 1, 2, 3}) // no message: there is nothing to say to that
	if _, err := readFrame(conn, nil); err != io.EOF {
		t.Errorf("after nonsense: %v", err)
	}
}

// FuzzAnswer: whatever comes, what is said is a message, and fits.
func FuzzAnswer(f *testing.F) {
	for _, m := range []dnsmessage.Message{
		ask("web1.", dnsmessage.TypeA), ask("three.", dnsmessage.TypeALL), withEDNS(ask("both.", dnsmessage.TypeAAAA), 600),
		ask("2.0.18.172.in-addr.arpa.", dnsmessage.TypePTR), withEDNS(ask("nonesuch.", dnsmessage.TypeTXT), 4096),
	} {
		packed, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed, false)
		f.Add(packed, true)
	}
	s := &Server{Names: web}
	f.Fuzz(func(t *testing.T, raw []byte, stream bool) {
		q, reply := s.answer(nil, slices.Clone(raw), stream)
		if q != nil && reply == nil {
			if questionLength(raw) < 5 {
				t.Errorf("this would be passed on: %x", raw)
			}
			reply = q.fail(nil, "nobody is asked here")
		}
		if reply == nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(reply); err != nil || !m.Response || m.ID != q.header.ID || len(reply) > q.size {
			t.Errorf("%v: %x has the answer %x", err, raw, reply)
		}
		answers(slices.Clone(raw), reply)
		answers(reply, slices.Clone(raw))
	})
}
