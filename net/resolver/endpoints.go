package resolver

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	network "sandbox/net"
)

// Endpoints are the names in a container's networks, as the files NETWORKS/ID/endpoints/CONTAINER.json have them. It reads what has
// changed, when it is asked, and only of networks that the container is in: it may come into others at any time. Whoever
// changes a file puts another one in its place (rename(2)), which the directory's time shows.
type Endpoints struct {
	networks  string // the directory
	container string // ID

	mu       sync.Mutex
	list     version // of the directory of networks
	members  map[string]*member
	names    map[string][]netip.Addr
	own      map[netip.Addr]string
	nextLook time.Time
}

// member is a network, and what was read of it.
type member struct {
	dir       string
	version   version // of its directory of endpoints
	network   *network.Network
	endpoints map[string]*endpoint // by file name; nil: the container is not in it
}

// endpoint is one file.
type endpoint struct {
	version version
	network.Endpoint
}

// How long what was found is believed, at least and at most: under many questions no more than a tenth of the time goes into
// looking for changes.
const (
	shortestBelief = time.Millisecond
	longestBelief  = 20 * time.Millisecond
)

// NewEndpoints reads nothing yet.
func NewEndpoints(networks, container string) *Endpoints {
	return &Endpoints{networks: networks, container: container, members: map[string]*member{}}
}

// Lookup knows NAME, and NAME.NETWORK.
func (e *Endpoints) Lookup(name string) ([]netip.Addr, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refresh()
	addresses, known := e.names[name]
	return addresses, known
}

// Reverse gives NAME.NETWORK.
func (e *Endpoints) Reverse(a netip.Addr) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refresh()
	if name, ok := e.own[a]; ok {
		return []string{name}
	}
	return nil
}

// Internal tells whether the container is in networks that lead nowhere, and in no other.
func (e *Endpoints) Internal() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refresh()
	internal := false
	for _, m := range e.members {
		if m.endpoints == nil {
			continue
		}
		if !m.network.Internal {
			return false
		}
		internal = true
	}
	return internal
}

func (e *Endpoints) refresh() {
	began := time.Now()
	if began.Before(e.nextLook) {
		return
	}
	changed := e.refreshList()
	for _, m := range e.members {
		changed = m.refresh(e.container+suffix) || changed
	}
	if changed || e.names == nil {
		e.tabulate()
	}
	now := time.Now()
	e.nextLook = now.Add(min(max(10*now.Sub(began), shortestBelief), longestBelief))
}

// refreshList finds networks that have come or gone.
func (e *Endpoints) refreshList() (changed bool) {
	now := look(e.networks)
	if now.same(e.list) {
		return false
	}
	e.list = now
	there := map[string]bool{}
	entries, _ := os.ReadDir(e.networks) // none yet: no networks
	for _, entry := range entries {
		there[entry.Name()] = true
		if e.members[entry.Name()] == nil {
			e.members[entry.Name()] = &member{dir: filepath.Join(e.networks, entry.Name())}
		}
	}
	for id, m := range e.members {
		if !there[id] {
			changed = changed || m.endpoints != nil
			delete(e.members, id)
		}
	}
	return changed
}

const suffix = ".json"

// refresh reads the files of a network that have changed, if the container is in it.
func (m *member) refresh(container string) (changed bool) {
	dir := filepath.Join(m.dir, "endpoints")
	now := look(dir)
	if now.same(m.version) {
		return false
	}
	m.version = now
	before := m.endpoints
	m.endpoints = nil
	if !now.there() || !look(filepath.Join(dir, container)).there() {
		return before != nil
	}
	if m.network == nil && !m.readNetwork() {
		m.version = version{}
		return before != nil
	}
	entries, _ := os.ReadDir(dir)
	m.endpoints = map[string]*endpoint{}
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, suffix) || strings.HasPrefix(name, ".") {
			continue
		}
		path := filepath.Join(dir, name)
		current := look(path)
		if known := before[name]; known != nil && current.same(known.version) {
			m.endpoints[name] = known
			continue
		}
		read := &endpoint{version: current}
		if data, err := os.ReadFile(path); err == nil && json.Unmarshal(data, &read.Endpoint) == nil {
			m.endpoints[name] = read
			changed = true
		}
	}
	return changed || len(m.endpoints) != len(before)
}

func (m *member) readNetwork() bool {
	n := &network.Network{}
	data, err := os.ReadFile(filepath.Join(m.dir, "network.json"))
	if err != nil || json.Unmarshal(data, n) != nil {
		return false
	}
	m.network = n
	return true
}

// tabulate makes the tables. Of two networks with the same name in them the first one counts, by their own names, for each family. A
// container that is called as another one is with its network comes before that: a name is first looked for as it is.
func (e *Endpoints) tabulate() {
	e.names, e.own = map[string][]netip.Addr{}, map[netip.Addr]string{}
	var joined []*member
	for _, m := range e.members {
		if m.endpoints != nil && !m.network.IsDefault() {
			joined = append(joined, m)
		}
	}
	slices.SortFunc(joined, func(a, b *member) int { return strings.Compare(a.network.Name, b.network.Name) })
	for _, m := range joined {
		e.addAll(m.links(e.container + suffix))
	}
	for _, m := range joined {
		e.addAll(m.table(""))
	}
	for _, m := range joined {
		e.addAll(m.table("." + strings.ToLower(m.network.Name)))
		for _, p := range m.endpoints {
			for _, a := range p.addresses() {
				if e.own[a] == "" {
					e.own[a] = p.Name + "." + m.network.Name
				}
			}
		}
	}
}

// addAll adds a network's names, those of each family that are new.
func (e *Endpoints) addAll(table map[string][]netip.Addr) {
	for name, addresses := range table {
		had := e.names[name]
		has4 := slices.ContainsFunc(had, netip.Addr.Is4)
		has6 := slices.ContainsFunc(had, netip.Addr.Is6)
		merged := slices.Clone(had)
		for _, a := range addresses {
			if a.Is4() && !has4 || a.Is6() && !has6 {
				merged = append(merged, a)
			}
		}
		e.names[name] = merged
	}
}

// table has the addresses of each name in one network, in the order of the containers' IDs.
func (m *member) table(end string) map[string][]netip.Addr {
	table := map[string][]netip.Addr{}
	files := make([]string, 0, len(m.endpoints))
	for file := range m.endpoints {
		files = append(files, file)
	}
	slices.Sort(files)
	for _, file := range files {
		p := m.endpoints[file]
		for _, name := range p.allNames() {
			table[name+end] = append(table[name+end], p.addresses()...)
		}
	}
	return table
}

// links has the addresses of the names that the container alone knows others by.
func (m *member) links(file string) map[string][]netip.Addr {
	own := m.endpoints[file]
	if own == nil || len(own.Links) == 0 {
		return nil
	}
	all, table := m.table(""), map[string][]netip.Addr{}
	for alias, name := range own.Links {
		if addresses := all[name]; len(addresses) > 0 {
			table[alias] = addresses
		}
	}
	return table
}

// allNames are the container's name, its aliases and its short ID, in lower case, each once.
func (p *endpoint) allNames() []string {
	var names []string
	for _, name := range append([]string{p.Name, p.Container[:min(12, len(p.Container))]}, p.Names...) {
		if name = strings.ToLower(strings.TrimSuffix(name, ".")); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (p *endpoint) addresses() []netip.Addr {
	var list []netip.Addr
	for _, prefix := range []netip.Prefix{p.IPv4, p.IPv6} {
		if prefix.IsValid() {
			list = append(list, prefix.Addr())
		}
	}
	return list
}
