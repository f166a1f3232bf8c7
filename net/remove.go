package network

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// InUseError is a network that cannot be removed, because there are containers in it.
type InUseError struct {
	Name      string
	Endpoints []Endpoint
}

func (e *InUseError) Error() string {
	var inside []string
	for _, p := range e.Endpoints {
		inside = append(inside, fmt.Sprintf("name:%q id:%q", p.Name, p.Container[:12]))
	}
	return fmt.Sprintf("network %s has active endpoints (%s)", e.Name, strings.Join(inside, ", "))
}

// Remove takes a network away: what the kernel has of it, and its directory.
func (s *Store) Remove(n *Network) error {
	if n.Predefined() {
		err := fmt.Errorf("%s is a pre-defined network and cannot be removed", n.Name)
		if !n.IsDefault() {
			return kernel.Advise(err, "leave it: the kernel has nothing of it that could be taken away")
		}
		return kernel.Advise(err, "sandbox network prune   takes its bridge and rules away while nobody uses them")
	}
	changing, err := s.change()
	if err != nil {
		return err
	}
	defer changing.Close()
	alone, err := s.lockEmpty(n)
	if err != nil {
		return err
	}
	defer alone.Close()
	if err := s.takeDown(n); err != nil {
		return err
	}
	return s.discard(n)
}

// Down takes away what the kernel has of a network that no container is in. The next one that comes makes it again.
func (s *Store) Down(n *Network) error {
	alone, err := s.lockEmpty(n)
	if err != nil {
		return err
	}
	defer alone.Close()
	return s.takeDown(n)
}

// lockEmpty holds a network that no container is in, so that none comes meanwhile.
func (s *Store) lockEmpty(n *Network) (*os.File, error) {
	alone, err := lock(s.dir(n.ID), unix.LOCK_EX)
	if err == nil {
		if _, err = s.load(n.ID); err != nil { // somebody was faster
			alone.Close()
		}
	}
	if err != nil {
		return nil, kernel.Advise(&NotFoundError{n.Name}, "sandbox network ls   lists them")
	}
	s.reap(n)
	list, err := s.Endpoints(n)
	if err == nil && len(list) > 0 {
		err = &InUseError{n.Name, list}
	}
	if err != nil {
		alone.Close()
		return nil, err
	}
	return alone, nil
}

// discard removes a network's directory; without network.json the rest is a leftover.
func (s *Store) discard(n *Network) error {
	return s.Door.Do(kernel.In(section,
		kernel.Try(kernel.Because(kernel.Remove{Path: filepath.Join(s.dir(n.ID), "network.json")}, "the network is no more", "网络没有了"))[0],
		kernel.Because(kernel.RemoveAll{Path: s.dir(n.ID)}, "", ""),
	)...)
}

// sweep removes the directories of networks that were not finished, or half removed. The caller has the directory for itself.
func (s *Store) sweep() {
	entries, _ := os.ReadDir(s.Dir)
	for _, entry := range entries {
		dir := filepath.Join(s.Dir, entry.Name())
		if _, err := os.Stat(filepath.Join(dir, "network.json")); errors.Is(err, os.ErrNotExist) && entry.IsDir() {
			s.Door.Do(kernel.Try(kernel.In(section, kernel.Because(kernel.RemoveAll{Path: dir}, "left by a command that was killed", "被杀掉的命令留下的"))...)...)
		}
	}
}

// Forget takes away whatever a container has of any network: one that was killed before it was recorded what that is.
func (s *Store) Forget(container string) {
	list, _ := s.read()
	for _, n := range list {
		s.reapOf(n, func(owner string) bool { return owner == container })
	}
}
