package container

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// LogOptions choose what of a log is shown, and how.
type LogOptions struct {
	Tail       int // the last so many lines; -1: all
	Follow     bool
	Since      time.Time
	Until      time.Time
	Timestamps bool
	Details    bool // the labels and variables that the log's options have chosen
}

// Logs shows a container's log; with Follow it goes on until the container has ended.
func (e *Engine) Logs(r *Record, o LogOptions, stdout, stderr io.Writer) error {
	settings, err := r.HostConfig.LogConfig.settings(r.Config)
	if err != nil {
		return err
	}
	if settings.none {
		return kernel.Advise(fmt.Errorf("the log driver none keeps no log of %s", r.PlainName()), "sandbox run --log-driver json-file …   keeps one")
	}
	t := &logReader{path: e.Paths.log(r.ID), files: settings.files, printer: logPrinter{options: o, to: [2]io.Writer{stdout, stderr}}}
	defer t.close()
	if !o.Follow {
		t.open()
		if err := t.readOn(); err != errUntil {
			return err
		}
		return nil
	}
	changes, stop := watchFor(e.Paths.dir(r.ID), growing) // before anything is read, so that nothing that comes later is missed
	defer stop()
	ended := make(chan struct{})
	go func() { waitUnlocked(e.Paths.dir(r.ID)); close(ended) }()
	t.open()
	return t.follow(changes, ended)
}

// LogPath is the file that a container's log is in; "" if none is kept.
func (e *Engine) LogPath(r *Record) string {
	if r.HostConfig.LogConfig.Type == "none" {
		return ""
	}
	return e.Paths.log(r.ID)
}

// growing is what happens in a directory whose log gets longer.
const growing = unix.IN_MODIFY | unix.IN_CREATE | unix.IN_MOVED_TO

// logReader reads the files of a log one after the other, the oldest first.
type logReader struct {
	path    string
	files   int
	queue   []*os.File // still to be read; the first one is being read
	buffer  []byte     // read from it: from its beginning on, half an entry
	printer logPrinter
}

// openLogs opens what there is of a log, the oldest first. It goes from the newest to the oldest, as the files themselves
// go when they are put aside (rotate): so it may come upon one twice, but can miss none. While they are being moved a name
// may be free that is between two that are not.
func openLogs(path string, files int) (list []*os.File) {
	for i := range files + 1 {
		file, err := os.Open(rotated(path, i))
		if err != nil {
			continue
		}
		if len(list) > 0 && sameFile(list[0], file) {
			file.Close()
			continue
		}
		list = append([]*os.File{file}, list...)
	}
	return list
}

func sameFile(a, b *os.File) bool {
	infoA, errA := a.Stat()
	infoB, errB := b.Stat()
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// open finds where to begin.
func (t *logReader) open() {
	t.queue = openLogs(t.path, t.files)
	if t.printer.options.Tail < 0 {
		return
	}
	tail := logTail{left: t.printer.options.Tail}
	for i := len(t.queue) - 1; i >= 0; i-- {
		if tail.seek(t.queue[i]) {
			for _, file := range t.queue[:i] {
				file.Close()
			}
			t.queue = t.queue[i:]
			return
		}
	}
}

func (t *logReader) close() {
	for _, file := range t.queue {
		file.Close()
	}
}

// readOn reads all that there is. The last file stays open: more may come.
func (t *logReader) readOn() error {
	for len(t.queue) > 0 {
		if err := t.readFile(); err != nil {
			return err
		}
		if len(t.queue) == 1 {
			break
		}
		t.queue[0].Close()
		t.queue, t.buffer = t.queue[1:], t.buffer[:0] // half an entry at the end of a file that is not written to any more
	}
	return t.printer.flush()
}

// logBlock is how much of a log is read at a time.
const logBlock = 256 << 10

// readFile reads the first of the files up to its present end.
func (t *logReader) readFile() error {
	for {
		if cap(t.buffer)-len(t.buffer) < logBlock/2 {
			t.buffer = append(make([]byte, 0, 2*len(t.buffer)+logBlock), t.buffer...)
		}
		n, err := t.queue[0].Read(t.buffer[len(t.buffer):cap(t.buffer)])
		t.buffer = t.buffer[:len(t.buffer)+n]
		rest := t.buffer
		for {
			end := bytes.IndexByte(rest, '\n')
			if end < 0 {
				break
			}
			if entry, ok := parseEntry(rest[:end]); ok {
				if err := t.printer.print(entry); err != nil {
					return err
				}
			}
			rest = rest[end+1:]
		}
		t.buffer = t.buffer[:copy(t.buffer, rest)]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// errUntil is no error: what comes now is after --until.
var errUntil = fmt.Errorf("the time is over")

// follow reads on whenever something has changed, until the container has ended.
func (t *logReader) follow(changes <-chan struct{}, ended <-chan struct{}) error {
	var late <-chan time.Time
	if until := t.printer.options.Until; !until.IsZero() {
		late = time.After(time.Until(until))
	}
	for over := false; ; {
		err := t.readOn()
		if err == nil && t.rotatedAway() {
			continue
		}
		if err == errUntil || over && err == nil {
			return t.printer.flush()
		}
		if err != nil {
			return err
		}
		select {
		case <-changes:
		case <-ended:
			over = true // once more, for what came before the end
		case <-late:
			over = true
		}
	}
}

// rotatedAway finds the files that have come after the one that was read to its end; false if there are none. What was
// still written to that one before it was put aside has to be read before them.
func (t *logReader) rotatedAway() bool {
	list := openLogs(t.path, t.files)
	at := 0 // if it is gone already we were too slow: what there is comes next
	for i, file := range list {
		if len(t.queue) > 0 && sameFile(file, t.queue[0]) {
			file.Close()
			at = i + 1
		}
	}
	for _, file := range list[:max(0, at-1)] {
		file.Close()
	}
	t.queue = append(t.queue, list[at:]...)
	return at < len(list)
}

// logTail looks for where the last lines of a log begin, from its end upwards. An entry that ends no line is a part of
// the one that follows.
type logTail struct {
	left  int  // lines that are still to be found
	begun bool // the last one of all has been seen
}

// seek puts a file to where they begin in it; false if that is not in this file.
func (l *logTail) seek(file *os.File) (found bool) {
	at, err := file.Seek(0, io.SeekEnd)
	if err != nil || l.left == 0 && !l.begun {
		return true
	}
	var buffer []byte // from at on, without what has been counted
	for at > 0 {
		size := min(int64(logBlock), at)
		at -= size
		buffer = append(make([]byte, size, size+int64(len(buffer))), buffer...)
		if _, err := file.ReadAt(buffer[:size], at); err != nil {
			return true
		}
		for {
			end := bytes.LastIndexByte(buffer, '\n')
			begin := bytes.LastIndexByte(buffer[:max(end, 0)], '\n') + 1
			if end < 0 || begin == 0 && at > 0 { // it begins further above
				break
			}
			if l.isBefore(buffer[begin:end]) {
				file.Seek(at+int64(end)+1, io.SeekStart)
				return true
			}
			buffer = buffer[:begin]
		}
	}
	file.Seek(0, io.SeekStart)
	return false
}

// isBefore counts an entry, and tells whether it is the one before the first that is wanted.
func (l *logTail) isBefore(line []byte) bool {
	entry, ok := parseEntry(line)
	if !ok || l.begun && !entry.endsLine() {
		return false
	}
	if l.left == 0 {
		return true
	}
	l.left, l.begun = l.left-1, true
	return false
}
