package container

import (
	"time"

	"sandbox/kernel"
)

// When a container has ended its network namespace goes, and with it its interfaces: within a tenth of a second, as a rule. But another
// container may be in that namespace (--network container:NAME), and then they stay, with addresses that are given to somebody
// else one day. So its cables are pulled out.

// cableTime is how long the kernel gets to do it by itself, which costs nobody anything.
const cableTime = 250 * time.Millisecond

// pullCables removes what the run that has ended has left to others, if there are any.
func (m *monitor) pullCables() {
	if len(m.cables) == 0 || !m.engine.isShared(m.record.ID) {
		return
	}
	for _, cable := range m.cables {
		pull := kernel.Because(kernel.LinkDel{Name: cable}, "another container is still in its network namespace: the cable is pulled out", "还有别的容器待在它的网络 namespace 里：把网线拔掉")
		m.engine.Door.Do(kernel.Try(kernel.In("3.6", pull)...)...)
	}
	m.cables = nil
}

// waitForCables gives the kernel its time before it looks whether there are others: that takes a look at all containers.
func (m *monitor) waitForCables() {
	for late := time.Now().Add(cableTime); len(m.cables) > 0; time.Sleep(cableTime / 25) {
		if _, err := kernel.LinkOf(m.cables[0]); err != nil {
			m.cables = m.cables[1:]
		} else if time.Now().After(late) {
			m.pullCables()
			return
		}
	}
}

// isShared tells whether another running container is in this one's network namespace.
func (e *Engine) isShared(id string) bool {
	for _, r := range e.Peek() {
		if r.State.Running && joinedID(r.HostConfig.NetworkMode) == id {
			return true
		}
	}
	return false
}
