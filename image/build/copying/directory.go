package copying

import (
	"os"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"
	"golang.org/x/sys/unix"
)

// view is one look at a tree, by one goroutine.
type view struct {
	*Tree
	matcher *patternmatcher.PatternMatcher // nil if nothing is ignored
}

func (t *Tree) view() *view { return &view{Tree: t, matcher: t.ignore.matcher()} }

// unfiltered looks at what the ignore file leaves out as well.
func (t *Tree) unfiltered() *view { return &view{Tree: t} }

// directory is an open directory of a tree: the directories that overlayfs would merge there, the uppermost first, as
// descriptors that nobody else uses.
type directory struct {
	view    *view
	path    string // from the root, without links; "" for the root itself
	fds     []int
	ignored patternmatcher.MatchInfo // what the ignore file says of this directory and those above it
	locked  []locked                 // those of fds that have another mode while they are open
}

// entry is what a directory has under a name.
type entry struct {
	name    string
	at      int // the directory of the uppermost layer that has it
	stat    unix.Stat_t
	ignored patternmatcher.MatchInfo
}

func (e *entry) kind() uint32 { return e.stat.Mode & unix.S_IFMT }
func (e *entry) isDir() bool  { return e.kind() == unix.S_IFDIR }

// proc is a path for the calls that take no descriptor of a directory. Its last element is not followed by those that
// are used.
func (e *entry) proc() string { return throughProc(e.at) + "/" + e.name }

const (
	openDirectory = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	maxLinks      = 40 // as the kernel has it, path_resolution(7)
)

func (d *directory) close() {
	for _, l := range d.locked {
		unix.Fchmod(l.fd, l.old)
	}
	for _, fd := range d.fds {
		unix.Close(fd)
	}
	d.fds = nil
}

func (d *directory) pathOf(name string) string { return strings.TrimPrefix(d.path+"/"+name, "/") }

// root opens the tree's root.
func (v *view) root() (*directory, error) {
	d := &directory{view: v}
	for _, root := range v.roots {
		fd, err := unix.Openat(root, ".", openDirectory, 0)
		if err != nil {
			d.close()
			return nil, &os.PathError{Op: "open", Path: v.Name, Err: err}
		}
		d.fds = append(d.fds, fd) // overlayfs merges all roots, even below an opaque one
	}
	return d, nil
}

// find looks a name up. ENOENT: there is nothing, or the ignore file leaves it out.
func (d *directory) find(name string) (entry, error) {
	for _, fd := range d.fds {
		e := entry{name: name, at: fd}
		err := unix.Fstatat(fd, name, &e.stat, unix.AT_SYMLINK_NOFOLLOW)
		if err == unix.ENOENT {
			continue
		}
		if err != nil {
			return e, &os.PathError{Op: "stat", Path: d.pathOf(name), Err: err}
		}
		if d.view.layers && isWhiteout(&e) || !d.shows(&e) {
			break
		}
		return e, nil
	}
	return entry{}, unix.ENOENT
}

// list is everything in the directory, by name in the order of the bytes.
func (d *directory) list() ([]entry, error) {
	var entries []entry
	seen := map[string]bool{}
	for i, fd := range d.fds {
		names, err := readNames(fd)
		if err != nil {
			return nil, &os.PathError{Op: "read directory", Path: "/" + d.path, Err: err}
		}
		for _, name := range names {
			e := entry{name: name, at: fd}
			if i > 0 && seen[name] {
				continue
			}
			err := unix.Fstatat(fd, name, &e.stat, unix.AT_SYMLINK_NOFOLLOW)
			if err == unix.ENOENT {
				continue // somebody has just removed it
			}
			if err != nil {
				return nil, &os.PathError{Op: "stat", Path: d.pathOf(name), Err: err}
			}
			if i < len(d.fds)-1 {
				seen[name] = true
			}
			if d.view.layers && isWhiteout(&e) || !d.shows(&e) {
				continue
			}
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return entries, nil
}

// readNames reads a directory from its beginning.
func readNames(fd int) ([]string, error) {
	if _, err := unix.Seek(fd, 0, 0); err != nil {
		return nil, err
	}
	var names []string
	buffer := make([]byte, 16<<10)
	for {
		n, err := unix.ReadDirent(fd, buffer)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return names, err
		}
		_, _, names = unix.ParseDirent(buffer[:n], -1, names)
	}
}

// enter opens a directory in this one.
func (d *directory) enter(e entry) (*directory, error) {
	sub := &directory{view: d.view, path: d.pathOf(e.name), ignored: e.ignored}
	reached := false
	for i, fd := range d.fds {
		if reached = reached || fd == e.at; !reached {
			continue
		}
		opened, err := d.openIn(fd, e.name, sub)
		if err == unix.ENOENT {
			continue
		}
		if (err == unix.ENOTDIR || err == unix.ELOOP) && len(sub.fds) > 0 {
			break // a layer below has something else there, which ends the merging
		}
		if err != nil {
			sub.close()
			return nil, &os.PathError{Op: "open", Path: sub.path, Err: err}
		}
		sub.fds = append(sub.fds, opened)
		if i < len(d.fds)-1 && isOpaque(opened) {
			break
		}
	}
	if len(sub.fds) == 0 {
		return nil, &os.PathError{Op: "open", Path: sub.path, Err: unix.ENOENT}
	}
	return sub, nil
}

// open opens a regular file for reading, and tells what it is at that moment. The caller closes the descriptor.
func (d *directory) open(e entry) (int, entry, error) {
	fd, err := d.openFile(&e)
	if err == nil {
		if err = unix.Fstat(fd, &e.stat); err == nil && e.kind() != unix.S_IFREG {
			err = unix.ESTALE
		}
		if err != nil {
			unix.Close(fd)
		}
	}
	if err != nil {
		return -1, e, &os.PathError{Op: "open", Path: d.pathOf(e.name), Err: err}
	}
	return fd, e, nil
}

// readLink reads where a symbolic link leads to.
func (e *entry) readLink() (string, error) {
	buffer := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(e.at, e.name, buffer)
	if err != nil {
		return "", &os.PathError{Op: "readlink", Path: e.name, Err: err}
	}
	return string(buffer[:n]), nil
}

// shows says whether the ignore file leaves a name in the context, and notes for what is below it what it says. An ignored
// directory is there all the same if an exception keeps something in it.
func (d *directory) shows(e *entry) bool {
	m := d.view.matcher
	if m == nil {
		return true
	}
	name := d.pathOf(e.name)
	var ignored bool
	var err error
	if m.Exclusions() {
		// An exception for a directory is one for all that is in it, also if the directory itself was never left out. What the parent
		// found would not tell.
		ignored, err = m.MatchesOrParentMatches(name)
	} else {
		ignored, e.ignored, err = m.MatchesUsingParentResults(name, d.ignored)
	}
	if err != nil || !ignored {
		return true
	}
	return e.isDir() && mayKeep(m, name) && d.keeps(e)
}

// keeps looks into an ignored directory for something that is not.
func (d *directory) keeps(e *entry) bool {
	sub, err := d.enter(*e)
	if err != nil {
		return false
	}
	defer sub.close()
	entries, _ := sub.list()
	return len(entries) > 0
}
