package container

import (
	"bytes"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// logWriter collects output into lines and writes each when it is complete, as one entry. When the file has grown to its
// size it becomes log.json.1, the one before it log.json.2, and so on.
type logWriter struct {
	mu       sync.Mutex
	door     kernel.Doer
	path     string
	settings logSettings
	file     *os.File // nil: nothing is kept
	size     int64
	torn     bool              // the file ends in half an entry
	rest     map[string][]byte // of each stream, the beginning of a line
	out      []byte            // entries that are not in the file yet
}

// logBatch is how many bytes of entries are written at a time.
const logBatch = 256 << 10

func openLog(door kernel.Doer, path string, settings logSettings) (*logWriter, error) {
	l := &logWriter{door: door, path: path, settings: settings, rest: map[string][]byte{}}
	if settings.none {
		return l, nil
	}
	return l, l.open()
}

func (l *logWriter) open() error {
	log := &kernel.Handle{}
	err := l.door.Do(kernel.Step{
		Effect:  kernel.Open{Path: l.path, Flags: unix.O_RDWR | unix.O_CREAT | unix.O_APPEND | unix.O_CLOEXEC, Mode: 0o640, As: log},
		Section: "3.2", Why: kernel.Why{EN: "what the container prints is kept here, for sandbox logs", ZH: "容器的输出都记在这里，供 sandbox logs 查看"},
	})
	if err != nil {
		return err
	}
	if l.file != nil {
		l.file.Close()
	}
	l.file, l.size, l.torn = os.NewFile(uintptr(log.Number()), l.path), 0, false
	if info, err := l.file.Stat(); err == nil && info.Size() > 0 {
		l.size = info.Size()
		var last [1]byte
		l.file.ReadAt(last[:], l.size-1)
		l.torn = last[0] != '\n' // by a monitor that was killed, or a disk that was full
	}
	return nil
}

// write takes what a stream has printed. All lines of it get one time: they were read at once.
func (l *logWriter) write(stream string, data []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return
	}
	end := entryEnd(stream, l.settings.attrs, time.Now())
	pending := data
	if rest := l.rest[stream]; len(rest) > 0 {
		pending = append(rest, data...)
	}
	for len(pending) > 0 {
		n := bytes.IndexByte(pending[:min(len(pending), maxLine)], '\n') + 1
		if n == 0 && len(pending) < maxLine {
			break
		}
		if n == 0 {
			n = cutLine(pending)
		}
		l.put(pending[:n], end)
		pending = pending[n:]
	}
	l.rest[stream] = append(l.rest[stream][:0], pending...)
	l.store()
}

// flush writes what is left of a stream that has ended without a newline.
func (l *logWriter) flush(stream string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if rest := l.rest[stream]; len(rest) > 0 {
		l.put(rest, entryEnd(stream, l.settings.attrs, time.Now()))
		l.store()
		delete(l.rest, stream)
	}
}

func (l *logWriter) put(text, end []byte) {
	l.out = append(appendEscaped(append(l.out, entryHead...), text), end...)
	if limit := l.settings.size; len(l.out) >= logBatch || limit > 0 && l.size+int64(len(l.out)) >= limit {
		l.store()
	}
}

// store writes the entries that have gathered. What a full disk does not take is lost, but what comes after is not: it
// begins on a line of its own.
func (l *logWriter) store() {
	if len(l.out) == 0 {
		return
	}
	if l.torn {
		if n, _ := l.file.Write([]byte{'\n'}); n == 1 {
			l.size, l.torn = l.size+1, false
		}
	}
	if !l.torn {
		n, _ := l.file.Write(l.out)
		l.size += int64(n)
		l.torn = n > 0 && n < len(l.out) && l.out[n-1] != '\n'
	}
	l.out = l.out[:0]
	if l.settings.size > 0 && l.size >= l.settings.size {
		l.rotate()
	}
}

// rotate puts the full file aside and begins another. Readers may come at any moment between these steps: see openLogs.
func (l *logWriter) rotate() {
	why := kernel.Why{EN: "this part of the log is full; the oldest makes room", ZH: "这一份日志写满了，最旧的一份让位"}
	steps := []kernel.Step{{Effect: kernel.Remove{Path: l.path}, Section: "3.2", Why: why}}
	if l.settings.files > 1 {
		steps = nil
		for i := l.settings.files - 1; i > 0; i-- {
			if !exists(rotated(l.path, i-1)) {
				continue
			}
			steps = append(steps, kernel.Step{Effect: kernel.Rename{From: rotated(l.path, i-1), To: rotated(l.path, i)}, Section: "3.2", Why: why})
		}
	}
	for _, step := range steps {
		if err := l.door.Do(step); err != nil {
			l.size = 0 // goes on in the same file, and tries again when as much has come once more
			return
		}
	}
	if l.open() != nil {
		l.size = 0 // the old one, which has another name now
	}
}

// rotated is the name of the file that was put aside i times ago.
func rotated(path string, i int) string {
	if i == 0 {
		return path
	}
	return path + "." + strconv.Itoa(i)
}

func (l *logWriter) close() {
	if l.file != nil {
		l.file.Close()
	}
}
