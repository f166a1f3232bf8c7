package container

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"

	network "sandbox/net"
)

// NetworkSettings is what `inspect` shows of a container's place in networks, field by field in Docker's order. The addresses at its
// top are those in the default network.
type NetworkSettings struct {
	Bridge                 string
	SandboxID              string // of this run of the container
	SandboxKey             string // its network namespace
	Ports                  map[string][]PortBinding
	HairpinMode            bool
	LinkLocalIPv6Address   string
	LinkLocalIPv6PrefixLen int
	SecondaryIPAddresses   []string
	SecondaryIPv6Addresses []string
	EndpointID             string
	Gateway                string
	GlobalIPv6Address      string
	GlobalIPv6PrefixLen    int
	IPAddress              string
	IPPrefixLen            int
	IPv6Gateway            string
	MacAddress             string
	Networks               map[string]Endpoint
}

// Endpoint is a container's place in one network.
type Endpoint struct {
	IPAMConfig          *IPAMConfig // what was asked for
	Links               []string
	Aliases             []string
	MacAddress          string
	DriverOpts          map[string]string
	GwPriority          int
	NetworkID           string
	EndpointID          string
	Gateway             string
	IPAddress           string
	IPPrefixLen         int
	IPv6Gateway         string
	GlobalIPv6Address   string
	GlobalIPv6PrefixLen int
	DNSNames            []string
}

// IPAMConfig are the addresses that were asked for.
type IPAMConfig struct {
	IPv4Address string `json:",omitempty"`
	IPv6Address string `json:",omitempty"`
}

// NetworkSettings follow from the record.
func (e *Engine) NetworkSettings(r *Record) NetworkSettings {
	s := NetworkSettings{Ports: map[string][]PortBinding{}, Networks: map[string]Endpoint{}}
	if r.State.Pid != 0 {
		s.SandboxKey = fmt.Sprintf("/proc/%d/ns/net", r.State.Pid)
		run := sha256.Sum256([]byte(r.ID + " " + strconv.FormatUint(r.State.Born, 10)))
		s.SandboxID = hex.EncodeToString(run[:])
	}
	for _, a := range r.Networks {
		s.Networks[a.Name] = a.settings()
		if p := s.Networks[a.Name]; a.Name == network.Default {
			s.EndpointID, s.MacAddress, s.Gateway, s.IPAddress, s.IPPrefixLen = p.EndpointID, p.MacAddress, p.Gateway, p.IPAddress, p.IPPrefixLen
			s.IPv6Gateway, s.GlobalIPv6Address, s.GlobalIPv6PrefixLen = p.IPv6Gateway, p.GlobalIPv6Address, p.GlobalIPv6PrefixLen
		}
	}
	switch mode := r.HostConfig.NetworkMode; mode {
	case "none", "host":
		place := Endpoint{NetworkID: e.Networks().PredefinedID(mode)}
		if r.State.Pid != 0 {
			place.EndpointID = endpointID(r.ID, mode)
		}
		s.Networks[mode] = place
	}
	if r.Userland != nil {
		var place Endpoint
		if r.State.Pid != 0 {
			place = Endpoint{EndpointID: endpointID(r.ID, r.Userland.Program), Gateway: userlandGateway.String(), IPAddress: userlandAddress.Addr().String(), IPPrefixLen: userlandAddress.Bits()}
		}
		s.Networks[r.Userland.Program] = place
	}
	for _, p := range r.Ports() {
		bindings := s.Ports[p.Name()]
		if p.Public != 0 {
			bindings = append(bindings, PortBinding{p.IP, strconv.Itoa(int(p.Public))})
		}
		s.Ports[p.Name()] = bindings
	}
	return s
}

// settings are what was asked for, and, while the container runs, what it has.
func (a *Attachment) settings() Endpoint {
	p := Endpoint{Aliases: a.Aliases, DriverOpts: a.Options, NetworkID: a.Network, GwPriority: a.Priority}
	for _, l := range a.Links {
		if l.Container == "" { // else HostConfig has it
			p.Links = append(p.Links, l.String())
		}
	}
	if a.IPv4.IsValid() || a.IPv6.IsValid() {
		p.IPAMConfig = &IPAMConfig{addressText(a.IPv4), addressText(a.IPv6)}
	}
	if e := a.Endpoint; e != nil {
		p.EndpointID, p.MacAddress, p.Gateway, p.IPv6Gateway, p.DNSNames = e.ID, e.MAC, a.Gateway, a.Gateway6, e.Names
		p.IPAddress, p.IPPrefixLen = addressText(e.IPv4.Addr()), max(0, e.IPv4.Bits())
		p.GlobalIPv6Address, p.GlobalIPv6PrefixLen = addressText(e.IPv6.Addr()), max(0, e.IPv6.Bits())
	}
	return p
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// EtcPath is where one of a container's own files of /etc is on the host: hostname, hosts or resolv.conf; "" before it has run.
func (e *Engine) EtcPath(r *Record, file string) string {
	path := e.etcDir(r) + "/" + file
	if !exists(path) {
		return ""
	}
	return path
}

// NetworkNames are the networks that a container is in, the first one first. One that uses another container's has none.
func (r *Record) NetworkNames() (names []string) {
	for _, a := range r.Networks {
		names = append(names, a.Name)
	}
	if mode := r.HostConfig.NetworkMode; mode == "none" || mode == "host" {
		names = append(names, mode)
	}
	if r.Userland != nil {
		names = append(names, r.Userland.Program)
	}
	return names
}

// InNetwork tells whether a container is in a network, named by its name or the beginning of its ID.
func (e *Engine) InNetwork(r *Record, ref string) bool {
	for name, p := range e.NetworkSettings(r).Networks {
		if name == ref || ref != "" && len(ref) <= len(p.NetworkID) && p.NetworkID[:len(ref)] == ref {
			return true
		}
	}
	return false
}
