package network

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// Repair makes all that the kernel has lost of a network (a firewall was loaded anew, somebody has removed a bridge or its address), and takes
// away what it has too much: the rules of containers that are no longer in it. Lost are the containers whose interface is gone: only
// a new start brings that back.
func (s *Store) Repair(n *Network) (lost []Endpoint, err error) {
	if n.Driver != Bridge {
		return nil, nil
	}
	s.reap(n)
	endpoints, err := s.Endpoints(n)
	if err != nil {
		return nil, err
	}
	if _, missing := kernel.LinkOf(n.Bridge()); missing != nil && n.IsDefault() && len(endpoints) == 0 {
		return nil, nil // it is made when somebody needs it
	}
	s.lookAgain(n)
	if err := s.Up(n); err != nil {
		return nil, err
	}
	if err := s.ensure(n.RulesUp); err != nil { // Up believes what was written down; and there is more to look at than rules
		return nil, err
	}
	present := map[string]bool{}
	for _, e := range endpoints {
		present[short(e.Container)] = true
		err := s.plugBack(n, e)
		if errors.Is(err, unix.ENODEV) {
			lost = append(lost, e)
			continue
		}
		if err == nil {
			err = s.ensure(func() []kernel.Step { return n.Publish(e) })
		}
		if err != nil {
			return lost, fmt.Errorf("container %s: %w", e.Name, err)
		}
	}
	owned, err := OwnedRules()
	if err != nil {
		return lost, err
	}
	var steps []kernel.Step
	for _, o := range owned {
		if o.Owner.Network == n.Short() && o.Owner.Container != "" && !present[o.Owner.Container] {
			steps = append(steps, o.Remove("its container is gone", "它的容器已经不在了"))
		}
	}
	return lost, s.Door.Do(steps...)
}

// plugBack puts a container's cable into the bridge again. With a bridge that is removed all cables are pulled out.
func (s *Store) plugBack(n *Network, e Endpoint) error {
	bridge, err := kernel.LinkOf(n.Bridge())
	if err != nil {
		return err
	}
	link, err := kernel.LinkOf(e.Veth)
	if err != nil {
		return err
	}
	var steps []kernel.Step
	if link.Master != bridge.Index {
		steps = append(steps, kernel.Because(kernel.LinkSet{Name: e.Veth, Master: n.Bridge()}, "its cable is not in the bridge any more: plugged in again", "它的网线不在网桥上了：重新插上"))
		steps = append(steps, n.portSteps(e)...)
	}
	if !link.Up {
		steps = append(steps, kernel.Because(kernel.LinkSet{Name: e.Veth, Up: true}, "somebody has switched it off", "有人把它关掉了"))
	}
	return s.Door.Do(kernel.In(section, steps...)...)
}
