package firewall

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Hook is a place on a packet's way through the kernel where it asks chains: NF_INET_… of include/uapi/linux/netfilter.h.
type Hook uint32

// Hooks, with iptables' names.
const (
	Prerouting Hook = iota
	Input
	Forward
	Output
	Postrouting
)

func (h Hook) String() string {
	return [...]string{"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}[h]
}

// Base is a chain that the kernel itself asks.
type Base struct {
	Chain
	Hook     Hook
	Priority int32  // the smallest is asked first
	Type     string // filter, nat, route
	Drops    bool   // its policy: what becomes of a packet that no rule decides about
	Foreign  string // the family of a chain that iptables does not know: inet
	made     bool   // here: see Made
	uses     uint32 // its rules, and those that lead to it
}

const inet = Family(unix.NFPROTO_INET)

// Bases are the chains that the kernel asks about packets of a family, in their order at each hook, in the network namespace that
// the thread is in.
func Bases(family Family) ([]Base, error) {
	s, err := open()
	if err != nil {
		return nil, err
	}
	defer s.close()
	var list []Base
	for _, f := range []Family{family, inet} {
		answer, err := s.ask(unix.NFT_MSG_GETCHAIN, unix.NLM_F_DUMP, f, nil)
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return nil, err
		}
		for _, m := range answer {
			b, isBase, err := decodeBase(f, m)
			if err != nil {
				return nil, err
			}
			if isBase && b.Hook <= Postrouting {
				list = append(list, b)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Base) int { return cmp.Or(cmp.Compare(a.Hook, b.Hook), cmp.Compare(a.Priority, b.Priority)) })
	return list, nil
}

// decodeBase reads NFT_MSG_NEWCHAIN.
func decodeBase(f Family, message []byte) (b Base, isBase bool, err error) {
	b.Family = f
	if f == inet {
		b.Foreign = "inet"
	}
	err = attributes(message, func(kind uint16, data []byte) error {
		switch kind &^ unix.NLA_F_NESTED {
		case unix.NFTA_CHAIN_TABLE:
			b.Table = unix.ByteSliceToString(data)
		case unix.NFTA_CHAIN_NAME:
			b.Name = unix.ByteSliceToString(data)
		case unix.NFTA_CHAIN_TYPE:
			b.Type = unix.ByteSliceToString(data)
		case unix.NFTA_CHAIN_POLICY:
			b.Drops = bigEndian(data) == 0 // NF_DROP
		case unix.NFTA_CHAIN_USE:
			b.uses = bigEndian(data)
		case chainUserData:
			b.made = bytes.Equal(data, madeHere)
		case unix.NFTA_CHAIN_HOOK:
			isBase = true
			return attributes(data, func(kind uint16, data []byte) error {
				switch kind &^ unix.NLA_F_NESTED {
				case unix.NFTA_HOOK_HOOKNUM:
					b.Hook = Hook(bigEndian(data))
				case unix.NFTA_HOOK_PRIORITY:
					b.Priority = int32(bigEndian(data))
				}
				return nil
			})
		}
		return nil
	})
	return b, isBase, err
}

func bigEndian(data []byte) uint32 {
	if len(data) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(data)
}

// AllRules are those of all chains of these tables.
func AllRules(bases []Base) (map[Chain][]Entry, error) {
	s, err := open()
	if err != nil {
		return nil, err
	}
	defer s.close()
	answer := map[Chain][]Entry{}
	seen := map[Chain]bool{}
	for _, b := range bases {
		table := Chain{Family: b.Family, Table: b.Table}
		if seen[table] {
			continue
		}
		seen[table] = true
		chains, err := s.ask(unix.NFT_MSG_GETCHAIN, unix.NLM_F_DUMP, b.Family, text(nil, unix.NFTA_CHAIN_TABLE, b.Table))
		if err != nil {
			return nil, err
		}
		for _, m := range chains {
			c, _, err := decodeBase(b.Family, m)
			if err != nil || c.Table != b.Table { // older kernels list those of all tables
				continue
			}
			entries, err := s.rules(c.Chain, "")
			if err != nil && !errors.Is(err, unix.ENOENT) {
				return nil, err
			}
			answer[c.Chain] = entries
		}
	}
	return answer, nil
}

// Does is what a rule does with a packet: a target, or a chain. sure tells whether all that it asks of the packet is in Rule.
func (e Entry) Does() (target string, sure bool) {
	if e.strangeJump == "" {
		return e.Target, e.Known
	}
	words := strings.Fields(e.strangeJump) // -j REJECT --reject-with …
	if len(words) > 1 && words[0] == "-j" {
		return words[1], e.strange == ""
	}
	return e.Target, false
}
