package firewall

import (
	"encoding/binary"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// What nf_tables has itself for iptables' extensions, for kernels without NFT_COMPAT.

// nativeMatches compares ports in the transport header (TCP, UDP and SCTP have them in the same place), asks the routing tables for the
// type of an address, and the connection for its state.
func (e *encoder) nativeMatches(r Rule) {
	e.nativePorts(0, r.SourcePorts)
	e.nativePorts(2, r.Ports)
	if r.FromType != AnyType {
		e.add(&expr.Fib{Register: register, ResultADDRTYPE: true, FlagSADDR: true})
		e.compare(operator(r.FromType == NotLocal), binary.NativeEndian.AppendUint32(nil, unix.RTN_LOCAL)...)
	}
	if r.ToType != AnyType {
		e.add(&expr.Fib{Register: register, ResultADDRTYPE: true, FlagDADDR: true})
		e.compare(operator(r.ToType == NotLocal), binary.NativeEndian.AppendUint32(nil, unix.RTN_LOCAL)...)
	}
	if r.State != 0 {
		e.nativeState(r.State)
	}
}

func (e *encoder) nativePorts(offset uint32, p Ports) {
	if !p.some() {
		return
	}
	e.add(&expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 2})
	first, last := binary.BigEndian.AppendUint16(nil, p.First), binary.BigEndian.AppendUint16(nil, p.last())
	if p.last() == p.First {
		e.compare(expr.CmpOpEq, first...)
	} else {
		e.add(&expr.Range{Op: expr.CmpOpEq, Register: register, FromData: first, ToData: last})
	}
}

// The two kinds of bits of a connection: its state (NF_CT_STATE_BIT of nf_conntrack_common.h, the same numbers as iptables') and its status (IPS_SRC_NAT,
// IPS_DST_NAT). iptables mixes them in one option, any of which is enough; here they are put into one register, and compared at once.
const (
	stateBits = Invalid | Established | Related | New
	untracked = 1 << 6 // NF_CT_STATE_UNTRACKED_BIT
	sourceNAT = 1 << 4 // IPS_SRC_NAT
	destNAT   = 1 << 5 // IPS_DST_NAT
)

// nativeState matches any of the states. nf_tables has no "or" between two expressions of one rule; so a connection's state and its status are
// laid side by side in a register of 128 bits (its first and second word), masked, and compared with nothing at all.
func (e *encoder) nativeState(s State) {
	state := uint32(s & stateBits)
	if s&Untracked != 0 {
		state |= untracked
	}
	var status uint32
	if s&SourceNAT != 0 {
		status |= sourceNAT
	}
	if s&DestNAT != 0 {
		status |= destNAT
	}
	wanted := binary.NativeEndian.AppendUint32(nil, state)
	e.add(&expr.Ct{Key: expr.CtKeySTATE, Register: unix.NFT_REG32_00})
	if status != 0 { // a packet without a connection has no status, and leaves the rule here
		wanted = binary.NativeEndian.AppendUint32(wanted, status)
		e.add(&expr.Ct{Key: expr.CtKeySTATUS, Register: unix.NFT_REG32_01})
	}
	nothing := make([]byte, len(wanted))
	e.add(&expr.Bitwise{SourceRegister: register, DestRegister: register, Len: uint32(len(wanted)), Mask: wanted, Xor: nothing})
	e.compare(expr.CmpOpNeq, nothing...)
}

// nativeTarget puts the new address and port into registers, and translates.
func (e *encoder) nativeTarget(r Rule) {
	if r.Target == "MASQUERADE" {
		e.add(&expr.Masq{})
		return
	}
	nat := &expr.NAT{Type: expr.NATTypeSourceNAT, Family: uint32(r.Family)}
	if r.Target == "DNAT" {
		nat.Type = expr.NATTypeDestNAT
	}
	if r.ToAddress.IsValid() {
		nat.RegAddrMin = unix.NFT_REG_1
		e.add(&expr.Immediate{Register: nat.RegAddrMin, Data: r.ToAddress.AsSlice()})
	}
	if r.ToPorts.some() {
		nat.RegProtoMin, nat.Specified = unix.NFT_REG_2, true
		e.add(&expr.Immediate{Register: nat.RegProtoMin, Data: binary.BigEndian.AppendUint16(nil, r.ToPorts.First)})
		if r.ToPorts.last() != r.ToPorts.First {
			nat.RegProtoMax = unix.NFT_REG_3
			e.add(&expr.Immediate{Register: nat.RegProtoMax, Data: binary.BigEndian.AppendUint16(nil, r.ToPorts.last())})
		}
	}
	e.add(nat)
}
