package copying

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"runtime"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// Digest says what an instruction would copy, for the build cache: the same sum means the same layer, but for times.
type Digest struct {
	Sum   string            // sha256:…
	Files map[string]string // by path in the tree: what it is, so that two digests tell which file has changed
}

// Digest looks at what would be copied: names, types, modes, owners, extended attributes, contents and where links lead
// to; as with Docker, not the times. Files are read on all cores. URLs are fetched, and kept for Write; see Close.
func (c *Copy) Digest(ctx context.Context) (Digest, error) {
	items, err := c.selection(ctx, false)
	if err != nil {
		return Digest{}, err
	}
	c.seen = nil
	if c.From != nil && !c.From.layers {
		c.seen = map[string]stamp{}
	}
	d := newDigester(ctx, c)
	for _, i := range items {
		if err = d.item(i); err != nil {
			break
		}
	}
	if err := d.wait(err); err != nil {
		return Digest{}, fmt.Errorf("%s: %w", c.verb(), err)
	}
	return d.sum(), nil
}

// digester collects records, one for each thing that would be copied, in order; workers fill in the contents' sums.
type digester struct {
	*Copy
	ctx     context.Context
	records []*record
	work    chan *record
	done    sync.WaitGroup
}

type record struct {
	path string // in the tree, or a URL
	meta string // all but the content
	fd   int    // of the file, for a worker
	sum  string // of the content, or the link's target
	err  error
}

func newDigester(ctx context.Context, c *Copy) *digester {
	d := &digester{Copy: c, ctx: ctx, work: make(chan *record, 64)}
	for range runtime.GOMAXPROCS(0) {
		d.done.Add(1)
		go func() {
			defer d.done.Done()
			buffer := make([]byte, 128<<10)
			hash := sha256.New()
			for r := range d.work {
				r.sum, r.err = contentSum(ctx, hash, r.fd, buffer)
				unix.Close(r.fd)
			}
		}()
	}
	return d
}

// wait ends the work and returns the first error.
func (d *digester) wait(err error) error {
	close(d.work)
	d.done.Wait()
	for _, r := range d.records {
		if err == nil && r.err != nil {
			err = fmt.Errorf("cannot read %s: %w", r.path, r.err)
		}
	}
	return err
}

func (d *digester) item(i item) error {
	switch {
	case i.inline != nil:
		sum := sha256.Sum256([]byte(i.inline.Content))
		d.add(&record{path: "<<" + i.inline.Name, meta: d.simple(i.base, 0o644), sum: hexSum(sum[:])})
		return nil
	case i.fetched != nil:
		d.add(&record{path: d.urlOf(i.fetched), meta: d.simple(i.base, 0o600), sum: i.fetched.sum})
		return nil
	}
	name := i.base
	if i.isDir {
		name = "" // of a directory only the content counts
		d.add(&record{path: i.path + "/", meta: "source directory"})
	}
	return d.walk(d.ctx, d.From.view(), i, func(s step) error { return d.step(name, s) })
}

// urlOf is the source that a download came from.
func (d *digester) urlOf(fetched *download) string {
	for source, other := range d.downloads {
		if other == fetched {
			return source
		}
	}
	return d.Sources[0] // --checksum allows only one
}

// simple describes a file that comes from no tree.
func (d *digester) simple(name string, mode uint32) string {
	return describe(name, unix.S_IFREG, attributes{uid: max(0, d.UID), gid: max(0, d.GID), mode: d.change(unix.S_IFREG | mode)})
}

func (d *digester) step(name string, s step) error {
	fd := -1
	if s.kind() == unix.S_IFREG {
		var err error
		if fd, s.entry, err = s.from.open(s.entry); err != nil {
			return err
		}
	}
	r, err := d.record(name, s, fd)
	if err != nil {
		if fd >= 0 {
			unix.Close(fd)
		}
		return err
	}
	if d.seen != nil && fd >= 0 {
		d.seen[r.path] = stampOf(&s.stat)
	}
	d.add(r)
	return nil
}

// stamp is what a change of a file's content changes.
type stamp struct {
	ino          uint64
	size         int64
	mtime, ctime unix.Timespec
}

func stampOf(st *unix.Stat_t) stamp { return stamp{st.Ino, st.Size, st.Mtim, st.Ctim} }

func (d *digester) record(name string, s step, fd int) (*record, error) {
	a, err := d.attributesOf(d.From, &s.entry, fd)
	if err != nil {
		return nil, err
	}
	if s.rel != "" {
		name = s.rel
	}
	r := &record{path: s.from.pathOf(s.name), fd: fd}
	switch s.kind() {
	case unix.S_IFREG:
	case unix.S_IFLNK:
		a.mode = 0
		if r.sum, err = s.readLink(); err != nil {
			return nil, err
		}
	case unix.S_IFDIR:
		if s.parent {
			a = attributes{} // only the name matters if it is there, and it is in the files' names
		}
	default:
		r.sum = strconv.FormatUint(s.stat.Rdev, 16)
	}
	r.meta = describe(name, s.kind(), a)
	return r, nil
}

// describe writes down all but the content, so that different things give different texts.
func describe(name string, kind uint32, a attributes) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%q %o %o %d:%d", name, kind, a.mode, a.uid, a.gid)
	for _, x := range a.xattrs {
		fmt.Fprintf(&b, " %q=%q", x.name, x.value)
	}
	return b.String()
}

// add takes a record, and has its file read if it has one.
func (d *digester) add(r *record) {
	d.records = append(d.records, r)
	if r.sum == "" && r.fd > 0 {
		d.work <- r
	}
}

func contentSum(ctx context.Context, hash hash.Hash, fd int, buffer []byte) (string, error) {
	hash.Reset()
	for {
		n, err := unix.Read(fd, buffer)
		if err == unix.EINTR {
			continue
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return "", err
		}
		if n == 0 {
			return hexSum(hash.Sum(nil)), nil
		}
		hash.Write(buffer[:n])
	}
}

func hexSum(sum []byte) string { return "sha256:" + hex.EncodeToString(sum) }

func (d *digester) sum() Digest {
	all := sha256.New()
	result := Digest{Files: make(map[string]string, len(d.records))}
	for _, r := range d.records {
		io.WriteString(all, r.meta+" "+strconv.Quote(r.sum)+"\n")
		result.Files[r.path] = r.meta + " " + r.sum
	}
	result.Sum = hexSum(all.Sum(nil))
	return result
}
