package transcripts

import (
	"regexp"
	"strings"
	"testing"
)

// What differs in 3.6: names of veth pairs, which are chance; MAC addresses, but for those of containers, which follow from their
// addresses; whether the kernel has noticed already that an interface is up; and how long an answer took.
var (
	cables = rules(
		`\bveth[0-9a-f]{7}\b`, `veth<cable>`,
		`\b8000\.0242[0-9a-f]{8}\b`, `8000.<mac>`,
		`(┃ )02:42(:[0-9a-f]{2}){4} `, `$1<bridge's MAC>    `,
		` address 02:42(:[0-9a-f]{2}){4} type bridge`, ` address <mac> type bridge`,
		`( netns )\d+\b`, `$1<n>`,
		`"/proc/\d+/ns/net"`, `"/proc/<pid>/ns/net"`,
		`^(  \d+: (?:eth|veth|br-|sandbox)\S+ .* state )(?:UNKNOWN|DOWN|LOWERLAYERDOWN) `, `${1}UP `, // the kernel notices a little later
		`^(  eth\d@if\d+ +)(?:UNKNOWN|DOWN|LOWERLAYERDOWN) +`, `${1}UP             `,
		`<NO-CARRIER,`, `<`,
		`\b(127\.0\.0\.11:)\d{4,5}\b`, `$1<port>`,
		`( -s 127\.0\.0\.11/32 .* --sport )\d+`, `$1<port>`,
		`\btime=[\d.]+ ms$`, `time=<ms> ms`,
		`(round-trip min/avg/max = )[\d./]+ ms$`, `$1<ms> ms`,
		`(scope link src [\d.]+.*?) +$`, `$1`, // iproute2 has a space there, others may not
	)
	// linkName is the first of an interface's lines in what ip prints.
	linkName = regexp.MustCompile(`^  \d+: ([^@:]+)`)
	linkMAC  = regexp.MustCompile(`(^ +link/ether )\S+`)
	// drawn are lines of a drawing that has columns.
	drawn = regexp.MustCompile(`[┃┠┨]`)
	// inWords are calls that are told as commands, with addresses in them.
	inWords = regexp.MustCompile(`^  ┆   (ip|ip6?tables) `)
)

// cablesMasked masks what differs in networks, and puts what ping begins with, on its standard output, before its complaint on the other.
func cablesMasked(lines []string) []string {
	var out []string
	link := ""
	for _, line := range lines {
		for _, r := range cables {
			line = r.pattern.ReplaceAllString(line, r.by)
		}
		if m := linkName.FindStringSubmatch(line); m != nil {
			link = m[1]
		}
		if !strings.HasPrefix(link, "eth") {
			line = linkMAC.ReplaceAllString(line, "$1<mac>")
		}
		out = append(out, line)
		if i := len(out) - 1; i > 0 && strings.HasPrefix(line, "  PING ") && strings.HasPrefix(out[i-1], "  ping: ") {
			out[i], out[i-1] = out[i-1], out[i]
		}
	}
	return out
}

func TestMaskNetworks(t *testing.T) {
	const text = `  $ sandbox exec box ip a
  2: eth0@if3: <UP> mtu 1500
      link/ether 02:42:ac:11:00:02 brd ff:ff:ff:ff:ff:ff link-netnsid 0
  $ sandbox run --rm --network host base ip l
  2: sandbox0: <UP> mtu 1500
      link/ether 02:42:ac:d1:e5:e1 brd ff:ff:ff:ff:ff:ff
  3: vethc03d62c@if2: <UP> mtu 1500 state UNKNOWN mode
      link/ether ae:59:62:9b:a5:e9 brd ff:ff:ff:ff:ff:ff link-netnsid 0
  sandbox0		8000.024209d1e5e1	no		vethc03d62c
  eth0@if12        UNKNOWN        10.9.9.2/30
  ping: sendto: Network is unreachable
  PING 172.17.0.1 (172.17.0.1): 56 data bytes
  64 bytes from 172.22.1.34: seq=0 ttl=64 time=1.807 ms
  round-trip min/avg/max = 0.164/0.985/1.807 ms
  172.17.0.0/16 dev sandbox0 proto kernel scope link src 172.17.0.1 
  $ sandbox network create my_net
  ┆   ip link add vetha9028cf mtu 1500 up type veth peer name eth0 address 02:42:ac:11:00:02 mtu 1500 netns 11   # a cable
  ┆   ip link add br-bf7d54f464e2 address 02:42:bf:7d:54:f4 type bridge   # a bridge
  ┆   ip addr add 172.18.0.1/16 brd + dev br-bf7d54f464e2   # the gateway

 ├─┨ 4: br-e7c6e0b50213   ┠──
 │ ┃ 02:42:7d:ce:88:04    ┃`
	const want = `  $ sandbox exec box ip a
  2: eth0@if3: <UP> mtu 1500
      link/ether 02:42:ac:11:00:02 brd ff:ff:ff:ff:ff:ff link-netnsid 0
  $ sandbox run --rm --network host base ip l
  2: sandbox0: <UP> mtu 1500
      link/ether <mac> brd ff:ff:ff:ff:ff:ff
  3: veth<cable>@if2: <UP> mtu 1500 state UP mode
      link/ether <mac> brd ff:ff:ff:ff:ff:ff link-netnsid 0
  sandbox0		8000.<mac>	no		veth<cable>
  eth0@if12        UP             10.9.9.2/30
  PING 172.17.0.1 (172.17.0.1): 56 data bytes
  ping: sendto: Network is unreachable
  64 bytes from 172.22.1.34: seq=0 ttl=64 time=<ms> ms
  round-trip min/avg/max = <ms> ms
  172.17.0.0/16 dev sandbox0 proto kernel scope link src 172.17.0.1
  $ sandbox network create my_net
  ┆   ip link add veth<cable> mtu 1500 up type veth peer name eth0 address 02:42:ac:11:00:02 mtu 1500 netns <n>   # a cable
  ┆   ip link add br-<id1> address <mac> type bridge   # a bridge
  ┆   ip addr add 172.18.0.1/16 brd + dev br-<id1>   # the gateway

 ├─┨ 4: br-<id2>          ┠──
 │ ┃ <bridge's MAC>       ┃`
	if got := mask(text); got != want {
		t.Errorf("mask:\n%s\nwant:\n%s", got, want)
	}
}
