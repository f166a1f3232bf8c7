package copying

import (
	"errors"
	"fmt"
	"os"
	"sandbox/image/layer"
	"sandbox/kernel"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// target is the root file system that is copied into: an upper directory, over the layers below. Nothing that is
// below changes; a directory of it appears in the upper one when something is written into it.
type target struct {
	upper   int // descriptor
	tree    *Tree
	below   *view
	missing attributes            // of directories on the way to the destination that are not there yet
	made    map[string]attributes // the directories of upper; set at the end, because writing into one changes its time, and its mode may forbid it
	covers  map[string]bool       // those that hide what is below them

	owners   layer.Owners
	context  bool // it is a build context that is written, where owners and devices mean nothing
	replace  bool // a file may take the place of a directory and the other way round, as with tar -x
	removals int  // of whole directories: what a name meant before may be gone
}

// place is a directory of the target. Places hang together as a chain from the root.
type place struct {
	target *target
	parent *place // nil for the root
	name   string
	path   string
	fd     int        // the directory in upper; -1 as long as nothing is written into it
	below  *directory // the same in the layers below; nil if there is none
	entry  entry      // what below is there
	fresh  bool       // just made
}

func openTarget(dir string, below []string, missing attributes) (*target, error) {
	fd, err := unix.Open(dir, openDirectory, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	tree, err := OpenLayers(below)
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return &target{upper: fd, tree: tree, below: tree.view(), missing: missing, owners: layer.NewOwners(),
		made: map[string]attributes{}, covers: map[string]bool{}}, nil
}

func (t *target) close() {
	unix.Close(t.upper)
	t.tree.Close()
}

// root opens the target's root directory, which has the attributes of the uppermost root below.
func (t *target) root() (*place, error) {
	fd, err := unix.Openat(t.upper, ".", openDirectory, 0)
	if err != nil {
		return nil, err
	}
	p := &place{target: t, fd: fd}
	if _, again := t.made[""]; len(t.tree.roots) == 0 && !again {
		t.made[""] = attributes{mode: 0o755, mtime: time.Unix(0, 0)}
	}
	if len(t.tree.roots) == 0 {
		return p, nil
	}
	if p.below, err = t.below.root(); err == nil {
		err = p.likeBelow()
	}
	if err != nil {
		p.leave()
		return nil, err
	}
	return p, nil
}

// likeBelow gives the root what the uppermost root below has.
func (p *place) likeBelow() error {
	e := entry{name: ".", at: p.below.fds[0]}
	if err := unix.Fstat(e.at, &e.stat); err != nil {
		return err
	}
	a, err := p.target.tree.attributesOf(&e, e.at)
	p.target.made[""] = a
	return err
}

// leave closes a place and returns the one that it is in.
func (p *place) leave() *place {
	if p.fd >= 0 {
		unix.Close(p.fd)
	}
	if p.below != nil {
		p.below.close()
	}
	return p.parent
}

// release closes a place and all that it is in.
func (p *place) release() {
	for p != nil {
		p = p.leave()
	}
}

func (p *place) pathOf(name string) string { return strings.TrimPrefix(p.path+"/"+name, "/") }

// look finds what the target has under a name, and says whether it is in the upper directory.
func (p *place) look(name string) (e entry, upper bool, err error) {
	if err := p.refresh(); err != nil {
		return e, false, err
	}
	if p.fd >= 0 {
		e = entry{name: name, at: p.fd}
		err := unix.Fstatat(p.fd, name, &e.stat, unix.AT_SYMLINK_NOFOLLOW)
		if err != unix.ENOENT {
			return e, true, err
		}
	}
	if p.below == nil {
		return e, false, unix.ENOENT
	}
	e, err = p.below.find(name)
	return e, false, err
}

// enter goes into a directory that look has found.
func (p *place) enter(e entry, upper bool) (*place, error) {
	sub := &place{target: p.target, parent: p, name: e.name, path: p.pathOf(e.name), fd: -1}
	if upper {
		fd, err := unix.Openat(p.fd, e.name, openDirectory, 0)
		if err != nil {
			return nil, &os.PathError{Op: "open", Path: "/" + sub.path, Err: err}
		}
		sub.fd = fd
	}
	if p.below == nil || p.target.covers[sub.path] {
		return sub, nil
	}
	under, err := p.below.find(e.name)
	if err == nil && under.isDir() {
		sub.entry = under
		sub.below, err = p.below.enter(under)
	}
	if err != nil && !isMissing(err) {
		sub.leave()
		return nil, err
	}
	return sub, nil
}

// refresh notices that the directory has been made in upper by way of another chain of places.
func (p *place) refresh() (err error) {
	if _, made := p.target.made[p.path]; made && p.fd < 0 {
		p.fd, err = p.target.reopen(p.path)
	}
	return err
}

// reopen opens a directory of upper. Only this package has written there, and what is on this path are directories.
func (t *target) reopen(path string) (int, error) {
	fd, err := unix.Openat(t.upper, "./"+path, openDirectory, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: "/" + path, Err: err}
	}
	return fd, nil
}

// copyUp makes a directory of the layers below appear in the upper one, as it is, and those that it is in.
func (p *place) copyUp() error {
	if err := p.refresh(); err != nil || p.fd >= 0 {
		return err
	}
	if err := p.parent.copyUp(); err != nil {
		return err
	}
	a, err := p.target.tree.attributesOf(&p.entry, -1)
	if err != nil {
		return err
	}
	p.fd, err = p.target.makeDirectory(p.parent.fd, p.name, p.path, a)
	return err
}

// makeDirectory makes a directory of upper. What is written into it while it is open decides nothing: the attributes
// come at the end.
func (t *target) makeDirectory(parent int, name, path string, a attributes) (int, error) {
	if err := t.checkName(name); err != nil {
		return -1, err
	}
	err := unix.Mkdirat(parent, name, 0o700)
	if err != nil {
		return -1, &os.PathError{Op: "mkdir", Path: "/" + path, Err: err}
	}
	t.made[path] = a
	fd, err := unix.Openat(parent, name, openDirectory, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: "/" + path, Err: err}
	}
	return fd, nil
}

