package network

import (
	"fmt"
	"strings"

	"sandbox/kernel"
)

// Wrong says what the kernel has lost of a network that containers are in: somebody has deleted its bridge or an address of
// that, or the firewall was loaded anew. "" if nothing. What cannot be looked at is taken to be right.
func (s *Store) Wrong(n *Network) string {
	inside, err := s.Endpoints(n)
	if err != nil || n.Driver != Bridge || len(inside) == 0 {
		return ""
	}
	var wrong []string
	switch link, err := kernel.LinkOf(n.Bridge()); {
	case err != nil:
		wrong = append(wrong, "its bridge "+n.Bridge()+" is gone")
	case !link.Up:
		wrong = append(wrong, "its bridge "+n.Bridge()+" is switched off")
	default:
		for _, a := range s.lostAddresses(n, link) {
			wrong = append(wrong, "its bridge "+n.Bridge()+" has lost the address "+a.Addr().String())
		}
		if out := s.unplugged(n, inside); len(out) > 0 {
			wrong = append(wrong, fmt.Sprintf("%d of its containers are not plugged in", len(out)))
		}
	}
	if _, err := OwnedRules(); err == nil {
		steps := n.RulesUp()
		for _, e := range inside {
			steps = append(steps, n.Publish(e)...)
		}
		if missing := len(Missing(steps)); missing > 0 {
			wrong = append(wrong, fmt.Sprintf("%d of its firewall rules and settings are missing", missing))
		}
	}
	return strings.Join(wrong, ", ")
}

// unplugged are those of its containers whose cable ends in nothing, or in another bridge.
func (s *Store) unplugged(n *Network, inside []Endpoint) (out []Endpoint) {
	bridge, err := kernel.LinkOf(n.Bridge())
	if err != nil {
		return nil
	}
	for _, e := range inside {
		if link, err := kernel.LinkOf(e.Veth); err == nil && link.Master != bridge.Index {
			out = append(out, e)
		}
	}
	return out
}
