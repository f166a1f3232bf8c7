package container

import (
	"fmt"
	"os"
	"os/signal"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/cgroup"
	"sandbox/kernel"
)

// The OOM killer may take one of a container's processes and leave the rest running. The monitor hears of it from the kernel: on v2 a
// poll(2) on memory.events wakes up with POLLPRI, on v1 an eventfd(2) counts up that was written, together with the descriptor of
// memory.oom_control, into cgroup.event_control (cgroup-v1/memory.rst, section 10, in the kernel's documentation). An inotify instance would
// do on v2, too, but a user has only 128 of those, and may have more containers.

// memoryWatch waits for the OOM killer. A nil one waits for nothing.
type memoryWatch struct {
	source cgroup.OOMSource
	event  int // what wakes up: an eventfd (v1), or memory.events itself (v2)
	wants  int16
	stop   [2]int // a pipe: closing its writing end ends the wait
	done   chan struct{}
	kills  int64     // as far as they are known, since the group was made
	until  time.Time // v1 has said that the limit is met: as long as that, look who was killed of it
}

// Of the kills that v1 announces: how long they may take on a machine that has much to do, and how often is looked meanwhile.
const (
	killsTake  = 10 * time.Second
	killsLooks = 20 * time.Millisecond
)

// limitChanged is the signal with which `update` tells a monitor that its container has got a limit of memory: where there was none
// before, v1 had nothing to tell of. A monitor that knows nothing of it (another version's) is not harmed: Go's runtime drops it.
const limitChanged = unix.SIGUSR2

// memoryListener is a monitor's watch over the memory of its container, from the beginning of each of its lives to the end.
type memoryListener struct {
	sync.Mutex
	living bool
	watch  *memoryWatch
}

// listenForLimits begins to notice limitChanged. v2 needs none of it.
func (m *monitor) listenForLimits() {
	if source, ok := m.engine.groups(m.record.ID).OOMSource(m.record.ID); !ok || source.Control == "" {
		return
	}
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, limitChanged)
	go func() {
		for range changed {
			m.memory.Lock()
			if m.memory.living && m.memory.watch == nil {
				m.memory.watch = m.watchMemory()
			}
			m.memory.Unlock()
		}
	}()
}

// begin is for a life that begins. Signals are noticed by now: what was limited before is seen here.
func (l *memoryListener) begin(m *monitor) {
	l.Lock()
	defer l.Unlock()
	m.oomTold.Store(false)
	l.living, l.watch = true, m.watchMemory()
}

// end is for one that has ended.
func (l *memoryListener) end() {
	l.Lock()
	watch := l.watch
	l.living, l.watch = false, nil
	l.Unlock()
	watch.close()
}

// tellLimit tells a container's monitor that it has got a limit of memory.
func (e *Engine) tellLimit(r *Record) {
	source, ok := e.groups(r.ID).OOMSource(r.ID)
	if !ok || source.Control == "" {
		return
	}
	pidfd, err := unix.PidfdOpen(r.State.Monitor, 0)
	if err != nil {
		return
	}
	defer unix.Close(pidfd)
	if now, err := e.Paths.load(r.ID); err != nil || now.State.Monitor != r.State.Monitor || !isLocked(e.Paths.dir(r.ID)) {
		return // it has ended, and its number may be another's
	}
	e.Door.Do(kernel.Step{
		Effect: kernel.PidfdSignal{FD: kernel.FD(pidfd), Signal: limitChanged}, Section: "3.4", Optional: true,
		Why: kernel.Why{EN: "to its monitor: there is a limit of memory now, listen for the OOM killer", ZH: "通知监视进程：现在有内存上限了，要留意 OOM killer"},
	})
}

// watchMemory begins to wait, if there is anything to hear.
func (m *monitor) watchMemory() *memoryWatch {
	e, r := m.engine, m.record
	source, ok := e.groups(r.ID).OOMSource(r.ID)
	if !ok || !source.Speaks() {
		return nil
	}
	w := &memoryWatch{source: source, done: make(chan struct{})}
	if err := w.open(e.Door); err != nil {
		return nil // the counters still say it in the end
	}
	go func() {
		defer close(w.done)
		if m.noticeKills(w); w.kills > 0 { // before anybody listened; had somebody begun to, the news are of the same
			w.read()
		}
		for {
			news, over := w.wait()
			if over {
				m.noticeKills(w) // the last are counted by now: before anybody dies of it
				return
			}
			if news && w.source.Control != "" { // who was killed shows a moment later; and nobody, if it is the limit of a group above
				m.tellOOM()
				w.until = time.Now().Add(killsTake)
			}
			m.noticeKills(w)
		}
	}()
	return w
}

// open gets the descriptors.
func (w *memoryWatch) open(door *kernel.Door) error {
	if err := unix.Pipe2(w.stop[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	counters, err := unix.Open(w.source.Counters, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == nil && w.source.Control == "" {
		w.event, w.wants = counters, unix.POLLPRI
		return nil
	}
	if err == nil {
		defer unix.Close(counters) // the kernel keeps it as long as the eventfd
		if w.event, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err == nil {
			w.wants = unix.POLLIN
			err = door.Do(kernel.Step{
				Effect: kernel.WriteFile{Path: w.source.Control, Data: fmt.Sprintf("%d %d", w.event, counters)}, Section: "3.4",
				Why: kernel.Why{EN: "the kernel tells the monitor, through an eventfd, when the limit is met", ZH: "碰到内存上限时，内核通过 eventfd 通知监视进程"},
			})
			if err != nil {
				unix.Close(w.event)
			}
		}
	}
	if err != nil {
		unix.Close(w.stop[0])
		unix.Close(w.stop[1])
	}
	return err
}

// wait returns when there is news, when it is over, or when it is time to look. News that came before the end go before it: what was
// killed is said to have been.
func (w *memoryWatch) wait() (news, over bool) {
	fds := []unix.PollFd{{Fd: int32(w.event), Events: w.wants}, {Fd: int32(w.stop[0])}}
	for {
		timeout := -1
		if time.Now().Before(w.until) {
			timeout = int(killsLooks.Milliseconds())
		}
		n, err := unix.Poll(fds, timeout)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return false, true
		case n == 0:
			return false, false
		case fds[0].Revents == 0:
			return false, true
		default:
			return true, !w.read()
		}
	}
}

// read takes the news; false: there will be no more, the group has gone.
func (w *memoryWatch) read() bool {
	if w.source.Control != "" {
		unix.Read(w.event, make([]byte, 8))
		_, err := os.Stat(w.source.Counters)
		return err == nil // an eventfd is woken up, too, when its group goes
	}
	_, err := unix.Pread(w.event, make([]byte, 512), 0) // until it is read it says no more
	return err == nil                                   // one whose group has gone says so for ever (ENODEV)
}

// close ends the wait.
func (w *memoryWatch) close() {
	if w == nil {
		return
	}
	unix.Close(w.stop[1])
	<-w.done
	unix.Close(w.stop[0])
	unix.Close(w.event)
}

// noticeKills writes down that processes were killed while the container goes on, and tells of it, as Docker does.
func (m *monitor) noticeKills(w *memoryWatch) {
	kills := w.source.Kills()
	if kills <= w.kills {
		return
	}
	if w.until.IsZero() { // v1 announces them
		m.tellOOM()
	}
	w.kills, w.until = kills, time.Time{}
	m.change(false, func(r *Record) error {
		r.State.OOMKilled = r.State.Running
		return nil
	})
}

func (m *monitor) tellOOM() {
	m.oomTold.Store(true)
	m.engine.Event(m.current().Event("oom"))
}
