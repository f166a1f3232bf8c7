package testscripts

import (
	"encoding/hex"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// messageTypes are those of rtnetlink(7), for strace writes numbers where a socket is of another network namespace than its own.
var messageTypes = map[uint64]string{
	16: "RTM_NEWLINK", 17: "RTM_DELLINK", 18: "RTM_GETLINK", 19: "RTM_SETLINK", 20: "RTM_NEWADDR", 21: "RTM_DELADDR", 22: "RTM_GETADDR",
	24: "RTM_NEWROUTE", 25: "RTM_DELROUTE", 26: "RTM_GETROUTE",
}

var typePattern = regexp.MustCompile(`nlmsg_type=(0x[0-9a-f]+|[A-Z_]+)`)

// messageType is that of the first message in a call.
func messageType(text string) string {
	found := typePattern.FindStringSubmatch(text)
	if found == nil {
		return ""
	}
	if n, err := strconv.ParseUint(found[1], 0, 16); err == nil {
		return messageTypes[n]
	}
	return found[1]
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
