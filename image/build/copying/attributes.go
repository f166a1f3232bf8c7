package copying

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// attributes are what a file or directory of the layer gets.
type attributes struct {
	uid, gid int
	mode     uint32
	mtime    time.Time
	xattrs   []xattr // by name
}

type xattr struct {
	name  string
	value []byte
}

// rootlessAttribute remembers an owner that a file could not be given (see type layer.Owners).
const rootlessAttribute = "user.rootlesscontainers"

// attributesOf says what the copy of an entry gets. fd is the open file, or -1 if it cannot be opened.
func (c *Copy) attributesOf(t *Tree, e *entry, fd int) (attributes, error) {
	a, err := t.attributesOf(e, fd)
	if c.UID >= 0 {
		a.uid = c.UID
	}
	if c.GID >= 0 {
		a.gid = c.GID
	}
	a.mode = c.change(e.stat.Mode)
	a.mtime = c.clamped(a.mtime)
	return a, err
}

// attributesOf says what an entry has: in layers, also whom it belongs to; in a context, that is nobody's business.
func (t *Tree) attributesOf(e *entry, fd int) (attributes, error) {
	a := attributes{mode: e.stat.Mode & 0o7777, mtime: time.Unix(e.stat.Mtim.Unix())}
	remembered := ""
	all, err := readXattrs(e, fd)
	if err != nil {
		return a, err
	}
	for _, x := range all {
		if x.name == rootlessAttribute {
			remembered = string(x.value)
		} else {
			a.xattrs = append(a.xattrs, x)
		}
	}
	if t.layers {
		a.uid, a.gid = t.owners.Of(&e.stat, remembered)
	}
	return a, nil
}

// readXattrs reads the extended attributes that are worth keeping: capabilities and the users' own, but not overlayfs's.
func readXattrs(e *entry, fd int) ([]xattr, error) {
	list := func(buffer []byte) (int, error) { return unix.Llistxattr(e.proc(), buffer) }
	get := func(name string, buffer []byte) (int, error) { return unix.Lgetxattr(e.proc(), name, buffer) }
	if fd >= 0 {
		list = func(buffer []byte) (int, error) { return unix.Flistxattr(fd, buffer) }
		get = func(name string, buffer []byte) (int, error) { return unix.Fgetxattr(fd, name, buffer) }
	}
	names, err := grow(list)
	if errors.Is(err, unix.ENOTSUP) || len(names) == 0 && err == nil {
		return nil, nil
	}
	if err != nil {
		return nil, &os.PathError{Op: "listxattr", Path: e.name, Err: err}
	}
	var kept []xattr
	for name := range strings.SplitSeq(string(bytes.TrimRight(names, "\x00")), "\x00") {
		if name != "security.capability" && (!strings.HasPrefix(name, "user.") || strings.HasPrefix(name, "user.overlay.")) {
			continue
		}
		value, err := grow(func(buffer []byte) (int, error) { return get(name, buffer) })
		if err == unix.ENODATA {
			continue // just removed, or not for this user's eyes
		}
		if err != nil {
			return nil, &os.PathError{Op: "getxattr " + name, Path: e.name, Err: err}
		}
		kept = append(kept, xattr{name, value})
	}
	slices.SortFunc(kept, func(a, b xattr) int { return strings.Compare(a.name, b.name) })
	return kept, nil
}

// grow calls with a buffer that is large enough. Most files have nothing, which one call tells.
func grow(call func([]byte) (int, error)) ([]byte, error) {
	for {
		n, err := call(nil)
		if err != nil || n == 0 {
			return nil, err
		}
		buffer := make([]byte, n)
		n, err = call(buffer)
		if err != unix.ERANGE {
			return buffer[:max(0, n)], err
		}
	}
}
