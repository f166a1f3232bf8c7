package container

import (
	"fmt"
	"time"

	"sandbox/kernel"
)

// A paused container stands still in its control group's freezer: its processes are not told of it, as they would be by
// SIGSTOP. The freezer is shared with `commit`, which uses it for a moment: what the record calls paused was meant to
// stay so. Pause freezes first and records then, Unpause the other way round: so what is frozen without being recorded is the
// trace of a command that was killed, and the next one lets it go on (thawAbandoned).

// Pause stops all of a container's processes where they are.
func (e *Engine) Pause(r *Record) error {
	name := r.PlainName()
	switch {
	case !r.State.Running, r.State.Restarting:
		return e.notRunning(r)
	case r.State.Paused:
		return kernel.Advise(fmt.Errorf("container %s is already paused", name), "sandbox unpause %s", name)
	}
	steps, err := e.groups(r.ID).Freeze(r.ID)
	if err != nil {
		return kernel.Advise(fmt.Errorf("container %s cannot be paused: %w", name, err), "pausing needs a control group: sandbox doctor   says why there is none")
	}
	lock, err := e.lockFreezer(r)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err = e.standStill(r, steps, "again: one of its processes waits for the disk, say"); err == nil {
		_, err = e.change(r.ID, false, func(r *Record) error { return r.setPaused(true) })
	}
	if err != nil {
		e.thaw(r.ID)
		return err
	}
	e.Event(r.Event("pause"))
	return nil
}

// standStillTries is how often a container is brought to a standstill before that is given up.
const standStillTries = 25

// standStill freezes a container's processes and waits until all of them stand. On v1 those that make others all the time can be caught
// in the middle, one waiting for another that stands still already: it stays FREEZING for ever. So they may go on for a moment, and it
// is tried again.
func (e *Engine) standStill(r *Record, freeze []kernel.Step, cure string) error {
	for try := range standStillTries {
		if err := e.Door.Do(freeze...); err != nil {
			return err
		}
		patience := 200 * time.Millisecond
		if try < 2 { // all others stand as soon as each of them has had the processor once
			patience = 2 * time.Second
		}
		if e.groups(r.ID).WaitFrozen(r.ID, patience) {
			return nil
		}
		e.thaw(r.ID)
		time.Sleep(10 * time.Millisecond)
	}
	return kernel.Advise(errNotFrozen, "%s", cure)
}

// Unpause lets them go on.
func (e *Engine) Unpause(r *Record) error {
	switch {
	case !r.State.Running, r.State.Restarting:
		return e.notRunning(r)
	case !r.State.Paused:
		return kernel.Advise(fmt.Errorf("container %s is not paused", r.PlainName()), "sandbox ps   shows which are")
	}
	lock, err := e.lockFreezer(r)
	if err != nil {
		return err
	}
	defer lock.Close()
	return e.letGoOn(r)
}

// letGoOn is Unpause for those, too, who end the container: on cgroup v1 what is frozen does not even die.
func (e *Engine) letGoOn(r *Record) error {
	if _, err := e.change(r.ID, false, func(r *Record) error { return r.setPaused(false) }); err != nil {
		return err
	}
	e.thaw(r.ID)
	e.Event(r.Event("unpause"))
	return nil
}

// setPaused changes the record of a container that still runs.
func (r *Record) setPaused(paused bool) error {
	if !r.State.Running {
		return fmt.Errorf("container %s has just ended", r.PlainName())
	}
	r.State.Paused, r.State.Status = paused, "running"
	if paused {
		r.State.Status = "paused"
	}
	return nil
}

// checkPaused holds a record that says "paused" against the kernel: somebody may have thawed the group by hand.
func (e *Engine) checkPaused(r *Record) *Record {
	if !r.State.Paused || e.groups(r.ID).Frozen(r.ID) {
		return r
	}
	changed, err := e.change(r.ID, false, func(r *Record) error {
		if r.State.Paused && !e.groups(r.ID).Frozen(r.ID) {
			return r.setPaused(false)
		}
		return nil
	})
	if err != nil {
		return r
	}
	return changed
}
