package walk

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
	"sandbox/kernel/firewall"
)

// facts are what is asked of a namespace once.
type facts struct {
	family      firewall.Family
	rules       *Ruleset
	rulesError  error // why they could not be read
	told        bool  // of that, or of what the rules leave uncertain
	forwards    bool
	bridgeCalls bool // packets that a bridge hands on are shown to the rules of IP, too
	sockets     []listener
	socketsRead bool
}

type listener struct {
	protocol string
	address  netip.AddrPort
}

// learn reads the facts, if that has not been done yet.
func (s *Space) learn(family firewall.Family) error {
	if s.facts != nil && s.facts.family == family {
		return nil
	}
	f := &facts{family: family}
	forward, bridge := "/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/bridge/bridge-nf-call-iptables"
	if family == firewall.IPv6 {
		forward, bridge = "/proc/sys/net/ipv6/conf/all/forwarding", "/proc/sys/net/bridge/bridge-nf-call-ip6tables"
	}
	err := s.In(func() error {
		f.forwards, f.bridgeCalls = isOn(forward), isOn(bridge)
		f.rules, f.rulesError = readRules(family)
		f.sockets, f.socketsRead = readListeners()
		return nil
	})
	s.facts = f
	return err
}

func isOn(path string) bool {
	value, err := os.ReadFile(path)
	return err == nil && strings.TrimSpace(string(value)) != "0"
}

func readRules(family firewall.Family) (*Ruleset, error) {
	legacy, _ := firewall.LegacyTables() // the kernel tells only the machine's root
	legacy = slices.DeleteFunc(legacy, func(t firewall.LegacyTable) bool { return t.Family != family })
	bases, err := firewall.Bases(family)
	if err != nil {
		if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPROTONOSUPPORT) { // a kernel without nf_tables has no rules of it
			return &Ruleset{Legacy: legacy}, nil
		}
		return nil, err
	}
	rules, err := firewall.AllRules(bases)
	return &Ruleset{bases, rules, legacy}, err
}

// route asks the kernel, from inside.
func (s *Space) route(q kernel.RouteQuestion) (r kernel.Route, err error) {
	err = s.In(func() (err error) {
		r, err = kernel.RouteTo(q)
		return err
	})
	if err == nil && r.Refused {
		err = unix.ENETUNREACH
	}
	return r, err
}

func (s *Space) isLocal(a netip.Addr) bool {
	if a.IsLoopback() {
		return true
	}
	r, err := s.route(kernel.RouteQuestion{To: a})
	return err == nil && r.Local
}

// listens tells whether a program would get the packet; known is false where that cannot be found out.
func (s *Space) listens(p Packet) (listens, known bool) {
	if !s.facts.socketsRead || p.Protocol != "tcp" && p.Protocol != "udp" {
		return false, false
	}
	for _, l := range s.facts.sockets {
		if l.protocol == p.Protocol && l.address.Port() == p.Port && (l.address.Addr().IsUnspecified() || l.address.Addr() == p.To) {
			return true, true
		}
	}
	return false, true
}

// readListeners reads /proc/net/tcp and its like: sl local_address rem_address st …, hexadecimal. State 0A is LISTEN; a
// UDP socket that is connected to nobody has 07.
func readListeners() (list []listener, ok bool) {
	for _, file := range []struct{ name, protocol, state string }{{"tcp", "tcp", "0A"}, {"tcp6", "tcp", "0A"}, {"udp", "udp", "07"}, {"udp6", "udp", "07"}} {
		f, err := os.Open("/proc/thread-self/net/" + file.name)
		if err != nil {
			if file.name == "tcp" {
				return nil, false
			}
			continue // no IPv6
		}
		lines := bufio.NewScanner(f)
		lines.Scan() // headings
		for lines.Scan() {
			if words := strings.Fields(lines.Text()); len(words) > 3 && words[3] == file.state {
				if a, err := parseSocket(words[1]); err == nil {
					list = append(list, listener{file.protocol, a})
				}
			}
		}
		f.Close()
	}
	return list, true
}

// parseSocket reads 0100007F:1F90: the address in 32-bit words of the machine's order, and the port.
func parseSocket(text string) (netip.AddrPort, error) {
	address, port, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for i := 0; i+4 <= len(raw); i += 4 {
		binary.BigEndian.PutUint32(raw[i:], binary.NativeEndian.Uint32(raw[i:]))
	}
	number, err := strconv.ParseUint(port, 16, 16)
	a, _ := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(a.Unmap(), uint16(number)), err
}
