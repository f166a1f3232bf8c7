package container

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// The log is a file of JSON objects, one a line, as Docker's json-file driver writes them:
// {"log":"a line\n","stream":"stdout","time":"2026-11-23T20:33:01.123456789Z"}

// maxLine is where a line without an end is cut, as Docker does.
const maxLine = 16 << 10

// LogLine is one entry.
type LogLine struct {
	Log    string    `json:"log"`
	Stream string    `json:"stream"`
	Time   time.Time `json:"time"`
}

// logWriter collects output into lines and writes each when it is complete.
type logWriter struct {
	mu   sync.Mutex
	file *os.File
	rest map[string][]byte // of each stream, the beginning of a line
}

func openLog(door kernel.Doer, path string) (*logWriter, error) {
	log := &kernel.Handle{}
	err := door.Do(kernel.Step{
		Effect:  kernel.Open{Path: path, Flags: unix.O_WRONLY | unix.O_CREAT | unix.O_APPEND | unix.O_CLOEXEC, Mode: 0o640, As: log},
		Section: "3.2", Why: kernel.Why{EN: "what the container prints is kept here, for sandbox logs", ZH: "容器的输出都记在这里,供 sandbox logs 查看"},
	})
	if err != nil {
		return nil, err
	}
	return &logWriter{file: os.NewFile(uintptr(log.Number()), path), rest: map[string][]byte{}}, nil
}

func (l *logWriter) write(stream string, data []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []byte
	pending := append(l.rest[stream], data...)
	for len(pending) > 0 {
		end := bytes.IndexByte(pending, '\n') + 1
		if end == 0 && len(pending) < maxLine {
			break
		}
		if end == 0 || end > maxLine {
			end = maxLine
		}
		out = appendLogLine(out, stream, pending[:end])
		pending = pending[end:]
	}
	l.rest[stream] = append(l.rest[stream][:0], pending...)
	l.file.Write(out)
}

// flush writes what is left of a stream that has ended without a newline.
func (l *logWriter) flush(stream string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if rest := l.rest[stream]; len(rest) > 0 {
		l.file.Write(appendLogLine(nil, stream, rest))
		delete(l.rest, stream)
	}
}

func (l *logWriter) close() { l.file.Close() }

func appendLogLine(out []byte, stream string, line []byte) []byte {
	encoded, _ := json.Marshal(LogLine{Log: string(line), Stream: stream, Time: time.Now().UTC()})
	return append(append(out, encoded...), '\n')
}

// LogOptions choose what of a log is read.
type LogOptions struct {
	Tail   int // the last so many lines; -1: all
	Follow bool
	Since  time.Time
	Until  time.Time
}

// Logs reads a container's log and hands each line on; with Follow it goes on until the container has ended.
func (e *Engine) Logs(r *Record, o LogOptions, each func(LogLine) error) error {
	file, err := os.Open(e.Paths.log(r.ID))
	if isMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	if o.Tail >= 0 {
		if err := seekTail(file, o.Tail); err != nil {
			return err
		}
	}
	ended := make(chan struct{})
	if o.Follow {
		go func() { waitUnlocked(e.Paths.dir(r.ID)); close(ended) }()
	} else {
		close(ended)
	}
	return followLog(file, o, ended, each)
}

// followLog reads lines until the end of the file, and on from there until the container has ended: it learns of new
// ones from inotify(7).
func followLog(file *os.File, o LogOptions, ended <-chan struct{}, each func(LogLine) error) error {
	changed, stop := watch(file.Name())
	defer stop()
	lines := bufio.NewReaderSize(file, 64<<10)
	var partial []byte
	for over := false; ; {
		chunk, err := lines.ReadBytes('\n')
		partial = append(partial, chunk...)
		if err == io.EOF {
			if over {
				return nil
			}
			select {
			case <-ended:
				over = true // once more, for what came before the end
			case <-changed:
			}
			continue
		}
		if err != nil {
			return err
		}
		var line LogLine
		if json.Unmarshal(partial, &line) == nil && inTime(line, o) {
			if err := each(line); err != nil {
				return err
			}
		}
		partial = partial[:0]
	}
}

func inTime(l LogLine, o LogOptions) bool {
	return !l.Time.Before(o.Since) && (o.Until.IsZero() || l.Time.Before(o.Until))
}

// seekTail puts the file to where its last n lines begin.
func seekTail(file *os.File, n int) error {
	at, err := file.Seek(0, io.SeekEnd)
	if err != nil || n == 0 {
		return err
	}
	buffer := make([]byte, 64<<10)
	for lines := 0; at > 0; {
		size := min(int64(len(buffer)), at)
		at -= size
		if _, err := file.ReadAt(buffer[:size], at); err != nil {
			return err
		}
		for i := size - 1; i >= 0; i-- {
			if buffer[i] != '\n' {
				continue
			}
			if lines++; lines > n {
				_, err := file.Seek(at+i+1, io.SeekStart)
				return err
			}
		}
	}
	_, err = file.Seek(0, io.SeekStart)
	return err
}

// watch sends on the channel when a file grows.
func watch(path string) (changed <-chan struct{}, stop func()) { return watchFor(path, unix.IN_MODIFY) }

// watchFor sends on the channel when one of some things (inotify(7)) happens to a file, or to what is in a directory.
func watchFor(path string, what uint32) (changed <-chan struct{}, stop func()) {
	events := make(chan struct{}, 1)
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return events, func() {}
	}
	unix.InotifyAddWatch(fd, path, what)
	file := os.NewFile(uintptr(fd), "inotify")
	go func() {
		buffer := make([]byte, 4096)
		for {
			if _, err := file.Read(buffer); err != nil {
				return
			}
			select {
			case events <- struct{}{}:
			default:
			}
		}
	}()
	return events, func() { file.Close() }
}
