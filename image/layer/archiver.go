package layer

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// archiver writes what it finds in unpacked layers into a tar archive.
type archiver struct {
	tar    *tar.Writer
	owners Owners
	clamp  *time.Time
	linked map[inode]string // files with several names: the one that was written
	buffer []byte
}

func newArchiver(w io.Writer) *archiver {
	return &archiver{tar: tar.NewWriter(w), owners: NewOwners(), linked: map[inode]string{}, buffer: make([]byte, 1<<16)}
}

// end writes the archive's end, unless there was an error, and what is still on its way to out.
func (a *archiver) end(out *behind, err error) error {
	if err == nil {
		err = a.tar.Close()
	}
	if writeErr := out.Close(); writeErr != nil {
		return writeErr // of which the other error is a consequence
	}
	return err
}

// header is what all kinds of entries have in common. There are no names of users: who has which name is written in the
// image itself, in /etc/passwd.
func (a *archiver) header(path string, st *unix.Stat_t, remembered string) *tar.Header {
	h := &tar.Header{Name: path, Mode: int64(st.Mode & 0o7777), ModTime: time.Unix(st.Mtim.Unix())}
	h.Uid, h.Gid = a.owners.Of(st, remembered)
	if a.clamp != nil && h.ModTime.After(*a.clamp) {
		h.ModTime = *a.clamp
	}
	if h.ModTime.Nanosecond() != 0 {
		h.Format = tar.FormatPAX // the older format knows seconds only, and is shorter
	}
	return h
}

// addDirectory writes a directory that is open, without what is in it. The path ends in a slash.
func (a *archiver) addDirectory(dir place, path string, st *unix.Stat_t) error {
	h, err := a.directoryHeader(dir, path, st)
	if err != nil {
		return err
	}
	return a.tar.WriteHeader(h)
}

func (a *archiver) directoryHeader(dir place, path string, st *unix.Stat_t) (*tar.Header, error) {
	if dir.mode != 0 {
		st.Mode = st.Mode&unix.S_IFMT | dir.mode
	}
	h, err := a.withXattrs(dir.fd, path, st)
	if err != nil {
		return nil, err
	}
	h.Typeflag = tar.TypeDir
	return h, nil
}

// withXattrs is the header of an open file or directory.
func (a *archiver) withXattrs(fd int, path string, st *unix.Stat_t) (*tar.Header, error) {
	xattrs, err := xattrsOf(fd)
	if err != nil {
		return nil, err
	}
	h := a.header(path, st, xattrs[ownerAttribute])
	for name := range xattrs {
		if elsewhere(name) {
			return nil, errors.New("its content is in another layer (an overlayfs mounted with metacopy or redirect_dir wrote it)")
		}
		if !travels(name) {
			delete(xattrs, name)
		}
	}
	if len(xattrs) > 0 {
		h.PAXRecords = map[string]string{}
		addRecords(h.PAXRecords, xattrs)
	}
	return h, nil
}

// elsewhere: such a file or directory is not all there. Only root's overlayfs makes them, and only if it is told to.
func elsewhere(xattr string) bool {
	return xattr == trustedAttribute+"metacopy" || xattr == trustedAttribute+"redirect"
}

// add writes what is no directory.
func (a *archiver) add(in place, name, path string, st *unix.Stat_t) (err error) {
	kind := st.Mode & unix.S_IFMT
	if kind == unix.S_IFSOCK {
		return nil
	}
	if st.Nlink > 1 {
		i := inodeOf(in.layer, st)
		if first, found := a.linked[i]; found {
			h := a.header(path, st, "")
			h.Typeflag, h.Linkname = tar.TypeLink, first
			return a.tar.WriteHeader(h)
		}
		defer func() {
			if err == nil {
				a.linked[i] = path
			}
		}()
	}
	if kind == unix.S_IFREG {
		return a.addFile(in, name, path)
	}
	h := a.header(path, st, "")
	switch kind {
	case unix.S_IFLNK:
		target, err := in.readLink(name)
		if err != nil {
			return err
		}
		h.Typeflag, h.Linkname = tar.TypeSymlink, target
	default:
		SetSpecial(h, st)
	}
	return a.tar.WriteHeader(h)
}

// SetSpecial makes a header that of a pipe or a device, if st is one.
func SetSpecial(h *tar.Header, st *unix.Stat_t) {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFIFO:
		h.Typeflag = tar.TypeFifo
	case unix.S_IFCHR:
		h.Typeflag = tar.TypeChar
	case unix.S_IFBLK:
		h.Typeflag = tar.TypeBlock
	default:
		return
	}
	h.Devmajor, h.Devminor = int64(unix.Major(uint64(st.Rdev))), int64(unix.Minor(uint64(st.Rdev)))
}

func (a *archiver) addFile(in place, name, path string) error {
	var st unix.Stat_t
	file, err := in.openFile(name, &st)
	if err == unix.EINVAL {
		return unix.ENOENT // it has become something else since it was seen
	}
	if err != nil {
		return err
	}
	defer file.Close()
	h, err := a.withXattrs(int(file.Fd()), path, &st)
	if err != nil {
		return err
	}
	h.Typeflag, h.Size = tar.TypeReg, st.Size
	if err := a.tar.WriteHeader(h); err != nil {
		return err
	}
	return a.copy(file, st.Size)
}

// copy writes exactly so many bytes, whatever has become of the file since somebody looked how many there are.
func (a *archiver) copy(file *os.File, size int64) error {
	for size > 0 {
		want := a.buffer[:min(size, int64(len(a.buffer)))]
		n, err := io.ReadFull(file, want)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			clear(want[n:])
		} else if err != nil {
			return err
		}
		if _, err := a.tar.Write(want); err != nil {
			return err
		}
		size -= int64(len(want))
	}
	return nil
}

// marker writes an entry that says something about the layers below. It has no attributes.
func (a *archiver) marker(path string) error {
	return a.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: path, ModTime: time.Unix(0, 0)})
}
