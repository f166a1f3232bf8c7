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

// pullCables removes what is left of the run that has ended, after some time or at once.
func (m *monitor) pullCables(patience time.Duration) {
	for late := time.Now().Add(patience); len(m.cables) > 0; time.Sleep(cableTime / 25) {
		if _, err := kernel.LinkOf(m.cables[0]); err != nil {
			m.cables = m.cables[1:]
			continue
		}
		if time.Now().Before(late) {
			continue
		}
		pull := kernel.Because(kernel.LinkDel{Name: m.cables[0]}, "another container is still in its network namespace: the cable is pulled out", "还有别的容器待在它的网络 namespace 里：把网线拔掉")
		m.engine.Door.Do(kernel.Try(kernel.In("3.6", pull)...)...)
		m.cables = m.cables[1:]
	}
}
