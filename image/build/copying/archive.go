package copying

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"sandbox/image/layer"
	"sandbox/kernel"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// unpackArchive unpacks a file into the destination if it is a tar archive, compressed or not, which only its content says.
func (w *writer) unpackArchive(ctx context.Context, file *os.File) (bool, error) {
	if is, err := isArchive(file); !is || err != nil {
		return false, err
	}
	root, err := w.target.root()
	if err != nil {
		return false, err
	}
	top, _, err := w.target.resolve(root, w.dest, true)
	if err != nil {
		return false, err
	}
	defer top.release()
	content, _, err := layer.Decompress(file)
	if err != nil {
		return false, err
	}
	defer content.Close()
	w.target.replace = true
	defer func() { w.target.replace = false }()
	u := &unpacker{target: w.target, top: top.path, attributes: w.headerAttributes}
	return true, u.unpack(ctx, tar.NewReader(content))
}

// isArchive looks at the beginning of a file and goes back to it.
func isArchive(file *os.File) (bool, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	content, _, err := layer.Decompress(file)
	if err == nil {
		_, err = tar.NewReader(content).Next()
		content.Close()
	}
	_, seekErr := file.Seek(0, io.SeekStart)
	return err == nil, seekErr
}

// headerAttributes is what ADD gives to a file of an archive: --chown is for it, too, but as with Docker --chmod is not.
func (w *writer) headerAttributes(h *tar.Header) attributes {
	a := attributes{uid: h.Uid, gid: h.Gid, mode: uint32(h.Mode & 0o7777), mtime: w.clamped(h.ModTime)}
	if w.UID >= 0 {
		a.uid = w.UID
	}
	if w.GID >= 0 {
		a.gid = w.GID
	}
	for key, value := range h.PAXRecords {
		name, found := strings.CutPrefix(key, "SCHILY.xattr.")
		if found && name != rootlessAttribute && (name == "security.capability" || strings.HasPrefix(name, "user.") && !strings.HasPrefix(name, "user.overlay.")) {
			a.xattrs = append(a.xattrs, xattr{name, []byte(value)})
		}
	}
	slices.SortFunc(a.xattrs, func(a, b xattr) int { return strings.Compare(a.name, b.name) })
	return a
}

// ContextFromTar unpacks a build context that comes as a tar archive, compressed or not, into the empty directory into.
// Everything belongs to who runs this; devices are left out.
func ContextFromTar(r io.Reader, into string) error {
	content, _, err := layer.Decompress(r)
	if err != nil {
		return notContext(err)
	}
	defer content.Close()
	archive := tar.NewReader(content)
	t, err := openTarget(into, nil, attributes{uid: os.Geteuid(), gid: os.Getegid(), mode: 0o755, mtime: time.Unix(0, 0)})
	if err != nil {
		return err
	}
	defer t.close()
	t.replace, t.context = true, true
	u := &unpacker{target: t, attributes: func(h *tar.Header) attributes {
		return attributes{mode: uint32(h.Mode & 0o7777), mtime: h.ModTime}
	}}
	if err := u.unpack(context.Background(), archive); err != nil {
		return notContext(err)
	}
	return t.finish()
}

func notContext(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fmt.Errorf("cannot unpack the build context: %w", err)
	}
	return kernel.Advise(fmt.Errorf("the build context is no sound tar archive: %w", err), "send one: `tar -c . | sandbox build -`")
}

// unpacker writes an archive into a directory of the target, as tar -x does. Links are followed inside the target.
type unpacker struct {
	target     *target
	top        string // where it is unpacked
	attributes func(*tar.Header) attributes
	here       *place // the directory of the last entry: most have the same as the one before
	hereAs     string
	removals   int // of the target, when here was found
}

func (u *unpacker) unpack(ctx context.Context, archive *tar.Reader) error {
	defer u.forget()
	for entries := 0; ; entries++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := archive.Next()
		if err == io.EOF && entries == 0 {
			return errors.New("it is empty")
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("a damaged archive: %w", err)
		}
		if err := u.entry(h, archive); err != nil {
			return fmt.Errorf("cannot unpack %q: %w", h.Name, err)
		}
	}
}

