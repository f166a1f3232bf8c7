package firewall

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strings"

	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"
)

// protocols by their numbers (/etc/protocols).
var protocols = map[string]byte{"icmp": unix.IPPROTO_ICMP, "tcp": unix.IPPROTO_TCP, "udp": unix.IPPROTO_UDP, "ipv6-icmp": unix.IPPROTO_ICMPV6, "sctp": unix.IPPROTO_SCTP}

// register that each piece of a packet is loaded into, to be compared: NFT_REG_1.
const register = unix.NFT_REG_1

// expressions of a rule, in iptables' order. Extensions of iptables' are used, or (native) what nf_tables has for the same.
func (r Rule) expressions(native bool) []expr.Any {
	e := &encoder{}
	e.interfaceName(expr.MetaKeyIIFNAME, r.In)
	e.interfaceName(expr.MetaKeyOIFNAME, r.Out)
	if r.Protocol != "" {
		e.add(&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: register})
		e.compare(expr.CmpOpEq, protocols[r.Protocol])
	}
	if r.Family == IPv6 {
		e.prefix(8, r.From) // offsets in the IPv6 header, RFC 8200
		e.prefix(24, r.To)
	} else {
		e.prefix(12, r.From) // … in the IPv4 header, RFC 791
		e.prefix(16, r.To)
	}
	if native {
		e.nativeMatches(r)
	} else {
		e.extensions(r)
	}
	e.add(&expr.Counter{})
	switch verdict, isVerdict := verdicts[r.Target]; {
	case isVerdict:
		e.add(&expr.Verdict{Kind: verdict})
	case r.Target == "":
	case !translates(r.Target):
		e.add(&expr.Verdict{Kind: expr.VerdictJump, Chain: r.Target})
	case native:
		e.nativeTarget(r)
	default:
		e.add(r.extensionTarget())
	}
	return e.list
}

var verdicts = map[string]expr.VerdictKind{"ACCEPT": expr.VerdictAccept, "DROP": expr.VerdictDrop, "RETURN": expr.VerdictReturn}

func translates(target string) bool {
	return target == "MASQUERADE" || target == "DNAT" || target == "SNAT"
}

// usesExtensions tells whether the rule needs NFT_COMPAT.
func (r Rule) usesExtensions() bool {
	return r.Ports.some() || r.SourcePorts.some() || r.FromType != AnyType || r.ToType != AnyType || r.State != 0 || translates(r.Target)
}

type encoder struct{ list []expr.Any }

func (e *encoder) add(list ...expr.Any) { e.list = append(e.list, list...) }

func (e *encoder) compare(op expr.CmpOp, data ...byte) {
	e.add(&expr.Cmp{Op: op, Register: register, Data: data})
}

func operator(not bool) expr.CmpOp {
	if not {
		return expr.CmpOpNeq
	}
	return expr.CmpOpEq
}

// interfaceName is compared with the byte 0 at its end, or as far as it goes when it ends in +.
func (e *encoder) interfaceName(key expr.MetaKey, i Interface) {
	if i.Name == "" {
		return
	}
	data, beginning := strings.CutSuffix(i.Name, "+")
	if !beginning {
		data += "\x00"
	}
	e.add(&expr.Meta{Key: key, Register: register})
	e.compare(operator(i.Not), []byte(data)...)
}

// prefix compares an address of the packet's header. A part of it is masked out first; newer versions of iptables load fewer bytes
// instead, but the older ones would not understand that.
func (e *encoder) prefix(offset uint32, p Prefix) {
	if !p.IsValid() {
		return
	}
	p.Prefix = p.Masked()
	address := p.Addr().AsSlice()
	e.add(&expr.Payload{DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: uint32(len(address))})
	if !p.IsSingleIP() {
		e.add(&expr.Bitwise{SourceRegister: register, DestRegister: register, Len: uint32(len(address)), Mask: mask(p.Prefix), Xor: make([]byte, len(address))})
	}
	e.compare(operator(p.Not), address...)
}

func mask(p netip.Prefix) []byte { return net.CIDRMask(p.Bits(), p.Addr().BitLen()) }

