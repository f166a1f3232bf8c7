package network

import (
	"net/netip"

	"sandbox/kernel"
	"sandbox/kernel/firewall"
)

// NameRules lead what is asked at 127.0.0.11 to the ports that the resolver has there. It does not have port 53 itself: that stays free for
// a name server that the container may be itself, at all of its addresses. They are for the container's network namespace.
func NameRules(packet, stream uint16) []kernel.Step {
	p := &planner{family: firewall.IPv4}
	server := netip.MustParseAddr(NameServer)
	for _, way := range []struct {
		protocol string
		port     uint16
	}{{"udp", packet}, {"tcp", stream}} {
		p.add("nat", "OUTPUT", firewall.Rule{
			To: firewall.Prefix{Prefix: netip.PrefixFrom(server, 32)}, Protocol: way.protocol, Ports: firewall.Port(53),
			Comment: tag, Target: "DNAT", ToAddress: server, ToPorts: firewall.Port(way.port),
		}, "port 53 itself stays free, should the container be a name server", "53 端口本身留着不占：容器自己也可能是域名服务器")
	}
	return p.steps
}
