package resolver

import (
	"net/netip"
	"os"
	"sync"

	network "sandbox/net"
)

// dnsPort is where name servers are.
const dnsPort = 53

// Ask asks these servers.
func Ask(servers []netip.Addr) func() []netip.AddrPort {
	endpoints := ports(servers)
	return func() []netip.AddrPort { return endpoints }
}

// AskLikeHost asks those that the host asks: the file, /etc/resolv.conf, is read when it is needed and has changed, since the
// host may move from one network to another while the container runs.
func AskLikeHost(file string) func() []netip.AddrPort {
	var mu sync.Mutex
	var last version
	var servers []netip.AddrPort
	return func() []netip.AddrPort {
		mu.Lock()
		defer mu.Unlock()
		now := look(file)
		if now.same(last) {
			return servers
		}
		text, _ := os.ReadFile(file) // there may be none
		last, servers = now, ports(network.ParseResolvConf(string(text)).Servers)
		return servers
	}
}

func ports(addresses []netip.Addr) []netip.AddrPort {
	var list []netip.AddrPort
	for _, a := range addresses {
		list = append(list, netip.AddrPortFrom(a, dnsPort))
	}
	return list
}
