package container

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"golang.org/x/sys/unix"

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

// writeEtc makes them for a start, as far as they are not what they should be already. Where the disk is full they are written over
// in their places.
func (e *Engine) writeEtc(r *Record) error {
	if joinedID(r.HostConfig.NetworkMode) != "" {
		return nil
	}
	why := kernel.Why{EN: "files of this container's own in /etc: its name, the names that it knows, and whom it asks for others", ZH: "这个容器自己的几个 /etc 文件：主机名、认识的名字，以及去问谁"}
	for _, file := range etcFiles {
		path, text := e.etcDir(r)+"/"+file, e.etcContent(r, file)
		old, err := os.ReadFile(path)
		if err == nil && string(old) == text {
			continue
		}
		err = e.Door.Do(kernel.Step{Effect: kernel.ReplaceFile{Path: path, Data: []byte(text), Mode: 0o644}, Section: "3.6", Why: why})
		if errors.Is(err, unix.ENOSPC) && old != nil {
			err = e.rewriteEtc(file, path, text)
		}
		if err != nil {
			return err
		}
		why = kernel.Why{}
	}
	return nil
}

func (e *Engine) etcContent(r *Record, file string) string {
	switch {
	case file == "hostname":
		return network.Hostname(r.Config.Hostname)
	case file == "hosts" && r.HostConfig.NetworkMode == "host":
		data, _ := os.ReadFile("/etc/hosts")
		return string(data) + r.extraHosts()
	case file == "hosts":
		return network.Hosts(r.ownAddresses(), r.Config.Hostname, r.Config.Domainname, append(r.extraLines(), e.linkLines(r)...))
	case r.HostConfig.NetworkMode == "host":
		return r.dns().ForHost()
	case r.Userland != nil:
		return r.dns().ForUserland(userlandDNS)
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
	switch {
	case r.Userland != nil:
		list = []netip.Addr{userlandAddress.Addr()}
	case len(r.Networks) == 0:
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
	switch {
	case r.HostConfig.NetworkMode == "host":
		gateways = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	case r.Userland != nil:
		gateways = hostAddresses()
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
