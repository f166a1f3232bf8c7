package resolver

import (
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// timeToLive is for how many seconds a client may keep an address: as long as Docker has it.
const timeToLive = 600

// Of EDNS: the largest packet that we take, the option that explains an error, and its reasons (RFC 8914).
const (
	ourPacketSize    = largestQuery
	optionError      = 15
	errorUnreachable = 22 // No Reachable Authority
	longestReason    = 200
)

// rcodeBadVersion is for another version of EDNS than 0; its upper bits are in the OPT record.
const rcodeBadVersion dnsmessage.RCode = 16

// answer replies to a message from what is known here, in the buffer. If the reply is nil others are to be asked for the
// query; if both are nil nobody is to hear anything.
func (s *Server) answer(buffer, raw []byte, stream bool) (q *query, reply []byte) {
	q, code := read(raw, stream)
	switch {
	case q == nil:
		return nil, nil
	case code != dnsmessage.RCodeSuccess:
		return q, q.refuse(buffer, code)
	case q.edns && q.version != 0:
		return q, q.reply(buffer, rcodeBadVersion, nil, "")
	case q.unusual || q.question.Class != dnsmessage.ClassINET:
		return q, nil
	}
	name := q.name()
	if q.question.Type == dnsmessage.TypePTR {
		if a, ok := address(name); ok {
			if names := s.Names.Reverse(a); len(names) > 0 {
				return q, q.reply(buffer, dnsmessage.RCodeSuccess, pointers(names), "")
			}
		}
		return q, nil
	}
	if found, known := s.Names.Lookup(name); known { // no record of another type: a container's name is nobody else's
		return q, q.reply(buffer, dnsmessage.RCodeSuccess, s.addresses(found, q.question.Type), "")
	}
	asksAddress := q.question.Type == dnsmessage.TypeA || q.question.Type == dnsmessage.TypeAAAA
	if s.NDots && asksAddress && !strings.Contains(name, ".") {
		return q, q.reply(buffer, dnsmessage.RCodeSuccess, nil, "")
	}
	return q, nil
}

// record is one answer: an address or a name.
type record struct {
	address netip.Addr
	name    dnsmessage.Name
}

// addresses are those of the type asked for. Every time another one is the first: clients take that.
func (s *Server) addresses(all []netip.Addr, kind dnsmessage.Type) []record {
	records := make([]record, 0, len(all))
	first := 0
	if len(all) > 1 {
		first = int(s.turn.Add(1)) % len(all)
	}
	for i := range all {
		a := all[(first+i)%len(all)]
		if kind == dnsmessage.TypeALL || kind == dnsmessage.TypeA && a.Is4() || kind == dnsmessage.TypeAAAA && a.Is6() {
			records = append(records, record{address: a})
		}
	}
	return records
}

func pointers(names []string) []record {
	var records []record
	for _, name := range names {
		if n, err := dnsmessage.NewName(name + "."); err == nil {
			records = append(records, record{name: n})
		}
	}
	return records
}

// refuse is a reply to what could not be read: nothing but a header.
func (q *query) refuse(buffer []byte, code dnsmessage.RCode) []byte {
	q.edns = false
	return q.write(buffer, dnsmessage.Header{RCode: code}, false, nil, "")
}

// fail says that it was not possible to find out, and why.
func (q *query) fail(buffer []byte, reason string) []byte {
	if q.unusual {
		return q.refuse(buffer, dnsmessage.RCodeServerFailure)
	}
	return q.reply(buffer, dnsmessage.RCodeServerFailure, nil, reason)
}

// reply writes the answers into the buffer. What does not fit is left out: the client sees that, and comes again over TCP.
func (q *query) reply(buffer []byte, code dnsmessage.RCode, answers []record, reason string) []byte {
	header := dnsmessage.Header{RCode: code & 0xf}
	packed := q.write(buffer, header, true, answers, reason)
	for len(packed) > q.size && len(answers) > 0 {
		header.Truncated = true
		answers = answers[:len(answers)*q.size/len(packed)] // at least one less
		packed = q.write(buffer, header, true, answers, reason)
	}
	if q.edns && code > 0xf { // EDNS' record is the last one: name 1, type 2, class 2, upper bits of the code, …
		packed[len(packed)-edns0Length+5] = byte(code >> 4)
	}
	return packed
}

// edns0Length is that of EDNS' record without options.
const edns0Length = 11

// write makes a message of it. The question, if it is wanted, is repeated as it was asked, in capitals and small letters.
func (q *query) write(buffer []byte, header dnsmessage.Header, question bool, answers []record, reason string) []byte {
	header.ID, header.Response, header.OpCode = q.header.ID, true, q.header.OpCode
	header.RecursionDesired, header.RecursionAvailable = q.header.RecursionDesired, true
	b := dnsmessage.NewBuilder(buffer, header)
	b.EnableCompression()
	if question {
		b.StartQuestions()
		b.Question(q.question)
	}
	if len(answers) > 0 {
		b.StartAnswers()
	}
	for _, r := range answers {
		h := dnsmessage.ResourceHeader{Name: q.question.Name, Class: dnsmessage.ClassINET, TTL: timeToLive}
		switch {
		case r.name.Length > 0:
			b.PTRResource(h, dnsmessage.PTRResource{PTR: r.name})
		case r.address.Is4():
			b.AResource(h, dnsmessage.AResource{A: r.address.As4()})
		default:
			b.AAAAResource(h, dnsmessage.AAAAResource{AAAA: r.address.As16()})
		}
	}
	if q.edns {
		var h dnsmessage.ResourceHeader
		h.SetEDNS0(ourPacketSize, 0, false)
		b.StartAdditionals()
		b.OPTResource(h, dnsmessage.OPTResource{Options: explain(reason)})
	}
	packed, err := b.Finish()
	if err != nil { // it should not be: everything in it has been read, or checked, before
		header.RCode = dnsmessage.RCodeServerFailure
		alone := dnsmessage.NewBuilder(buffer, header)
		packed, _ = alone.Finish()
	}
	return packed
}

func explain(reason string) []dnsmessage.Option {
	if reason == "" {
		return nil
	}
	reason = reason[:min(len(reason), longestReason)]
	return []dnsmessage.Option{{Code: optionError, Data: append([]byte{0, errorUnreachable}, reason...)}}
}
