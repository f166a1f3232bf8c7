package layer

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A layer's archive says "this file is gone" with an entry .wh.NAME, and "nothing of the layers below is in this
// directory" with .wh..wh..opq (OCI image spec, layer.md). Other names in .wh..wh. were a file system's own
// book-keeping and mean nothing to us.
const (
	whiteoutPrefix = ".wh."
	opaqueMarker   = ".wh..wh..opq"
	ignoredPrefix  = ".wh..wh."
)

// unpacker writes one layer's archive into a directory, in the form in which overlayfs reads it.
type unpacker struct {
	*tree
	privileged  bool // may give files away; else everything belongs to this user
	directories map[string]attributes
}

// attributes of a directory are set when everything is in it: writing into it changes its time, and its mode may forbid it.
type attributes struct {
	uid, gid int
	mode     uint32
	mtime    time.Time
	xattrs   map[string]string
}

// Unpack reads an archive, not compressed, to its end into the directory dir, which must be empty.
func Unpack(archive io.Reader, dir string) error {
	t, err := openTree(dir)
	if err != nil {
		return err
	}
	defer t.close()
	u := &unpacker{tree: t, privileged: os.Geteuid() == 0, directories: map[string]attributes{}}
	u.directories[""] = attributes{mode: 0o755, mtime: time.Unix(0, 0)}
	entries := tar.NewReader(archive)
	for {
		h, err := entries.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("not a tar archive, or a damaged one: %w", err)
		}
		if err := u.entry(h, entries); err != nil {
			return fmt.Errorf("cannot unpack %q: %w", h.Name, err)
		}
	}
	return u.finishDirectories()
}

// entry makes one file. A name is taken relative to the layer's root, and .. does not lead out of it.
func (u *unpacker) entry(h *tar.Header, content io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
	if name == "" {
		if h.Typeflag == tar.TypeDir {
			root := attributesOf(h)
			root.mode |= 0o700 // to be renamed, a directory must be writable; in a container the root of upperdir lies over it
			u.directories[""] = root
		}
		return nil
	}
	dirName, base := path.Split(name)
	dir, err := u.directory(dirName, true)
	if err != nil {
		return err
	}
	if strings.HasPrefix(base, whiteoutPrefix) {
		return u.whiteout(dir, base)
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return u.mkdir(dir, base, h)
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		return u.file(dir, base, h, content)
	case tar.TypeLink:
		return u.link(dir, base, h.Linkname)
	case tar.TypeSymlink:
		err = u.replacing(dir, base, func() error { return unix.Symlinkat(h.Linkname, dir.fd, base) })
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		err = u.node(dir, base, h)
		if errors.Is(err, unix.EPERM) {
			return nil // who may not make devices, as in a user namespace, gets the container's from the host
		}
	default:
		return fmt.Errorf("unknown type of entry %q", h.Typeflag)
	}
	if err != nil {
		return err
	}
	return u.setAttributesAt(dir, base, attributesOf(h), h.Typeflag != tar.TypeSymlink)
}

func attributesOf(h *tar.Header) attributes {
	return attributes{uid: h.Uid, gid: h.Gid, mode: uint32(h.Mode & 0o7777), mtime: h.ModTime, xattrs: xattrsFromRecords(h.PAXRecords)}
}

// whiteout hides a name of the layers below. It does not concern what this archive itself has under that name.
func (u *unpacker) whiteout(dir *directory, base string) error {
	if base == opaqueMarker {
		return setOpaque(dir.fd)
	}
	if strings.HasPrefix(base, ignoredPrefix) {
		return nil
	}
	name := strings.TrimPrefix(base, whiteoutPrefix)
	if name == "" || name == "." || name == ".." {
		return errors.New("a whiteout of nothing")
	}
	// An ordinary user may make this one device node since Linux 5.8, before it could mount an overlay at all (5.11).
	err := unix.Mknodat(dir.fd, name, unix.S_IFCHR, 0)
	if err != unix.EEXIST {
		return err
	}
	existing, err := u.open(dir, name)
	if err == unix.ENOTDIR || err == unix.ELOOP {
		return nil // this archive's own file hides the one below anyway
	}
	if err != nil {
		return err
	}
	defer existing.close()
	return setOpaque(existing.fd)
}

func (u *unpacker) mkdir(dir *directory, base string, h *tar.Header) error {
	made, err := u.makeDirectory(dir, base)
	if err == unix.ENOTDIR || err == unix.ELOOP {
		if err = u.remove(dir, base); err == nil {
			made, err = u.makeDirectory(dir, base)
		}
	}
	if err != nil {
		return err
	}
	u.directories[made.path] = attributesOf(h)
	return made.close()
}

