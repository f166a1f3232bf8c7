// Package netdraw draws container networks: as text for a terminal (text.go), and as SVG (svg.go). Both draw the same Picture,
// words and numbers that are ready to be written (picture.go makes it from what the engine has seen), and only differ in where
// they put them:
//
//	the host
//	  ├─ bridge ──── cable ──── container
//	  │         └─── cable ──── container
//	  └─ bridge …
//
// A container that is in several networks is drawn once, at the first of them, and the cables of the others lead there.
package netdraw

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"sandbox/kernel"
	"sandbox/kernel/container"
	network "sandbox/net"
	"sandbox/net/walk"
)

// Picture is what there is to draw.
type Picture struct {
	Host       Card
	Networks   []Net
	Containers []Box
	Alone      []Box // containers that no cable leads to
	Notes      []string
}

// Card is a title with lines under it.
type Card struct {
	Title string
	Lines []string
}

// Net is a network.
type Net struct {
	Title  string // bridge
	Detail string // 172.17.0.0/16
	Rules  string // who reaches whom
	Link   Card   // the interface on the host
	Gone   bool   // it is not there
	Cables []Line
}

// Line is a cable from a network to a container's port.
type Line struct {
	Box, Port  int    // of Picture.Containers and of its Ports
	Here       string // the end on the host: 7: veth4f3a2b1@if2
	There      string // the end in the container: 2: eth0@if7
	Broken     bool   // one end is missing, or it is not plugged in
	WhatBroken string
}

// Box is a container, or several in one network namespace.
type Box struct {
	Title     string
	Ports     []Port   // interfaces
	Published []string // 0.0.0.0:8080 → 80/tcp
	Joined    []string // who shares it
	Remark    string
}

// lines are what is written under the interfaces.
func (b Box) lines() []string {
	list := append(append([]string{}, b.Published...), b.Joined...)
	if b.Remark != "" {
		list = append(list, b.Remark)
	}
	return list
}

// Port is an interface of a container.
type Port struct {
	Name      string // eth0
	Addresses []string
	MAC       string
}

// Make makes the picture of what the engine has seen, in a language: zh or en.
func Make(v *container.NetworkView, language string) *Picture {
	m := maker{words: wordsOf(language), view: v}
	p := &Picture{Host: m.host()}
	index := make([]int, len(v.Spaces)) // of each space, its place in p.Containers; -1: not drawn yet
	for i := range index {
		index[i] = -1
	}
	for _, side := range v.Networks {
		n := m.network(side)
		for _, c := range side.Cables {
			if index[c.Space] < 0 {
				index[c.Space] = len(p.Containers)
				p.Containers = append(p.Containers, m.box(v.Spaces[c.Space]))
			}
			n.Cables = append(n.Cables, m.cable(&p.Containers[index[c.Space]], index[c.Space], side, c))
		}
		p.Networks = append(p.Networks, n)
	}
	for i, s := range v.Spaces {
		if index[i] < 0 {
			p.Alone = append(p.Alone, m.box(s))
		}
	}
	for _, s := range v.Stopped {
		p.Notes = append(p.Notes, fmt.Sprintf("%s (%s)", s.Name, strings.Join(s.Networks, ", ")))
	}
	if len(p.Notes) > 0 {
		p.Notes = []string{m.stopped + strings.Join(p.Notes, m.comma)}
	}
	return p
}

type maker struct {
	words
	view *container.NetworkView
}

func (m maker) host() Card {
	h := m.view.Host
	card := Card{Title: "host " + h.Name}
	for _, i := range h.Interfaces {
		line := i.Link.IPName()
		for _, a := range i.Addresses {
			line += "  " + a.String()
		}
		for _, r := range h.Routes {
			if r.Interface == i.Index {
				line += "  " + m.everywhere(r)
			}
		}
		if i.Kind != "" && i.Kind != "device" {
			line += "  (" + i.Kind + ")"
		}
		if !i.Up {
			line += "  " + m.down
		}
		card.Lines = append(card.Lines, line)
	}
	card.Lines = append(card.Lines, m.forwarding(h.Forwards))
	if len(h.Containers) > 0 {
		card.Lines = append(card.Lines, m.onHost+strings.Join(h.Containers, m.comma))
	}
	return card
}

// everywhere is a route to all addresses.
func (m maker) everywhere(r kernel.Route) string {
	if r.Via.IsValid() {
		return "default via " + r.Via.String()
	}
	return "default"
}

