package copying

import (
	"os"

	"golang.org/x/sys/unix"
)

// unlock opens a file or directory of a layer that belongs to this user, who is not root, but whose mode forbids even its
// owner to use it. In the container, where the same user is root, such modes do not bind: /etc/shadow is often like that.
// The mode is changed as far as needed; the caller sets the old one, which is returned.
func unlock(dir int, name string, flags int, needed uint32) (fd int, old uint32, err error) {
	handle, err := unix.Openat(dir, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, 0, err
	}
	defer unix.Close(handle)
	var st unix.Stat_t
	if err := unix.Fstat(handle, &st); err != nil {
		return -1, 0, err
	}
	kind := st.Mode & unix.S_IFMT
	if int(st.Uid) != os.Geteuid() || st.Mode&needed == needed || kind != unix.S_IFREG && kind != unix.S_IFDIR {
		return -1, 0, unix.EACCES
	}
	old = st.Mode & 0o7777
	if err := unix.Chmod(throughProc(handle), old|needed); err != nil {
		return -1, 0, unix.EACCES
	}
	// Through /proc, because what the name stands for may have changed; that is a link, so it must be followed.
	fd, err = unix.Open(throughProc(handle), flags&^unix.O_NOFOLLOW, 0)
	if err != nil {
		unix.Chmod(throughProc(handle), old)
	}
	return fd, old, err
}

// locked is a directory that unlock has opened.
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
	opened, old, err := unlock(fd, name, openDirectory, 0o700)
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
		if fd, old, err = unlock(e.at, e.name, flags, 0o400); err == nil {
			err = unix.Fchmod(fd, old)
		}
	}
	return fd, err
}
