package userland

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// runNslookup asks a name server directly: no /etc/hosts, no search list. nslookup NAME [SERVER].
func runNslookup(p *Process) int {
	if len(p.Args) < 2 || len(p.Args) > 3 || strings.HasPrefix(p.Args[1], "-") {
		return p.Fail("usage: nslookup NAME [SERVER]")
	}
	servers, err := nameServers(p.Args[2:])
	if err != nil {
		return p.Fail("%v", err)
	}
	name, kinds := p.Args[1], []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA}
	if address, err := netip.ParseAddr(name); err == nil {
		name, kinds = reverseName(address), []dnsmessage.Type{dnsmessage.TypePTR}
	}
	found, told := false, false
	for _, kind := range kinds {
		server, reply, err := askInTurn(servers, name, kind)
		if !told {
			fmt.Fprintf(p.Stdout, "Server:\t\t%s\nAddress:\t%s\n\n", server.Addr(), server)
			told = true
		}
		switch {
		case err != nil:
			fmt.Fprintln(p.Stdout, ";; connection timed out; no servers could be reached")
			return 1
		case reply.RCode != dnsmessage.RCodeSuccess:
			fmt.Fprintf(p.Stdout, "** server can't find %s: %s\n\n", strings.TrimSuffix(name, "."), responseCode(reply.RCode))
			if reason := failureReason(reply); reason != "" {
				fmt.Fprintf(p.Stdout, ";; %s\n\n", reason)
			}
			return 1
		}
		if len(reply.Answers) > 0 && !found && !reply.Authoritative {
			fmt.Fprintln(p.Stdout, "Non-authoritative answer:")
		}
		found = found || len(reply.Answers) > 0
		printAnswers(p.Stdout, reply.Answers)
	}
	if !found {
		fmt.Fprintf(p.Stdout, "*** Can't find %s: No answer\n", name)
	}
	fmt.Fprintln(p.Stdout)
	return 0
}

// nameServers are the one given, or those of /etc/resolv.conf.
func nameServers(given []string) ([]netip.AddrPort, error) {
	if len(given) > 0 {
		if endpoint, err := netip.ParseAddrPort(given[0]); err == nil {
			return []netip.AddrPort{endpoint}, nil
		}
		address, err := resolve(given[0], false, false)
		if err != nil {
			return nil, fmt.Errorf("can't resolve '%s'", given[0])
		}
		return []netip.AddrPort{netip.AddrPortFrom(address, 53)}, nil
	}
	var servers []netip.AddrPort
	config, _ := os.ReadFile("/etc/resolv.conf")
	for line := range strings.Lines(string(config)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "nameserver" {
			if address, err := netip.ParseAddr(fields[1]); err == nil {
				servers = append(servers, netip.AddrPortFrom(address, 53))
			}
		}
	}
	if len(servers) == 0 { // as resolv.conf(5) has it
		servers = []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 53)}
	}
	return servers, nil
}

// askInTurn asks one server after the other, until one answers. If none does it gives the first one.
func askInTurn(servers []netip.AddrPort, name string, kind dnsmessage.Type) (netip.AddrPort, *dnsmessage.Message, error) {
	var failure error
	for _, server := range servers {
		reply, err := askDNS(server, name, kind)
		if err == nil {
			return server, reply, nil
		}
		failure = err
	}
	return servers[0], nil, failure
}

// failureReason is what a server says about an error (RFC 8914, Extended DNS Errors): two bytes of a code, and a text.
func failureReason(m *dnsmessage.Message) string {
	const extendedError = 15
	for _, record := range m.Additionals {
		if opt, ok := record.Body.(*dnsmessage.OPTResource); ok {
			for _, option := range opt.Options {
				if option.Code == extendedError && len(option.Data) > 2 {
					return string(option.Data[2:])
				}
			}
		}
	}
	return ""
}

// reverseName is the name under which an address's own name is kept: 4.3.2.1.in-addr.arpa.
func reverseName(a netip.Addr) string {
	var labels []string
	if a = a.Unmap(); a.Is4() {
		for _, octet := range a.AsSlice() {
			labels = append([]string{fmt.Sprint(octet)}, labels...)
		}
		return strings.Join(labels, ".") + ".in-addr.arpa."
	}
	for _, octet := range a.AsSlice() {
		labels = append([]string{fmt.Sprintf("%x.%x", octet&0xf, octet>>4)}, labels...)
	}
	return strings.Join(labels, ".") + ".ip6.arpa."
}

// packetSize is how long a reply may be: what fits into a packet everywhere.
const packetSize = 1232

// askDNS sends one question (RFC 1035), twice at most, over UDP.
func askDNS(server netip.AddrPort, name string, kind dnsmessage.Type) (*dnsmessage.Message, error) {
	if !strings.HasSuffix(name, ".") {
		name += "."
	}
	dnsName, err := dnsmessage.NewName(name)
	if err != nil {
		return nil, err
	}
	question := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: uint16(rand.Uint32()), RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsName, Type: kind, Class: dnsmessage.ClassINET}},
	}
	var edns dnsmessage.ResourceHeader // without it a server may not say why it failed
	edns.SetEDNS0(packetSize, 0, false)
	question.Additionals = []dnsmessage.Resource{{Header: edns, Body: &dnsmessage.OPTResource{}}}
	packet, err := question.Pack()
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("udp", server.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	buffer := make([]byte, 65536)
	for range 2 {
		if _, err = conn.Write(packet); err != nil {
			return nil, err
		}
		conn.SetReadDeadline(time.Now().Add(2 * time.Second))
		for {
			var n int
			if n, err = conn.Read(buffer); err != nil {
				break
			}
			reply := &dnsmessage.Message{}
			if reply.Unpack(buffer[:n]) == nil && reply.ID == question.ID && reply.Response {
				return reply, nil
			}
		}
	}
	return nil, err
}

func printAnswers(out io.Writer, answers []dnsmessage.Resource) {
	for _, a := range answers {
		name := strings.TrimSuffix(a.Header.Name.String(), ".")
		switch body := a.Body.(type) {
		case *dnsmessage.AResource:
			fmt.Fprintf(out, "Name:\t%s\nAddress: %s\n", name, netip.AddrFrom4(body.A))
		case *dnsmessage.AAAAResource:
			fmt.Fprintf(out, "Name:\t%s\nAddress: %s\n", name, netip.AddrFrom16(body.AAAA))
		case *dnsmessage.CNAMEResource:
			fmt.Fprintf(out, "%s\tcanonical name = %s\n", name, strings.TrimSuffix(body.CNAME.String(), "."))
		case *dnsmessage.PTRResource:
			fmt.Fprintf(out, "%s\tname = %s\n", name, body.PTR)
		}
	}
}

func responseCode(code dnsmessage.RCode) string {
	switch code {
	case dnsmessage.RCodeNameError:
		return "NXDOMAIN"
	case dnsmessage.RCodeServerFailure:
		return "SERVFAIL"
	case dnsmessage.RCodeRefused:
		return "REFUSED"
	}
	return fmt.Sprintf("error %d", code)
}
