// Package carry brings files and directories from one place to another as a tar archive: what `cp` does, one end of it on
// the host and the other in a container.
//
//	Look        what is at a path, and where it really is
//	Pack        a file or a directory, as an archive          ──►  Unpack, at the other end
//
// Both ends run the same code: here, and in a process inside the container's mount namespace (package container), for which
// the container's root is /, so that no symbolic link leads out of it. On the host it is the other way round: an
// archive that comes from a container must not write outside of the directory that it goes to, whatever links it
// brings along (os.Root).
package carry

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Info is what is at a path.
type Info struct {
	Path   string // without links in it, the last one only if Look was to follow it; of what is missing, where it would be
	Exists bool
	Dir    bool
	Link   bool // a symbolic link, not followed
	Parent bool // the directory that it is in, or would be in, exists
	Size   int64
}

const maxLinks = 40 // as the kernel has it, path_resolution(7)

// Look finds out what is at a path. With follow a symbolic link there is followed, also one that leads to nothing yet.
func Look(path string, follow bool) (Info, error) {
	for range maxLinks {
		dir, err := filepath.EvalSymlinks(filepath.Dir(path))
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
			return Info{Path: path}, nil
		}
		if err != nil {
			return Info{}, err
		}
		path = filepath.Join(dir, filepath.Base(path))
		info, err := os.Lstat(path)
		if errors.Is(err, os.ErrNotExist) {
			return Info{Path: path, Parent: true}, nil
		}
		if errors.Is(err, unix.ENOTDIR) {
			return Info{Path: path}, nil
		}
		if err != nil {
			return Info{}, err
		}
		link := info.Mode()&os.ModeSymlink != 0
		if !link || !follow {
			return Info{Path: path, Exists: true, Dir: info.IsDir(), Link: link, Parent: true, Size: info.Size()}, nil
		}
		target, err := os.Readlink(path)
		if err != nil {
			return Info{}, err
		}
		if !filepath.IsAbs(target) {
			target = dir + "/" + target
		}
		path = target
	}
	return Info{}, &os.PathError{Op: "follow", Path: path, Err: syscall.ELOOP}
}
