package container

import (
	"fmt"
	"strconv"
)

// NetworkSettings is what `inspect` shows of a container's place in networks.
type NetworkSettings struct {
	SandboxKey  string // the network namespace
	Ports       map[string][]PortBinding
	IPAddress   string
	IPPrefixLen int
	Gateway     string
	MacAddress  string
	Networks    map[string]Endpoint
}

// Endpoint is a container's place in one network.
type Endpoint struct {
	MacAddress  string
	NetworkID   string
	EndpointID  string
	Gateway     string
	IPAddress   string
	IPPrefixLen int
	DNSNames    []string
}

// NetworkSettings follow from the mode and from what is exposed.
func (r *Record) NetworkSettings() NetworkSettings {
	s := NetworkSettings{Ports: map[string][]PortBinding{}, Networks: map[string]Endpoint{}}
	if joinedID(r.HostConfig.NetworkMode) == "" { // otherwise the other container is in networks
		s.Networks[r.HostConfig.NetworkMode] = Endpoint{}
	}
	if r.State.Pid != 0 {
		s.SandboxKey = fmt.Sprintf("/proc/%d/ns/net", r.State.Pid)
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
