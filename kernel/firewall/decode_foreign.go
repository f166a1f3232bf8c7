package firewall

import (
	"encoding/binary"
	"fmt"

	"github.com/google/nftables/xt"
)

// Rules of others', as far as they are common. Rule has no fields for what they say; it is only printed.

func (d *decoder) foreignMatch(name string, info []byte) {
	switch {
	case name == "mark" && len(info) >= 9: // struct xt_mark_mtinfo1
		d.mark(info[:4], info[4:8], info[8] != 0)
	case (name == "icmp" || name == "icmp6") && len(info) >= 4: // struct ipt_icmp, ip6t_icmp: type, from which code, to which code, inverted
		d.icmp(name, info)
	default:
		d.unknown(name)
	}
}

func (d *decoder) mark(value, mask []byte, not bool) {
	if len(value) != 4 {
		d.unknown("mark")
		return
	}
	text := fmt.Sprintf("%#x", binary.NativeEndian.Uint32(value))
	if len(mask) == 4 && binary.NativeEndian.Uint32(mask) != 0xffffffff {
		text += fmt.Sprintf("/%#x", binary.NativeEndian.Uint32(mask))
	}
	d.Known = false
	d.words.add("-m", "mark")
	d.words.not(not)
	d.words.add("--mark", text)
}

func (d *decoder) icmp(name string, info []byte) {
	d.Known = false
	d.words.add("-m", name)
	d.words.not(info[3] != 0)
	kind := fmt.Sprint(info[0])
	switch {
	case name == "icmp" && info[0] == 0xff:
		kind = "any"
	case info[1] != 0 || info[2] != 0xff:
		kind += fmt.Sprintf("/%d", info[1])
	}
	d.words.add(map[string]string{"icmp": "--icmp-type", "icmp6": "--icmpv6-type"}[name], kind)
}

// conntrack of which only the state is looked at; by the option --ctstate, or the older --state.
func (d *decoder) conntrack(info *xt.ConntrackMtinfo3) {
	const alias = uint16(xt.ConntrackStateAlias)
	switch {
	case info.MatchFlags == uint16(xt.ConntrackState) && info.InvertFlags == 0:
		d.State = State(info.StateMask)
	case info.MatchFlags&^alias != uint16(xt.ConntrackState):
		d.unknown("conntrack")
	default:
		d.Known = false
		option := [2]string{"conntrack", "--ctstate"}
		if info.MatchFlags&alias != 0 {
			option = [2]string{"state", "--state"}
		}
		d.words.add("-m", option[0])
		d.words.not(info.InvertFlags&uint16(xt.ConntrackState) != 0)
		d.words.add(option[1], State(info.StateMask).String())
	}
}

// rejections by their numbers: enum ipt_reject_with and ip6t_reject_with.
var rejections = map[Family][]string{
	IPv4: {"icmp-net-unreachable", "icmp-host-unreachable", "icmp-proto-unreachable", "icmp-port-unreachable", "echo-reply", "icmp-net-prohibited", "icmp-host-prohibited", "tcp-reset", "icmp-admin-prohibited"},
	IPv6: {"icmp6-no-route", "icmp6-adm-prohibited", "icmp6-not-neighbour", "icmp6-addr-unreachable", "icmp6-port-unreachable", "icmp6-echo-reply", "tcp-reset", "icmp6-policy-fail", "icmp6-reject-route"},
}

func (d *decoder) foreignTarget(name string, info []byte) {
	d.Known = false
	d.end.add("-j", name)
	if list := rejections[d.Family]; name == "REJECT" && len(info) >= 4 && int(binary.NativeEndian.Uint32(info)) < len(list) {
		d.end.add("--reject-with", list[binary.NativeEndian.Uint32(info)])
		return
	}
	if name == "MARK" && len(info) >= 8 { // struct xt_mark_tginfo2
		d.end.add("--set-xmark", fmt.Sprintf("%#x/%#x", binary.NativeEndian.Uint32(info), binary.NativeEndian.Uint32(info[4:])))
		return
	}
	d.end.add("[…]")
}
