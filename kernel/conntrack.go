package kernel

import (
	"net/netip"
	"strconv"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Flow is one that the kernel remembers (conntrack), by its first packet: those that follow are treated as that one was, whatever the rules
// say by now.
type Flow struct {
	Protocol string // tcp, udp or sctp
	From, To netip.AddrPort
}

var protocols = map[string]uint8{"tcp": unix.IPPROTO_TCP, "udp": unix.IPPROTO_UDP, "sctp": unix.IPPROTO_SCTP}

// Flows are those to a port. A kernel that does not tell of them (nf_conntrack_netlink) has none here.
func Flows(protocol string, port uint16) (list []Flow) {
	for _, family := range []netlink.InetFamily{unix.AF_INET, unix.AF_INET6} {
		flows, err := netlink.ConntrackTableList(netlink.ConntrackTable, family)
		if err != nil {
			continue
		}
		for _, f := range flows {
			if f.Forward.Protocol == protocols[protocol] && f.Forward.DstPort == port {
				list = append(list, flowOf(protocol, f))
			}
		}
	}
	return list
}

func flowOf(protocol string, f *netlink.ConntrackFlow) Flow {
	from, _ := netip.AddrFromSlice(f.Forward.SrcIP)
	to, _ := netip.AddrFromSlice(f.Forward.DstIP)
	return Flow{protocol, netip.AddrPortFrom(from.Unmap(), f.Forward.SrcPort), netip.AddrPortFrom(to.Unmap(), f.Forward.DstPort)}
}

// FlowDel has the kernel forget a flow: IPCTNL_MSG_CT_DELETE. The next packet is a first one again.
type FlowDel struct{ Flow }

// Call as the message; the text form is that of conntrack(8).
func (f FlowDel) Call() Call {
	return netlinkCall("IPCTNL_MSG_CT_DELETE", []string{"conntrack", "-D", "-p", f.Protocol, "-s", f.From.Addr().String(), "-d", f.To.Addr().String(),
		"--sport", strconv.Itoa(int(f.From.Port())), "--dport", strconv.Itoa(int(f.To.Port()))})
}

func (f FlowDel) compile(*compiler) { panic("kernel: flows are forgotten by the parent") }

func (f FlowDel) performInGo() (int, error) {
	family := netlink.InetFamily(unix.AF_INET)
	if f.To.Addr().Is6() {
		family = unix.AF_INET6
	}
	n, err := netlink.ConntrackDeleteFilters(netlink.ConntrackTable, family, f)
	if err == nil && n == 0 {
		err = unix.ENOENT
	}
	return 0, err
}

// MatchConntrackFlow is for the library, which asks it of each flow that there is.
func (f FlowDel) MatchConntrackFlow(flow *netlink.ConntrackFlow) bool {
	return flow.Forward.Protocol == protocols[f.Protocol] && flowOf(f.Protocol, flow) == f.Flow
}
