package layer

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Change is a line of `docker diff`.
type Change struct {
	Kind byte   // 'A' added, 'C' changed, 'D' deleted
	Path string // from the root, with a leading slash
}

// Changes is what a container's upper directory makes of the stack below it, the uppermost layer first; sorted by path, as
// bytes. It says what Docker says (moby/go-archive, which compares the two root file systems file by file):
//   - what has come in the place of something else is C, even if a file has come in the place of a directory
//   - a file that was copied up and is as it was is not listed: type, mode, owner, device, size, time and capabilities
//     are compared, and the times only to the second if one has no fraction
//   - a directory's time and size do not count. It is C also if something in it has been added, changed or deleted
//   - of what was deleted only the top is listed, of what was added everything
func Changes(upper string, lower []string) ([]Change, error) {
	c := &changes{owners: NewOwners()}
	u := &union{}
	defer u.closeDown(0)
	if len(lower) > 0 {
		if err := u.openRoot(lower); err != nil {
			return nil, err
		}
	} else {
		u.path = []merged{nil}
	}
	top, err := openPlace(upper, 0)
	if err != nil {
		return nil, err
	}
	defer top.close()
	if err := c.directory("", top, u.here(), false); err != nil {
		return nil, err
	}
	slices.SortFunc(c.list, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return c.list, nil
}

type changes struct {
	owners Owners
	list   []Change
}

func (c *changes) add(kind byte, path string) { c.list = append(c.list, Change{kind, path}) }

// directory compares a directory of the upper layer with what there is below. If it is opaque, what is below and not in it
// is deleted.
func (c *changes) directory(path string, upper place, below merged, opaque bool) error {
	names, err := list(upper.fd)
	if err != nil {
		return err
	}
	here := map[string]bool{}
	for _, l := range names {
		here[l.name] = true
		if err := c.name(path+"/"+l.name, l.name, upper, below); err != nil && err != unix.ENOENT {
			return err
		}
	}
	if !opaque {
		return nil
	}
	return below.each(c.owners, "", func(e *Entry) error {
		if !here[e.Path] {
			c.add('D', path+"/"+e.Path)
		}
		return nil
	})
}

// name compares what the upper directory has under a name with what is below.
func (c *changes) name(path, name string, upper place, below merged) error {
	old, found, err := c.below(name, below)
	if err != nil {
		return err
	}
	defer old.self.close()
	if isWhiteoutAt(upper.fd, name) {
		if found {
			c.add('D', path)
		}
		return nil
	}
	now := &Entry{owners: c.owners, in: upper}
	if sub, err := upper.open(name); err == nil {
		now.self = merged{sub}
		defer sub.close()
	}
	if err := now.fill(name, name); err != nil {
		return err
	}
	changed := false
	if !found {
		c.add('A', path)
	} else if changed, err = differ(old, now); err != nil {
		return err
	} else if changed {
		c.add('C', path)
	}
	if now.self == nil {
		return nil
	}
	before := len(c.list)
	sub := now.self[0]
	if err := c.directory(path, sub, old.self, isOpaque(sub.fd)); err != nil {
		return err
	}
	if found && !changed && len(c.list) > before {
		c.add('C', path)
	}
	return nil
}

// below looks a name up below the upper layer. The caller closes what the entry has open.
func (c *changes) below(name string, below merged) (e *Entry, exists bool, err error) {
	e = &Entry{owners: c.owners}
	found, err := below.find(name)
	if err == unix.ENOENT {
		return e, false, nil
	}
	if err != nil {
		return e, false, err
	}
	e.in, e.self = found.parent, found.directories
	return e, true, e.fill(name, name)
}

// differ compares what was with what is.
func differ(old, now *Entry) (bool, error) {
	if old.Mode != now.Mode || old.UID != now.UID || old.GID != now.GID || old.Device != now.Device {
		return true, nil
	}
	if now.IsDir() {
		return false, nil
	}
	if old.Size != now.Size || !sameTime(&old.stat.Mtim, &now.stat.Mtim) {
		return true, nil
	}
	if !now.IsRegular() {
		return false, nil
	}
	was, err := old.xattrs()
	if err != nil {
		return false, err
	}
	is, err := now.xattrs()
	return was["security.capability"] != is["security.capability"], err
}

// sameTime: an archive may have kept seconds only.
func sameTime(a, b *unix.Timespec) bool {
	return a.Sec == b.Sec && (a.Nsec == b.Nsec || a.Nsec == 0 || b.Nsec == 0)
}
