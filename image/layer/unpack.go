package layer

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

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

// No layer has more. Without these an archive of a few bytes, compressed or with holes, could keep us busy for years.
const (
	maxEntries = 10_000_000
	maxBytes   = 4 << 40 // of all files together, holes included
)

// unpacker writes one layer's archive into a directory, in the form in which overlayfs reads it.
type unpacker struct {
	*tree
	owners   Owners
	contents *contents
	entries  int
	bytes    int64
	over     bool // the directory is somebody's, with things in it: it stays as it is itself
}

// Unpack reads an archive, not compressed, to its end into the directory dir, which must be empty. It may read on behind
// the end. What an ordinary user cannot make: device nodes are left out, as the container gets its own; who owns what is
// remembered (type Owners); security.capability is lost.
//
// Entries take effect in the order of the archive: a later one of the same name takes the place of an earlier one. After
// an error the directory holds something, but no good.
func Unpack(archive io.Reader, dir string) error { return unpack(archive, dir, false) }

// UnpackOver is Unpack into a directory that may have something in it, and whose own mode, owner and time stay.
func UnpackOver(archive io.Reader, dir string) error { return unpack(archive, dir, true) }

func unpack(archive io.Reader, dir string, over bool) error {
	t, err := openTree(dir)
	if err != nil {
		return err
	}
	defer t.close()
	u := &unpacker{tree: t, owners: NewOwners(), over: over}
	u.contents = newContents(u.finishFile)
	err = u.readAll(tar.NewReader(bufio.NewReaderSize(archive, 1<<16)))
	if writeErr := u.contents.close(); writeErr != nil {
		err = writeErr // it came earlier, if the other is not its consequence anyway
	}
	if err != nil {
		return err
	}
	return u.finishDirectories()
}

func (u *unpacker) readAll(archive *tar.Reader) error {
	for !u.contents.failed.Load() {
		h, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("not a tar archive, or a damaged one: %w", err)
		}
		if err := u.entry(h, archive); err != nil {
			return fmt.Errorf("cannot unpack %s: %w", quoted(h.Name), err)
		}
	}
	return nil
}

// quoted is a name for a message, which an archive must not fill with a megabyte.
func quoted(name string) string {
	if len(name) > 300 {
		return strconv.Quote(name[:300]) + "…"
	}
	return strconv.Quote(name)
}

// clean makes a name relative to the layer's root: absolute ones are meant so. None leads out of it by dots.
func clean(name string) (string, error) {
	if len(name) >= unix.PathMax {
		return "", fmt.Errorf("a name of %d bytes: %w", len(name), unix.ENAMETOOLONG)
	}
	depth := 0
	for element := range strings.SplitSeq(name, "/") {
		switch element {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return "", errors.New("the name leads out of the layer")
			}
		default:
			depth++
		}
	}
	return strings.TrimPrefix(path.Clean("/"+name), "/"), nil
}

// entry makes one file.
func (u *unpacker) entry(h *tar.Header, content io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	u.entries++
	u.bytes += h.Size
	if u.entries > maxEntries || u.bytes > maxBytes || h.Size > maxBytes {
		return fmt.Errorf("the layer is too big: more than %d files or %d TiB", maxEntries, int64(maxBytes)>>40)
	}
	name, err := clean(h.Name)
	if err != nil {
		return err
	}
	u.trim()
	if name == "" {
		if h.Typeflag == tar.TypeDir {
			root := attributesOf(h)
			root.mode |= 0o700 // to be renamed, a directory must be writable; in a container the root of upperdir lies over it
			u.made[""] = root
		}
		return nil
	}
	dirName, base := path.Split(name)
	dir, err := u.directory(dirName)
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
		return u.symlink(dir, base, h)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return u.node(dir, base, h)
	}
	return fmt.Errorf("unknown type of entry %q", h.Typeflag)
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
	u.made[made.path] = attributesOf(h)
	return nil
}

func (u *unpacker) file(dir *directory, base string, h *tar.Header, source io.Reader) error {
	file := &content{fd: -1, name: h.Name, size: h.Size, mode: 0o600, attributes: attributesOf(h)}
	if u.fresh.complete(file.attributes) {
		file.mode = file.attributes.mode
	}
	err := u.replacing(dir, base, func() (err error) {
		file.fd, err = unix.Openat(dir.fd, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, file.mode)
		return err
	})
	if err != nil {
		return err
	}
	return u.contents.add(file, source)
}

func (u *unpacker) finishFile(file *content) error {
	if file.holes.Load() { // there may be one at the end
		if err := unix.Ftruncate(file.fd, file.size); err != nil {
			return err
		}
	}
	return u.set(file.fd, file.attributes, file.mode)
}

// link makes a hard link to a file of this archive.
func (u *unpacker) link(dir *directory, base, target string) error {
	cleaned, err := clean(target)
	if err != nil {
		return fmt.Errorf("hard link to %s: %w", quoted(target), err)
	}
	fromName, fromBase := path.Split(cleaned)
	if fromBase == "" {
		return errors.New("a hard link to the root directory")
	}
	from, err := u.resolve(fromName, false)
	if err == nil && from == dir && fromBase == base {
		return nil
	}
	if err == nil {
		err = u.replacing(dir, base, func() error {
			from, err := u.resolve(fromName, false) // anew: with what is replaced the directory of the target may go, too
			if err != nil {
				return err
			}
			return unix.Linkat(from.fd, fromBase, dir.fd, base, 0)
		})
	}
	if err != nil {
		return fmt.Errorf("hard link to %s: %w", quoted(target), err)
	}
	return nil
}

func (u *unpacker) symlink(dir *directory, base string, h *tar.Header) error {
	if h.Linkname == "" {
		return errors.New("a symbolic link to nothing")
	}
	if err := u.replacing(dir, base, func() error { return unix.Symlinkat(h.Linkname, dir.fd, base) }); err != nil {
		return err
	}
	return u.setAt(dir, base, attributesOf(h), false)
}

func (u *unpacker) node(dir *directory, base string, h *tar.Header) error {
	kind, device := uint32(unix.S_IFIFO), 0
	if h.Typeflag != tar.TypeFifo {
		kind, device = unix.S_IFCHR, int(unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor)))
		if h.Typeflag == tar.TypeBlock {
			kind = unix.S_IFBLK
		}
	}
	mode := uint32(h.Mode & 0o7777)
	err := u.replacing(dir, base, func() error { return unix.Mknodat(dir.fd, base, kind|mode, device) })
	if err == unix.EPERM {
		return nil // who may not make devices, as in a user namespace, gets the container's from the host
	}
	if err != nil {
		return err
	}
	return u.setAt(dir, base, attributesOf(h), true)
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
	paths := make([]string, 0, len(u.made))
	for p := range u.made {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	slices.Reverse(paths)
	for _, p := range paths {
		if p == "" && u.over {
			continue
		}
		u.trim()
		dir, err := u.reopen(p)
		if err == unix.ENOENT || err == unix.ENOTDIR || err == unix.ELOOP {
			continue // a later entry has replaced it
		}
		mode := implicit.mode
		if p == "" {
			mode = 0 // the root was made by somebody else
		}
		if err == nil {
			err = u.set(dir.fd, u.made[p], mode)
		}
		if err != nil {
			return fmt.Errorf("cannot set the attributes of directory %s: %w", quoted(p), err)
		}
		if p != "" {
			u.forget(p)
		}
	}
	return nil
}
