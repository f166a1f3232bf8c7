package carry

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/image/layer"
)

// Tree is the directory that an archive is unpacked into: an *os.Root, or Whole.
type Tree interface {
	Open(name string) (*os.File, error)
	MkdirAll(name string, mode os.FileMode) error
}

// Whole is a directory in which symbolic links mean what they say: for a process that sees nothing but a container's
// files.
type Whole string

// Open opens what is in the directory.
func (w Whole) Open(name string) (*os.File, error) { return os.Open(filepath.Join(string(w), name)) }

// MkdirAll makes a directory in it, and those above that are missing.
func (w Whole) MkdirAll(name string, mode os.FileMode) error {
	return os.MkdirAll(filepath.Join(string(w), name), mode)
}

// Unpack reads an archive to its end and writes what is in it. As docker cp has it, directories are merged and files
// replaced, but neither takes the place of the other. With owners files are given to whom the archive says, as far as
// this user can; else they belong to who we are.
func Unpack(archive io.Reader, into Tree, owners bool) error {
	u := &unpacker{tree: into, owners: owners, made: map[string]*tar.Header{}}
	defer func() {
		if u.at != nil {
			u.at.Close()
		}
	}()
	for r := tar.NewReader(archive); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("not a tar archive, or a damaged one: %w", err)
		}
		if err := u.entry(h, r); err != nil {
			return fmt.Errorf("cannot write %q: %w", h.Name, err)
		}
	}
	if _, err := io.Copy(io.Discard, archive); err != nil { // tar fills the last block up; who sends it wants to be rid of it
		return err
	}
	return u.finishDirectories()
}

type unpacker struct {
	tree   Tree
	owners bool
	at     *os.File // the directory of the last entry
	atName string
	made   map[string]*tar.Header // directories, which get their attributes in the end
}

// clean makes a name relative to the directory; none leads out of it by dots.
func clean(name string) (string, error) {
	name = strings.TrimLeft(name, "/")
	cleaned := path.Clean(name)
	if cleaned == ".." || strings.HasPrefix(cleaned, "../") {
		return "", errors.New("the name leads out of the directory")
	}
	return cleaned, nil
}

func (u *unpacker) entry(h *tar.Header, content io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := clean(h.Name)
	if err != nil || name == "." {
		return err
	}
	dir, base := path.Split(name)
	at, err := u.directory(path.Clean(dir))
	if err != nil {
		return err
	}
	if done, err := u.replace(at, base, h, content); done || err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		u.made[name] = h
		return unix.Mkdirat(at, base, 0o700)
	case tar.TypeReg, tar.TypeGNUSparse, tar.TypeCont:
		return u.file(at, base, h, content)
	case tar.TypeSymlink:
		if err := unix.Symlinkat(h.Linkname, at, base); err != nil {
			return err
		}
	case tar.TypeLink:
		return u.link(at, base, h.Linkname)
	case tar.TypeFifo, tar.TypeChar, tar.TypeBlock:
		err := u.node(at, base, h)
		if err == unix.EPERM {
			return nil // who may not make devices goes without
		}
		if err != nil {
			return err
		}
	default:
		return fmt.Errorf("unknown type of entry %q", h.Typeflag)
	}
	return u.setAt(at, base, h)
}

// directory opens a directory of the tree, which stays open: the next entry is often in the same.
func (u *unpacker) directory(name string) (fd int, err error) {
	if u.at != nil && u.atName == name {
		return int(u.at.Fd()), nil
	}
	dir, err := u.tree.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		if err = u.tree.MkdirAll(name, 0o755); err == nil {
			dir, err = u.tree.Open(name)
		}
	}
	if err != nil {
		return -1, err
	}
	if u.at != nil {
		u.at.Close()
	}
	u.at, u.atName = dir, name
	return int(dir.Fd()), nil
}

// replace clears the way for an entry. It is done if there is a directory for a directory, or if a file cannot be
// removed because something is mounted on it (/etc/hosts): that one is written over.
func (u *unpacker) replace(at int, base string, h *tar.Header, content io.Reader) (done bool, err error) {
	var st unix.Stat_t
	err = unix.Fstatat(at, base, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err == unix.ENOENT {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	isDir := st.Mode&unix.S_IFMT == unix.S_IFDIR
	switch {
	case isDir && h.Typeflag == tar.TypeDir:
		u.made[path.Join(u.atName, base)] = h
		return true, nil
	case isDir:
		return false, errors.New("cannot overwrite a directory with a non-directory")
	case h.Typeflag == tar.TypeDir:
		return false, errors.New("cannot overwrite a non-directory with a directory")
	}
	err = unix.Unlinkat(at, base, 0)
	if err == unix.EBUSY && h.Typeflag == tar.TypeReg && st.Mode&unix.S_IFMT == unix.S_IFREG {
		return true, u.overwrite(at, base, content)
	}
	return false, err
}

func (u *unpacker) overwrite(at int, base string, content io.Reader) error {
	fd, err := unix.Openat(at, base, unix.O_WRONLY|unix.O_TRUNC|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), base)
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}

func (u *unpacker) file(at int, base string, h *tar.Header, content io.Reader) error {
	fd, err := unix.Openat(at, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), base)
	defer file.Close()
	if err := copyWithHoles(file, content, h.Size); err != nil {
		return err
	}
	return u.set(fd, h)
}