// extensions are iptables' own matches (struct xt_tcp, xt_addrtype_info_v1, xt_conntrack_mtinfo3 …).
func (e *encoder) extensions(r Rule) {
	if r.Ports.some() || r.SourcePorts.some() {
		e.add(&expr.Match{Name: r.Protocol, Info: portsInfo(r)})
	}
	if r.FromType != AnyType || r.ToType != AnyType {
		info := &xt.AddrTypeV1{}
		if r.FromType != AnyType {
			info.Source = 1 << unix.RTN_LOCAL
		}
		if r.ToType != AnyType {
			info.Dest = 1 << unix.RTN_LOCAL
		}
		if r.FromType == NotLocal {
			info.Flags |= invertSource
		}
		if r.ToType == NotLocal {
			info.Flags |= invertDest
		}
		e.add(&expr.Match{Name: "addrtype", Rev: 1, Info: info})
	}
	if r.State != 0 {
		info := &xt.ConntrackMtinfo3{}
		info.MatchFlags = uint16(xt.ConntrackState)
		info.StateMask = uint16(r.State)
		e.add(&expr.Match{Name: "conntrack", Rev: 3, Info: info})
	}
}

// Flags of struct xt_addrtype_info_v1.
const (
	invertSource xt.AddrTypeFlags = 1
	invertDest   xt.AddrTypeFlags = 2
)

// whole is the range of ports that says nothing.
func whole(p Ports) [2]uint16 {
	if !p.some() {
		return [2]uint16{0, 0xffff}
	}
	return [2]uint16{p.First, p.last()}
}

// portsInfo is what a protocol's own match needs to look at ports.
func portsInfo(r Rule) xt.InfoAny {
	switch r.Protocol {
	case "tcp":
		return &xt.Tcp{SrcPorts: whole(r.SourcePorts), DstPorts: whole(r.Ports)}
	case "udp":
		return &xt.Udp{SrcPorts: whole(r.SourcePorts), DstPorts: whole(r.Ports)}
	}
	return sctpInfo(r)
}

// Of struct xt_sctp_info (include/uapi/linux/netfilter/xt_sctp.h): its size, where it has the types of chunks whose flags are looked at (none:
// 255), how many those are and how far apart, where its flags are, and what they say is looked at.
const (
	sctpSize                  = 296
	sctpChunks                = 268
	sctpChunkCount, sctpChunk = 4, 3
	sctpFlags                 = 284
	sctpSource, sctpDest      = 1, 2
)

func sctpInfo(r Rule) xt.InfoAny {
	info := make(xt.Unknown, sctpSize)
	for i, port := range []uint16{r.Ports.First, r.Ports.last(), r.SourcePorts.First, r.SourcePorts.last()} {
		binary.NativeEndian.PutUint16(info[2*i:], port)
	}
	for i := range sctpChunkCount {
		info[sctpChunks+i*sctpChunk] = 0xff
	}
	var flags uint32
	if r.SourcePorts.some() {
		flags |= sctpSource
	}
	if r.Ports.some() {
		flags |= sctpDest
	}
	binary.NativeEndian.PutUint32(info[sctpFlags:], flags)
	return &info
}

// extensionTarget translates addresses: struct nf_nat_ipv4_multi_range_compat, or nf_nat_range and nf_nat_range2, each in the revision that
// iptables writes.
func (r Rule) extensionTarget() *expr.Target {
	full := xt.NatRange{MinPort: r.ToPorts.First, MaxPort: r.ToPorts.last()}
	if r.ToAddress.IsValid() {
		full.Flags |= uint(xt.NatRangeMapIPs)
		full.MinIP = r.ToAddress.AsSlice()
		full.MaxIP = full.MinIP
	}
	if r.ToPorts.some() {
		full.Flags |= uint(xt.NatRangeProtoSpecified)
	}
	if r.Target == "DNAT" {
		return &expr.Target{Name: "DNAT", Rev: 2, Info: &xt.NatRange2{NatRange: full}}
	}
	if r.Family == IPv4 {
		return &expr.Target{Name: r.Target, Info: &xt.NatIPv4MultiRangeCompat{xt.NatIPv4Range(full)}}
	}
	revision := uint32(0)
	if r.Target == "SNAT" {
		revision = 1
	}
	return &expr.Target{Name: r.Target, Rev: revision, Info: &full}
}
