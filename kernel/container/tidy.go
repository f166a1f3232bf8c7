package container

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sandbox/kernel"
)

// Get finds a container by name or id, and brings it in line with the kernel and with its restart policy: one whose monitor
// was killed is started again if its policy says so, as there is nobody else who would.
func (e *Engine) Get(ref string) (*Record, error) {
	r, lost, err := e.find(ref)
	if err == nil && lost {
		r = e.bringBack(r)
	}
	return r, err
}

// FindAny is Find for those who remove containers: one whose record is damaged can be removed, and nothing else.
func (e *Engine) FindAny(ref string) (*Record, error) {
	r, err := e.Find(ref)
	if isDamaged(err) {
		id, _ := e.Paths.resolve(ref)
		return e.Paths.dead(id, err), nil
	}
	return r, err
}

// Find is Get for those who will end the container, remove it or start it: it is not brought back for them.
func (e *Engine) Find(ref string) (*Record, error) {
	r, _, err := e.find(ref)
	return r, err
}

func (e *Engine) find(ref string) (r *Record, lost bool, err error) {
	id, err := e.Paths.resolve(ref)
	if err != nil {
		return nil, false, err
	}
	r, err = e.Paths.load(id)
	if isMissing(err) {
		return nil, false, &ErrNotFound{ref}
	}
	if err != nil {
		return nil, false, err
	}
	if r, lost, err = e.reconcile(r); isMissing(err) { // somebody else has found its monitor killed, and --rm has removed it
		err = &ErrNotFound{ref}
	}
	return r, lost, err
}

// List is every container, the newest first. What is unfinished or half removed is put right on the way.
func (e *Engine) List() ([]*Record, error) {
	entries, err := os.ReadDir(e.Paths.containers())
	if err != nil && !isMissing(err) {
		return nil, err
	}
	var list []*Record
	for _, l := range e.Paths.loadAll(entries) {
		r, err := l.record, l.err
		if isMissing(err) {
			e.removeUnfinished(l.id)
			continue
		}
		if isDamaged(err) {
			list = append(list, e.Paths.dead(l.id, err))
			continue
		}
		lost := false
		if err == nil {
			r, lost, err = e.reconcile(r)
		}
		if err == nil && lost {
			r = e.bringBack(r)
		}
		var removed *ErrNotFound
		switch {
		case isMissing(err) || errors.As(err, &removed): // it has just been removed, perhaps by us
		case err != nil:
			return nil, err
		default:
			list = append(list, r)
		}
	}
	if names, _ := os.ReadDir(e.Paths.names()); len(names) > len(list) {
		e.removeDanglingNames()
	}
	e.removeAbandonedGroups(list)
	slices.SortStableFunc(list, func(a, b *Record) int { return b.Created.Compare(a.Created.Time) })
	return list, nil
}

// Peek is every container as its record says, the truth or not: nothing is put right.
func (e *Engine) Peek() []*Record {
	entries, _ := os.ReadDir(e.Paths.containers())
	var list []*Record
	for _, l := range e.Paths.loadAll(entries) {
		if l.err == nil {
			list = append(list, l.record)
		}
	}
	return list
}

// loaded is a record, or why there is none.
type loaded struct {
	id     string
	record *Record
	err    error
}

// loadAll reads the records in these directories, on all processors: with a thousand containers it is most of what `ps` does.
func (p Paths) loadAll(entries []os.DirEntry) []loaded {
	list := make([]loaded, len(entries))
	var next atomic.Int64
	var workers sync.WaitGroup
	const atOnce = 64 // fewer are not worth another goroutine
	for range min(runtime.GOMAXPROCS(0), 1+len(entries)/atOnce) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(entries); i = int(next.Add(1)) - 1 {
				id := entries[i].Name()
				r, err := p.load(id)
				list[i] = loaded{id, r, err}
			}
		})
	}
	workers.Wait()
	return list
}

