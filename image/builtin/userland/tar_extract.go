package userland

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// read goes through an archive, to list it or to unpack it.
func (t *tarRequest) read(file string) error {
	in, err := t.p.openInput(file)
	if err != nil {
		return fmt.Errorf("%s: Cannot open: %s", file, causeText(err))
	}
	defer in.Close()
	plain, err := t.decompressed(bufio.NewReader(in))
	if err != nil {
		return err
	}
	if t.action == 'x' {
		// Through this handle nothing can be written outside the directory, whatever the archive's names and links say.
		root, err := os.OpenRoot(cmp.Or(t.dir, "."))
		if err != nil {
			return fmt.Errorf("%s: Cannot open: %s", t.dir, causeText(err))
		}
		defer root.Close()
		err = t.eachMember(plain, func(header *tar.Header, content io.Reader) error { return t.extract(root, header, content) })
		for _, finish := range slices.Backward(t.last) {
			err = errors.Join(err, finish())
		}
		return err
	}
	return t.eachMember(plain, t.list)
}

// decompressed looks at the first bytes, as nobody wants to say what the file says itself.
func (t *tarRequest) decompressed(in *bufio.Reader) (io.Reader, error) {
	magic, _ := in.Peek(6)
	switch {
	case bytes.HasPrefix(magic, []byte("\x1f\x8b")):
		return gzip.NewReader(in)
	case bytes.HasPrefix(magic, []byte("BZh")):
		return bzip2.NewReader(in), nil
	case bytes.HasPrefix(magic, []byte("\xfd7zXZ")), bytes.HasPrefix(magic, []byte("\x28\xb5\x2f\xfd")):
		return nil, errors.New("archives compressed with xz or zstd are not supported")
	case t.opts.has('z'):
		return nil, errors.New("the archive is not in gzip format")
	}
	return in, nil
}

func (t *tarRequest) eachMember(in io.Reader, act func(header *tar.Header, content io.Reader) error) error {
	archive := tar.NewReader(in)
	wanted := map[string]bool{}
	for _, name := range t.operands {
		wanted[strings.TrimSuffix(name, "/")] = false
	}
	for {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return errors.New("this does not look like a tar archive")
		}
		if t.excluded(strings.TrimSuffix(header.Name, "/")) || !t.chosen(wanted, header.Name) {
			continue
		}
		if err := act(header, archive); err != nil {
			t.fail("%s: %s", header.Name, causeText(err))
		}
	}
	for _, name := range t.operands {
		if !wanted[strings.TrimSuffix(name, "/")] {
			t.fail("%s: Not found in archive", name)
		}
	}
	return nil
}

// chosen tells whether the operands name a member, or a directory above it.
func (t *tarRequest) chosen(wanted map[string]bool, name string) bool {
	if len(wanted) == 0 {
		return true
	}
	for path := strings.TrimSuffix(name, "/"); path != "" && path != "."; {
		if _, ok := wanted[path]; ok {
			wanted[path] = true
			return true
		}
		slash := strings.LastIndexByte(path, '/')
		if slash < 0 {
			break
		}
		path = path[:slash]
	}
	return false
}

func (t *tarRequest) list(header *tar.Header, _ io.Reader) error {
	if !t.opts.has('v') {
		fmt.Fprintln(t.p.Stdout, header.Name)
		return nil
	}
	mode := uint32(header.Mode) & 0o7777
	letter := map[byte]byte{tar.TypeDir: 'd', tar.TypeSymlink: 'l', tar.TypeLink: 'h', tar.TypeChar: 'c', tar.TypeBlock: 'b', tar.TypeFifo: 'p'}[header.Typeflag]
	if letter == 0 {
		letter = '-'
	}
	owner := cmp.Or(header.Uname, strconv.Itoa(header.Uid)) + "/" + cmp.Or(header.Gname, strconv.Itoa(header.Gid))
	if t.opts.has('#') {
		owner = fmt.Sprintf("%d/%d", header.Uid, header.Gid)
	}
	name := header.Name
	switch header.Typeflag {
	case tar.TypeSymlink:
		name += " -> " + header.Linkname
	case tar.TypeLink:
		name += " link to " + header.Linkname
	}
	size := strconv.FormatInt(header.Size, 10)
	fmt.Fprintf(t.p.Stdout, "%c%s %s %*s %s %s\n", letter, modeText(mode)[1:], owner, max(19-len(owner)-1, len(size)), size,
		header.ModTime.Local().Format("2006-01-02 15:04"), name)
	return nil
}

