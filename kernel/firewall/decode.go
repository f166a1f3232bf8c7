package firewall

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"
)

// decoder reads a rule's expressions one after the other. What it loads into the register it remembers, until a comparison says what
// is wanted of it.
type decoder struct {
	Entry
	loaded loaded
	words  words             // what Rule has no field for
	end    words             // -j …, likewise
	values map[uint32][]byte // that a native expression's registers have been given
}

// loaded is what is in the register.
type loaded struct {
	what   string // "in", "out", "protocol", "from", "to", "sport", "dport", "from type", "to type", "state", "state and status"; "" for nothing known
	length uint32
	mask   []byte
}

// expression takes one: a name, and attributes that belong to it.
func (d *decoder) expression(b []byte) error {
	var name string
	var data []byte
	if err := attributes(b, func(kind uint16, value []byte) error {
		switch kind {
		case unix.NFTA_EXPR_NAME:
			name = string(bytes.TrimRight(value, "\x00"))
		case unix.NFTA_EXPR_DATA:
			data = value
		}
		return nil
	}); err != nil {
		return err
	}
	e, ok := known[name]
	if !ok {
		d.unknown(name)
		return nil
	}
	value := e()
	if err := expr.Unmarshal(byte(d.Family), data, value); err != nil {
		return fmt.Errorf("firewall rule, expression %s: %w", name, err)
	}
	d.take(value, data)
	return nil
}

// known expressions, by their names.
var known = map[string]func() expr.Any{
	"meta": func() expr.Any { return &expr.Meta{} }, "payload": func() expr.Any { return &expr.Payload{} }, "cmp": func() expr.Any { return &expr.Cmp{} },
	"bitwise": func() expr.Any { return &expr.Bitwise{} }, "range": func() expr.Any { return &expr.Range{} }, "counter": func() expr.Any { return &expr.Counter{} },
	"match": func() expr.Any { return &expr.Match{} }, "target": func() expr.Any { return &expr.Target{} }, "immediate": func() expr.Any { return &expr.Immediate{} },
	"fib": func() expr.Any { return &expr.Fib{} }, "ct": func() expr.Any { return &expr.Ct{} }, "nat": func() expr.Any { return &expr.NAT{} }, "masq": func() expr.Any { return &expr.Masq{} },
}

// unknown is said of what this package has no words for.
func (d *decoder) unknown(name string) {
	d.Known = false
	d.words.add("[" + name + "]")
}

func (d *decoder) take(e expr.Any, data []byte) {
	switch e := e.(type) {
	case *expr.Meta:
		d.loaded = loaded{what: map[expr.MetaKey]string{expr.MetaKeyIIFNAME: "in", expr.MetaKeyOIFNAME: "out", expr.MetaKeyL4PROTO: "protocol", expr.MetaKeyMARK: "mark"}[e.Key]}
	case *expr.Payload:
		d.loaded = loaded{what: d.payload(e), length: e.Len}
	case *expr.Fib:
		d.loaded = loaded{}
		if e.ResultADDRTYPE && (e.FlagSADDR || e.FlagDADDR) {
			d.loaded.what = map[bool]string{true: "from type", false: "to type"}[e.FlagSADDR]
		}
	case *expr.Ct:
		switch {
		case e.Key == expr.CtKeySTATE:
			d.loaded = loaded{what: "state"}
		case e.Key == expr.CtKeySTATUS && d.loaded.what == "state":
			d.loaded.what = "state and status"
		default:
			d.loaded = loaded{}
		}
	case *expr.Bitwise:
		d.loaded.mask = e.Mask
	case *expr.Cmp:
		d.compare(e)
	case *expr.Range:
		d.ports(e.FromData, e.ToData, e.Op == expr.CmpOpNeq)
	case *expr.Counter:
		d.Packets, d.Bytes = e.Packets, e.Bytes
	case *expr.Match:
		d.match(e)
	case *expr.Target:
		d.target(e)
	case *expr.Immediate:
		d.immediate(e, data)
	case *expr.NAT:
		d.nat(e)
	case *expr.Masq:
		d.Target = "MASQUERADE"
	}
}

func (d *decoder) payload(e *expr.Payload) string {
	from, to := uint32(12), uint32(16)
	if d.Family == IPv6 {
		from, to = 8, 24
	}
	switch {
	case e.Base == expr.PayloadBaseNetworkHeader && e.Offset == from:
		return "from"
	case e.Base == expr.PayloadBaseNetworkHeader && e.Offset == to:
		return "to"
	case e.Base == expr.PayloadBaseTransportHeader && e.Len == 2 && e.Offset == 0:
		return "sport"
	case e.Base == expr.PayloadBaseTransportHeader && e.Len == 2 && e.Offset == 2:
		return "dport"
	}
	return ""
}

func (d *decoder) compare(e *expr.Cmp) {
	not := e.Op == expr.CmpOpNeq
	if e.Op != expr.CmpOpEq && !not {
		d.unknown("cmp")
		return
	}
	switch d.loaded.what {
	case "in":
		d.In = interfaceOf(e.Data, not)
	case "out":
		d.Out = interfaceOf(e.Data, not)
	case "protocol":
		d.protocol(e.Data, not)
	case "from":
		d.From = d.prefix(e.Data, not)
	case "to":
		d.To = d.prefix(e.Data, not)
	case "sport", "dport":
		d.ports(e.Data, e.Data, not)
	case "from type":
		d.addressType(&d.FromType, e.Data, not)
	case "to type":
		d.addressType(&d.ToType, e.Data, not)
	case "state", "state and status":
		d.state(not)
	case "mark":
		d.mark(e.Data, d.loaded.mask, not)
	default:
		d.unknown("cmp")
	}
}