// reconcile compares a record that says "running" with the lock. When nobody holds the lock the monitor was killed,
// or the machine went down: what is left of the container is ended and taken away, and the record says so. lost tells
// that it was us who found it.
func (e *Engine) reconcile(r *Record) (_ *Record, lost bool, err error) {
	if !r.State.Running {
		return r, false, nil
	}
	if isLocked(e.Paths.dir(r.ID)) {
		e.thawAbandoned(r)
		return e.checkPaused(r), false, nil
	}
	lock, taken, err := takeLock(e.Paths.dir(r.ID))
	if err != nil || !taken {
		return r, false, err
	}
	defer lock.Close()
	if r, err = e.Paths.load(r.ID); err != nil || !r.State.Running {
		return r, false, err // somebody was faster
	}
	if e.groups(r.ID).Frozen(r.ID) {
		e.thaw(r.ID) // so that what is killed dies
	}
	if r.State.Pid != 0 && r.State.Boot == bootID() && startTicks(r.State.Pid) == r.State.Born {
		e.kill(r.State.Pid, "its monitor was killed: nobody looks after it any more", "它的监视进程被杀了，没人照看了")
		waitGone(r.State.Pid, r.State.Born)
	}
	if u := r.Userland; u != nil && u.Pid != 0 && r.State.Boot == bootID() && startTicks(u.Pid) == u.Born { // it is on its way, and may still have the ports
		e.kill(u.Pid, "it carried the packets of a container that is no more", "它替一个已经不在的容器搬运数据包")
		waitGone(u.Pid, u.Born)
	}
	e.removeGroups(r.ID)
	left := e.networkEvents(r, "disconnect")
	e.leaveNetworks(r)
	e.Networks().Forget(r.ID) // its monitor may have been killed before it could write down what it had
	r.State = e.lostState(r)
	e.Event(slices.Concat([]Event{r.died()}, left, r.volumeEvents("unmount"))...)
	if r.HostConfig.AutoRemove {
		e.leaveWord(r)
		if err := e.delete(r, true); err != nil {
			return nil, false, err
		}
		return nil, false, &ErrNotFound{r.PlainName()}
	}
	state := r.State
	r, err = e.change(r.ID, true, func(r *Record) error { r.State = state; r.forgetEndpoints(); return nil })
	return r, true, err
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

// lockUnfinished takes a directory that a killed client has left before, or a killed removal after, it had a record;
// nil if it is none: if it has a record, or somebody is at work on it.
func (e *Engine) lockUnfinished(id string) (lock *os.File) {
	growing, alone, err := takeLock(e.Paths.containers())
	if err != nil || !alone {
		return nil
	}
	defer growing.Close()
	lock, taken, err := takeLock(e.Paths.dir(id))
	if err != nil || !taken {
		return nil
	}
	if _, err := os.Stat(e.Paths.record(id)); !isMissing(err) {
		lock.Close()
		return nil
	}
	return lock
}

// isUnfinished tells whether a directory is such a leftover.
func (e *Engine) isUnfinished(id string) bool {
	lock := e.lockUnfinished(id)
	if lock == nil {
		return false
	}
	lock.Close()
	return true
}

// removeAbandonedGroups takes away the control groups of containers that are down: those of a start whose monitor was killed before
// the container could be recorded as running.
func (e *Engine) removeAbandonedGroups(list []*Record) {
	ids := e.Groups.IDs()
	for _, r := range list {
		if r.HostConfig.CgroupParent != "" && !r.State.Running && e.groups(r.ID).Made(r.ID) {
			ids = append(ids, r.ID)
		}
	}
	for _, id := range ids {
		i := slices.IndexFunc(list, func(r *Record) bool { return r.ID == id })
		if i < 0 || list[i].State.Running {
			continue
		}
		lock, taken, err := takeLock(e.Paths.dir(id))
		if err != nil || !taken {
			continue // it is just being started
		}
		if r, err := e.Paths.load(id); err == nil && !r.State.Running {
			e.removeGroups(id)
		}
		lock.Close()
	}
}

// removeUnfinished takes such a directory away.
func (e *Engine) removeUnfinished(id string) {
	lock := e.lockUnfinished(id)
	if lock == nil {
		return
	}
	defer lock.Close()
	e.removeGroups(id)
	e.removeOwnVolumes(id)
	e.Networks().Forget(id)
	e.Door.Do(kernel.Step{
		Effect: kernel.RemoveAll{Path: e.Paths.dir(id)}, Section: "3.3", Optional: true,
		Why: kernel.Why{EN: "left by a command that was killed", ZH: "被杀掉的命令留下的"},
	})
}

// removeDanglingNames frees the names of containers that are no more.
func (e *Engine) removeDanglingNames() {
	names, _ := os.ReadDir(e.Paths.names())
	for _, n := range names {
		e.freeDangling(n.Name())
	}
}

// freeDangling frees a name if its container is no more, and tells whether it did. A container's directory is made
// before its name, so a name without one is left over. The lock keeps two commands from doing it at once: the second would
// take away what the first has just reserved anew.
func (e *Engine) freeDangling(name string) bool {
	lock, taken, err := takeLock(e.Paths.names())
	if err != nil || !taken {
		return false
	}
	defer lock.Close()
	id, err := os.Readlink(e.Paths.nameOf(name))
	if err != nil {
		return false
	}
	if _, err := os.Lstat(e.Paths.dir(id)); !isMissing(err) && !e.isRenamed(id, name) {
		return false
	}
	return e.Door.Do(kernel.Step{
		Effect: kernel.Remove{Path: e.Paths.nameOf(name)}, Section: "3.3",
		Why: kernel.Why{EN: "its container is no more, or has another name", ZH: "它的容器已经没有了，或者已经改名"},
	}) == nil
}

// isRenamed tells whether a container has another name than a link to it says, and nobody is just giving it that one:
// a rename that was killed half way.
func (e *Engine) isRenamed(id, name string) bool {
	turn, taken, err := takeLock(e.Paths.work(id))
	if err != nil || !taken {
		return false
	}
	defer turn.Close()
	r, err := e.Paths.load(id)
	return err == nil && r.PlainName() != name
}

// ImageInUse tells whether a container was made from the image with this ID.
func (p Paths) ImageInUse(id string) bool {
	entries, _ := os.ReadDir(p.containers())
	for _, entry := range entries {
		if r, err := p.load(entry.Name()); err != nil || r.Image == id {
			return true // a record that cannot be read may be that of a container that is just being made
		}
	}
	return false
}
