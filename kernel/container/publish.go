package container

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"sandbox/kernel"
)

// ParsePublish reads --publish flags: [[ADDRESS:]HOSTPORT[-LAST]:]PORT[-LAST][/PROTOCOL], or the same in words:
// published=HOSTPORT,target=PORT,protocol=PROTOCOL. Ports of the host that are not named, or are 0, are found when the
// container starts. For one port of the container there may be a range of the host's: the first that is free.
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
	if strings.Contains(text, "=") {
		return parseWords(text)
	}
	return parseColons(text, text)
}

// parseWords reads published=HOSTPORT,target=PORT,protocol=PROTOCOL. mode= is for services, and says nothing of a container.
func parseWords(text string) ([]Port, []PortBinding, error) {
	words := map[string]string{"protocol": "tcp"}
	for _, part := range strings.Split(text, ",") {
		key, value, _ := strings.Cut(part, "=")
		switch value := strings.ToLower(value); {
		case !slices.Contains([]string{"published", "target", "protocol", "mode"}, key):
			return nil, nil, badWords(text, fmt.Sprintf("invalid field %q", key))
		case key == "protocol" && !slices.Contains(protocols, value):
			return nil, nil, badWords(text, fmt.Sprintf("invalid protocol %q", value))
		case key == "mode" && value != "ingress" && value != "host":
			return nil, nil, badWords(text, fmt.Sprintf("invalid mode %q", value))
		}
		words[key] = value
	}
	if words["target"] == "" {
		return nil, nil, badWords(text, "no target: the container's port")
	}
	return parseColons(text, words["published"]+":"+words["target"]+"/"+words["protocol"])
}

// parseColons reads [[ADDRESS:]HOSTPORT:]PORT[/PROTOCOL]; text is what was given.
func parseColons(text, flag string) ([]Port, []PortBinding, error) {
	host, private := cutLast(flag)
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
	if numbers == "" || numbers == "0" && len(ports) == 1 {
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
	return kernel.Advise(fmt.Errorf("invalid --publish %q: %s", text, why), "-p 80 (finds a free port of the host), -p 8080:80, -p 127.0.0.1:8080:80, -p 5353:53/udp or -p 8000-8002:8000-8002; numbers from 1 to 65535")
}

func badWords(text, why string) error {
	return kernel.Advise(fmt.Errorf("invalid --publish %q: %s", text, why), "-p published=8080,target=80, and protocol=tcp, udp or sctp; or in short: -p 8080:80/tcp")
}
