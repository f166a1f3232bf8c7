package container

import (
	"bytes"
	"sync"
	"time"

	"sandbox/kernel"
)

// logWriter makes entries of what is printed, each line's when it is complete, and hands them to a goroutine that writes
// them into the file: a container that prints at full speed waits for neither the one nor the other as long as it could.
type logWriter struct {
	settings logSettings

	mu   sync.Mutex
	rest map[string][]byte // of each stream, the beginning of a line
	out  []byte            // entries that have not been handed over yet

	full  chan []byte // entries to be written
	empty chan []byte // buffers that have been: there are two, and the other one is out
	done  chan struct{}
}

// logBatch is how many bytes of entries are handed over at a time.
const logBatch = 256 << 10

func openLog(door kernel.Doer, path string, settings logSettings) (*logWriter, error) {
	l := &logWriter{settings: settings, rest: map[string][]byte{}}
	if settings.none {
		return l, nil
	}
	file := &logFile{door: door, path: path, settings: settings}
	if err := file.open(); err != nil {
		return nil, err
	}
	l.full, l.empty, l.done = make(chan []byte), make(chan []byte, 1), make(chan struct{})
	l.empty <- nil
	go func() {
		defer close(l.done)
		for entries := range l.full {
			file.write(entries)
			l.empty <- entries[:0]
		}
		file.file.Close()
	}()
	return l, nil
}

// write takes what a stream has printed. All lines of it get one time: they were read at once.
func (l *logWriter) write(stream string, data []byte) {
	if l.settings.none {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	end := entryEnd(stream, l.settings.attrs, time.Now())
	rest := l.rest[stream]
	for len(rest) > 0 && len(data) > 0 { // only as much is copied to what was there as makes a line of it
		n := endOfLine(data, maxLine-len(rest))
		if n == 0 {
			n = min(len(data), maxLine-len(rest))
		}
		rest, data = append(rest, data[:n]...), data[n:]
		if n = endOfLine(rest, maxLine); n == 0 && len(rest) < maxLine {
			break // data is used up
		} else if n == 0 {
			n = cutLine(rest)
		}
		l.put(rest[:n], end)
		rest = append(rest[:0], rest[n:]...)
	}
	for len(data) > 0 {
		n := endOfLine(data, maxLine)
		if n == 0 && len(data) < maxLine {
			break
		} else if n == 0 {
			n = cutLine(data)
		}
		l.put(data[:n], end)
		data = data[n:]
	}
	l.rest[stream] = append(rest, data...)
	l.hand()
}

// endOfLine is how long the line at the beginning of text is, with its newline; 0 if there is none in the first most bytes.
func endOfLine(text []byte, most int) int {
	return bytes.IndexByte(text[:min(len(text), most)], '\n') + 1
}

// flush writes what is left of a stream that has ended without a newline, and waits until everything is in the file.
func (l *logWriter) flush(stream string) {
	if l.settings.none {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if rest := l.rest[stream]; len(rest) > 0 {
		l.put(rest, entryEnd(stream, l.settings.attrs, time.Now()))
		delete(l.rest, stream)
	}
	l.hand()
	l.empty <- <-l.empty
}

func (l *logWriter) put(text, end []byte) {
	l.out = append(appendEscaped(append(l.out, entryHead...), text), end...)
	if len(l.out) >= logBatch {
		l.hand()
	}
}

// hand hands over the entries that have gathered.
func (l *logWriter) hand() {
	if len(l.out) > 0 {
		l.full <- l.out
		l.out = <-l.empty
	}
}

func (l *logWriter) close() {
	if !l.settings.none {
		close(l.full)
		<-l.done
	}
}
