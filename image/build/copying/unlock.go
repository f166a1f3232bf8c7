package copying

import (
	"golang.org/x/sys/unix"

	"sandbox/image/layer"
)

// locked is a directory that layer.Unlock has opened.
type locked struct {
	fd  int
	old uint32
}

// openIn opens a directory in one of the directories merged here.
func (d *directory) openIn(fd int, name string, sub *directory) (int, error) {
	opened, err := unix.Openat(fd, name, openDirectory, 0)
	if err != unix.EACCES || !d.view.layers {
		return opened, err
	}
	opened, old, err := layer.Unlock(fd, name, openDirectory, 0o700)
	if err == nil {
		sub.locked = append(sub.locked, locked{opened, old})
	}
	return opened, err
}

// openFile opens a regular file.
func (d *directory) openFile(e *entry) (int, error) {
	// O_NONBLOCK: had somebody put a pipe there, opening it would wait.
	const flags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
	fd, err := unix.Openat(e.at, e.name, flags, 0)
	if err == unix.EACCES && d.view.layers {
		var old uint32
		if fd, old, err = layer.Unlock(e.at, e.name, flags, 0o400); err == nil {
			err = unix.Fchmod(fd, old)
		}
	}
	return fd, err
}
