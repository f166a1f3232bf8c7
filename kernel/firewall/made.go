package firewall

import (
	"bytes"
	"errors"
	"maps"
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
		chains, err := Bases(family)
		if err != nil {
			return nil, 0, err
		}
		emptied := map[string]uint32{} // how many chains a table loses
		for _, b := range chains {
			if b.made && b.uses == 0 && !b.Drops { // who has it drop wants it so
				changes = append(changes, Change{DeleteChain, Rule{Chain: b.Chain}})
				emptied[b.Table]++
			}
		}
		tables, err := s.tablesMade(family)
		if err != nil {
			return nil, 0, err
		}
		for _, name := range slices.Sorted(maps.Keys(tables)) {
			if tables[name] == emptied[name] {
				changes = append(changes, Change{DeleteTable, Rule{Chain: Chain{Family: family, Table: name}}})
			}
		}
	}
	return changes, generation, nil
}

// tablesMade are those that were made here, by their names, with how many chains and sets are in them.
func (s *socket) tablesMade(family Family) (map[string]uint32, error) {
	answer, err := s.ask(unix.NFT_MSG_GETTABLE, unix.NLM_F_DUMP, family, nil)
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return nil, err
	}
	tables := map[string]uint32{}
	for _, message := range answer {
		name, uses, made := "", uint32(0), false
		if err := attributes(message, func(kind uint16, data []byte) error {
			switch kind {
			case unix.NFTA_TABLE_NAME:
				name = unix.ByteSliceToString(data)
			case unix.NFTA_TABLE_USE:
				uses = bigEndian(data)
			case tableUserData:
				made = bytes.Equal(data, madeHere)
			}
			return nil
		}); err != nil {
			return nil, err
		}
		if made {
			tables[name] = uses
		}
	}
	return tables, nil
}
