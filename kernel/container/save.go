package container

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
	"sandbox/kernel/early"
)

// recordBlock is what a record's length is rounded up to, with blanks, and recordSlack how many of those there are at least: a disk
// gives out blocks anyway, and so there is room for a container's end where the disk has become full meanwhile.
const (
	recordBlock = 4096
	recordSlack = 1024
)

// save writes the record whole. On a full disk it is written over the old one, if there is one and it fits.
func (r *Record) save(d kernel.Doer, p Paths, durable bool) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	blank := recordBlock - (len(data)+recordSlack)%recordBlock + recordSlack
	padded := append(data, bytes.Repeat([]byte(" "), blank)...)
	path := p.record(r.ID)
	why := kernel.Why{EN: "what is known of the container: inspect shows it", ZH: "容器的记录，inspect 显示的就是它"}
	err = d.Do(kernel.Step{Effect: kernel.ReplaceFile{Path: path, Data: padded, Mode: 0o600, Durable: durable}, Section: "3.1", Why: why})
	if !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT) {
		return err
	}
	d.Do(kernel.Step{Effect: kernel.Remove{Path: path + ".new"}, Section: "3.1", Optional: true})
	old, statErr := os.Stat(path)
	if statErr != nil || old.Size() < int64(len(data)) {
		return err
	}
	padded = append(data, bytes.Repeat([]byte(" "), int(old.Size())-len(data))...)
	return d.Do(kernel.Step{Effect: kernel.RewriteFile{Path: path, Data: padded}, Section: "3.1", Why: why})
}

// load reads a record. A directory without one is a container that was never finished, or half removed.
func (p Paths) load(id string) (*Record, error) {
	data, err := readWhole(p.record(id))
	if err != nil {
		return nil, err
	}
	var r Record
	err = json.NewDecoder(bytes.NewReader(data)).Decode(&r) // its first value: see lastWord
	if err == nil && r.ID != id {
		err = errors.New("it is another container's")
	}
	if err != nil {
		return nil, kernel.Advise(&damagedError{p.record(id), err}, "sandbox rm -f %.12s   removes the container, and what it has written in %s", id, p.upper(id))
	}
	return &r, nil
}

// readWhole is os.ReadFile for small files, in three system calls.
func readWhole(path string) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	data := make([]byte, 0, 8<<10)
	for {
		n, err := unix.Read(fd, data[len(data):cap(data)])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, &fs.PathError{Op: "read", Path: path, Err: err}
		case len(data)+n < cap(data): // a regular file gives all that it has
			return data[:len(data)+n], nil
		}
		data = append(data[:len(data)+n], make([]byte, cap(data))...)[:len(data)+n]
	}
}

// damagedError is a record that cannot be read: the machine went down while it was written, on a file system that does not keep its
// promises, or somebody has had a hand in it.
type damagedError struct {
	path string
	err  error
}

func (e *damagedError) Error() string { return fmt.Sprintf("%s is damaged: %v", e.path, e.err) }

// Unwrap gives the cause.
func (e *damagedError) Unwrap() error { return e.err }

func isDamaged(err error) bool {
	var damaged *damagedError
	return errors.As(err, &damaged)
}

// dead is all that is known of a container whose record is damaged. It can be listed, and removed.
func (p Paths) dead(id string, err error) *Record {
	r := &Record{ID: id, State: State{Status: "dead", Dead: true, Error: err.Error()}}
	if info, err := os.Stat(p.dir(id)); err == nil {
		r.Created = Moment{info.ModTime().UTC()}
	}
	links, _ := os.ReadDir(p.names())
	for _, l := range links {
		if target, err := os.Readlink(p.nameOf(l.Name())); err == nil && target == id {
			r.Name = "/" + l.Name()
		}
	}
	return r
}

// killKeeper kills the monitor of a container whose record does not tell of it, and so the container: whoever has its directory
// open as the lock that monitors have.
func (e *Engine) killKeeper(id string) {
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid := 0
		if n, err := fmt.Sscan(entry.Name(), &pid); n != 1 || err != nil || strings.Trim(entry.Name(), "0123456789") != "" {
			continue
		}
		if dir, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, early.Lock)); err == nil && dir == e.Paths.dir(id) {
			born := map[int]uint64{}
			for _, child := range childrenOf(pid) {
				born[child] = startTicks(child)
			}
			e.kill(pid, "the monitor of a container that nothing else is known of", "一个已经无从查起的容器的监视进程")
			for child, ticks := range born { // they die with it, a moment later
				waitGone(child, ticks)
			}
		}
	}
	waitUnlocked(e.Paths.dir(id))
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
