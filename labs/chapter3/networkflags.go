package chapter3

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"sandbox/kernel"
	"sandbox/kernel/container"
	network "sandbox/net"
)

// networkOptions are the flags that say how a container is connected.
type networkOptions struct {
	networks                    []string
	ip, ip6, mac                string
	aliases, links              []string
	dns, dnsSearch, dnsOptions  []string
	hosts, publish, expose, net []string
	publishAll                  bool
}

func (o *networkOptions) addFlags(f *pflag.FlagSet) {
	f.StringArrayVar(&o.networks, "network", nil, "bridge, none (only a loopback), host, container:NAME, or a network of yours: NAME or name=NAME,alias=…,ip=…; several times for several; an ordinary user also has pasta and slirp4netns")
	f.StringArrayVar(&o.net, "net", nil, "the same as --network")
	f.StringArrayVar(&o.aliases, "network-alias", nil, "another name in the network")
	f.StringArrayVar(&o.aliases, "net-alias", nil, "the same as --network-alias")
	f.StringArrayVar(&o.links, "link", nil, "another container, and a name that this one knows it by: NAME[:ALIAS]; in networks of your own containers know each other by name anyway")
	f.StringVar(&o.ip, "ip", "", "its IPv4 address: in a network with a --subnet of its own")
	f.StringVar(&o.ip6, "ip6", "", "its IPv6 address")
	f.StringVar(&o.mac, "mac-address", "", "its MAC address: 02:42:ac:11:00:09")
	f.StringArrayVar(&o.dns, "dns", nil, "a server to ask for names")
	f.StringArrayVar(&o.dnsSearch, "dns-search", nil, "a domain that short names are completed with (. for none)")
	f.StringArrayVar(&o.dnsOptions, "dns-option", nil, "an option of resolv.conf(5): ndots:2")
	f.StringArrayVar(&o.dnsOptions, "dns-opt", nil, "the same as --dns-option")
	f.StringArrayVar(&o.hosts, "add-host", nil, "a line of /etc/hosts: NAME:ADDRESS, or NAME:host-gateway")
	f.StringArrayVarP(&o.publish, "publish", "p", nil, "a port of the host that leads to one of the container: [[ADDRESS:]HOSTPORT:]PORT[/udp], or ranges; or published=PORT,target=PORT")
	f.BoolVarP(&o.publishAll, "publish-all", "P", false, "a port of the host for each that the image exposes")
	f.StringArrayVar(&o.expose, "expose", nil, "a port that the container listens on: 80, 53/udp, 8000-8010")
	for _, name := range []string{"net", "net-alias", "dns-opt"} {
		f.MarkHidden(name)
	}
}

// mode is the first network's name, which stands for how the container is connected at all; "" for the default.
func (o *networkOptions) mode() string {
	if all := o.all(); len(all) > 0 {
		a, err := parseAttachment(all[0])
		if err == nil {
			return a.Name
		}
	}
	return ""
}

func (o *networkOptions) all() []string {
	return append(o.networks[:len(o.networks):len(o.networks)], o.net...)
}

// checkMode refuses what a container cannot have in another one's network.
func (o *networkOptions) checkMode() error {
	if !strings.HasPrefix(o.mode(), "container:") {
		return nil
	}
	switch {
	case len(o.dns)+len(o.dnsSearch)+len(o.dnsOptions) > 0:
		return kernel.Advise(errors.New("conflicting options: dns and the network mode"), "a container in another one's network has that one's resolv.conf: give it --dns, --dns-search and --dns-option")
	case len(o.hosts) > 0:
		return kernel.Advise(errors.New("conflicting options: custom host-to-IP mapping and the network mode"), "a container in another one's network has that one's /etc/hosts: give it --add-host")
	case len(o.expose) > 0:
		return kernel.Advise(errors.New("conflicting options: port exposing and the container type network mode"), "expose the ports of the container whose network it is")
	}
	return nil
}