// copyWithHoles does not write long runs of zeros: what was never written reads as zeros.
func copyWithHoles(file *os.File, content io.Reader, size int64) error {
	buffer := make([]byte, min(size, 1<<16))
	var at int64
	for at < size {
		piece := buffer[:min(int64(len(buffer)), size-at)]
		if _, err := io.ReadFull(content, piece); err != nil {
			return err
		}
		if len(piece) < 1<<16 || slices.ContainsFunc(piece, func(b byte) bool { return b != 0 }) {
			if _, err := file.WriteAt(piece, at); err != nil {
				return err
			}
		}
		at += int64(len(piece))
	}
	return file.Truncate(size)
}

// link makes a hard link to a file that the archive has brought.
func (u *unpacker) link(at int, base, target string) error {
	name, err := clean(target)
	if err != nil {
		return fmt.Errorf("hard link to %q: %w", target, err)
	}
	dir, err := u.tree.Open(path.Dir(name))
	if err != nil {
		return err
	}
	defer dir.Close()
	return unix.Linkat(int(dir.Fd()), path.Base(name), at, base, 0)
}

func (u *unpacker) node(at int, base string, h *tar.Header) error {
	kind, device := uint32(unix.S_IFIFO), 0
	if h.Typeflag != tar.TypeFifo {
		kind, device = unix.S_IFCHR, int(unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor)))
		if h.Typeflag == tar.TypeBlock {
			kind = unix.S_IFBLK
		}
	}
	if err := unix.Mknodat(at, base, kind|0o600, device); err != nil {
		return err
	}
	return unix.Fchmodat(at, base, uint32(h.Mode&0o7777), 0)
}

// set the attributes of an open file or directory: the owner first, because a change of owner clears the set-user-ID bit
// and capabilities, the mode after the rest, because it may forbid that.
func (u *unpacker) set(fd int, h *tar.Header) error {
	if u.owners {
		if err := unix.Fchown(fd, h.Uid, h.Gid); err != nil && !cannotGive(err) {
			return err
		}
	}
	if err := layer.SetXattrs(fd, layer.XattrsOf(h)); err != nil {
		return err
	}
	if err := unix.Fchmod(fd, uint32(h.Mode&0o7777)); err != nil {
		return err
	}
	return setTime(fd, "", h)
}

// setAt sets the attributes of what cannot be opened: links, devices, pipes.
func (u *unpacker) setAt(at int, base string, h *tar.Header) error {
	if u.owners {
		if err := unix.Fchownat(at, base, h.Uid, h.Gid, unix.AT_SYMLINK_NOFOLLOW); err != nil && !cannotGive(err) {
			return err
		}
	}
	return setTime(at, base, h)
}

// cannotGive: an ordinary user gives nothing away, and a user namespace may not have the id.
func cannotGive(err error) bool { return err == unix.EPERM || err == unix.EINVAL }

func setTime(fd int, base string, h *tar.Header) error {
	t, err := unix.TimeToTimespec(h.ModTime)
	if err != nil {
		return err
	}
	if base == "" {
		return layer.SetTime(fd, t)
	}
	return unix.UtimesNanoAt(fd, base, []unix.Timespec{t, t}, unix.AT_SYMLINK_NOFOLLOW)
}

// finishDirectories sets the directories' attributes, those of the innermost first: writing into one changes its time, and
// its mode may forbid it.
func (u *unpacker) finishDirectories() error {
	names := make([]string, 0, len(u.made))
	for name := range u.made {
		names = append(names, name)
	}
	slices.Sort(names)
	slices.Reverse(names)
	for _, name := range names {
		dir, err := u.tree.Open(name)
		if err != nil {
			return err
		}
		err = u.set(int(dir.Fd()), u.made[name])
		dir.Close()
		if err != nil {
			return fmt.Errorf("cannot set the attributes of %q: %w", name, err)
		}
	}
	return nil
}
