package container

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// A record has several writers: the monitor when the container starts and ends, and commands such as `rename` and `update`
// at any time. Each of them reads the record, changes what is its own and writes it whole, under a flock(2) lock on the
// container's work directory, which nobody else locks and which stays where it is as long as the container.

// lockRecord waits for its turn to change a record.
func (p Paths) lockRecord(id string) (*os.File, error) {
	lock, err := os.Open(p.work(id))
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(lock.Fd()), unix.LOCK_EX)
		if err == nil {
			return lock, nil
		}
		if !errors.Is(err, unix.EINTR) {
			lock.Close()
			return nil, err
		}
	}
}

// nameNow is a container's name, which may be another than when the record was read: the link tells without reading it again.
func (p Paths) nameNow(r *Record) string {
	if id, err := os.Readlink(p.nameOf(r.PlainName())); err == nil && id == r.ID {
		return r.Name
	}
	if now, err := p.load(r.ID); err == nil {
		return now.Name
	}
	return r.Name
}

// change reads a container's record, lets edit change it and writes it back. If edit fails nothing is written.
func (e *Engine) change(id string, durable bool, edit func(*Record) error) (*Record, error) {
	lock, err := e.Paths.lockRecord(id)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	r, err := e.Paths.load(id)
	if err != nil {
		return nil, err
	}
	if err := edit(r); err != nil {
		return nil, err
	}
	return r, r.save(e.Door, e.Paths, durable)
}
