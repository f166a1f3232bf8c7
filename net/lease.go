package network

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// leaseLast is the file that holds the address which was given out last, one a family.
func (s *Store) leaseLast(n *Network, v6 bool) string {
	if v6 {
		return filepath.Join(s.dir(n.ID), "last6")
	}
	return filepath.Join(s.dir(n.ID), "last")
}

// lease gives a container an address: the wanted one; else the one it had before, if that is free; else the next.
func (s *Store) lease(n *Network, p Pool, container string, wanted, before netip.Addr) (netip.Prefix, error) {
	if wanted.IsValid() {
		if err := s.leaseThis(n, p, container, wanted); err != nil {
			return netip.Prefix{}, err
		}
		return netip.PrefixFrom(wanted, p.Subnet.Bits()), nil
	}
	from, to := p.givenOut()
	if before.IsValid() && !before.Less(from) && !to.Less(before) && p.reserved(before) == "" && s.take(n, before, container) == nil {
		return netip.PrefixFrom(before, p.Subnet.Bits()), nil
	}
	v6 := p.Subnet.Addr().Is6()
	a, err := s.next(n, p, container)
	if errors.Is(err, errExhausted) && s.reap(n) { // some were a killed monitor's
		a, err = s.next(n, p, container)
	}
	if err != nil {
		return netip.Prefix{}, kernel.Advise(fmt.Errorf("no available addresses in network %s: all from %s to %s are taken", n.Name, from, to),
			"sandbox network inspect %s   says by whom; a network with a larger --subnet has more", n.Name)
	}
	remember := kernel.Because(kernel.ReplaceFile{Path: s.leaseLast(n, v6), Data: []byte(a.String()), Mode: 0o644},
		"the next container gets the one after it: an address is not used again at once", "下一个容器用它后面的地址：刚空出来的地址不马上再用")
	return netip.PrefixFrom(a, p.Subnet.Bits()), s.Door.Do(kernel.Try(kernel.In(section, remember)...)...)
}

// leaseThis takes one address, which somebody has asked for.
func (s *Store) leaseThis(n *Network, p Pool, container string, a netip.Addr) error {
	special := p.special(a)
	switch {
	case special != "":
		return kernel.Advise(fmt.Errorf("invalid address %s: it is %s of network %s", a, special, n.Name), "choose one from %s to %s", p.first(), p.last())
	case !p.Subnet.Contains(a):
		return kernel.Advise(fmt.Errorf("invalid address %s: it does not belong to the subnet %s of network %s", a, p.Subnet, n.Name), "choose one from %s to %s", p.first(), p.last())
	case p.reserved(a) != "":
		return kernel.Advise(fmt.Errorf("address already in use: %s is %s of network %s", a, p.reserved(a), n.Name), "choose another one, or none")
	}
	err := s.take(n, a, container)
	if errors.Is(err, unix.EEXIST) && s.reap(n) {
		err = s.take(n, a, container)
	}
	if errors.Is(err, unix.EEXIST) {
		owner, _ := os.ReadFile(filepath.Join(s.addresses(n.ID), a.String()))
		name := s.nameOf(n, string(owner))
		return kernel.Advise(fmt.Errorf("address already in use: container %s has %s", name, a), "sandbox stop %s   first, or choose another address", name)
	}
	return err
}

// nameOf is the name of a container that is in a network; the beginning of its ID while it is just coming.
func (s *Store) nameOf(n *Network, container string) string {
	all, _ := s.allEndpoints(n)
	for _, e := range all {
		if e.Container == container && e.Name != "" {
			return e.Name
		}
	}
	return fmt.Sprintf("%.12s", container)
}

var errExhausted = errors.New("no free address")

// next takes the first free address behind the one that was given out last.
func (s *Store) next(n *Network, p Pool, container string) (netip.Addr, error) {
	from, to := p.givenOut()
	data, _ := os.ReadFile(s.leaseLast(n, p.Subnet.Addr().Is6()))
	last, err := netip.ParseAddr(strings.TrimSpace(string(data)))
	if err != nil || last.Less(from) || to.Less(last) {
		last = to
	}
	for a := last; ; {
		if a = a.Next(); !a.IsValid() || to.Less(a) {
			a = from
		}
		if p.reserved(a) == "" {
			err := s.take(n, a, container)
			if !errors.Is(err, unix.EEXIST) {
				return a, err
			}
		}
		if a == last {
			return a, errExhausted
		}
	}
}

// take makes the file that stands for the address.
func (s *Store) take(n *Network, a netip.Addr, container string) error {
	path := filepath.Join(s.addresses(n.ID), a.String())
	if _, err := os.Lstat(path); err == nil { // most often it can be seen without trying, and then there is nothing to tell of
		return unix.EEXIST
	}
	return s.Door.Do(kernel.In(section, kernel.Because(kernel.CreateFile{Path: path, Data: container, Mode: 0o644},
		"the address is this container's: a file has its name, and nobody else can make it", "这个地址归这个容器：文件以地址为名，别人再也建不了同名的"))...)
}

// reap takes away what containers that are gone have left, and tells whether there was anything.
func (s *Store) reap(n *Network) (reaped bool) {
	return s.reapOf(n, func(container string) bool { return s.Alive != nil && container != "" && !s.Alive(container) })
}

func (s *Store) reapOf(n *Network, gone func(container string) bool) (reaped bool) {
	all, _ := s.allEndpoints(n)
	for _, e := range all {
		if gone(e.Container) {
			s.leave(n, e)
			reaped = true
		}
	}
	entries, _ := os.ReadDir(s.addresses(n.ID))
	for _, entry := range entries {
		path := filepath.Join(s.addresses(n.ID), entry.Name())
		if owner, err := os.ReadFile(path); err == nil && gone(string(owner)) {
			reaped = s.release(path) == nil || reaped
		}
	}
	return reaped
}

func (s *Store) release(path string) error {
	return s.Door.Do(kernel.In(section, kernel.Because(kernel.Remove{Path: path}, "the address is free again", "地址又空出来了"))...)
}
