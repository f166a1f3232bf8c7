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
	server, err := nameServer(p.Args[2:])
	if err != nil {
		return p.Fail("%v", err)
	}
	fmt.Fprintf(p.Stdout, "Server:\t\t%s\nAddress:\t%s\n\n", server.Addr(), server)
	name, kinds := p.Args[1], []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA}
	if address, err := netip.ParseAddr(name); err == nil {
		name, kinds = reverseName(address), []dnsmessage.Type{dnsmessage.TypePTR}
	}
	found := false
	for _, kind := range kinds {
		reply, err := askDNS(server, name, kind)
		switch {
		case err != nil:
			fmt.Fprintln(p.Stdout, ";; connection timed out; no servers could be reached")
			return 1
		case reply.RCode != dnsmessage.RCodeSuccess:
			fmt.Fprintf(p.Stdout, "** server can't find %s: %s\n\n", strings.TrimSuffix(name, "."), responseCode(reply.RCode))
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

// nameServer is the one given, or the first of /etc/resolv.conf.
func nameServer(given []string) (netip.AddrPort, error) {
	text := ""
	if len(given) > 0 {
		text = given[0]
	} else {
		config, _ := os.ReadFile("/etc/resolv.conf")
		for line := range strings.Lines(string(config)) {
			if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "nameserver" && text == "" {
				text = fields[1]
			}
		}
	}
	if text == "" {
		text = "127.0.0.1" // as resolv.conf(5) has it
	}
	if endpoint, err := netip.ParseAddrPort(text); err == nil {
		return endpoint, nil
	}
	address, err := resolve(text, false, false)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("can't resolve '%s'", text)
	}
	return netip.AddrPortFrom(address, 53), nil
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

// askDNS sends one question (RFC 1035), three times at most, over UDP.
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
	for range 3 {
		if _, err := conn.Write(packet); err != nil {
			return nil, err
		}
		conn.SetReadDeadline(time.Now().Add(3 * time.Second))
		n, readErr := conn.Read(buffer)
		if readErr != nil {
			err = readErr
			continue
		}
		reply := &dnsmessage.Message{}
		if err = reply.Unpack(buffer[:n]); err == nil && reply.ID == question.ID {
			return reply, nil
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
