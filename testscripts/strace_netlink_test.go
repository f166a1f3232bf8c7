package testscripts

import (
	"encoding/hex"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sandbox/kernel"
)

// messageTypes are those of rtnetlink(7), for strace writes numbers where a socket is of another network namespace than its own.
var messageTypes = map[uint64]string{
	16: "RTM_NEWLINK", 17: "RTM_DELLINK", 18: "RTM_GETLINK", 19: "RTM_SETLINK", 20: "RTM_NEWADDR", 21: "RTM_DELADDR", 22: "RTM_GETADDR",
	24: "RTM_NEWROUTE", 25: "RTM_DELROUTE", 26: "RTM_GETROUTE",
}

var typePattern = regexp.MustCompile(`nlmsg_type=(?:NFNL_SUBSYS_NFTABLES<<8\|)?(0x[0-9a-f]+|[A-Z_]+)`)

// ruleTypes are those of nf_tables (NFNL_SUBSYS_NFTABLES is 10) that change rules and chains. Tables, and the chains that the kernel
// calls by itself, iptables makes without a word, too.
var ruleTypes = map[uint64]string{10<<8 + 3: "NFT_MSG_NEWCHAIN", 10<<8 + 5: "NFT_MSG_DELCHAIN", 10<<8 + 6: "NFT_MSG_NEWRULE", 10<<8 + 8: "NFT_MSG_DELRULE", 10<<8 + 2: "NFT_MSG_DELTABLE"}

// messageType is that of a message; "" for a transaction of nf_tables, which ruleChanges takes apart.
func messageType(text string) string {
	if strings.Count(text, "nlmsg_type=") != 1 {
		return ""
	}
	found := typePattern.FindStringSubmatch(text)
	if found == nil {
		return ""
	}
	if n, err := strconv.ParseUint(found[1], 0, 16); err == nil {
		return messageTypes[n]
	}
	return found[1]
}

// ruleChanges are the messages of a transaction that change rules and chains.
func ruleChanges(text string) (changes []string) {
	for _, found := range typePattern.FindAllStringSubmatch(text, -1) {
		name := found[1]
		if n, err := strconv.ParseUint(name, 0, 16); err == nil {
			name = ruleTypes[n]
		}
		for _, known := range ruleTypes {
			if name == known {
				changes = append(changes, name)
			}
		}
	}
	return changes
}

// sameMessage compares a message that was told of with one that was sent: the type, and whether the names and addresses that were
// told of are in it. What the kernel answered is in another call.
func sameMessage(told, sent []string) bool {
	if len(told) == 0 || len(sent) != 2 || told[0] != sent[0] {
		return false
	}
	for _, fact := range told[1:] {
		if !contains(sent[1], fact) {
			return false
		}
	}
	return true
}

// contains looks for a quoted name or an address, as strace writes it when it understands the message, and when it does not: as
// bytes, all of them in hexadecimal.
func contains(message, fact string) bool {
	if a, err := netip.ParseAddr(fact); err == nil {
		return strings.Contains(message, `"`+fact+`"`) || strings.Contains(message, hexadecimal(a.AsSlice()))
	}
	name := unquote(fact)
	return strings.Contains(message, fact) || strings.Contains(message, hexadecimal([]byte(name))) || strings.Contains(message, name)
}

func hexadecimal(data []byte) string {
	return regexp.MustCompile(`..`).ReplaceAllString(hex.EncodeToString(data), `\x$0`)
}

// matchRule: an entry for each rule, and one call for many of them.
func matchRule(e kernel.Record, calls []*made, from int) int {
	for i := max(0, from-1); i < len(calls); i++ {
		m := calls[i]
		at := slices.Index(m.rules, e.Args[0])
		if m.role != e.Process || at < 0 || e.Errno != "" && e.Errno != m.errno && m.errno != "" {
			continue
		}
		m.rules = slices.Delete(m.rules, at, at+1)
		m.explained = !slices.ContainsFunc(m.rules, func(change string) bool { return change != "NFT_MSG_NEWCHAIN" })
		return i
	}
	return -1
}
