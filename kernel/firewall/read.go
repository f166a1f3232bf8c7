package firewall

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// Entry is a rule that the kernel has.
type Entry struct {
	Rule
	Known          bool   // Rule says all that there is to it
	strange        string // what it says beyond that
	strangeJump    string // … and what it does, if Rule does not say so
	Handle         uint64 // the kernel's number of the rule
	Packets, Bytes uint64 // that it has matched
}

// Text is the rule as iptables-save prints it, without the chain. What this package does not know is in brackets.
func (e Entry) Text() string {
	if e.strangeJump != "" {
		return e.matches() + e.strange + e.strangeJump
	}
	return e.matches() + e.strange + e.jump()
}

// Rules of some chains whose comment begins with a tag ("": all rules), in their order, in the network namespace that the calling thread is in. A
// chain that is not there has no entry in the answer. The generation is the number of the last change that anybody made before: see
// Apply.
func Rules(tag string, chains ...Chain) (rules map[Chain][]Entry, generation uint32, err error) {
	s, err := open()
	if err != nil {
		return nil, 0, err
	}
	defer s.close()
	if generation, err = s.generation(); err != nil {
		return nil, 0, err
	}
	rules = map[Chain][]Entry{}
	for _, c := range chains {
		entries, err := s.rules(c, tag)
		switch {
		case err == nil:
			rules[c] = entries
		case !errors.Is(err, unix.ENOENT):
			return nil, 0, err
		}
	}
	return rules, generation, nil
}

// Generation is the number of the last change that anybody made to the rules of the thread's network namespace.
func Generation() (uint32, error) {
	s, err := open()
	if err != nil {
		return 0, err
	}
	defer s.close()
	return s.generation()
}

// Exist tells which chains are there.
func Exist(chains ...Chain) (map[Chain]bool, error) {
	s, err := open()
	if err != nil {
		return nil, err
	}
	defer s.close()
	exist := map[Chain]bool{}
	for _, c := range chains {
		exist[c] = s.exists(c)
	}
	return exist, nil
}

// generation asks which one the rules are of.
func (s *socket) generation() (n uint32, err error) {
	answer, err := s.ask(unix.NFT_MSG_GETGEN, 0, unix.AF_UNSPEC, nil)
	if err != nil || len(answer) == 0 {
		return 0, err
	}
	err = attributes(answer[0], func(kind uint16, data []byte) error {
		if kind == unix.NFTA_GEN_ID && len(data) == 4 {
			n = binary.BigEndian.Uint32(data)
		}
		return nil
	})
	return n, err
}

// exists asks for a chain.
func (s *socket) exists(c Chain) bool {
	answer, err := s.ask(unix.NFT_MSG_GETCHAIN, 0, c.Family, named(c))
	return err == nil && len(answer) > 0
}

// rules of one chain whose comment begins with a tag; ENOENT if there is no such chain. Others are not taken apart: there may be very
// many.
func (s *socket) rules(c Chain, tag string) ([]Entry, error) {
	answer, err := s.ask(unix.NFT_MSG_GETRULE, unix.NLM_F_DUMP, c.Family, inChain(c))
	if err != nil {
		return nil, err
	}
	if len(answer) == 0 && !s.exists(c) { // the kernel lists nothing of a chain that it does not have
		return nil, unix.ENOENT
	}
	var entries []Entry
	for _, m := range answer {
		if !bytes.Contains(m, []byte(tag)) {
			continue
		}
		e, err := decode(c, m)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(e.Comment, tag) {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// ask sends a question and returns the bodies of the answers, without struct nfgenmsg. A list that changed while it was being
// read is asked for again.
func (s *socket) ask(message, flags uint16, family Family, body []byte) ([][]byte, error) {
	for {
		question := s.message(nil, table(message), unix.NLM_F_REQUEST|flags, family, 0, body)
		if err := s.send(question); err != nil {
			return nil, err
		}
		answer, interrupted, err := s.answer(flags&unix.NLM_F_DUMP != 0)
		if !interrupted {
			return answer, err
		}
	}
}

// answer reads messages up to the end of the list, or one.
func (s *socket) answer(list bool) (bodies [][]byte, interrupted bool, err error) {
	for {
		messages, err := s.receive()
		if err != nil {
			return nil, false, err
		}
		for _, m := range messages {
			if m.Header.Seq != s.number {
				continue
			}
			interrupted = interrupted || m.Header.Flags&unix.NLM_F_DUMP_INTR != 0
			switch {
			case m.Header.Type == unix.NLMSG_ERROR:
				return nil, false, refusal(m)
			case m.Header.Type == unix.NLMSG_DONE:
				if errno := refusal(m); len(m.Data) >= 4 && errno == unix.EINTR {
					interrupted = true
				}
				return bodies, interrupted, nil
			case len(m.Data) >= 4:
				bodies = append(bodies, append([]byte(nil), m.Data[4:]...)) // the buffer is used again
				if !list {
					return bodies, false, nil
				}
			}
		}
	}
}

// attributes walks through those of a message, or of one that is nested in it.
func attributes(b []byte, each func(kind uint16, data []byte) error) error {
	for len(b) >= unix.SizeofNlAttr {
		length, kind := int(binary.NativeEndian.Uint16(b)), binary.NativeEndian.Uint16(b[2:])
		if length < unix.SizeofNlAttr || length > len(b) {
			return errors.New("firewall rules: the kernel's answer is cut off")
		}
		if err := each(kind&^unix.NLA_F_NESTED, b[unix.SizeofNlAttr:length]); err != nil {
			return err
		}
		b = b[min(len(b), (length+3)&^3):]
	}
	return nil
}

// decode a rule from NFT_MSG_NEWRULE.
func decode(c Chain, message []byte) (Entry, error) {
	d := &decoder{Entry: Entry{Rule: Rule{Chain: c}, Known: true}}
	err := attributes(message, func(kind uint16, data []byte) error {
		switch kind {
		case unix.NFTA_RULE_HANDLE:
			if len(data) == 8 {
				d.Handle = binary.BigEndian.Uint64(data)
			}
		case unix.NFTA_RULE_EXPRESSIONS:
			return attributes(data, func(_ uint16, data []byte) error { return d.expression(data) })
		case unix.NFTA_RULE_USERDATA:
			d.userData(data)
		}
		return nil
	})
	d.strange, d.strangeJump = d.words.String(), d.end.String()
	return d.Entry, err
}
