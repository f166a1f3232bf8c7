package container

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
	"sandbox/kernel/early"
)

// The restart policy is the monitor's business: it has seen the end, has the log and the lock, and gives the next birth
// itself. That one is planned as the first was (planStart), from the record and config.json, and is performed by this
// process, which has Go's runtime by now: kernel.Door.Spawn, as for `exec`. What belonged to the run that has ended (its
// streams, its control groups, its clients) goes with it.

// comeAgain waits for as long as the back-off says and brings the container back. false: it stays down, because somebody
// wanted that meanwhile or because it could not be born, and the record says so.
func (m *monitor) comeAgain() bool {
	m.sayEnd(false)
	ended := m.record.State
	wait := m.backoff.next(ended.FinishedAt.Sub(ended.StartedAt.Time))
	if m.askedWithin(wait) {
		m.stayDown(nil)
		return false
	}
	m.pullCables()
	if err := m.giveBirth(); err != nil {
		m.engine.removeGroups(m.record.ID)
		m.engine.leaveNetworks(m.record)
		m.stayDown(err)
		return false
	}
	if m.engine.Paths.askedOf(m.record.ID) != nil { // who asked while it was being born had nobody to send a signal to
		m.engine.kill(m.pid, "somebody has asked meanwhile that it end", "这期间有人要求它结束")
	}
	return true
}

// askedWithin sleeps, but only until somebody asks for the container's end.
func (m *monitor) askedWithin(d time.Duration) bool {
	dir, id := m.engine.Paths.dir(m.record.ID), m.record.ID
	changed, stop := watchDirectory(dir)
	defer stop()
	for late := time.After(d); ; {
		if m.engine.Paths.askedOf(id) != nil {
			return true
		}
		select {
		case <-changed:
		case <-late:
			return m.engine.Paths.askedOf(id) != nil
		}
	}
}

// watchDirectory sends on the channel when a file has got its name in a directory (inotify(7)).
func watchDirectory(dir string) (changed <-chan struct{}, stop func()) {
	return watchFor(dir, unix.IN_MOVED_TO|unix.IN_CREATE|unix.IN_DELETE)
}

// stayDown records that a container which was to come again does not: somebody has asked for that, or it could not be
// born, for a reason.
func (m *monitor) stayDown(failure error) {
	asked := m.engine.Paths.askedOf(m.record.ID)
	m.change(true, func(r *Record) error {
		s := &r.State
		s.Status, s.Running, s.Restarting, s.Monitor, s.Boot = "exited", false, false, 0, ""
		r.RestartCount-- // it has not come
		s.Stopped = asked.byHand()
		if failure != nil {
			s.End = failedEnd(failure)
			s.ExitCode, s.Error = s.End.ExitCode, s.End.Note
		}
		return nil
	})
}

// giveBirth is another first process for the same container.
func (m *monitor) giveBirth() error {
	e, r := m.engine, m.record
	ours, err := openStreams(r)
	if err == nil {
		err = ours.addKnock()
	}
	if err != nil {
		return err
	}
	defer func() { ours.close() }()
	m.life.Lock()
	window := m.window
	m.life.Unlock()
	s, err := e.planStart(r, ours.ends(), window)
	if err != nil {
		return err
	}
	defer closeJoined(s.joined)
	defer func() { s.net.close() }()
	if err := e.makeGroups(r.ID, s); err != nil {
		return err // who asked for the birth leaves the networks
	}
	if s.spawn.Group != "" {
		group, err := unix.Open(s.spawn.Group, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(group)
		s.spawn.GroupFD = group
	}
	b, err := m.spawn(s, &ours)
	if err != nil {
		m.serving.end()
		return err
	}
	if failure := b.Failure(); failure != nil {
		m.serving.end()
		return m.buryStillborn(s.spawn, b, failure)
	}
	m.life.Lock()
	m.pid = b.PID
	if b.Forked() != 0 {
		unix.Wait4(b.PID, nil, 0, nil)
		m.pid = b.Forked()
	}
	m.life.Unlock()
	m.copyOutput(ours.take())
	m.serveNetworks(s.net.take())
	if err := m.recordStart(); err != nil { // nobody would know of it
		m.engine.kill(m.pid, "it cannot be looked after", "没法照看它")
		m.waitForEnd()
		m.drain()
		return err
	}
	return nil
}

// spawn performs the birth, and makes the network beside it that it waits for.
func (m *monitor) spawn(s *start, ours *streams) (*kernel.Birth, error) {
	if !s.waits {
		return m.engine.Door.Spawn(s.spawn)
	}
	waiting := ours.fd(early.Waiting)
	connected := m.connectBeside(waiting)
	b, err := m.engine.Door.Spawn(s.spawn)
	ours.closeOne(early.Await) // so that nobody waits for a birth that has failed
	failure := <-connected
	if failure == nil {
		unix.Close(waiting)
	}
	ours.forget(early.Waiting)
	if err == nil && failure != nil && !errors.Is(failure, errNotBorn) {
		reap(cmp.Or(b.Forked(), b.PID))
		err = failure
	}
	return b, err
}

// buryStillborn says why a process could not become the program, and reaps it.
func (m *monitor) buryStillborn(spawn kernel.Spawn, b *kernel.Birth, failure error) error {
	if b.Held() {
		failure = m.engine.explainExec(m.record, spawn, b)
		m.engine.kill(cmp.Or(b.Forked(), b.PID), "it waited to be looked at", "它停在那里等人查看")
	}
	unix.Wait4(b.PID, nil, 0, nil)
	if b.Forked() != 0 {
		unix.Wait4(b.Forked(), nil, 0, nil)
	}
	return failure
}

// ends are the new process's descriptors, under the numbers that they have here. Its copy of our end of the socket pair
// for the terminal is of no use to it: that number is where it keeps the master meanwhile.
func (s streams) ends() ends {
	return ends{
		stdin: s.fd(childStdin), stdout: s.fd(childStdout), stderr: s.fd(childStderr), pty: s.fd(childPty), master: s.fd(monitorPty),
		knock: s.fd(early.Knock), door: s.fd(early.Door), await: s.fd(early.Await), waiting: s.fd(early.Waiting),
	}
}

// addKnock adds the pipe through which the new process finds out whether we are still alive.
func (s *streams) addKnock() error {
	var pair [2]int
	if err := unix.Pipe2(pair[:], unix.O_CLOEXEC); err != nil {
		s.close()
		return err
	}
	s.fds, s.targets = append(s.fds, pair[0], pair[1]), append(s.targets, early.Door, early.Knock)
	return nil
}

// closeOne closes one of them before the others.
func (s *streams) closeOne(target byte) {
	unix.Close(s.fd(target))
	s.forget(target)
}

// forget leaves one to others.
func (s *streams) forget(target byte) {
	i := slices.Index(s.targets, target)
	s.fds, s.targets = slices.Delete(s.fds, i, i+1), slices.Delete(s.targets, i, i+1)
}

func (s streams) fd(target byte) int {
	for i, t := range s.targets {
		if t == target {
			return s.fds[i]
		}
	}
	return -1
}

// take gives the monitor's ends away; the new process's are left, to be closed.
func (s *streams) take() monitorStreams {
	taken := monitorStreams{s.fd(monitorStdin), s.fd(monitorStdout), s.fd(monitorStderr), s.fd(monitorPty)}
	rest := streams{}
	for i, t := range s.targets {
		if t < monitorStdin {
			rest.fds, rest.targets = append(rest.fds, s.fds[i]), append(rest.targets, t)
		}
	}
	*s = rest
	return taken
}
