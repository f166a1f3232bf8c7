package layer

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// tree is the directory that a layer is unpacked into. An archive may hold symbolic links that lead anywhere and then
// names that go through them. So no path with more than one element is ever given to the kernel: directories are opened
// one after the other, without following links, and a link's target is read as one inside the tree. (openat2(2) with
// RESOLVE_IN_ROOT does much the same, since Linux 5.6, but does not make what is missing.)
type tree struct {
	root   *os.Root
	top    int        // file descriptor of the tree's root
	last   *directory // the last one that was asked for: most entries have the same as the one before
	lastAs string     // the name that it was asked for by
}

// directory is an open directory of the tree.
type directory struct {
	fd   int
	path string // from the tree's root, without links
}

func (d *directory) close() error { return unix.Close(d.fd) }

const (
	openDirectory = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	maxLinks      = 40 // as the kernel has it, path_resolution(7)
)

func openTree(dir string) (*tree, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	top, err := unix.Open(dir, openDirectory, 0)
	if err != nil {
		root.Close()
		return nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	return &tree{root: root, top: top}, nil
}

func (t *tree) close() {
	t.forget()
	unix.Close(t.top)
	t.root.Close()
}

func (t *tree) forget() {
	if t.last != nil {
		t.last.close()
		t.last = nil
	}
}

// directory is resolve with a memory. The result stays open until the next call.
func (t *tree) directory(name string, create bool) (*directory, error) {
	if t.last != nil && t.lastAs == name {
		return t.last, nil
	}
	d, err := t.resolve(name, create)
	if err != nil {
		return nil, err
	}
	t.forget()
	t.last, t.lastAs = d, name
	return d, nil
}

// resolve opens a directory of the tree; links on the way are followed inside the tree. With create, missing
// directories are made. The caller closes the result.
func (t *tree) resolve(name string, create bool) (*directory, error) {
	at, err := t.reopen("")
	if err != nil {
		return nil, err
	}
	links := 0
	for todo := strings.Split(name, "/"); len(todo) > 0; {
		element := todo[0]
		todo = todo[1:]
		next, target, err := t.step(at, element, create)
		if target != "" {
			if links++; links > maxLinks {
				at.close()
				return nil, unix.ELOOP
			}
			todo = append(strings.Split(target, "/"), todo...)
			next = at
			if strings.HasPrefix(target, "/") {
				next, err = t.reopen("")
			}
		}
		if next != at {
			at.close()
		}
		if err != nil {
			return nil, err
		}
		at = next
	}
	return at, nil
}

// step goes from a directory to the one that an element of a path names, or returns the target of a symbolic link.
func (t *tree) step(at *directory, element string, create bool) (next *directory, target string, err error) {
	switch element {
	case "", ".":
		return at, "", nil
	case "..":
		next, err = t.reopen(at.path[:max(0, strings.LastIndexByte(at.path, '/'))])
		return next, "", err
	}
	if create {
		next, err = t.makeDirectory(at, element)
	} else {
		next, err = t.open(at, element)
	}
	if err != unix.ENOTDIR && err != unix.ELOOP {
		return next, "", err
	}
	buffer := make([]byte, unix.PathMax)
	n, linkErr := unix.Readlinkat(at.fd, element, buffer)
	if linkErr != nil {
		return nil, "", unix.ENOTDIR
	}
	return nil, string(buffer[:n]), nil
}

// open opens a directory in another one; ENOTDIR or ELOOP if it is something else.
func (t *tree) open(at *directory, element string) (*directory, error) {
	fd, err := unix.Openat(at.fd, element, openDirectory, 0)
	if err != nil {
		return nil, err
	}
	return &directory{fd: fd, path: strings.TrimPrefix(at.path+"/"+element, "/")}, nil
}

// makeDirectory opens a directory in another one and makes it if there is none. One that takes the place of a whiteout
// hides what the layers below have under its name.
func (t *tree) makeDirectory(at *directory, element string) (*directory, error) {
	d, err := t.open(at, element)
	opaque := false
	if err == unix.ENOTDIR && isWhiteoutAt(at.fd, element) {
		opaque = true
		if err = unix.Unlinkat(at.fd, element, 0); err == nil {
			err = unix.ENOENT
		}
	}
	if err != unix.ENOENT {
		return d, err
	}
	if err := unix.Mkdirat(at.fd, element, 0o700); err != nil {
		return nil, err
	}
	if d, err = t.open(at, element); err != nil {
		return nil, err
	}
	err = unix.Fchmod(d.fd, 0o755) // not Mkdirat's mode, which the umask would change
	if opaque && err == nil {
		err = setOpaque(d.fd)
	}
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

// reopen opens a directory by the path that resolve found.
func (t *tree) reopen(path string) (*directory, error) {
	fd, err := unix.Openat(t.top, ".", openDirectory, 0)
	if err != nil {
		return nil, err
	}
	at := &directory{fd: fd}
	for element := range strings.SplitSeq(path, "/") {
		if element == "" {
			continue
		}
		next, err := t.open(at, element)
		at.close()
		if err != nil {
			return nil, err
		}
		at = next
	}
	return at, nil
}

// remove takes away what is in a directory under a name, a whole tree if need be.
func (t *tree) remove(at *directory, element string) error {
	t.lastAs = "/" // names that went through it mean something else from now on; none is asked for as this
	err := unix.Unlinkat(at.fd, element, 0)
	if err == unix.EISDIR {
		return t.root.RemoveAll(strings.TrimPrefix(at.path+"/"+element, "/"))
	}
	return err
}
