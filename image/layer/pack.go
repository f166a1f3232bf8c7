package layer

import (
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// PackOptions say how Pack writes.
type PackOptions struct {
	ClampTime *time.Time // modification times after this one become this one (SOURCE_DATE_EPOCH); nil: they stay
}

// Pack writes an unpacked layer, or a container's upper directory, as the archive that the OCI image spec (layer.md)
// describes: what Unpack reads. Whiteouts and opaque directories become entries .wh.…, and come before the rest of their
// directory; names are in the order of their bytes, a directory before what is in it. The same directory always gives the
// same bytes. Sockets are left out: nobody listens to them.
//
// The layer's root has an entry only if it is not root's, of mode 755, without attributes: otherwise it says nothing but
// when something was made in it.
//
// A container may be writing meanwhile. A file that grows or shrinks while it is read is cut, or filled with zeros, to the
// size that it had at first; what vanishes is left out; nothing is followed out of the directory.
func Pack(w io.Writer, dir string, o PackOptions) error {
	top, err := openPlace(dir, 0)
	if err != nil {
		return err
	}
	defer top.close()
	out := writeBehind(w)
	p := &packer{archiver: newArchiver(out)}
	p.clamp = o.ClampTime
	err = p.root(top)
	return p.end(out, err)
}

type packer struct{ *archiver }

func (p *packer) root(top place) error {
	var st unix.Stat_t
	if err := unix.Fstat(top.fd, &st); err != nil {
		return err
	}
	h, err := p.directoryHeader(top, "./", &st)
	if err != nil {
		return err
	}
	if h.Mode != 0o755 || h.Uid != 0 || h.Gid != 0 || len(h.PAXRecords) > 0 {
		if err := p.tar.WriteHeader(h); err != nil {
			return err
		}
	}
	return p.content(top, "")
}

// content writes what is in a directory; prefix is its name with a slash.
func (p *packer) content(dir place, prefix string) error {
	names, err := list(dir.fd)
	if err != nil {
		return err
	}
	if prefix != "" && isOpaque(dir.fd) {
		if err := p.marker(prefix + opaqueMarker); err != nil {
			return err
		}
	}
	rest := names[:0]
	for _, l := range names {
		if l.kind != unix.DT_DIR && l.kind != unix.DT_LNK && isWhiteoutAt(dir.fd, l.name) {
			if err := p.marker(prefix + whiteoutPrefix + l.name); err != nil {
				return err
			}
			continue
		}
		rest = append(rest, l)
	}
	for _, l := range rest {
		if strings.HasPrefix(l.name, whiteoutPrefix) {
			return fmt.Errorf("cannot pack %q: in a layer, a name that begins with %s means that something is deleted", prefix+l.name, whiteoutPrefix)
		}
		if err := p.name(dir, l.name, prefix); err != nil && err != unix.ENOENT {
			return fmt.Errorf("cannot pack %q: %w", prefix+l.name, err)
		}
	}
	return nil
}

func (p *packer) name(dir place, name, prefix string) error {
	var st unix.Stat_t
	if err := dir.stat(name, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return p.add(dir, name, prefix+name, &st)
	}
	sub, err := dir.open(name)
	if err == unix.ENOTDIR || err == unix.ELOOP {
		return unix.ENOENT // it has become something else since it was seen
	}
	if err != nil {
		return err
	}
	defer sub.close()
	if err := p.addDirectory(sub, prefix+name+"/", &st); err != nil {
		return err
	}
	return p.content(sub, prefix+name+"/")
}

// Export writes the root file system that a stack of unpacked layers makes, the uppermost first, as one archive.
func Export(w io.Writer, dirs []string, o PackOptions) error {
	out := writeBehind(w)
	a := newArchiver(out)
	a.clamp = o.ClampTime
	err := Walk(dirs, "", func(path string, e *Entry) error {
		if path == "" {
			return nil
		}
		var err error
		if e.self != nil {
			err = a.addDirectory(e.self[0], path+"/", &e.stat)
		} else {
			err = a.add(e.in, e.name(), path, &e.stat)
		}
		if err != nil && err != unix.ENOENT {
			return fmt.Errorf("cannot pack %q: %w", path, err)
		}
		return nil
	})
	return a.end(out, err)
}