// mkdir makes a directory where look has found nothing.
func (p *place) mkdir(name string, a attributes) (*place, error) {
	if err := p.copyUp(); err != nil {
		return nil, err
	}
	sub := &place{target: p.target, parent: p, name: name, path: p.pathOf(name), fresh: true}
	var err error
	sub.fd, err = p.target.makeDirectory(p.fd, name, sub.path, a)
	if err != nil {
		return nil, err
	}
	return sub, nil
}

// checkName refuses a name that would delete another in the layer's archive (OCI image spec, layer.md).
func (t *target) checkName(name string) error {
	if !t.context && strings.HasPrefix(name, ".wh.") {
		return kernel.Advise(fmt.Errorf("an image cannot hold a file called %q: in a layer such a name deletes another file", name), "rename it, or leave it out with --exclude or .dockerignore")
	}
	return nil
}

// resolve follows a path, from the root, and the links on it, inside the target. Missing directories on the way are
// made. The result is a directory, or, unless one is wanted, a directory and the name in it of what is no directory or
// not there. Whatever happens, start is used up.
func (t *target) resolve(start *place, name string, wantDirectory bool) (p *place, base string, err error) {
	p = start
	links := 0
	for todo := elementsOf(name); len(todo) > 0 && err == nil; {
		element := todo[0]
		todo = todo[1:]
		if element == ".." {
			if p.parent != nil {
				p = p.leave()
			}
			continue
		}
		last := len(todo) == 0 && !wantDirectory
		e, upper, lookErr := p.look(element)
		switch {
		case lookErr == unix.ENOENT && last:
			return p, element, nil
		case lookErr == unix.ENOENT:
			p, err = descend(p, func() (*place, error) { return p.mkdir(element, t.missing) })
		case lookErr != nil:
			err = lookErr
		case e.isDir():
			p, err = descend(p, func() (*place, error) { return p.enter(e, upper) })
		case e.kind() == unix.S_IFLNK:
			var target string
			if target, err = e.readLink(); err != nil {
				break
			}
			if links++; links > maxLinks {
				err = &os.PathError{Op: "open", Path: name, Err: unix.ELOOP}
			}
			for strings.HasPrefix(target, "/") && p.parent != nil {
				p = p.leave()
			}
			todo = append(elementsOf(target), todo...)
		case last:
			return p, element, nil
		default:
			err = kernel.Advise(fmt.Errorf("/%s is a file in the image, not a directory", p.pathOf(element)), "choose another destination, or remove the file with RUN rm first")
		}
	}
	if err != nil {
		p.release()
		return nil, "", err
	}
	return p, "", nil
}

// descend goes one directory down, or stays if that fails.
func descend(p *place, down func() (*place, error)) (*place, error) {
	sub, err := down()
	if err != nil {
		return p, err
	}
	return sub, nil
}

// elementsOf are the names on a path.
func elementsOf(name string) []string {
	return slices.DeleteFunc(strings.Split(name, "/"), func(s string) bool { return s == "" || s == "." })
}

// finish sets the directories' attributes, those of the innermost first.
func (t *target) finish() error {
	paths := make([]string, 0, len(t.made))
	for p := range t.made {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	slices.Reverse(paths)
	for _, p := range paths {
		a := t.made[p]
		if p == "" {
			a.mode |= 0o700 // to be renamed, a directory must be writable
		}
		fd, err := t.reopen(p)
		if err == nil {
			err = errors.Join(setTime(fd, ".", a.mtime), t.setAttributes(fd, a), unix.Close(fd)) // the mode last: it may forbid the rest
		}
		if err != nil {
			return fmt.Errorf("cannot set the attributes of directory /%s: %w", p, err)
		}
	}
	return nil
}
