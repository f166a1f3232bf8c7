package carry

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/image/layer"
)

// Pack writes a file, or a directory with all that is in it, as an archive. name is what it is called there; "" leaves out
// the directory itself and takes only what is in it. Symbolic links are packed as such.
//
// Somebody may be writing meanwhile: a large file that grows or shrinks while it is read is cut, or filled with zeros, to
// the size that it had at first; what vanishes from a directory is left out. Sockets are left out.
func Pack(w io.Writer, source, name string) error {
	p := &packer{tar: tar.NewWriter(w), linked: map[[2]uint64]string{}, buffer: make([]byte, smallFile)}
	if err := p.add(source, name, true); err != nil {
		return err
	}
	return p.tar.Close()
}

// smallFile is the size up to which a file is read whole before anything is said of its size: those of /proc say 0.
const smallFile = 1 << 20

type packer struct {
	tar    *tar.Writer
	linked map[[2]uint64]string // files with several names: the one that was written
	buffer []byte
}

// add packs one thing. What vanishes is an error only at the top.
func (p *packer) add(source, name string, top bool) error {
	var st unix.Stat_t
	err := unix.Lstat(source, &st)
	if err == nil {
		err = p.addKind(source, name, &st)
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) && !top {
		return nil
	}
	var errno unix.Errno
	if errno, _ = err.(unix.Errno); errno != 0 {
		return &os.PathError{Op: "pack", Path: source, Err: errno}
	}
	return err
}

func (p *packer) addKind(source, name string, st *unix.Stat_t) error {
	h := &tar.Header{Name: name, Mode: int64(st.Mode & 0o7777), Uid: int(st.Uid), Gid: int(st.Gid), ModTime: time.Unix(st.Mtim.Unix()), Format: tar.FormatPAX}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return p.addDirectory(source, h)
	}
	if st.Nlink > 1 {
		id := [2]uint64{uint64(st.Dev), st.Ino}
		if first, ok := p.linked[id]; ok {
			h.Typeflag, h.Linkname = tar.TypeLink, first
			return p.tar.WriteHeader(h)
		}
		p.linked[id] = name
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return p.addFile(source, h)
	case unix.S_IFLNK:
		target, err := os.Readlink(source)
		if err != nil {
			return err
		}
		h.Typeflag, h.Linkname = tar.TypeSymlink, target
	case unix.S_IFIFO, unix.S_IFCHR, unix.S_IFBLK:
		layer.SetSpecial(h, st)
	default:
		return nil // a socket
	}
	return p.tar.WriteHeader(h)
}

func (p *packer) addDirectory(source string, h *tar.Header) error {
	dir, err := os.Open(source)
	if err != nil {
		return err
	}
	defer dir.Close()
	name := h.Name
	if name != "" {
		if err := layer.AddXattrs(h, int(dir.Fd())); err != nil {
			return err
		}
		h.Typeflag, h.Name = tar.TypeDir, name+"/"
		if err := p.tar.WriteHeader(h); err != nil {
			return err
		}
	}
	entries, err := dir.ReadDir(-1)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := p.add(source+"/"+e.Name(), path.Join(name, e.Name()), false); err != nil {
			return err
		}
	}
	return nil
}

// addFile packs a regular file. It may have become something else since it was looked at: a pipe is not waited for.
func (p *packer) addFile(source string, h *tar.Header) error {
	file, err := os.OpenFile(source, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fs.ErrNotExist
	}
	if err := layer.AddXattrs(h, int(file.Fd())); err != nil {
		return err
	}
	h.Typeflag, h.Size = tar.TypeReg, info.Size()
	n := 0
	if h.Size < smallFile {
		n, err = io.ReadFull(file, p.buffer)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return err
		}
		h.Size = int64(n)
	}
	if err := p.tar.WriteHeader(h); err != nil {
		return err
	}
	if _, err := p.tar.Write(p.buffer[:n]); err != nil {
		return err
	}
	return p.copy(file, h.Size-int64(n))
}

// copy writes exactly so many bytes.
func (p *packer) copy(file *os.File, size int64) error {
	for size > 0 {
		want := p.buffer[:min(size, int64(len(p.buffer)))]
		n, err := io.ReadFull(file, want)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			clear(want[n:])
		} else if err != nil {
			return fmt.Errorf("cannot read %s: %w", file.Name(), err)
		}
		if _, err := p.tar.Write(want); err != nil {
			return err
		}
		size -= int64(len(want))
	}
	return nil
}
