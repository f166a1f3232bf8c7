package container

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// Attended is a container that belongs to one command, which wants what it has written and nothing else of it: a step of a
// build. Both of its output streams go through one pipe, so that their order is kept. It does not outlive the command, however
// that ends:
//
//	while it runs        it is recorded, and listed, as others are. If the client is gone the monitor kills it
//	when it has ended    the monitor takes the record away. What is left is a directory that the client has locked, and takes
//	                     away when it is done. If the client is killed before, that is a leftover like any other (lock.go)
type Attended struct {
	Code   int // exit code
	engine *Engine
	record *Record
	lock   *os.File
}

// Attend creates a container, runs it to its end and leaves its directory, which the caller removes. A cancelled ctx kills it. started
// is called before anything of the output.
func (e *Engine) Attend(ctx context.Context, req Request, s Streams, started func(id string), tell func(kernel.Record)) (*Attended, error) {
	req.Attended, req.HostConfig.AutoRemove = true, true
	monitor, err := e.SpawnMonitor()
	if err != nil {
		return nil, err
	}
	r, lock, err := e.Create(req)
	if err != nil {
		monitor.Abandon()
		return nil, err
	}
	a := &Attended{engine: e, record: r}
	if a.lock, err = duplicate(lock); err == nil {
		started(r.Short())
		err = e.Start(monitor, r, lock, Window{}) // the lock goes over to the monitor, and we keep it as well
	}
	if err != nil {
		monitor.Abandon()
		e.Discard(r)
		lock.Close()
		a.lock.Close()
		return nil, err
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { e.killStarted(r.ID, ended) })
	a.Code, err = monitor.Attach(s, tell)
	stop()
	close(ended)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		a.abandon()
		return nil, err
	}
	return a, nil
}

// duplicate gives another descriptor of the same open file, and so of the same lock.
func duplicate(lock *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(lock.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), lock.Name()), nil
}

// killStarted kills a container that was started a moment ago. Its monitor writes down which process it is, perhaps only now.
func (e *Engine) killStarted(id string, ended <-chan struct{}) {
	for {
		if r, err := e.Get(id); err == nil && e.Kill(r, "kill", unix.SIGKILL) == nil {
			return
		}
		select {
		case <-ended:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// ID is the container's short ID.
func (a *Attended) ID() string { return a.record.Short() }

// Upper is what the container has written. It may be moved away.
func (a *Attended) Upper() string { return a.engine.Upper(a.record) }

// Remove takes away what is left.
func (a *Attended) Remove() error {
	defer a.lock.Close()
	return a.engine.delete(a.record, true)
}

// abandon takes away what is left if the monitor did not get to its end: without our lock it is what a killed monitor leaves.
func (a *Attended) abandon() {
	a.lock.Close()
	if r, err := a.engine.Get(a.record.ID); err == nil {
		_ = a.engine.Remove(r, true, true) // it failed before: what could not be removed the next command finds
	} else {
		a.engine.removeUnfinished(a.record.ID)
	}
}
