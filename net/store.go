package network

import (
	"cmp"
	"encoding/json"
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

// Store is all networks of a state directory.
type Store struct {
	Dir   string // networks
	Door  *kernel.Door
	Alive func(container string) bool // whether a container runs, or is just being started
}

// section of the tutorial that networks are taught in.
const section = "3.6"

// NotFoundError is a network that does not exist.
type NotFoundError struct{ Ref string }

func (e *NotFoundError) Error() string { return "network " + e.Ref + " not found" }

func (s *Store) dir(id string) string       { return filepath.Join(s.Dir, id) }
func (s *Store) endpoints(id string) string { return filepath.Join(s.Dir, id, "endpoints") }
func (s *Store) addresses(id string) string { return filepath.Join(s.Dir, id, "addresses") }
func (s *Store) endpoint(id, container string) string {
	return filepath.Join(s.endpoints(id), container+".json")
}

// List is all networks, by name. Those that are always there are made when they are missing.
func (s *Store) List() ([]*Network, error) {
	list, err := s.read()
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(list, func(n *Network) bool { return n.Name == Default }) {
		if err := s.makeDefaults(list); err != nil {
			return nil, err
		}
		if list, err = s.read(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Peek is List for who wants to change nothing: of those that are always there, and not made yet, it tells no more than the name.
func (s *Store) Peek() []*Network {
	list, _ := s.read()
	if len(list) == 0 {
		for _, name := range []string{Default, Host, "none"} {
			list = append(list, &Network{Name: name, ID: s.PredefinedID(name)})
		}
	}
	return list
}

// read is all networks that are on disk, by name: their directories' names are ids, whose order is chance. A directory without network.json
// is one that is just being made, or that a killed command left.
func (s *Store) read() (list []*Network, err error) {
	entries, err := os.ReadDir(s.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		n, err := s.load(entry.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	slices.SortFunc(list, func(a, b *Network) int { return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID)) })
	return list, nil
}

func (s *Store) load(id string) (*Network, error) {
	file := filepath.Join(s.dir(id), "network.json")
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	n := &Network{}
	if err := json.Unmarshal(data, n); err != nil || len(n.ID) != 64 {
		return nil, kernel.Advise(fmt.Errorf("%s is damaged", file), "rm -r %s   and make the network anew", s.dir(id))
	}
	return n, nil
}

// Get finds a network by its name, its ID, or the beginning of its ID if no other has it.
func (s *Store) Get(ref string) (*Network, error) {
	list, err := s.List()
	if err != nil {
		return nil, err
	}
	var found *Network
	for _, n := range list {
		if n.Name == ref || n.ID == ref {
			return n, nil
		}
		if ref != "" && strings.HasPrefix(n.ID, ref) {
			if found != nil {
				return nil, kernel.Advise(fmt.Errorf("the id %s is the beginning of more than one network's", ref), "type more of its digits: sandbox network ls --no-trunc")
			}
			found = n
		}
	}
	if found == nil {
		return nil, kernel.Advise(&NotFoundError{ref}, "sandbox network ls   lists them")
	}
	return found, nil
}

// GetOrAdvise is Get for who needs the network: if there is none it says how one of that name is made, if it can be.
func (s *Store) GetOrAdvise(ref string) (*Network, error) {
	n, err := s.Get(ref)
	var missing *NotFoundError
	if errors.As(err, &missing) && checkName(ref) == nil && ref != "default" {
		return nil, kernel.Advise(missing, "sandbox network ls   lists them, sandbox network create %s   makes it", ref)
	}
	return n, err
}

// Endpoints are the running containers of a network, by address. Those whose container is gone without a word (its monitor was
// killed) are left out.
func (s *Store) Endpoints(n *Network) ([]Endpoint, error) {
	all, err := s.allEndpoints(n)
	return slices.DeleteFunc(all, func(e Endpoint) bool { return s.Alive != nil && !s.Alive(e.Container) }), err
}

func (s *Store) allEndpoints(n *Network) (list []Endpoint, err error) {
	entries, err := os.ReadDir(s.endpoints(n.ID))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return nil, err
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".json") {
			continue
		}
		var e Endpoint
		data, err := os.ReadFile(filepath.Join(s.endpoints(n.ID), entry.Name()))
		if err == nil && json.Unmarshal(data, &e) == nil {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b Endpoint) int {
		return cmp.Or(a.IPv4.Addr().Compare(b.IPv4.Addr()), a.IPv6.Addr().Compare(b.IPv6.Addr()), strings.Compare(a.Container, b.Container))
	})
	return list, nil
}

// lock holds a file or directory with flock(2), shared or alone, until it is closed.
func lock(path string, how int) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(f.Fd()), how)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, unix.EINTR) {
			f.Close()
			return nil, err
		}
	}
}

// change waits until it has the directory of networks for itself: names, subnets and bridges are compared with each other's.
func (s *Store) change() (*os.File, error) {
	if _, err := os.Stat(s.Dir); err != nil {
		if err := s.Door.Do(kernel.MkdirAll(s.Dir, section)...); err != nil {
			return nil, err
		}
	}
	return lock(s.Dir, unix.LOCK_EX)
}

// save writes a new network down.
func (s *Store) save(n *Network) error {
	err := s.Door.Do(kernel.In(section,
		kernel.Because(kernel.Mkdir{Path: s.dir(n.ID), Mode: 0o755}, "the network's directory", "网络的目录"),
		kernel.Because(kernel.Mkdir{Path: s.addresses(n.ID), Mode: 0o755}, "the addresses that somebody has", "已经分出去的地址"),
		kernel.Because(kernel.Mkdir{Path: s.endpoints(n.ID), Mode: 0o755}, "the containers that are in it", "网络里的容器"),
	)...)
	if err != nil {
		return err
	}
	return s.write(n)
}

// write writes what is known of a network. With this file a network is there; without it its directory is a leftover.
func (s *Store) write(n *Network) error {
	data, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return err
	}
	return s.Door.Do(kernel.In(section, kernel.Because(kernel.ReplaceFile{Path: filepath.Join(s.dir(n.ID), "network.json"), Data: data, Mode: 0o644},
		"what is known of it: network inspect shows it", "网络的记录，network inspect 显示的就是它"))...)
}
