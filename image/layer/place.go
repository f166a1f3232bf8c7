package layer

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// place is an open directory of a layer. What is in it is reached through its descriptor, never by a path: a container
// may be moving things around meanwhile.
type place struct {
	fd    int
	layer int    // which layer of a stack: 0 is the uppermost
	mode  uint32 // the mode, with its type, that it gets back when it is closed, if unlock had to change it; else 0
}

func (p place) close() {
	if p.mode != 0 {
		unix.Fchmod(p.fd, p.mode)
	}
	unix.Close(p.fd)
}

func openPlace(path string, layer int) (place, error) {
	fd, err := unix.Open(path, openDirectory&^unix.O_NOFOLLOW, 0)
	return place{fd: fd, layer: layer}, err
}

// open opens a directory in another one; ENOTDIR or ELOOP if it is something else.
func (p place) open(name string) (place, error) {
	sub := place{layer: p.layer}
	fd, err := unix.Openat(p.fd, name, openDirectory, 0)
	if err == unix.EACCES {
		fd, sub.mode, err = Unlock(p.fd, name, openDirectory, 0o700)
	}
	if err == unix.EACCES { // somebody else's: it may still be good for going through
		fd, err = unix.Openat(p.fd, name, openDirectory|unix.O_PATH, 0)
	}
	sub.fd = fd
	return sub, err
}

// openFile opens a regular file, but not what would wait for somebody or do something when it is opened: pipes, devices.
// So it gets hold of it first (O_PATH), looks at it, and opens for reading exactly what it has looked at.
func (p place) openFile(name string, st *unix.Stat_t) (*os.File, error) {
	handle, err := unix.Openat(p.fd, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(handle)
	if err := unix.Fstat(handle, st); err != nil {
		return nil, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, unix.EINVAL
	}
	const flags = unix.O_RDONLY | unix.O_CLOEXEC
	fd, err := unix.Open(throughProc(handle), flags, 0)
	if err == unix.EACCES {
		var mode uint32
		if fd, mode, err = Unlock(p.fd, name, flags|unix.O_NOFOLLOW, 0o400); mode != 0 {
			unix.Fchmod(fd, mode)
		}
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// Unlock opens what belongs to this user, who is not root, but has a mode that forbids its owner to use it. In a container,
// where the same user is root, such modes do not bind. The mode is changed as far as needed; the caller sets the old one,
// which is returned with the type, so that it is never 0.
func Unlock(dir int, name string, flags int, needed uint32) (fd int, mode uint32, err error) {
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
	mode = st.Mode
	if err := unix.Chmod(throughProc(handle), mode|needed); err != nil {
		return -1, 0, unix.EACCES
	}
	fd, err = unix.Open(throughProc(handle), flags&^unix.O_NOFOLLOW, 0)
	if err != nil {
		unix.Chmod(throughProc(handle), mode)
		return -1, 0, err
	}
	return fd, mode, nil
}

// readLink returns a symbolic link's target, and "" for what is none.
func (p place) readLink(name string) (string, error) {
	buffer := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(p.fd, name, buffer)
	if err == unix.EINVAL {
		return "", nil
	}
	return string(buffer[:max(n, 0)]), err
}

func (p place) stat(name string, st *unix.Stat_t) error {
	return unix.Fstatat(p.fd, name, st, unix.AT_SYMLINK_NOFOLLOW)
}

// throughProc is a path to what a descriptor stands for. It works with O_PATH, with which few other calls do.
func throughProc(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
