package userland

import (
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// runArp shows which hardware address belongs to which IPv4 address: the neighbours that have been talked to.
func runArp(p *Process) int {
	opts, words, err := p.options("aneui:v", map[string]string{"all": "a", "numeric": "n", "device": "i"})
	if err != nil {
		return p.Fail("%v", err)
	}
	links, err := readLinks()
	if err != nil {
		return p.Fail("%v", err)
	}
	neighbours, err := readNeighbours(unix.AF_INET)
	if err != nil {
		return p.Fail("%v", err)
	}
	neighbours = slices.DeleteFunc(neighbours, func(n *netNeighbour) bool {
		wanted := len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { a, err := netip.ParseAddr(w); return err == nil && a == n.address })
		return !wanted || n.state == 0 || n.state&unix.NUD_NOARP != 0 || opts.has('i') && linkName(links, n.link) != opts.value('i')
	})
	if len(neighbours) > 0 && !opts.has('a') {
		fmt.Fprintln(p.Stdout, "Address                  HWtype  HWaddress           Flags Mask            Iface")
	}
	for _, n := range neighbours {
		p.printNeighbour(n, linkName(links, n.link), opts.has('a'))
	}
	return 0
}

// printNeighbour writes one entry, in words (-a) or in columns. C is complete, M was made by hand.
func (p *Process) printNeighbour(n *netNeighbour, device string, inWords bool) {
	complete := len(n.hardware) > 0 && n.state&(unix.NUD_FAILED|unix.NUD_INCOMPLETE) == 0
	flags := "C"
	if n.state&unix.NUD_PERMANENT != 0 {
		flags = "CM"
	}
	switch {
	case inWords && complete:
		permanent := ""
		if flags == "CM" {
			permanent = "PERM "
		}
		fmt.Fprintf(p.Stdout, "? (%s) at %s [ether] %son %s\n", n.address, hardwareAddress(n.hardware), permanent, device)
	case inWords:
		fmt.Fprintf(p.Stdout, "? (%s) at <incomplete> on %s\n", n.address, device)
	case complete:
		fmt.Fprintf(p.Stdout, "%-23s  %-7s %-19s %-5s %-15s %s\n", n.address, "ether", hardwareAddress(n.hardware), flags, "", device)
	default:
		fmt.Fprintf(p.Stdout, "%-23s  %-7s %-19s %-5s %-15s %s\n", n.address, "", "(incomplete)", "", "", device)
	}
}
