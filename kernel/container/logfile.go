package container

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// logFile is the file that entries are appended to. When it has grown to its size it becomes log.json.1, the one before
// it log.json.2, and so on.
type logFile struct {
	door     kernel.Doer
	path     string
	settings logSettings
	file     *os.File
	size     int64
	torn     bool // the file ends in half an entry
}

func (l *logFile) open() error {
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

// write appends entries, and goes over to the next file after the one with which this one is full.
func (l *logFile) write(entries []byte) {
	for len(entries) > 0 {
		n := len(entries)
		if room := l.settings.size - l.size; l.settings.size > 0 && room <= int64(n) {
			last := max(room-1, 0)
			n = int(last) + bytes.IndexByte(entries[last:], '\n') + 1 // an entry has no newline but at its end
		}
		l.store(entries[:n])
		entries = entries[n:]
		if l.settings.size > 0 && l.size >= l.settings.size {
			l.rotate()
		}
	}
}

// store appends to this file. What a full disk does not take is lost, but what comes after is not: it begins on a line of
// its own.
func (l *logFile) store(entries []byte) {
	if l.torn {
		if n, _ := l.file.Write([]byte{'\n'}); n == 1 {
			l.size, l.torn = l.size+1, false
		}
	}
	if !l.torn {
		n, _ := l.file.Write(entries)
		l.size += int64(n)
		l.torn = n > 0 && n < len(entries) && entries[n-1] != '\n'
	}
}

// rotate puts the full file aside and begins another. Readers may come at any moment between these steps: see openLogs.
// The oldest is removed before another takes its name: where a rename replaces a file, ext4 writes out the new one's data
// at once, so that a crash leaves one of them (auto_da_alloc, ext4(5)). The container would wait 20 ms for the disk.
func (l *logFile) rotate() {
	why := kernel.Why{EN: "this part of the log is full; the oldest makes room", ZH: "这一份日志写满了，最旧的一份让位"}
	steps := []kernel.Step{{Effect: kernel.Remove{Path: rotated(l.path, l.settings.files-1)}, Section: "3.2", Why: why}}
	if !exists(rotated(l.path, l.settings.files-1)) {
		steps = nil
	}
	for i := l.settings.files - 1; i > 0; i-- {
		if exists(rotated(l.path, i-1)) {
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
