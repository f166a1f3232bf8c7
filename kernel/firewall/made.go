package firewall

import (
	"bytes"
	"errors"
	"slices"

	"golang.org/x/sys/unix"
)

// A chain of the kernel's, and the table that it is in, are made when the first rule needs them, as iptables makes them. iptables leaves
// them for ever; here those that this package has made say so in a comment, and are taken away again if they are empty.

// Attributes of NFT_MSG_NEWTABLE and NFT_MSG_NEWCHAIN, of Linux 5.10: NFTA_TABLE_USERDATA and NFTA_CHAIN_USERDATA of
// include/uapi/linux/netfilter/nf_tables.h. An older kernel does not keep them.
const (
	tableUserData = 6
	chainUserData = 12
)

// userComment begins a comment in what the kernel keeps for the owner of a rule, a chain or a table: a type, a length, a string
// (NFTNL_UDATA_RULE_COMMENT of libnftnl, and its like).
const userComment = 0

func userData(comment string) []byte {
	return append([]byte{userComment, byte(len(comment) + 1)}, comment+"\x00"...)
}

var madeHere = userData("made by sandbox")

// Made are the changes that take away what is left of the kernel's chains that were made here, and their tables: all that is empty, and
// decides nothing. generation is for Apply. In the meantime somebody may put something into them, or use them: EBUSY then.
func Made() (changes []Change, generation uint32, err error) {
	s, err := open()
	if err != nil {
		return nil, 0, err
	}
	defer s.close()
	if generation, err = s.generation(); err != nil {
		return nil, 0, err
	}
	for _, family := range []Family{IPv4, IPv6} {
		chains, err := s.made(family, unix.NFT_MSG_GETCHAIN, readMadeChain)
		if err != nil {
			return nil, 0, err
		}
		tables, err := s.made(family, unix.NFT_MSG_GETTABLE, readMadeTable)
		if err != nil {
			return nil, 0, err
		}
		for _, c := range chains {
			if c.uses == 0 {
				changes = append(changes, Change{DeleteChain, Rule{Chain: c.Chain}})
			}
		}
		for _, t := range tables {
			inside := slices.DeleteFunc(slices.Clone(chains), func(c made) bool { return c.uses > 0 || c.Table != t.Table })
			if int(t.uses) == len(inside) {
				changes = append(changes, Change{DeleteTable, Rule{Chain: t.Chain}})
			}
		}
	}
	return changes, generation, nil
}

// made is a chain or a table that was made here.
type made struct {
	Chain
	uses uint32 // a chain's rules and the jumps to it, a table's chains and sets
}

func (s *socket) made(family Family, question uint16, read func(m *made, kind uint16, data []byte) (mark bool)) (list []made, err error) {
	answer, err := s.ask(question, unix.NLM_F_DUMP, family, nil)
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return nil, err
	}
	for _, message := range answer {
		m, ours := made{Chain: Chain{Family: family}}, false
		if err := attributes(message, func(kind uint16, data []byte) error {
			ours = read(&m, kind, data) && bytes.Equal(data, madeHere) || ours
			return nil
		}); err != nil {
			return nil, err
		}
		if ours {
			list = append(list, m)
		}
	}
	return list, nil
}

func readMadeChain(m *made, kind uint16, data []byte) (mark bool) {
	switch kind {
	case unix.NFTA_CHAIN_TABLE:
		m.Table = unix.ByteSliceToString(data)
	case unix.NFTA_CHAIN_NAME:
		m.Name = unix.ByteSliceToString(data)
	case unix.NFTA_CHAIN_USE:
		m.uses += bigEndian(data)
	case unix.NFTA_CHAIN_POLICY:
		if bigEndian(data) == 0 { // NF_DROP: somebody wants it so
			m.uses++
		}
	}
	return kind == chainUserData
}

func readMadeTable(m *made, kind uint16, data []byte) (mark bool) {
	switch kind {
	case unix.NFTA_TABLE_NAME:
		m.Table = unix.ByteSliceToString(data)
	case unix.NFTA_TABLE_USE:
		m.uses = bigEndian(data)
	}
	return kind == tableUserData
}
