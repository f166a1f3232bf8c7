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
//
// Directories stay open, as most entries of an archive are where an earlier one was.
type tree struct {
	root   *os.Root
	top    *directory
	opened map[string]*directory // by path; not the top
	last   *directory            // the last one that was asked for,
	lastAs string                // and the name that it was asked for by
	fresh  fresh
	made   map[string]attributes // the directories that there are, by path, and what they are to have in the end
}

// directory is an open directory of the tree.
type directory struct {
	fd   int
	path string // from the tree's root, without links
}

func (d *directory) join(element string) string {
	if d.path == "" {
		return element
	}
	return d.path + "/" + element
}

const (
	openDirectory = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	maxLinks      = 40  // as the kernel has it, path_resolution(7)
	mostOpened    = 200 // between two entries; a process may have 1024 at the least
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
	return &tree{root: root, top: &directory{fd: top}, opened: map[string]*directory{}, lastAs: nothing,
		fresh: freshIn(top), made: map[string]attributes{"": implicit}}, nil
}

func (t *tree) close() {
	t.forget("")
	unix.Close(t.top.fd)
	t.root.Close()
}

// nothing is what no directory is ever asked for as.
const nothing = "/"

// forget closes the directory of a path and those below it.
func (t *tree) forget(path string) {
	t.last, t.lastAs = nil, nothing
	for p, d := range t.opened {
		if path == "" || p == path || strings.HasPrefix(p, path+"/") {
			unix.Close(d.fd)
			delete(t.opened, p)
		}
	}
}

// trim closes directories if many are open. Nobody may be using one.
func (t *tree) trim() {
	if len(t.opened) > mostOpened {
		t.forget("")
	}
}

// directory is resolve, making what is missing, with a memory.
func (t *tree) directory(name string) (*directory, error) {
	if t.lastAs == name {
		return t.last, nil
	}
	d, err := t.resolve(name, true)
	if err != nil {
		return nil, err
	}
	t.last, t.lastAs = d, name
	return d, nil
}

// resolve opens a directory of the tree; links on the way are followed inside the tree. With create, missing
// directories are made. The result belongs to the tree.
func (t *tree) resolve(name string, create bool) (*directory, error) {
	at, links := t.top, 0
	for todo := strings.Split(name, "/"); len(todo) > 0; {
		next, target, err := t.step(at, todo[0], create)
		todo = todo[1:]
		if err != nil {
			return nil, err
		}
		if target != "" {
			if links++; links > maxLinks {
				return nil, unix.ELOOP
			}
			todo = append(strings.Split(target, "/"), todo...)
			next = at
			if strings.HasPrefix(target, "/") {
				next = t.top
			}
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
	next, err = t.open(at, element)
	if create && (err == unix.ENOENT || err == unix.ENOTDIR) {
		next, err = t.makeDirectory(at, element)
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
	path := at.join(element)
	if d := t.opened[path]; d != nil {
		return d, nil
	}
	fd, err := unix.Openat(at.fd, element, openDirectory, 0)
	if err != nil {
		return nil, err
	}
	d := &directory{fd, path}
	t.opened[path] = d
	return d, nil
}

// makeDirectory makes a directory and opens it, or opens the one that is there. One that takes the place of a whiteout
// hides what the layers below have under its name.
func (t *tree) makeDirectory(at *directory, element string) (*directory, error) {
	err := unix.Mkdirat(at.fd, element, implicit.mode)
	opaque := false
	if err == unix.EEXIST {
		existing, err := t.open(at, element)
		if err != unix.ENOTDIR || !isWhiteoutAt(at.fd, element) {
			return existing, err
		}
		opaque = true
		if err := unix.Unlinkat(at.fd, element, 0); err != nil {
			return nil, err
		}
		if err := unix.Mkdirat(at.fd, element, implicit.mode); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	d, err := t.open(at, element)
	if err != nil {
		return nil, err
	}
	t.made[d.path] = implicit
	if !t.fresh.hasMode(implicit.mode) {
		err = unix.Fchmod(d.fd, implicit.mode)
	}
	if opaque && err == nil {
		err = setOpaque(d.fd)
	}
	return d, err
}

// reopen opens a directory by the path that resolve found.
func (t *tree) reopen(path string) (*directory, error) {
	if d := t.opened[path]; d != nil {
		return d, nil
	}
	at := t.top
	for element := range strings.SplitSeq(path, "/") {
		if element == "" {
			continue
		}
		next, err := t.open(at, element)
		if err != nil {
			return nil, err
		}
		at = next
	}
	return at, nil
}

// remove takes away what is in a directory under a name, a whole tree if need be.
func (t *tree) remove(at *directory, element string) error {
	t.last, t.lastAs = nil, nothing // names that went through it mean something else from now on
	err := unix.Unlinkat(at.fd, element, 0)
	if err == unix.EISDIR {
		t.forget(at.join(element))
		return t.root.RemoveAll(at.join(element))
	}
	return err
}
