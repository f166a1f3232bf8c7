package userland

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestInternetChecksum(t *testing.T) {
	// The example of RFC 1071, section 3: the sum is ddf2.
	check(t, "checksum", internetChecksum([]byte{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}), ^uint16(0xddf2))
	check(t, "odd length", internetChecksum([]byte{0x01}), ^uint16(0x0100))
}

func TestEchoParse(t *testing.T) {
	s := &echoSocket{to: netip.MustParseAddr("127.0.0.1"), raw: true, id: 7}
	message := make([]byte, 64)
	binary.BigEndian.PutUint16(message[4:], 7)
	binary.BigEndian.PutUint16(message[6:], 3)
	r := s.parse(message)
	if r == nil || r.sequence != 3 || r.length != 64 || !s.isReply(r) {
		t.Fatalf("parse(reply) = %+v", r)
	}
	message[0] = icmpEchoRequest
	if s.parse(message) != nil {
		t.Error("our own request on lo was taken for a reply")
	}
	message[0] = icmpEchoReply
	binary.BigEndian.PutUint16(message[4:], 8)
	if s.parse(message) != nil {
		t.Error("another program's reply was taken")
	}
}

func TestPingReport(t *testing.T) {
	var out bytes.Buffer
	start := time.Unix(100, 0)
	g := &pinger{Process: &Process{Args: []string{"ping"}, Stdout: &out, Stderr: &out}, host: "172.22.1.34", socket: &echoSocket{to: netip.MustParseAddr("172.22.1.34")},
		answered: map[uint16]bool{}, sent: []time.Time{start, start, start}}
	reply := &echoReply{from: g.socket.to, length: 64, ttl: 64}
	g.take(reply, start.Add(144*time.Microsecond))
	g.take(reply, start.Add(244*time.Microsecond))
	g.take(&echoReply{from: g.socket.to, length: 64, ttl: 64, sequence: 1}, start.Add(106*time.Microsecond))
	check(t, "exit code", g.statistics(), 0)
	check(t, "report", out.String(), ""+
		"64 bytes from 172.22.1.34: seq=0 ttl=64 time=0.144 ms\n"+
		"64 bytes from 172.22.1.34: seq=0 ttl=64 time=0.244 ms (DUP!)\n"+
		"64 bytes from 172.22.1.34: seq=1 ttl=64 time=0.106 ms\n"+
		"\n--- 172.22.1.34 ping statistics ---\n"+
		"3 packets transmitted, 2 packets received, 1 duplicates, 33% packet loss\n"+
		"round-trip min/avg/max = 0.106/0.125/0.144 ms\n")
	lonely := &pinger{Process: &Process{Stdout: &out}, socket: g.socket, sent: []time.Time{start}}
	check(t, "exit code when nothing came back", lonely.statistics(), 1)
}

func TestPingInANamespace(t *testing.T) {
	ownNetwork(t)
	mustRefuse(t, "ping: sendto: Network is unreachable\n", 1, "ping", "-c", "1", "127.0.0.1")
	mustPrint(t, "", "ip", "link", "set", "lo", "up")
	stdout, stderr, code := call(t, "", "ping", "-c", "2", "-i", "0.01", "127.0.0.1")
	if code != 0 || !strings.Contains(stdout, "seq=1 ttl=64 time=") || !strings.Contains(stdout, "2 packets transmitted, 2 packets received, 0% packet loss") {
		t.Errorf("exit code %d, stderr %q, printed\n%s", code, stderr, stdout)
	}
}
