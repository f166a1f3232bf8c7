package container

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// EventOptions choose which events are read, by their time.
type EventOptions struct {
	Since time.Time // zero: only what happens from now on
	Until time.Time // zero: for ever
}

// Events hands on what has happened since a time, then what happens, until a time or until ctx is over.
func (e *Engine) Events(ctx context.Context, o EventOptions, each func(Event) error) error {
	if err := e.makeRoot(); err != nil { // there must be a directory to look at
		return err
	}
	pick := func(event Event) error {
		at := time.Unix(0, event.TimeNano)
		if at.Before(o.Since) || !o.Until.IsZero() && at.After(o.Until) {
			return nil
		}
		return each(event)
	}
	tail := &eventTail{path: e.Paths.events()}
	defer tail.close()
	if o.Since.IsZero() {
		tail.skip()
	} else if err := tail.past(pick); err != nil {
		return err
	}
	changed, stop := watchFor(e.Paths.State, unix.IN_MODIFY|unix.IN_CREATE|unix.IN_MOVED_TO)
	defer stop()
	var over <-chan time.Time
	if !o.Until.IsZero() {
		over = time.After(time.Until(o.Until))
	}
	for {
		if err := tail.read(pick); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-over:
			return tail.read(pick)
		case <-ctx.Done():
			return tail.read(pick) // what has happened before
		}
	}
}

// eventTail reads the file of events as it grows, and the next one when it has been put aside.
type eventTail struct {
	path    string
	file    *os.File
	lines   *bufio.Reader
	partial []byte
}

func (t *eventTail) open() bool {
	file, err := os.Open(t.path)
	if err != nil {
		return false
	}
	t.close()
	t.file, t.lines, t.partial = file, bufio.NewReaderSize(file, 64<<10), nil
	return true
}

func (t *eventTail) close() {
	if t.file != nil {
		t.file.Close()
	}
}

// skip begins at the end of what is there.
func (t *eventTail) skip() {
	if t.open() {
		t.file.Seek(0, io.SeekEnd)
	}
}

// past reads the file that was put aside last, before the one that is written now. That one is opened first: so it is the
// next one even if it is put aside meanwhile.
func (t *eventTail) past(each func(Event) error) error {
	opened := t.open()
	before := &eventTail{path: t.path + ".1"}
	if !before.open() {
		return nil
	}
	defer before.close()
	if opened && t.isNamed(before.path) {
		return nil
	}
	return before.rest(each)
}

// isNamed tells whether a path leads to the file that is being read.
func (t *eventTail) isNamed(path string) bool {
	at, err := os.Stat(path)
	if err != nil {
		return false
	}
	own, err := t.file.Stat()
	return err == nil && os.SameFile(at, own)
}

// read hands on what is new.
func (t *eventTail) read(each func(Event) error) error {
	for t.file != nil || t.open() {
		aside := !t.isNamed(t.path)
		if err := t.rest(each); err != nil {
			return err
		}
		if !aside || !t.open() {
			return nil
		}
	}
	return nil
}

// rest reads the file to its end. A line without an end is kept for the next time.
func (t *eventTail) rest(each func(Event) error) error {
	for {
		chunk, err := t.lines.ReadBytes('\n')
		t.partial = append(t.partial, chunk...)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var event Event
		if parseEvent(t.partial, &event) {
			if err := each(event); err != nil {
				return err
			}
		}
		t.partial = t.partial[:0]
	}
}

// parseEvent reads a line. One that could not be written whole, because the disk was full, has the next one on its line.
func parseEvent(line []byte, event *Event) bool {
	if json.Unmarshal(line, event) == nil {
		return true
	}
	at := strings.LastIndex(string(line), `{"Type":`)
	return at > 0 && json.Unmarshal(line[at:], event) == nil
}
