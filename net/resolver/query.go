package resolver

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// query is a question as it came.
type query struct {
	raw      []byte
	header   dnsmessage.Header
	question dnsmessage.Question
	unusual  bool // the name is none that dnsmessage can write: others may know it
	stream   bool // it came over TCP
	edns     bool
	version  uint8 // of EDNS
	size     int   // the longest reply that the client takes
}

// smallestReply is what every client takes over UDP (RFC 1035, 2.3.4).
const smallestReply = 512

// headerLength is that of every message (RFC 1035, 4.1.1).
const headerLength = 12

// read takes a message apart. It returns nil if it is none, or a reply: who answers replies may do so for ever. Whatever
// else is wrong the code says.
func read(raw []byte, stream bool) (*query, dnsmessage.RCode) {
	var parser dnsmessage.Parser
	header, err := parser.Start(raw)
	if err != nil || header.Response {
		return nil, 0
	}
	q := &query{raw: raw, header: header, stream: stream, size: smallestReply}
	if stream {
		q.size = largestMessage
	}
	if header.OpCode != 0 {
		return q, dnsmessage.RCodeNotImplemented
	}
	if binary.BigEndian.Uint16(raw[4:]) != 1 { // questions
		return q, dnsmessage.RCodeFormatError
	}
	if q.question, err = parser.Question(); err != nil {
		q.unusual = true
		parser = dnsmessage.Parser{}
		if _, err = parser.Start(raw); err != nil || parser.SkipQuestion() != nil {
			return q, dnsmessage.RCodeFormatError
		}
	} else if err = parser.SkipAllQuestions(); err != nil {
		return q, dnsmessage.RCodeFormatError
	}
	return q, q.readEDNS(&parser)
}

// readEDNS looks for the record that says what the client can do (RFC 6891).
func (q *query) readEDNS(parser *dnsmessage.Parser) dnsmessage.RCode {
	if parser.SkipAllAnswers() != nil || parser.SkipAllAuthorities() != nil {
		return dnsmessage.RCodeFormatError
	}
	for {
		h, err := parser.AdditionalHeader()
		if err == dnsmessage.ErrSectionDone {
			return dnsmessage.RCodeSuccess
		}
		if err != nil {
			return dnsmessage.RCodeFormatError
		}
		if h.Type == dnsmessage.TypeOPT {
			if q.edns { // one at most
				return dnsmessage.RCodeFormatError
			}
			q.edns, q.version = true, uint8(h.TTL>>16)
			if !q.stream {
				q.size = max(smallestReply, int(h.Class))
			}
		}
		if err := parser.SkipAdditional(); err != nil {
			return dnsmessage.RCodeFormatError
		}
	}
}

// name is what is asked for, as Names has it.
func (q *query) name() string {
	return strings.ToLower(strings.TrimSuffix(q.question.Name.String(), "."))
}

// Where addresses' own names are kept (RFC 1035, 3.5; RFC 3596, 2.5).
const (
	reverse4 = ".in-addr.arpa"
	reverse6 = ".ip6.arpa"
)

// address is that which a name such as 2.0.18.172.in-addr.arpa stands for.
func address(name string) (netip.Addr, bool) {
	if labels, ok := strings.CutSuffix(name, reverse4); ok {
		return address4(strings.Split(labels, "."))
	}
	if labels, ok := strings.CutSuffix(name, reverse6); ok {
		return address6(strings.Split(labels, "."))
	}
	return netip.Addr{}, false
}

func address4(labels []string) (netip.Addr, bool) {
	if len(labels) != 4 {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(labels[3] + "." + labels[2] + "." + labels[1] + "." + labels[0])
	return a, err == nil && a.Is4()
}

func address6(labels []string) (netip.Addr, bool) {
	var bytes [16]byte
	if len(labels) != 32 {
		return netip.Addr{}, false
	}
	for i, label := range labels { // the last four bits come first
		n, err := strconv.ParseUint(label, 16, 4)
		if err != nil || len(label) != 1 {
			return netip.Addr{}, false
		}
		bytes[15-i/2] |= byte(n) << (4 * (i % 2))
	}
	return netip.AddrFrom16(bytes), true
}