func (t *tarRequest) extract(root *os.Root, header *tar.Header, content io.Reader) error {
	name := t.stripped(header.Name)
	if name == "" {
		return nil
	}
	if !filepath.IsLocal(name) {
		return errors.New("member name contains '..'")
	}
	fmt.Fprintln(t.verbose, header.Name)
	if t.opts.has('O') {
		_, err := io.Copy(t.p.Stdout, content)
		return err
	}
	if dir := filepath.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, 0o777); err != nil {
			return err
		}
	}
	if err := t.place(root, name, header, content); err != nil {
		return err
	}
	return t.settle(root, name, header)
}

// stripped is the name without its first --strip-components parts, "" if there are no more.
func (t *tarRequest) stripped(name string) string {
	name = filepath.Clean(strings.TrimLeft(name, "/"))
	parts := strings.Split(name, "/")
	if t.strip > 0 && len(parts) <= t.strip {
		return ""
	}
	return strings.Join(parts[t.strip:], "/")
}

// place makes the member. What was there under its name gives way.
func (t *tarRequest) place(root *os.Root, name string, header *tar.Header, content io.Reader) error {
	mode := os.FileMode(header.Mode).Perm()
	if header.Typeflag == tar.TypeDir {
		err := root.Mkdir(name, mode|0o700)
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	if name != "." {
		root.Remove(name)
	}
	switch header.Typeflag {
	case tar.TypeSymlink:
		return root.Symlink(header.Linkname, name)
	case tar.TypeLink:
		return root.Link(t.stripped(header.Linkname), name)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return makeMember(root, name, header)
	case tar.TypeReg:
		f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, content)
		return errors.Join(err, f.Close())
	}
	return nil // a kind that nobody unpacks
}

// makeMember makes a device or a fifo in its directory, reached through the handle.
func makeMember(root *os.Root, name string, header *tar.Header) error {
	dir, err := root.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer dir.Close()
	kind := map[byte]uint32{tar.TypeChar: unix.S_IFCHR, tar.TypeBlock: unix.S_IFBLK, tar.TypeFifo: unix.S_IFIFO}[header.Typeflag]
	device := unix.Mkdev(uint32(header.Devmajor), uint32(header.Devminor))
	return unix.Mknodat(int(dir.Fd()), filepath.Base(name), kind|uint32(header.Mode)&0o777, int(device))
}

// settle gives the member its owner (if we are root), its mode and its time.
func (t *tarRequest) settle(root *os.Root, name string, header *tar.Header) error {
	if os.Geteuid() == 0 {
		if err := root.Lchown(name, header.Uid, header.Gid); err != nil {
			return err
		}
	}
	if header.Typeflag == tar.TypeLink {
		return nil
	}
	if header.Typeflag != tar.TypeSymlink && (os.Geteuid() == 0 || t.opts.has('p')) {
		if err := root.Chmod(name, header.FileInfo().Mode()&^os.ModeType); err != nil {
			return err
		}
	}
	if t.opts.has('m') {
		return nil
	}
	if header.Typeflag == tar.TypeDir { // its time changes with every file that is put into it
		t.last = append(t.last, func() error { return setTime(root, name, header.ModTime) })
		return nil
	}
	return setTime(root, name, header.ModTime)
}

// setTime works on symbolic links too, which os.Root's Chtimes follows.
func setTime(root *os.Root, name string, at time.Time) error {
	dir, err := root.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer dir.Close()
	times := []unix.Timespec{unix.NsecToTimespec(at.UnixNano()), unix.NsecToTimespec(at.UnixNano())}
	return unix.UtimesNanoAt(int(dir.Fd()), filepath.Base(name), times, unix.AT_SYMLINK_NOFOLLOW)
}
