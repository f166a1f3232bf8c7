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

func (s *Store) rulesDown(n *Network) error {
	if n.Driver != Bridge {
		return nil
	}
	return s.takeRules(func(o Owner) bool { return o.Network == n.Short() }, "the network is gone: its rule goes", "网络没有了，它的规则也撤掉")
}

// takeRules takes somebody's rules away, and with the last network's all chains.
func (s *Store) takeRules(whose func(Owner) bool, en, zh string) error {
	owned, err := OwnedRules()
	if err != nil { // without rules there are none to take away
		return nil
	}
	var steps []kernel.Step
	others := false
	for _, o := range owned {
		if whose(o.Owner) {
			steps = append(steps, o.Remove(en, zh))
		} else if o.Owner.Network != "" {
			others = true
		}
	}
	if !others {
		steps = append(steps, NoRules()...)
	}
	if err := s.Door.Do(Missing(steps)...); err != nil || others {
		return err
	}
	return s.Door.Do(noChains()...)
}

func (s *Store) publish(n *Network, e Endpoint) error {
	if n.Driver != Bridge {
		return nil
	}
	if err := s.Door.Do(n.Publish(e)...); err != nil { // it has just started: whatever rules there are, its own are not among them
		return err
	}
	s.forgetFlows(e)
	return nil
}

func (s *Store) unpublish(n *Network, e Endpoint) error {
	if n.Driver != Bridge {
		return nil
	}
	err := s.Door.Do(n.Unpublish(e)...)
	s.forgetFlows(e)
	return err
}

// forgetFlows: who has sent packets to a published port of UDP before, and goes on sending, would go on being sent to where the rules of
// that time said, since rules are asked about first packets only, and UDP has no connections that end.
func (s *Store) forgetFlows(e Endpoint) {
	var steps []kernel.Step
	for _, p := range e.Ports {
		if p.Protocol != "udp" {
			continue
		}
		for _, f := range kernel.Flows(p.Protocol, p.HostPort) {
			if !p.HostIP.IsValid() || p.HostIP.IsUnspecified() || p.HostIP == f.To.Addr() {
				steps = append(steps, kernel.Because(kernel.FlowDel{Flow: f}, "somebody has sent to the port before: the rules are asked again", "有人早就在往这个端口发包：让内核重新按规则处理"))
			}
		}
	}
	s.Door.Do(kernel.Try(kernel.In(section, steps...)...)...)
}