// attachments are the networks, with what is asked for in each.
func (o *networkOptions) attachments() ([]container.Attachment, error) {
	var list []container.Attachment
	for _, text := range o.all() {
		a, err := parseAttachment(text)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	alone := container.Attachment{Aliases: o.aliases, MAC: o.mac}
	var err error
	if alone.Links, err = parseLinks(o.links); err != nil {
		return nil, err
	}
	if alone.IPv4, err = parseAddress("--ip", o.ip, false); err != nil {
		return nil, err
	}
	if alone.IPv6, err = parseAddress("--ip6", o.ip6, true); err != nil {
		return nil, err
	}
	if len(alone.Aliases) == 0 && len(alone.Links) == 0 && alone.MAC == "" && !alone.IPv4.IsValid() && !alone.IPv6.IsValid() {
		return list, nil
	}
	switch {
	case len(list) > 1:
		return nil, kernel.Advise(errors.New("conflicting options: --ip, --ip6, --mac-address, --network-alias and --link do not say which of the networks they are for"),
			"--network name=NAME,ip=…,alias=…   says so")
	case len(list) == 0:
		alone.Name = "default"
	case strings.Contains(o.all()[0], "="):
		return nil, kernel.Advise(errors.New("conflicting options: --ip, --ip6, --mac-address, --network-alias or --link beside --network name=…"), "write all of it into --network name=NAME,ip=…,alias=…")
	default:
		alone.Name = list[0].Name
	}
	return []container.Attachment{alone}, nil
}

// parseAttachment reads NAME, or name=NAME,alias=…,ip=…
func parseAttachment(text string) (a container.Attachment, err error) {
	if !strings.Contains(text, "=") {
		if text == "" {
			return a, kernel.Advise(errors.New("--network names no network"), "sandbox network ls   lists them")
		}
		return container.Attachment{Name: text}, nil
	}
	for _, part := range strings.Split(text, ",") {
		key, value, _ := strings.Cut(part, "=")
		switch key {
		case "name":
			a.Name = value
		case "alias":
			a.Aliases = append(a.Aliases, value)
		case "ip":
			a.IPv4, err = parseAddress(key, value, false)
		case "ip6":
			a.IPv6, err = parseAddress(key, value, true)
		case "mac-address":
			a.MAC = value
		case "gw-priority":
			if a.Priority, err = strconv.Atoi(value); err != nil {
				err = kernel.Advise(fmt.Errorf("invalid gw-priority %q: it is no number", value), "gw-priority=1: of several networks the one with the highest number is the way to everywhere")
			}
		case "driver-opt":
			name, setting, _ := strings.Cut(value, "=")
			a.Options = withPair(a.Options, name, setting)
		default:
			err = kernel.Advise(fmt.Errorf("invalid field %q of --network", key), "name=, alias=, ip=, ip6=, mac-address=, gw-priority= or driver-opt=")
		}
		if err != nil {
			return a, err
		}
	}
	if a.Name == "" {
		return a, kernel.Advise(fmt.Errorf("--network %s names no network", text), "name=NAME")
	}
	return a, nil
}

func parseLinks(texts []string) (links []container.Link, err error) {
	for _, text := range texts {
		l, err := container.ParseLink(text)
		if err != nil {
			return nil, err
		}
		links = append(links, l)
	}
	return links, nil
}

func parseAddress(flag, text string, v6 bool) (netip.Addr, error) {
	if text == "" {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Is6() != v6 {
		family, example := "IPv4", "172.28.0.9"
		if v6 {
			family, example = "IPv6", "fd00::9"
		}
		return a, kernel.Advise(fmt.Errorf("invalid %s: %q is no %s address", flag, text, family), "%s %s", flag, example)
	}
	return a, nil
}

// apply puts them into what a container is asked to be.
func (o *networkOptions) apply(req *container.Request) (err error) {
	if req.Networks, err = o.attachments(); err != nil {
		return err
	}
	hc := &req.HostConfig
	if hc.NetworkMode = o.mode(); len(req.Networks) > 0 && hc.NetworkMode == "" {
		hc.NetworkMode = "default"
	}
	if err := o.checkNames(); err != nil {
		return err
	}
	for i, line := range o.hosts {
		o.hosts[i] = plainHost(line)
	}
	hc.Dns, hc.DnsSearch, hc.DnsOptions, hc.ExtraHosts, hc.PublishAllPorts = o.dns, o.dnsSearch, o.dnsOptions, o.hosts, o.publishAll
	if req.Config.ExposedPorts, err = exposed(o.expose); err != nil {
		return err
	}
	hc.PortBindings, err = container.ParsePublish(o.publish)
	for name := range hc.PortBindings {
		if req.Config.ExposedPorts == nil {
			req.Config.ExposedPorts = map[string]struct{}{}
		}
		req.Config.ExposedPorts[name] = struct{}{}
	}
	return err
}

// checkNames looks at what names are to be known, and who is to be asked for others. What host-gateway stands for is found out when the
// container has a network.
func (o *networkOptions) checkNames() error {
	for _, server := range o.dns {
		if _, err := network.NameServerFlag(server); err != nil {
			return err
		}
	}
	for _, domain := range o.dnsSearch {
		if _, err := network.SearchFlag(domain); err != nil {
			return err
		}
	}
	for _, line := range o.hosts {
		if _, err := network.ExtraHost(line, []netip.Addr{netip.IPv4Unspecified()}); err != nil {
			return err
		}
	}
	return nil
}

// plainHost is a line of --add-host as Docker keeps it, NAME:ADDRESS, without an equals sign and without brackets.
func plainHost(line string) string {
	i := strings.IndexAny(line, ":=")
	return line[:i] + ":" + strings.TrimSuffix(strings.TrimPrefix(line[i+1:], "["), "]")
}
