package container

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"sandbox/kernel"
	network "sandbox/net"
)

// Links are of the days before networks of one's own: --link NAME[:ALIAS] makes one container know another one. On the default network,
// which has no names, the other one has to run, and its address goes into /etc/hosts and into variables of the environment. In a network
// with names a link is another name, for the linking container only, and the name server finds out whose it is when it is asked.

// Link is one --link.
type Link struct {
	Name      string // of the other container
	Alias     string
	Container string `json:",omitempty"` // its ID: on the default network only
}

// ParseLink reads NAME or NAME:ALIAS.
func ParseLink(text string) (Link, error) {
	name, alias, both := strings.Cut(text, ":")
	name = strings.TrimPrefix(name, "/")
	alias = alias[strings.LastIndexByte(alias, '/')+1:] // as `inspect` shows it: /db:/web/store
	if !both {
		alias = name
	}
	if name == "" || alias == "" || strings.ContainsAny(alias, ": \t\n") {
		return Link{}, kernel.Advise(fmt.Errorf("bad format for links: %q", text), "--link db, or --link db:store")
	}
	return Link{Name: name, Alias: alias}, nil
}

func (l Link) String() string { return l.Name + ":" + l.Alias }

// checkNoLinks refuses links where there is no network of the container's own.
func (r *Record) checkNoLinks(asked []Attachment) error {
	for _, a := range asked {
		if len(a.Links) > 0 {
			return kernel.Advise(fmt.Errorf("conflicting options: network mode %s can't be used with links", r.HostConfig.NetworkMode), "--add-host NAME:ADDRESS   makes it know a name")
		}
	}
	return nil
}

// resolveLinks finds the containers that are linked to, where their addresses have to be known.
func (e *Engine) resolveLinks(n *network.Network, a *Attachment) error {
	if !n.IsDefault() {
		return nil
	}
	a.Links = slices.Clone(a.Links)
	for i, l := range a.Links {
		other, err := e.Get(l.Name)
		if err != nil {
			return fmt.Errorf("could not get container for %s: %w", l.Name, err)
		}
		a.Links[i].Container, a.Links[i].Name = other.ID, other.PlainName()
	}
	return nil
}

// linked are the containers that a container on the default network is linked to; an error if one cannot be.
func (e *Engine) linked(r *Record) (list []*Record, links []Link, err error) {
	for _, a := range r.Networks {
		for _, l := range a.Links {
			if l.Container == "" {
				continue
			}
			other, err := e.Paths.load(l.Container)
			if err != nil {
				return nil, nil, kernel.Advise(fmt.Errorf("cannot link to %s AS %s: there is no such container any more", l.Name, l.Alias), "make both anew: a link is to one container, not to a name")
			}
			if !other.State.Running {
				//lint:ignore ST1005 these are Docker's words
				return nil, nil, kernel.Advise(fmt.Errorf("Cannot link to a non running container: %s AS %s", other.PlainName(), l.Alias), "sandbox start %s   first", other.PlainName())
			}
			if !other.linkAddress().IsValid() {
				//lint:ignore ST1005 these, too
				return nil, nil, kernel.Advise(fmt.Errorf("Cannot link to %s, as it does not belong to the default network", other.PlainName()),
					"sandbox network create NAME, and --network NAME for both: there containers know each other by name")
			}
			list, links = append(list, other), append(links, l)
		}
	}
	return list, links, nil
}

// LinksShown are those on the default network as Docker shows them: /db:/web/store.
func (r *Record) LinksShown() (list []string) {
	for _, a := range r.Networks {
		for _, l := range a.Links {
			if l.Container != "" {
				list = append(list, "/"+l.Name+":"+r.Name+"/"+l.Alias)
			}
		}
	}
	return list
}

// linkLines are the lines of /etc/hosts for links on the default network.
func (e *Engine) linkLines(r *Record) (lines []network.HostLine) {
	others, links, _ := e.linked(r)
	for i, other := range others {
		lines = append(lines, network.HostLine{Address: other.linkAddress(), Names: links[i].names(other)})
	}
	return lines
}

// linkAddress is the address that others reach it at on the default network.
func (r *Record) linkAddress() (address netip.Addr) {
	for _, a := range r.Networks {
		if a.Name == network.Default && a.Endpoint != nil {
			address = a.Endpoint.IPv4.Addr()
		}
	}
	return address
}

// names by which the linking container knows the other one: the alias, its host name, and its name.
func (l Link) names(other *Record) string {
	names := l.Alias + " " + other.Config.Hostname
	if name := other.PlainName(); name != l.Alias {
		names += " " + name
	}
	return names
}

// linkVariables are the variables that tell of links on the default network: where the other one's ports are, and what it has in its
// own environment.
func (e *Engine) linkVariables(r *Record) (variables []string, err error) {
	others, links, err := e.linked(r)
	for i, other := range others {
		variables = append(variables, links[i].variables(r, other)...)
	}
	return variables, err
}

func (l Link) variables(r, other *Record) []string {
	prefix := strings.ToUpper(strings.ReplaceAll(l.Alias, "-", "_"))
	list := []string{prefix + "_NAME=" + r.Name + "/" + l.Alias}
	address := other.linkAddress().String()
	ports := slices.SortedFunc(slices.Values(other.exposed()), func(a, b Port) int {
		return cmp.Or(int(a.Private)-int(b.Private), strings.Compare(a.Protocol, b.Protocol))
	})
	for i, p := range ports {
		number := strconv.Itoa(int(p.Private))
		url := p.Protocol + "://" + address + ":" + number
		if i == 0 {
			list = append(list, prefix+"_PORT="+url)
		}
		port := prefix + "_PORT_" + number + "_" + strings.ToUpper(p.Protocol)
		list = append(list, port+"="+url, port+"_ADDR="+address, port+"_PORT="+number, port+"_PROTO="+p.Protocol)
	}
	for _, assignment := range other.Config.Env {
		if name, _, _ := strings.Cut(assignment, "="); name != "HOME" && name != "PATH" {
			list = append(list, prefix+"_ENV_"+assignment)
		}
	}
	return list
}

// exposed are the ports that a container listens on, as far as its image and its flags say so.
func (r *Record) exposed() (list []Port) {
	for name := range r.Config.ExposedPorts {
		list = append(list, portsOf(name)...)
	}
	return list
}

// aliases are the links in a network with names, for its name server.
func aliases(links []Link) map[string]string {
	if len(links) == 0 {
		return nil
	}
	byAlias := map[string]string{}
	for _, l := range links {
		byAlias[strings.ToLower(l.Alias)] = strings.ToLower(l.Name)
	}
	return byAlias
}

// relink tells the containers that are linked to one, which has come again with another address.
func (e *Engine) relink(r *Record, old netip.Addr) error {
	var failures []error
	for _, other := range e.Peek() {
		if !other.State.Running || !slices.ContainsFunc(other.Networks, func(a Attachment) bool {
			return slices.ContainsFunc(a.Links, func(l Link) bool { return l.Container == r.ID })
		}) {
			continue
		}
		failures = append(failures, e.editHosts(other, func(lines []string) []string {
			for i, line := range lines {
				if names, ok := strings.CutPrefix(line, old.String()+"\t"); ok {
					lines[i] = r.linkAddress().String() + "\t" + names
				}
			}
			return lines
		}))
	}
	return errors.Join(failures...)
}
