package container

import "sync"

// audience is all who watch a container: the command that began it, and those that have attached. Each has an outbox of its own.
type audience struct {
	mu      sync.Mutex
	members []*outbox
	leaving []*outbox // who have been told of an end, and may still be reading
	end     []byte    // the end that nothing comes after; nil while there may be more
}

// crowded tells whether more than one watches.
func (a *audience) crowded() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.members) > 1
}

// add takes somebody in, from the next output on. Who comes after the end is told of it.
func (a *audience) add(o *outbox) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.end != nil {
		o.say(frameExit, a.end)
		a.leaving = append(a.leaving, o)
		return
	}
	a.members = append(a.members, o)
}

// remove is for somebody who is gone.
func (a *audience) remove(o *outbox) {
	o.abandon()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.members, a.leaving = without(a.members, o), without(a.leaving, o)
}

// without is a new list: the old one may be in use.
func without(list []*outbox, o *outbox) []*outbox {
	var rest []*outbox
	for _, other := range list {
		if other != o {
			rest = append(rest, other)
		}
	}
	return rest
}

func (a *audience) now() []*outbox {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.members[:len(a.members):len(a.members)]
}

// output hands output on to everybody.
func (a *audience) output(kind byte, content []byte) {
	for _, o := range a.now() {
		o.output(kind, content)
	}
}

// release lets output in without waiting, from the container's end on.
func (a *audience) release() {
	for _, o := range a.now() {
		o.release()
	}
}

// tellEnd tells everybody of an end. They leave; if it is not final others may come, to watch what comes after it.
func (a *audience) tellEnd(end []byte, final bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, o := range a.members {
		o.say(frameExit, end)
	}
	a.leaving, a.members = append(a.leaving, a.members...), nil
	if final {
		a.end = end
	}
}

// flush waits until everybody has everything, or is gone.
func (a *audience) flush() {
	a.mu.Lock()
	all := append(append([]*outbox(nil), a.members...), a.leaving...)
	a.mu.Unlock()
	for _, o := range all {
		o.flush()
	}
}
