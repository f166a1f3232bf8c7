package container

import (
	"fmt"
	"net/netip"
	"os"
	"strings"

	"sandbox/kernel"
	network "sandbox/net"
)

// etcFiles are made for each container, in its directory on the host, and mounted over the image's.
var etcFiles = []string{"hostname", "hosts", "resolv.conf"}

// etcDir is where a container's own files of /etc are. Containers that share a network share them: they are one machine in it.
func (e *Engine) etcDir(r *Record) string {
	if id := joinedID(r.HostConfig.NetworkMode); id != "" {
		return e.Paths.dir(id)
	}
	return e.Paths.dir(r.ID)
}

// writeEtc makes them for a start.
func (e *Engine) writeEtc(r *Record) error {
	if joinedID(r.HostConfig.NetworkMode) != "" {
		return nil
	}
	var steps []kernel.Step
	for _, file := range etcFiles {
		steps = append(steps, kernel.Because(kernel.ReplaceFile{Path: e.etcDir(r) + "/" + file, Data: []byte(e.etcContent(r, file)), Mode: 0o644}, "", ""))
	}
	steps[0].Why = kernel.Why{EN: "files of this container's own in /etc: its name, the names that it knows, and whom it asks for others", ZH: "这个容器自己的几个 /etc 文件：主机名、认识的名字，以及去问谁"}
	return e.Door.Do(kernel.In("3.6", steps...)...)
}

func (e *Engine) etcContent(r *Record, file string) string {
	switch {
	case file == "hostname":
		return network.Hostname(r.Config.Hostname)
	case file == "hosts" && r.HostConfig.NetworkMode == "host":
		data, _ := os.ReadFile("/etc/hosts")
		return string(data) + r.extraHosts()
	case file == "hosts":
		return network.Hosts(r.ownAddresses(), r.Config.Hostname, r.Config.Domainname, r.extraLines())
	case r.HostConfig.NetworkMode == "host":
		return r.dns().ForHost()
	case len(r.Networks) == 0:
		return "# no network: nobody to ask for names\n"
	case r.needsResolver():
		text, _ := r.dns().ForNetwork(r.hasIPv6())
		return text
	}
	return r.dns().ForBridge(r.hasIPv6())
}

// ownAddresses are those that its name stands for in /etc/hosts. Without a network that is the loopback.
func (r *Record) ownAddresses() (list []netip.Addr) {
	for _, a := range r.Networks {
		if a.Endpoint != nil {
			list = append(list, addressesOf(*a.Endpoint)...)
		}
	}
	if len(r.Networks) == 0 {
		list = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	return list
}

func (r *Record) hasIPv6() bool {
	for _, a := range r.Networks {
		if a.Endpoint != nil && a.Endpoint.IPv6.IsValid() {
			return true
		}
	}
	return false
}

// extraLines are those of --add-host. host-gateway stands for the host as the container reaches it.
func (r *Record) extraLines() (lines []network.HostLine) {
	var gateways []netip.Addr
	for _, a := range r.Networks {
		for _, text := range []string{a.Gateway, a.Gateway6} {
			if gateway, err := netip.ParseAddr(text); err == nil {
				gateways = append(gateways, gateway)
			}
		}
	}
	if r.HostConfig.NetworkMode == "host" {
		gateways = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	for _, text := range r.HostConfig.ExtraHosts {
		if more, err := network.ExtraHost(text, gateways); err == nil {
			lines = append(lines, more...)
		}
	}
	return lines
}

func (r *Record) extraHosts() string {
	var b strings.Builder
	for _, l := range r.extraLines() {
		fmt.Fprintf(&b, "%s\t%s\n", l.Address, l.Names)
	}
	return b.String()
}

// dns is whom the container asks for names: as the host does, but for what flags say.
func (r *Record) dns() network.ResolvConf {
	text, _ := os.ReadFile("/etc/resolv.conf")
	flags := network.DNS{Search: r.HostConfig.DnsSearch, Options: r.HostConfig.DnsOptions}
	for _, server := range r.HostConfig.Dns {
		if a, err := netip.ParseAddr(server); err == nil {
			flags.Servers = append(flags.Servers, a)
		}
	}
	return network.ParseResolvConf(string(text)).With(flags)
}
