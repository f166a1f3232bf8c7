package container

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"

	network "sandbox/net"
)

// CreateNetwork makes a network, and tells of it.
func (e *Engine) CreateNetwork(o network.CreateOptions) (*network.Network, error) {
	if err := e.canHaveNetworks(); err != nil {
		return nil, err
	}
	n, err := e.Networks().Create(o)
	if err == nil {
		e.Event(networkEvent(n, "create"))
	}
	return n, err
}

// RemoveNetwork takes one away that no running container is in.
func (e *Engine) RemoveNetwork(ref string) (*network.Network, error) {
	store := e.Networks()
	n, err := store.Get(ref)
	if err == nil {
		err = store.Remove(n)
	}
	if err == nil {
		e.Event(networkEvent(n, "destroy"))
	}
	return n, err
}

// PruneNetworks removes the networks that no running container is in and that match wants gone, and takes the default
// network down if nobody uses it. It returns the names of those that were removed.
func (e *Engine) PruneNetworks(match func(*network.Network) bool) (names []string, err error) {
	store := e.Networks()
	list, err := store.List()
	if err != nil {
		return nil, err
	}
	for _, n := range list {
		switch {
		case n.IsDefault():
			err = store.Down(n)
		case n.Predefined() || !match(n):
			continue
		default:
			if err = store.Remove(n); err == nil {
				e.Event(networkEvent(n, "destroy"))
				names = append(names, n.Name)
			}
		}
		var inUse *network.InUseError
		var missing *network.NotFoundError
		if err != nil && !errors.As(err, &inUse) && !errors.As(err, &missing) {
			return names, err
		}
	}
	return names, nil
}

// NetworkMembers are the running containers of a network, under the names that they have now.
func (e *Engine) NetworkMembers(n *network.Network) (list []network.Endpoint, err error) {
	if n.Driver != network.Host && n.Driver != network.Null {
		if list, err = e.Networks().Endpoints(n); err != nil {
			return nil, err
		}
		for i := range list {
			if r, err := e.Paths.load(list[i].Container); err == nil {
				list[i].Name = r.PlainName()
			}
		}
		return list, nil
	}
	records, err := e.List()
	for _, r := range records {
		if r.State.Running && r.HostConfig.NetworkMode == n.Name {
			list = append(list, network.Endpoint{Container: r.ID, Name: r.PlainName(), ID: endpointID(r.ID, n.Name)})
		}
	}
	return list, err
}

// endpointID is that of a container in the network host or none, of which nothing else is kept.
func endpointID(container, network string) string {
	sum := sha256.Sum256([]byte(container + " " + network))
	return hex.EncodeToString(sum[:])
}

// networkEvent is one of a network: create, destroy.
func networkEvent(n *network.Network, action string) Event {
	return NewEvent("network", action, n.ID, "name", n.Name, "type", n.Driver)
}

// networkEvents are those of the networks that a running container comes into, or has left: connect, disconnect.
func (e *Engine) networkEvents(r *Record, action string) (events []Event) {
	for _, a := range r.Networks {
		if a.Endpoint != nil {
			events = append(events, r.networkEvent(a, action))
		}
	}
	switch mode := r.HostConfig.NetworkMode; mode {
	case "none", "host":
		driver := map[string]string{"none": network.Null, "host": network.Host}[mode]
		events = append(events, r.networkEvent(Attachment{Network: e.Networks().PredefinedID(mode), Name: mode, Driver: driver}, action))
	}
	return events
}

func (r *Record) networkEvent(a Attachment, action string) Event {
	return NewEvent("network", action, a.Network, "container", r.ID, "name", a.Name, "type", a.Driver)
}
