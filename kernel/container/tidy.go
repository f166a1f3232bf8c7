package container

import (
	"os"
	"strings"
	"time"

	"sandbox/kernel"
)

// Get finds a container by name or id, and brings its record in line with the kernel.
func (e *Engine) Get(ref string) (*Record, error) {
	id, err := e.Paths.resolve(ref)
	if err != nil {
		return nil, err
	}
	r, err := e.Paths.load(id)
	if isMissing(err) {
		return nil, &ErrNotFound{ref}
	}
	if err != nil {
		return nil, err
	}
	return e.reconcile(r)
}

// List is every container, the newest first. What is unfinished or half removed is put right on the way.
func (e *Engine) List() ([]*Record, error) {
	entries, err := os.ReadDir(e.Paths.containers())
	if err != nil && !isMissing(err) {
		return nil, err
	}
	var list []*Record
	for _, entry := range entries {
		r, err := e.Paths.load(entry.Name())
		if err != nil {
			e.removeUnfinished(entry.Name())
			continue
		}
		if r, err = e.reconcile(r); err == nil {
			list = append(list, r)
		}
	}
	sortNewestFirst(list)
	return list, nil
}

func sortNewestFirst(list []*Record) {
	for i := range list {
		for j := i; j > 0 && list[j].Created.After(list[j-1].Created); j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

// reconcile compares a record that says "running" with the lock. When nobody holds the lock the monitor was killed,
// or the machine went down: what is left of the container is ended and taken away, and the record says so.
func (e *Engine) reconcile(r *Record) (*Record, error) {
	if !r.State.Running || isLocked(e.Paths.dir(r.ID)) {
		return r, nil
	}
	lock, taken, err := takeLock(e.Paths.dir(r.ID))
	if err != nil || !taken {
		return r, err
	}
	defer lock.Close()
	if r, err = e.Paths.load(r.ID); err != nil || !r.State.Running {
		return r, err // somebody was faster
	}
	if r.State.Boot == bootID() && startTicks(r.State.Pid) == r.State.Born {
		e.kill(r.State.Pid, "its monitor was killed: nobody looks after it any more", "它的监视进程被杀了,没人照看了")
		waitGone(r.State.Pid, r.State.Born)
	}
	e.removeGroups(r.ID)
	if r.HostConfig.AutoRemove {
		return r, e.delete(r)
	}
	r.State = State{
		Status: "exited", ExitCode: 137, StartedAt: r.State.StartedAt, FinishedAt: time.Now().UTC(),
		Error: "its monitor was killed, or the machine went down",
	}
	return r, r.save(e.Door, e.Paths, true)
}

// waitGone waits for a process that was killed to be gone.
func waitGone(pid int, born uint64) {
	for range 500 {
		if startTicks(pid) != born || strings.HasPrefix(statusField(pid, "State"), "Z") {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// unfinishedAge is how old a directory without a record must be before it is a leftover, not one that is being made.
const unfinishedAge = 5 * time.Second

// removeUnfinished takes away a directory that a killed client has left before, or a killed removal after, it had a record.
func (e *Engine) removeUnfinished(id string) {
	if !e.isUnfinished(id) {
		return
	}
	e.removeGroups(id)
	e.Door.Do(kernel.Step{
		Effect: kernel.RemoveAll{Path: e.Paths.dir(id)}, Section: "3.3", Optional: true,
		Why: kernel.Why{EN: "left by a command that was killed", ZH: "被杀掉的命令留下的"},
	})
	e.removeDanglingNames()
}

// removeDanglingNames frees the names of containers that are no more.
func (e *Engine) removeDanglingNames() {
	names, _ := os.ReadDir(e.Paths.names())
	for _, n := range names {
		id, err := os.Readlink(e.Paths.nameOf(n.Name()))
		if err != nil {
			continue
		}
		if _, err := os.Stat(e.Paths.dir(id)); isMissing(err) {
			e.Door.Do(kernel.Step{Effect: kernel.Remove{Path: e.Paths.nameOf(n.Name())}, Section: "3.3", Optional: true})
		}
	}
}