func (u *unpacker) forget() {
	if u.here != nil {
		u.here.release()
		u.here = nil
	}
}

// directory goes to the directory that an entry is in. A name begins at the top, and .. does not lead out of it.
func (u *unpacker) directory(name string) (*place, error) {
	if u.here != nil && u.hereAs == name && u.removals == u.target.removals {
		return u.here, nil
	}
	u.forget()
	root, err := u.target.root()
	if err != nil {
		return nil, err
	}
	p, _, err := u.target.resolve(root, u.top+"/"+name, true)
	if err != nil {
		return nil, err
	}
	u.here, u.hereAs, u.removals = p, name, u.target.removals
	return p, nil
}

func (u *unpacker) entry(h *tar.Header, content io.Reader) error {
	name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
	if name == "" || h.Typeflag == tar.TypeXGlobalHeader {
		return nil // the directory itself stays as it is
	}
	dir, base := path.Split(name)
	p, err := u.directory(dir)
	if err != nil {
		return err
	}
	a := u.attributes(h)
	switch h.Typeflag {
	case tar.TypeDir:
		return u.mkdir(p, base, a)
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		return p.putFile(base, a, func(fd int) error { return writeFrom(fd, content) })
	case tar.TypeSymlink:
		return p.putLink(base, h.Linkname, a)
	case tar.TypeLink:
		return u.twin(p, base, h.Linkname)
	case tar.TypeFifo:
		return p.putNode(base, unix.S_IFIFO, 0, a)
	case tar.TypeChar, tar.TypeBlock:
		if u.target.context {
			return nil
		}
		kind := map[byte]uint32{tar.TypeChar: unix.S_IFCHR, tar.TypeBlock: unix.S_IFBLK}[h.Typeflag]
		return p.putNode(base, kind, unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor)), a)
	}
	return fmt.Errorf("unknown type of entry %q", h.Typeflag)
}

// mkdir makes a directory or takes the one that is there; anything else goes.
func (u *unpacker) mkdir(p *place, base string, a attributes) error {
	e, upper, err := p.look(base)
	if err == nil && e.isDir() {
		sub, err := p.enter(e, upper)
		if err != nil {
			return err
		}
		defer sub.leave()
		if err := sub.copyUp(); err != nil {
			return err
		}
		u.target.made[sub.path] = a
		return nil
	}
	if err != nil && err != unix.ENOENT {
		return err
	}
	if upper && err == nil {
		if err := p.clear(base); err != nil {
			return err
		}
	}
	sub, err := p.mkdir(base, a)
	if err != nil {
		return err
	}
	defer sub.leave()
	return u.cover(p, sub)
}

// cover hides what is below a directory that has taken the place of something else.
func (u *unpacker) cover(p, sub *place) error {
	if p.below == nil {
		return nil
	}
	if e, err := p.below.find(sub.name); err != nil || !e.isDir() {
		return nil
	}
	u.target.covers[sub.path] = true
	return setOpaque(sub.fd)
}

// twin makes a hard link to a file of this archive.
func (u *unpacker) twin(p *place, base, to string) error {
	clean := path.Clean("/" + to)
	if clean == "/" {
		return errors.New("a hard link to a directory")
	}
	root, err := u.target.root()
	if err != nil {
		return err
	}
	dir, toBase := path.Split(clean)
	from, _, err := u.target.resolve(root, u.top+dir, true)
	if err != nil {
		return fmt.Errorf("hard link to %q: %w", to, err)
	}
	defer from.release()
	if err := p.putTwin(base, from.pathOf(toBase)); err != nil {
		return fmt.Errorf("hard link to %q: %w", to, err)
	}
	return nil
}

func writeFrom(fd int, content io.Reader) error {
	_, err := io.Copy(descriptor(fd), content)
	return err
}

// descriptor writes to a file.
type descriptor int

func (d descriptor) Write(data []byte) (int, error) {
	if err := writeAll(int(d), data); err != nil {
		return 0, err
	}
	return len(data), nil
}
