package network

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// Leftover is something that belongs to no network, or to no container that is alive.
type Leftover struct {
	Name   string
	Why    kernel.Why
	Remove func() error
}

// Leftovers looks for what killed commands have left, and changes nothing. Other stores may be on the same machine: what is
// theirs is none of ours. The kernel is asked first and the files are read then: whoever makes something writes it down before, so
// that what is just being made is not taken for a leftover. (Who may not look at interfaces or rules has made none.)
func (s *Store) Leftovers() (list []Leftover, err error) {
	links, unknown := kernel.Links()
	rules, _ := OwnedRules()
	if unknown != nil {
		rules = nil // whose they are is told by the bridges that they speak of
	}
	known, err := s.read()
	if err != nil {
		return nil, err
	}
	list = s.unfinished()
	for _, n := range known {
		if gone := s.gone(n); len(gone) > 0 {
			list = append(list, Leftover{"places in network " + n.Name + " of " + strings.Join(gone, ", "), kernel.Why{
				EN: "the containers are gone; their addresses are free when they are needed", ZH: "容器已经没有了；它们的地址在需要时会收回"},
				func() error { s.reap(n); return nil }})
		}
	}
	return slices.Concat(list, s.strayLinks(known, links), s.strayRules(known, links, rules)), nil
}

// unfinished are the directories of networks that were being made or removed.
func (s *Store) unfinished() (list []Leftover) {
	dir, err := os.Open(s.Dir)
	if err != nil {
		return nil
	}
	defer dir.Close()
	if unix.Flock(int(dir.Fd()), unix.LOCK_SH|unix.LOCK_NB) != nil {
		return nil // somebody is just at work
	}
	entries, _ := dir.ReadDir(-1)
	for _, entry := range entries {
		path := filepath.Join(s.Dir, entry.Name())
		if _, err := os.Stat(filepath.Join(path, "network.json")); errors.Is(err, fs.ErrNotExist) && entry.IsDir() {
			list = append(list, Leftover{"directory " + path, kernel.Why{
				EN: "a command that made or removed a network was killed", ZH: "创建或删除网络的命令中途被杀"},
				func() error {
					changing, err := s.change()
					if err != nil {
						return err
					}
					defer changing.Close()
					s.sweep()
					return nil
				}})
		}
	}
	return list
}

// gone are the containers that have a place or an address in a network and are no more.
func (s *Store) gone(n *Network) (ids []string) {
	seen := map[string]bool{}
	add := func(container string) {
		if s.Alive != nil && container != "" && !seen[container] && !s.Alive(container) {
			seen[container] = true
			ids = append(ids, short(container))
		}
	}
	all, _ := s.allEndpoints(n)
	for _, e := range all {
		add(e.Container)
	}
	entries, _ := os.ReadDir(s.addresses(n.ID))
	for _, entry := range entries {
		owner, _ := os.ReadFile(filepath.Join(s.addresses(n.ID), entry.Name()))
		add(string(owner))
	}
	return ids
}

// strayLinks are bridges of ours that no network has, cables in our bridges that no container has, and bridges of stores that are
// no more.
func (s *Store) strayLinks(known []*Network, links []kernel.Link) (list []Leftover) {
	bridges, cables := map[string]bool{}, map[string]bool{}
	for _, n := range known {
		bridges[n.Bridge()] = true
		all, _ := s.allEndpoints(n)
		for _, e := range all {
			cables[e.Veth] = true
		}
	}
	ours := map[int]string{}
	for _, l := range links {
		if l.Kind == "bridge" && l.Alias == s.alias() {
			ours[l.Index] = l.Name
		}
	}
	add := func(name, en, zh string) {
		remove := kernel.Try(kernel.In(section, kernel.Because(kernel.LinkDel{Name: name}, en, zh))...)
		list = append(list, Leftover{"interface " + name, kernel.Why{EN: en, ZH: zh}, func() error { return s.Door.Do(remove...) }})
	}
	for _, l := range links {
		switch {
		case ours[l.Index] != "" && !bridges[l.Name]:
			add(l.Name, "the bridge of a network that is no more", "一个已经不存在的网络的网桥")
		case abandoned(l, links):
			add(l.Name, "the bridge of a store that is no more", "一个已经不存在的存储目录的网桥")
		case l.Kind == "veth" && ours[l.Master] != "" && !cables[l.Name]:
			add(l.Name, fmt.Sprintf("it is plugged into %s, and no container has its other end", ours[l.Master]), "插在 "+ours[l.Master]+" 上，另一头不属于任何容器")
		}
	}
	return list
}

// abandoned tells whether a bridge is that of a store whose directory somebody has removed, and no container is plugged into it. (There may
// be such a directory that we do not see, in another mount namespace: the next start there makes the bridge anew.)
func abandoned(l kernel.Link, links []kernel.Link) bool {
	dir, tagged := strings.CutPrefix(l.Alias, aliasTag)
	if !tagged || l.Kind != "bridge" || len(dir) == aliasPath || slices.ContainsFunc(links, func(port kernel.Link) bool { return port.Master == l.Index }) {
		return false
	}
	_, err := os.Stat(dir)
	return errors.Is(err, fs.ErrNotExist)
}

// strayRules are rules of containers that are not in our networks any more, and of networks that nobody has: neither this store nor, as far
// as the bridges tell that the rules speak of, another one.
func (s *Store) strayRules(known []*Network, links []kernel.Link, owned []Owned) (list []Leftover) {
	places := map[Owner]bool{}
	theirs := map[string]bool{"": true}
	for _, n := range known {
		theirs[n.Short()], places[Owner{n.Short(), ""}] = true, true
		all, _ := s.allEndpoints(n)
		for _, e := range all {
			places[Owner{n.Short(), short(e.Container)}] = true
		}
	}
	present := map[string]bool{}
	for _, l := range links {
		present[l.Name] = l.Alias != s.alias() && !abandoned(l, links) // a bridge of ours that nobody has goes, too
	}
	alive := map[string]bool{} // networks of other stores
	for _, o := range owned {
		if present[o.Rule.In.Name] || present[o.Rule.Out.Name] {
			alive[o.Owner.Network] = true
		}
	}
	stray := map[Owner]int{}
	for _, o := range owned {
		if known := theirs[o.Owner.Network]; known && o.Owner.Network != "" && !places[o.Owner] || !known && !alive[o.Owner.Network] {
			stray[o.Owner]++
		}
	}
	for owner, rules := range stray {
		name := fmt.Sprintf("%d firewall rules of network %s", rules, owner.Network)
		if owner.Container != "" {
			name += ", container " + owner.Container
		}
		list = append(list, Leftover{name, kernel.Why{
			EN: "the network or the container is no more", ZH: "网络或容器已经没有了"},
			func() error {
				return s.takeRules(func(o Owner) bool { return o == owner }, "nobody has it any more", "已经没有人用它了")
			}})
	}
	slices.SortFunc(list, func(a, b Leftover) int { return strings.Compare(a.Name, b.Name) })
	return list
}
