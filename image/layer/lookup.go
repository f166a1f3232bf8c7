package layer

import (
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Open opens a regular file of a container's root file system as overlayfs shows it, without mounting it: dirs are the
// unpacked layers, the uppermost first. A symbolic link is followed inside the root file system, across layers, and
// never leads out of it. Errors are *fs.PathError with errno.
//
// The uppermost may be written by a container at the same moment, so no step relies on what an earlier one saw: a directory
// is used by its descriptor, and nothing is opened through a link. Directories that overlayfs was asked to rename
// (redirect_dir) are not found under their new names.
func Open(dirs []string, path string) (*os.File, error) {
	u := &union{}
	defer u.closeDown(0)
	file, err := u.openFile(dirs, path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return file, nil
}

// union is a path through the stack of layers: for each directory from the root to where the search has come, the
// directories that overlayfs merges there, the uppermost first, as file descriptors.
type union struct {
	path [][]int
}

func (u *union) here() []int { return u.path[len(u.path)-1] }

// closeDown closes all but the first n directories of the path.
func (u *union) closeDown(n int) {
	for _, merged := range u.path[n:] {
		for _, fd := range merged {
			unix.Close(fd)
		}
	}
	u.path = u.path[:n]
}

func (u *union) openFile(dirs []string, path string) (*os.File, error) {
	if err := u.openRoot(dirs); err != nil {
		return nil, err
	}
	links := 0
	for todo := strings.Split(path, "/"); len(todo) > 0; {
		element := todo[0]
		todo = todo[1:]
		switch element {
		case "", ".":
			continue
		case "..":
			u.closeDown(max(1, len(u.path)-1))
			continue
		}
		found, err := u.find(element)
		if err != nil {
			return nil, err
		}
		switch {
		case found.target != "":
			if links++; links > maxLinks {
				return nil, unix.ELOOP
			}
			if strings.HasPrefix(found.target, "/") {
				u.closeDown(1)
			}
			todo = append(strings.Split(found.target, "/"), todo...)
		case found.directories != nil:
			u.path = append(u.path, found.directories)
		case len(todo) > 0:
			return nil, unix.ENOTDIR
		default:
			return openRegular(found.parent, element)
		}
	}
	return nil, unix.EISDIR
}

func (u *union) openRoot(dirs []string) error {
	u.path = [][]int{nil}
	for _, path := range dirs {
		fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		u.path[0] = append(u.path[0], fd) // overlayfs merges all roots, even below an opaque one
	}
	return nil
}

// openMerged opens a directory to look names up in it. One that this user may not read will do.
func openMerged(dir int, name string) (int, error) {
	fd, err := unix.Openat(dir, name, openDirectory, 0)
	if err == unix.EACCES {
		fd, err = unix.Openat(dir, name, openDirectory|unix.O_PATH, 0)
	}
	return fd, err
}

// finding is what a name stands for: directories to be merged, a link's target, or else a file in the directory parent.
type finding struct {
	directories []int
	target      string
	parent      int
}

// find looks a name up in the merged directories here, as overlayfs does: the uppermost that has it decides. If it is a
// directory, those of the same name below are merged with it, down to the first thing that is none, or to an opaque one.
func (u *union) find(name string) (finding, error) {
	var found finding
	for _, dir := range u.here() {
		fd, err := openMerged(dir, name)
		if err == unix.ENOENT {
			continue
		}
		if err == nil {
			found.directories = append(found.directories, fd)
			if isOpaque(fd) {
				break
			}
			continue
		}
		if err != unix.ENOTDIR && err != unix.ELOOP {
			return found, found.close(err)
		}
		if found.directories != nil || isWhiteoutAt(dir, name) {
			break
		}
		found.parent = dir
		found.target, err = readLink(dir, name)
		return found, err
	}
	if found.directories == nil {
		return found, unix.ENOENT
	}
	return found, nil
}

func (f *finding) close(err error) error {
	for _, fd := range f.directories {
		unix.Close(fd)
	}
	return err
}

// readLink returns a symbolic link's target, and "" for what is none.
func readLink(dir int, name string) (string, error) {
	buffer := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(dir, name, buffer)
	if err == unix.EINVAL {
		return "", nil
	}
	return string(buffer[:max(n, 0)]), err
}

// openRegular opens a file, but not what would wait for somebody or do something when it is opened: pipes, devices. So
// it gets hold of it first (O_PATH), looks at it, and opens for reading exactly what it has looked at.
func openRegular(dir int, name string) (*os.File, error) {
	fd, err := unix.Openat(dir, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, unix.EINVAL
	}
	readable, err := unix.Open(throughProc(fd), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(readable), name), nil
}

// throughProc is a path to what a descriptor stands for. It works with O_PATH, with which few other calls do.
func throughProc(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