func (u *unpacker) file(dir *directory, base string, h *tar.Header, content io.Reader) error {
	fd := -1
	err := u.replacing(dir, base, func() (err error) {
		fd, err = unix.Openat(dir.fd, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
		return err
	})
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), base)
	defer file.Close()
	if _, err := io.Copy(file, content); err != nil {
		return err
	}
	if err := setTime(dir.fd, base, h.ModTime); err != nil {
		return err
	}
	return u.setAttributes(fd, attributesOf(h))
}

// link makes a hard link to a file of this archive.
func (u *unpacker) link(dir *directory, base, target string) error {
	fromName, fromBase := path.Split(strings.TrimPrefix(path.Clean("/"+target), "/"))
	if fromBase == "" {
		return errors.New("a hard link to the root directory")
	}
	from, err := u.resolve(fromName, false)
	if err != nil {
		return fmt.Errorf("hard link to %q: %w", target, err)
	}
	defer from.close()
	if from.path == dir.path && fromBase == base {
		return nil
	}
	err = u.replacing(dir, base, func() error { return unix.Linkat(from.fd, fromBase, dir.fd, base, 0) })
	if err != nil {
		return fmt.Errorf("hard link to %q: %w", target, err)
	}
	return nil
}

func (u *unpacker) node(dir *directory, base string, h *tar.Header) error {
	kind := map[byte]uint32{tar.TypeChar: unix.S_IFCHR, tar.TypeBlock: unix.S_IFBLK, tar.TypeFifo: unix.S_IFIFO}[h.Typeflag]
	device := 0
	if h.Typeflag != tar.TypeFifo {
		device = int(unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor)))
	}
	return u.replacing(dir, base, func() error { return unix.Mknodat(dir.fd, base, kind|0o600, device) })
}

// replacing makes something new under a name; what an earlier entry left there goes.
func (u *unpacker) replacing(dir *directory, base string, create func() error) error {
	err := create()
	if err == unix.EEXIST {
		if err = u.remove(dir, base); err == nil {
			err = create()
		}
	}
	return err
}

// finishDirectories sets the directories' attributes, those of the innermost first.
func (u *unpacker) finishDirectories() error {
	paths := make([]string, 0, len(u.directories))
	for p := range u.directories {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	slices.Reverse(paths)
	for _, p := range paths {
		dir, err := u.reopen(p)
		if err == unix.ENOENT || err == unix.ENOTDIR || err == unix.ELOOP {
			continue // a later entry has replaced it
		}
		if err != nil {
			return err
		}
		err = errors.Join(setTime(dir.fd, ".", u.directories[p].mtime), u.setAttributes(dir.fd, u.directories[p]))
		dir.close()
		if err != nil {
			return fmt.Errorf("cannot set the attributes of directory %q: %w", p, err)
		}
	}
	return nil
}

// setAttributes of an open file or directory, all but the time. The mode comes after the owner, because a change of
// owner clears the set-user-ID bit, and last, because it may forbid the rest.
func (u *unpacker) setAttributes(fd int, a attributes) error {
	if u.privileged {
		if err := ownedAnyway(unix.Fchown(fd, a.uid, a.gid)); err != nil {
			return err
		}
	}
	for name, value := range a.xattrs {
		err := unix.Fsetxattr(fd, name, []byte(value), 0)
		if err != nil && err != unix.EPERM && err != unix.ENOTSUP {
			return fmt.Errorf("extended attribute %s: %w", name, err)
		}
	}
	return unix.Fchmod(fd, a.mode)
}

// setAttributesAt sets the attributes of what cannot be opened: symbolic links, device nodes, pipes.
func (u *unpacker) setAttributesAt(dir *directory, base string, a attributes, hasMode bool) error {
	if u.privileged {
		if err := ownedAnyway(unix.Fchownat(dir.fd, base, a.uid, a.gid, unix.AT_SYMLINK_NOFOLLOW)); err != nil {
			return err
		}
	}
	if hasMode {
		if err := unix.Fchmodat(dir.fd, base, a.mode, 0); err != nil {
			return err
		}
	}
	return setTime(dir.fd, base, a.mtime)
}

func setTime(dir int, name string, mtime time.Time) error {
	t, err := unix.TimeToTimespec(mtime)
	if err != nil {
		return err
	}
	return unix.UtimesNanoAt(dir, name, []unix.Timespec{t, t}, unix.AT_SYMLINK_NOFOLLOW)
}

// ownedAnyway forgives that an id is not mapped in this user namespace (EINVAL) or may not be given away (EPERM): the
// file then belongs to the user, as all of an ordinary user's files do.
func ownedAnyway(err error) error {
	if err == unix.EINVAL || err == unix.EPERM {
		return nil
	}
	return err
}
