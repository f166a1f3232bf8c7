package network

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"
)

// makeDefaults makes bridge, host and none.
func (s *Store) makeDefaults([]*Network) error {
	changing, err := s.change()
	if err != nil {
		return err
	}
	defer changing.Close()
	_, err = s.readWithDefaults()
	return err
}

// readWithDefaults is read for who has the directory for itself: what is always there is made when it is missing.
func (s *Store) readWithDefaults() ([]*Network, error) {
	list, err := s.read()
	if err != nil {
		return nil, err
	}
	for _, d := range []CreateOptions{
		{Name: "none", Driver: Null}, {Name: "host", Driver: Host},
		{Name: Default, Driver: Bridge, Options: map[string]string{
			optionDefault: "true", optionICC: "true", optionMasquerade: "true", optionHostIP: "0.0.0.0", optionName: s.defaultBridge(), optionMTU: "1500",
		}},
	} {
		if slices.ContainsFunc(list, func(n *Network) bool { return n.Name == d.Name }) {
			continue
		}
		n := &Network{
			Name: d.Name, ID: s.PredefinedID(d.Name), Created: time.Now().UTC(), Scope: "local", Driver: d.Driver, EnableIPv4: true,
			IPAM: IPAM{Driver: "default"}, Options: orEmpty(d.Options), Labels: map[string]string{},
		}
		if n.Driver == Bridge {
			if err := n.completePools(list); err != nil {
				return nil, err
			}
		}
		if err := s.save(n); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

// usualDir is where root's networks are.
const usualDir = "/var/lib/sandbox/networks"

// defaultBridge is the name of the default network's bridge: Docker's own, docker0, may be on the same machine, and so may other
// stores' ($SANDBOX_ROOT).
func (s *Store) defaultBridge() string {
	if s.Dir == usualDir {
		return "sandbox0"
	}
	return "sandbox-" + s.PredefinedID(Default)[:7]
}

// PredefinedID is the ID of a network that is always there. It follows from its name and place, so that nobody has to look it up.
func (s *Store) PredefinedID(name string) string {
	sum := sha256.Sum256([]byte(name + " " + s.Dir))
	return hex.EncodeToString(sum[:])
}

// Predefined tells the networks that are always there.
func (n *Network) Predefined() bool {
	return n.Name == "none" || n.Name == "host" || n.Name == Default
}
