package layer

import (
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Info is what a stack of layers shows under a name.
type Info struct {
	Path     string // from the root, without a leading slash and without links on the way; "" is the root
	Layer    int    // the layer that it comes from, a directory's attributes too; 0 is the uppermost
	Mode     uint32 // as stat(2) has it: type and permissions (unix.S_IFMT, …)
	UID, GID int    // as the image has them: what an ordinary user could not set is remembered (type Owners)
	Size     int64  // bytes
	ModTime  time.Time
	Device   uint64 // of a device node: what unix.Mkdev makes
	Links    uint64 // how many names the file has in its layer
	Inode    uint64
	Target   string            // of a symbolic link
	Xattrs   map[string]string // those that mean something in a container
}

// IsDir tells whether it is a directory.
func (i *Info) IsDir() bool { return i.Mode&unix.S_IFMT == unix.S_IFDIR }

// IsRegular tells whether it is a regular file.
func (i *Info) IsRegular() bool { return i.Mode&unix.S_IFMT == unix.S_IFREG }

// merged is a directory as overlayfs shows it: the directories that it merges, the uppermost first.
type merged []place

func (m merged) close() {
	for _, p := range m {
		p.close()
	}
}

// finding is what a name stands for: directories to be merged, or something else in the directory parent.
type finding struct {
	directories merged
	parent      place
	name        string
	target      string // of a symbolic link
}

// find looks a name up as overlayfs does: the uppermost directory that has it decides. If it is a directory there, those
// of the same name below are merged with it, down to the first thing that is none, or to an opaque one.
func (m merged) find(name string) (finding, error) {
	found := finding{name: name}
	for _, p := range m {
		sub, err := p.open(name)
		if err == unix.ENOENT {
			continue
		}
		if err == nil {
			found.directories = append(found.directories, sub)
			if isOpaque(sub.fd) {
				break
			}
			continue
		}
		if err != unix.ENOTDIR && err != unix.ELOOP {
			found.directories.close()
			return found, err
		}
		if found.directories != nil || isWhiteoutAt(p.fd, name) {
			break
		}
		found.parent = p
		found.target, err = p.readLink(name)
		return found, err
	}
	if found.directories == nil {
		return found, unix.ENOENT
	}
	return found, nil
}

// Entry is an Info while it is being visited: what belongs to it is open.
type Entry struct {
	Info
	owners Owners
	in     place  // the directory that it is in
	self   merged // what it merges, if it is a directory
	stat   unix.Stat_t
}

// Open opens a regular file.
func (e *Entry) Open() (*os.File, error) {
	return e.in.openFile(e.name(), new(unix.Stat_t))
}

func (e *Entry) name() string { return e.Path[strings.LastIndexByte(e.Path, '/')+1:] }

// fill looks at what is there.
func (e *Entry) fill(path, name string) (err error) {
	st := &e.stat
	if e.self != nil {
		e.in.layer = e.self[0].layer
		err = unix.Fstat(e.self[0].fd, st)
		if mode := e.self[0].mode; mode != 0 {
			st.Mode = st.Mode&unix.S_IFMT | mode
		}
	} else {
		err = e.in.stat(name, st)
	}
	if err != nil {
		return err
	}
	e.Info = Info{Path: path, Layer: e.in.layer, Mode: st.Mode, Size: st.Size, ModTime: time.Unix(st.Mtim.Unix()), Device: uint64(st.Rdev), Links: uint64(st.Nlink), Inode: st.Ino}
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		if e.Target, err = e.in.readLink(name); err != nil {
			return err
		}
	}
	e.UID, e.GID = e.owners.Of(st, e.rememberedOwner(name))
	return nil
}

func (e *Entry) rememberedOwner(name string) string {
	kind := e.Mode & unix.S_IFMT
	if !e.owners.remembers(&e.stat) || kind != unix.S_IFREG && kind != unix.S_IFDIR {
		return ""
	}
	if e.self != nil {
		owner, _ := xattr(e.self[0].fd, ownerAttribute)
		return owner
	}
	buffer := make([]byte, 32)
	n, _ := unix.Lgetxattr(throughProc(e.in.fd)+"/"+name, ownerAttribute, buffer)
	return string(buffer[:max(n, 0)])
}

// xattrs reads the extended attributes that mean something in a container.
func (e *Entry) xattrs() (map[string]string, error) {
	var all map[string]string
	var err error
	switch {
	case e.self != nil:
		all, err = xattrsOf(e.self[0].fd)
	case e.IsRegular():
		file, openErr := e.in.openFile(e.name(), new(unix.Stat_t))
		if openErr != nil {
			return nil, openErr
		}
		defer file.Close()
		all, err = xattrsOf(int(file.Fd()))
	}
	for name := range all {
		if !travels(name) {
			delete(all, name)
		}
	}
	return all, err
}

// each visits what is in a directory, by name. What goes away meanwhile is left out.
func (m merged) each(owners Owners, path string, f func(*Entry) error) error {
	names, err := m.list()
	if err != nil {
		return err
	}
	for _, l := range names {
		e := &Entry{owners: owners, in: l.in}
		err := e.look(m, path, l)
		switch {
		case err == nil:
			err = f(e)
		case err == unix.ENOENT:
			err = nil
		}
		e.self.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// look finds out what a listed name is; ENOENT if there is nothing any more, or nothing to be shown.
func (e *Entry) look(m merged, path string, l shown) error {
	if l.kind == unix.DT_DIR || l.kind == unix.DT_UNKNOWN {
		found, err := m.find(l.name)
		if err != nil {
			return err
		}
		e.self = found.directories
	}
	if err := e.fill(strings.TrimPrefix(path+"/"+l.name, "/"), l.name); err != nil {
		return err
	}
	becomeDirectory := e.IsDir() && e.self == nil
	if becomeDirectory || e.IsRegular() && e.Size == 0 && hasWhiteoutAttribute(throughProc(e.in.fd)+"/"+l.name) {
		return unix.ENOENT
	}
	return nil
}

// shown is a name that a merged directory shows, and the uppermost directory that has it.
type shown struct {
	listed
	in place
}

// list merges the names; whiteouts, and what they hide, are left out.
func (m merged) list() ([]shown, error) {
	var names []shown
	seen := map[string]bool{}
	for i, p := range m {
		own, err := list(p.fd)
		if err != nil {
			return nil, err
		}
		for _, l := range own {
			if len(m) > 1 {
				if seen[l.name] {
					continue
				}
				seen[l.name] = true
			}
			if (l.kind == unix.DT_CHR || l.kind == unix.DT_UNKNOWN) && isWhiteoutAt(p.fd, l.name) {
				continue // the other form, an empty file, is seen when the file is looked at
			}
			names = append(names, shown{l, p})
		}
		if i > 0 {
			slices.SortFunc(names, func(a, b shown) int { return strings.Compare(a.name, b.name) })
		}
	}
	return names, nil
}
