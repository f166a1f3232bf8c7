package container

import "os"

// recordStart says in the record that the container runs. One that `run` has made has no record yet.
func (m *monitor) recordStart() error {
	state := State{
		Status: "running", Running: true, Pid: m.pid, StartedAt: now(),
		Born: startTicks(m.pid), Boot: bootID(), Monitor: os.Getpid(), End: m.record.State.End,
	}
	if c := m.record.Config; c.Healthcheck.command(c.Shell) != nil {
		state.Health = &Health{Status: HealthStarting}
	}
	count, networks, userland := m.record.RestartCount, m.record.Networks, m.record.Userland
	err := m.change(false, func(r *Record) error {
		r.State, r.RestartCount, r.Networks, r.Userland = state, count, networks, userland
		return nil
	})
	var events []Event
	if isMissing(err) {
		m.record.State = state
		err = m.record.save(m.engine.Door, m.engine.Paths, false)
		events = m.record.made()
	}
	events = append(events, m.engine.networkEvents(m.record, "connect")...)
	events = append(events, m.record.volumeEvents("mount")...)
	m.engine.Event(append(events, m.record.Event("start"))...)
	return err
}

// change changes the record: the one on disk, which others may have changed, or, if that is damaged, the one that we know.
func (m *monitor) change(durable bool, edit func(*Record) error) error {
	r, err := m.engine.change(m.record.ID, durable, edit)
	if isDamaged(err) {
		known := *m.record
		if err = edit(&known); err == nil {
			r, err = &known, known.save(m.engine.Door, m.engine.Paths, durable)
		}
	}
	if err == nil {
		m.setRecord(r)
	}
	return err
}

// current is the record as it was written last.
func (m *monitor) current() *Record {
	m.life.Lock()
	defer m.life.Unlock()
	return m.record
}

func (m *monitor) setRecord(r *Record) {
	m.life.Lock()
	defer m.life.Unlock()
	m.record = r
}