func interfaceOf(data []byte, not bool) Interface {
	name, whole := strings.CutSuffix(string(data), "\x00")
	if !whole {
		name += "+"
	}
	return Interface{strings.TrimRight(name, "\x00"), not}
}

func (d *decoder) protocol(data []byte, not bool) {
	if len(data) != 1 {
		d.unknown("protocol")
		return
	}
	name := fmt.Sprint(data[0])
	for known, number := range protocols {
		if number == data[0] {
			name = known
		}
	}
	if _, known := protocols[name]; known && !not {
		d.Protocol = name
		return
	}
	d.Known = false
	d.words.not(not)
	d.words.add("-p", name)
}

// prefix: as many bytes as were loaded, or those that a mask left.
func (d *decoder) prefix(data []byte, not bool) Prefix {
	size := map[Family]int{IPv4: 4, IPv6: 16}[d.Family]
	bits := 8 * len(data)
	if d.loaded.mask != nil {
		ones, of := net.IPMask(d.loaded.mask).Size()
		if of == 0 {
			d.unknown("bitwise")
		}
		bits = ones
	}
	address, _ := netip.AddrFromSlice(append(bytes.Clone(data), make([]byte, max(0, size-len(data)))...))
	return Prefix{netip.PrefixFrom(address, bits), not}
}

func (d *decoder) ports(first, last []byte, not bool) {
	if len(first) != 2 || len(last) != 2 {
		d.unknown(d.loaded.what)
		return
	}
	p := portsOf(binary.BigEndian.Uint16(first), binary.BigEndian.Uint16(last))
	switch {
	case not:
		d.Known = false
		d.words.add("-m", d.Protocol, "!", "--"+d.loaded.what, p.text(":"))
	case d.loaded.what == "sport":
		d.SourcePorts = p
	default:
		d.Ports = p
	}
}

func portsOf(first, last uint16) Ports {
	if first == last {
		return Ports{First: first}
	}
	return Ports{first, last}
}

func (d *decoder) addressType(t *Type, data []byte, not bool) {
	switch {
	case len(data) != 4 || binary.NativeEndian.Uint32(data) != unix.RTN_LOCAL:
		d.unknown("fib")
	case not:
		*t = NotLocal
	default:
		*t = Local
	}
}

// state is what native.go makes of --ctstate.
func (d *decoder) state(not bool) {
	mask := append(bytes.Clone(d.loaded.mask), make([]byte, 8)...)
	if !not || d.loaded.mask == nil {
		d.unknown("ct")
		return
	}
	state, status := binary.NativeEndian.Uint32(mask), binary.NativeEndian.Uint32(mask[4:])
	d.State = State(state) & stateBits
	if state&untracked != 0 {
		d.State |= Untracked
	}
	if status&sourceNAT != 0 {
		d.State |= SourceNAT
	}
	if status&destNAT != 0 {
		d.State |= DestNAT
	}
}

// match takes one of iptables' extensions.
func (d *decoder) match(m *expr.Match) {
	switch info := m.Info.(type) {
	case *xt.Tcp:
		if info.Option != 0 || info.FlagsMask != 0 || info.InvFlags != 0 {
			d.unknown("tcp")
		}
		d.SourcePorts, d.Ports = wholePorts(info.SrcPorts), wholePorts(info.DstPorts)
	case *xt.Udp:
		if info.InvFlags != 0 {
			d.unknown("udp")
		}
		d.SourcePorts, d.Ports = wholePorts(info.SrcPorts), wholePorts(info.DstPorts)
	case *xt.AddrTypeV1:
		d.addressTypes(info)
	case *xt.ConntrackMtinfo3:
		d.conntrack(info)
	case *xt.Comment:
		d.Comment = string(*info)
	case *xt.Unknown:
		if m.Name != "sctp" || !d.sctp(*info) {
			d.foreignMatch(m.Name, *info)
		}
	default:
		d.unknown(m.Name)
	}
}

func wholePorts(p [2]uint16) Ports {
	if p == [2]uint16{0, 0xffff} {
		return Ports{}
	}
	return portsOf(p[0], p[1])
}

func (d *decoder) addressTypes(info *xt.AddrTypeV1) {
	for _, side := range []struct {
		mask uint16
		not  bool
		to   *Type
	}{{info.Source, info.Flags&invertSource != 0, &d.FromType}, {info.Dest, info.Flags&invertDest != 0, &d.ToType}} {
		switch {
		case side.mask == 0:
		case side.mask != 1<<unix.RTN_LOCAL || info.Flags&^(invertSource|invertDest) != 0:
			d.unknown("addrtype")
		case side.not:
			*side.to = NotLocal
		default:
			*side.to = Local
		}
	}
}

func (d *decoder) sctp(info []byte) bool {
	if len(info) < sctpFlags+8 {
		return false
	}
	flags, inverted := binary.NativeEndian.Uint32(info[sctpFlags:]), binary.NativeEndian.Uint32(info[sctpFlags+4:])
	if inverted != 0 || flags&^(sctpSource|sctpDest) != 0 {
		return false
	}
	port := func(i int) uint16 { return binary.NativeEndian.Uint16(info[2*i:]) }
	if flags&sctpDest != 0 {
		d.Ports = portsOf(port(0), port(1))
	}
	if flags&sctpSource != 0 {
		d.SourcePorts = portsOf(port(2), port(3))
	}
	return true
}

// userData of a rule may have a comment.
func (d *decoder) userData(b []byte) {
	for len(b) >= 2 && len(b) >= 2+int(b[1]) {
		if b[0] == userComment {
			d.Comment = string(bytes.TrimRight(b[2:2+b[1]], "\x00"))
		}
		b = b[2+b[1]:]
	}
}