func (m maker) network(side container.NetworkSide) Net {
	n := Net{Title: side.Network.Name, Gone: side.Link == nil}
	var subnets []string
	for _, p := range side.Network.IPAM.Config {
		subnets = append(subnets, p.Subnet.String())
	}
	if side.Network.Driver != network.Bridge {
		subnets = append(subnets, side.Network.Driver)
	}
	n.Detail = strings.Join(subnets, "  ")
	if side.Link == nil {
		n.Link = Card{Title: cmpOr(side.Network.Parent(), side.Network.Bridge()), Lines: []string{m.notThere}}
		if len(side.Cables) == 0 && side.Network.Driver == network.Bridge {
			n.Link.Lines = append(n.Link.Lines, m.madeLater)
		}
		return n
	}
	n.Link = m.link(side)
	n.Rules = m.reach(side.Reach)
	return n
}

// reach says who the containers of a network can speak to.
func (m maker) reach(r walk.Reach) string {
	if !r.Known {
		return ""
	}
	outside := m.no
	switch {
	case r.Outside && r.As != "":
		outside = m.asHost
	case r.Outside:
		outside = m.yes
	case r.NoRoute:
		outside = m.noRoute
	}
	networks := m.no
	if len(r.Networks) > 0 {
		networks = strings.Join(r.Networks, m.comma)
	}
	parts := []string{m.eachOther + m.yesNo(r.EachOther), m.outside + outside, m.others + networks}
	if !r.Host {
		parts = append(parts, "host"+m.colon+m.no)
	}
	if r.Unsure {
		parts = append(parts, m.unsure)
	}
	return strings.Join(parts, separator)
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// link is a bridge, or the parent of a macvlan or ipvlan.
func (m maker) link(side container.NetworkSide) Card {
	card := Card{Title: side.Link.IPName()}
	if side.Network.Driver != network.Bridge {
		card.Lines = append(card.Lines, m.parent)
	}
	for _, a := range side.Link.Addresses {
		card.Lines = append(card.Lines, a.String())
	}
	if side.Network.Driver == network.Bridge && len(side.Link.Addresses) == 0 {
		card.Lines = append(card.Lines, m.noAddress)
	}
	if side.Link.MAC != "" {
		card.Lines = append(card.Lines, side.Link.MAC)
	}
	if side.Link.MTU != 1500 {
		card.Lines = append(card.Lines, "mtu "+strconv.Itoa(side.Link.MTU))
	}
	if !side.Link.Up {
		card.Lines = append(card.Lines, m.down)
	}
	for _, i := range side.Others {
		card.Lines = append(card.Lines, "+ "+i.Link.IPName())
	}
	return card
}

// box is a container. Its interfaces are in the order of the kernel; the loopback is only shown where there is no other.
func (m maker) box(s container.NetworkSpace) Box {
	b := Box{Title: s.Name}
	for _, i := range s.Interfaces {
		if i.Name == "lo" && len(s.Interfaces) > 1 {
			continue
		}
		p := Port{Name: i.Name}
		if i.Name == "lo" && len(i.Addresses) > 0 {
			i.Addresses = i.Addresses[:1]
		}
		for _, a := range i.Addresses {
			p.Addresses = append(p.Addresses, a.String())
		}
		if i.Name != "lo" {
			p.MAC = i.MAC
		}
		b.Ports = append(b.Ports, p)
	}
	if s.Closed {
		b.Remark = m.closed
	}
	for _, p := range s.Ports {
		b.Published = append(b.Published, fmt.Sprintf("%s → %d/%s", socket(p.HostIP, p.HostPort), p.Port, p.Protocol))
	}
	for _, name := range s.Joined {
		b.Joined = append(b.Joined, "+ "+name+m.joined)
	}
	return b
}

func socket(ip netip.Addr, port uint16) string {
	if !ip.IsValid() {
		ip = netip.IPv4Unspecified()
	}
	return net.JoinHostPort(ip.String(), strconv.Itoa(int(port)))
}

func (m maker) cable(b *Box, index int, side container.NetworkSide, c container.Cable) Line {
	l := Line{Box: index, Port: -1}
	if c.Inside >= 0 {
		inside := m.view.Spaces[c.Space].Interfaces[c.Inside]
		l.There = inside.Link.IPName()
		for i, p := range b.Ports {
			if p.Name == inside.Name {
				l.Port = i
			}
		}
	} else {
		l.There, l.Broken, l.WhatBroken = c.Name, true, m.noInside
		b.Ports = append(b.Ports, Port{Name: c.Name, Addresses: []string{m.notThere}})
		l.Port = len(b.Ports) - 1
	}
	switch {
	case c.Host != nil:
		l.Here = c.Host.Link.IPName()
		if c.Loose {
			l.Broken, l.WhatBroken = true, m.loose
		} else if !c.Host.Up {
			l.Broken, l.WhatBroken = true, m.down
		}
	case side.Network.Driver == network.Bridge && !m.view.Spaces[c.Space].Closed:
		l.Here, l.Broken, l.WhatBroken = c.Veth, true, m.noVeth
	}
	return l
}
