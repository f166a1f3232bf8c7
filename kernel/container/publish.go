package container

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"sandbox/kernel"
)

// ParsePublish reads --publish flags: [[ADDRESS:]HOSTPORT[-LAST]:]PORT[-LAST][/PROTOCOL]. Ports of the host that are not
// named are found when the container starts. For one port of the container there may be a range of the host's: the first
// that is free.
func ParsePublish(flags []string) (map[string][]PortBinding, error) {
	all := map[string][]PortBinding{}
	for _, text := range flags {
		ports, bindings, err := parsePublish(text)
		if err != nil {
			return nil, err
		}
		for i, p := range ports {
			all[p.Name()] = append(all[p.Name()], bindings[i])
		}
	}
	return all, nil
}

func parsePublish(text string) ([]Port, []PortBinding, error) {
	host, private := cutLast(text)
	ports, err := ParsePorts(private)
	if err != nil {
		return nil, nil, badPublish(text, err.Error())
	}
	bindings := make([]PortBinding, len(ports))
	if host == "" {
		return ports, bindings, nil
	}
	address, numbers := cutLast(host)
	if strings.HasPrefix(host, "[") || address == "" && strings.Contains(host, ".") { // an address alone
		if end := strings.LastIndex(host, "]"); end == len(host)-1 || address == "" && end < 0 {
			address, numbers = host, ""
		}
	}
	address = strings.TrimSuffix(strings.TrimPrefix(address, "["), "]")
	if address != "" {
		if _, err := netip.ParseAddr(address); err != nil {
			return nil, nil, badPublish(text, fmt.Sprintf("%q is no address of this machine", address))
		}
	}
	if numbers == "" {
		for i := range bindings {
			bindings[i].HostIP = address
		}
		return ports, bindings, nil
	}
	first, last, err := portRange(numbers)
	switch {
	case err != nil:
		return nil, nil, badPublish(text, fmt.Sprintf("invalid port %q", numbers))
	case len(ports) == 1 && first != last:
		bindings[0] = PortBinding{HostIP: address, HostPort: numbers}
	case int(last-first)+1 != len(ports):
		return nil, nil, badPublish(text, fmt.Sprintf("%d ports of the host for %d of the container", last-first+1, len(ports)))
	default:
		for i := range bindings {
			bindings[i] = PortBinding{HostIP: address, HostPort: strconv.Itoa(int(first) + i)}
		}
	}
	return ports, bindings, nil
}

// cutLast cuts at the last colon that is not within brackets.
func cutLast(s string) (before, after string) {
	i := strings.LastIndex(s, ":")
	if i < 0 || i < strings.LastIndex(s, "]") {
		return "", s
	}
	return s[:i], s[i+1:]
}

// portRange reads 8000 or 8000-8010.
func portRange(text string) (first, last uint16, err error) {
	from, to, isRange := strings.Cut(text, "-")
	if !isRange {
		to = from
	}
	a, err1 := strconv.ParseUint(from, 10, 16)
	b, err2 := strconv.ParseUint(to, 10, 16)
	if err1 != nil || err2 != nil || a == 0 || b < a {
		return 0, 0, strconv.ErrRange
	}
	return uint16(a), uint16(b), nil
}

func badPublish(text, why string) error {
	return kernel.Advise(fmt.Errorf("invalid --publish %q: %s", text, why), "-p 8080:80, -p 127.0.0.1:8080:80, -p 5353:53/udp or -p 8000-8002:8000-8002; numbers from 1 to 65535")
}
