package network

import (
	"errors"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// rulesUp writes what is missing of a network's rules. It does so without a lock: if somebody else was quicker the kernel says so, and
// what is missing is looked for again. What was written down of them is not believed when the bridge has just been made: then it may
// have been another boot, or another host, that had those rules.
func (s *Store) rulesUp(n *Network, fresh bool) error {
	if n.Driver != Bridge {
		return nil
	}
	before := rulesNow()
	if !fresh && s.unchanged(n, before) {
		return nil
	}
	if err := s.ensure(n.RulesUp); err != nil {
		return err
	}
	if rulesNow() == before { // so nothing was missing; else the next one looks once more
		s.noteChecked(n, before)
	}
	return nil
}

// ensure does those steps of a plan whose effect is missing.
func (s *Store) ensure(plan func() []kernel.Step) error {
	for {
		err := s.Door.Do(Missing(plan())...)
		if !errors.Is(err, unix.ERESTART) {
			return err
		}
	}
}

// rulesDown takes a network's rules away, and with the last network's all chains.
func (s *Store) rulesDown(n *Network) error {
	if n.Driver != Bridge {
		return nil
	}
	owned, err := OwnedRules()
	if err != nil { // without rules there are none to take away
		return nil
	}
	var steps []kernel.Step
	others := false
	for _, o := range owned {
		if o.Owner.Network == n.Short() {
			steps = append(steps, o.Remove("the network is gone: its rule goes", "网络没有了，它的规则也撤掉"))
		} else if o.Owner.Network != "" {
			others = true
		}
	}
	if !others {
		steps = append(steps, NoRules()...)
	}
	return s.Door.Do(Missing(steps)...)
}

func (s *Store) publish(n *Network, e Endpoint) error {
	if n.Driver != Bridge {
		return nil
	}
	return s.Door.Do(n.Publish(e)...) // it has just started: whatever rules there are, its own are not among them
}

func (s *Store) unpublish(n *Network, e Endpoint) error {
	if n.Driver != Bridge {
		return nil
	}
	return s.Door.Do(n.Unpublish(e)...)
}
