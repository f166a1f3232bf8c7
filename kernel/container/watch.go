package container

import (
	"os"

	"golang.org/x/sys/unix"
)

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
