package firewall

import (
	"encoding/binary"
	"net"
	"net/netip"

	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"golang.org/x/sys/unix"
)

// immediate is a verdict, or a value in a register.
func (d *decoder) immediate(e *expr.Immediate, data []byte) {
	if e.Register != unix.NFT_REG_VERDICT {
		if d.values == nil {
			d.values = map[uint32][]byte{}
		}
		d.values[e.Register] = e.Data
		return
	}
	var verdict expr.Verdict
	if expr.Unmarshal(byte(d.Family), data, &verdict) != nil {
		d.unknown("immediate")
		return
	}
	switch verdict.Kind {
	case expr.VerdictJump:
		d.Target = verdict.Chain
	case expr.VerdictGoto:
		d.Target, d.Known = verdict.Chain, false
		d.end.add("-g", verdict.Chain)
	default:
		for name, kind := range verdicts {
			if kind == verdict.Kind {
				d.Target = name
			}
		}
	}
}

// target takes one of iptables' extensions.
func (d *decoder) target(t *expr.Target) {
	d.Target = t.Name
	switch info := t.Info.(type) {
	case *xt.NatIPv4MultiRangeCompat:
		if len(*info) == 1 {
			d.translation(xt.NatRange((*info)[0]))
			return
		}
	case *xt.NatRange:
		d.translation(*info)
		return
	case *xt.NatRange2:
		d.translation(info.NatRange)
		return
	case *xt.Unknown: // of IPv6's the library leaves two alone
		if full, ok := natRange(*info); ok && d.Family == IPv6 && (t.Name == "MASQUERADE" || t.Name == "SNAT") {
			d.translation(full)
			return
		}
		d.foreignTarget(t.Name, *info)
		return
	}
	d.foreignTarget(t.Name, nil)
}

// natRange is struct nf_nat_range.
func natRange(b []byte) (xt.NatRange, bool) {
	if len(b) < 40 {
		return xt.NatRange{}, false
	}
	return xt.NatRange{
		Flags: uint(binary.NativeEndian.Uint32(b)), MinIP: net.IP(b[4:20]), MaxIP: net.IP(b[20:36]),
		MinPort: binary.BigEndian.Uint16(b[36:]), MaxPort: binary.BigEndian.Uint16(b[38:]),
	}, true
}

func (d *decoder) translation(n xt.NatRange) {
	const understood = xt.NatRangeMapIPs | xt.NatRangeProtoSpecified
	flags := xt.NatRangeFlags(n.Flags)
	if flags&^understood != 0 || flags&xt.NatRangeMapIPs != 0 && !n.MinIP.Equal(n.MaxIP) {
		d.foreignTarget(d.Target, nil)
		return
	}
	if flags&xt.NatRangeMapIPs != 0 {
		d.ToAddress, _ = netip.AddrFromSlice(n.MinIP)
	}
	if flags&xt.NatRangeProtoSpecified != 0 {
		d.ToPorts = portsOf(n.MinPort, n.MaxPort)
	}
}

// nat is nf_tables' own translation, of values that are in registers.
func (d *decoder) nat(e *expr.NAT) {
	d.Target = "SNAT"
	if e.Type == expr.NATTypeDestNAT {
		d.Target = "DNAT"
	}
	if b := d.values[e.RegAddrMin]; e.RegAddrMin != 0 {
		d.ToAddress, _ = netip.AddrFromSlice(b)
	}
	if b := d.values[e.RegProtoMin]; e.RegProtoMin != 0 && len(b) >= 2 {
		first := binary.BigEndian.Uint16(b)
		last := first
		if b := d.values[e.RegProtoMax]; e.RegProtoMax != 0 && len(b) >= 2 {
			last = binary.BigEndian.Uint16(b)
		}
		d.ToPorts = portsOf(first, last)
	}
}
