package copying

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sandbox/kernel"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Write makes the layer: it writes what is copied into the empty directory dir, as overlayfs would write it into an upper
// directory over the unpacked layers below, the uppermost first. After an error, dir is to be thrown away.
func (c *Copy) Write(ctx context.Context, dir string, below []string) error {
	items, err := c.selection(ctx, true)
	if err != nil {
		return err
	}
	if c.Link {
		below = nil
	}
	t, err := openTarget(dir, below, attributes{uid: max(0, c.UID), gid: max(0, c.GID), mode: 0o755, mtime: c.clamped(time.Now())})
	if err != nil {
		return err
	}
	defer t.close()
	c.changed, c.met = nil, map[string]bool{}
	w := &writer{Copy: c, target: t, dest: Destination("/", c.Dest), several: len(items) > 1, buffers: newBuffers()}
	for _, i := range items {
		if err := w.item(ctx, i); err != nil {
			return fmt.Errorf("%s to %s: %w", c.verb(), c.Dest, err)
		}
	}
	for path := range c.seen {
		if !c.met[path] { // removed meanwhile
			c.changed = append(c.changed, path)
		}
	}
	slices.Sort(c.changed)
	return t.finish()
}

type writer struct {
	*Copy
	target  *target
	dest    string // without dots
	several bool   // there is more than one source
	buffers *sync.Pool
}

// identity is what hard links to the same file have in common.
type identity struct{ dev, ino uint64 }

func (w *writer) item(ctx context.Context, i item) error {
	switch {
	case i.inline != nil:
		return w.inline(i)
	case i.fetched != nil:
		return w.fetched(ctx, i)
	case i.isDir:
		return w.directory(ctx, i)
	}
	return w.walk(ctx, w.From.view(), i, func(s step) error { return w.file(ctx, i, s) })
}

// destination finds the directory and the name that a single file is copied to, and makes the directories on the way.
func (w *writer) destination(base string) (*place, string, error) {
	root, err := w.target.root()
	if err != nil {
		return nil, "", err
	}
	p, name, err := w.target.resolve(root, w.dest, isDirectoryName(w.dest))
	if err != nil {
		return nil, "", err
	}
	switch {
	case name != "" && w.several:
		err = kernel.Advise(fmt.Errorf("more than one source goes to %s, which is no directory", w.Dest), "end it with a slash: %s/", w.Dest)
	case name == "" && base == "":
		err = kernel.Advise(errors.New("the URL has no file name"), "say it in the destination: %sNAME", w.Dest)
	case name == "":
		name = base
	}
	if err != nil {
		p.release()
		return nil, "", err
	}
	return p, name, nil
}

func (w *writer) inline(i item) error {
	p, name, err := w.destination(i.base)
	if err != nil {
		return err
	}
	defer p.release()
	a := w.target.missing // its owner and time
	a.mode = w.change(unix.S_IFREG | 0o644)
	return p.putFile(name, a, func(fd int) error { return writeAll(fd, []byte(i.inline.Content)) })
}

func writeAll(fd int, data []byte) error {
	for len(data) > 0 {
		n, err := unix.Write(fd, data)
		if err != nil && err != unix.EINTR {
			return err
		}
		data = data[max(0, n):]
	}
	return nil
}

// fetched writes what is behind a URL.
func (w *writer) fetched(ctx context.Context, i item) error {
	file := i.fetched.file
	if w.Unpack != nil && *w.Unpack {
		if done, err := w.unpackArchive(ctx, file); done || err != nil {
			return err
		}
	}
	p, name, err := w.destination(i.base)
	if err != nil {
		return err
	}
	defer p.release()
	a := w.target.missing // its owner
	a.mode, a.mtime = w.change(unix.S_IFREG|0o600), w.clamped(i.fetched.modified)
	return p.putFile(name, a, func(fd int) error {
		var st unix.Stat_t
		if err := unix.Fstat(int(file.Fd()), &st); err != nil {
			return err
		}
		return copyContent(fd, int(file.Fd()), &st, w.buffers)
	})
}

// file copies a source that is no directory. ADD unpacks it if it is an archive.
func (w *writer) file(ctx context.Context, i item, s step) error {
	if w.Add && (w.Unpack == nil || *w.Unpack) && s.kind() == unix.S_IFREG {
		fd, e, err := s.from.open(s.entry)
		if err != nil {
			return err
		}
		file := os.NewFile(uintptr(fd), s.name)
		done, err := w.unpackArchive(ctx, file)
		file.Close()
		if done {
			w.compare(s.from.pathOf(s.name), &e.stat)
		}
		if done || err != nil {
			return err
		}
	}
	p, name, err := w.destination(i.base)
	if err != nil {
		return err
	}
	defer p.release()
	return w.put(p, name, s, nil)
}

// put copies what is no directory. twins are the files with several names that have been copied, by what the file
// system knows them by.
func (w *writer) put(p *place, name string, s step, twins map[identity]string) error {
	if s.kind() == unix.S_IFREG {
		return w.putRegular(p, name, s, twins)
	}
	a, err := w.attributesOf(w.From, &s.entry, -1)
	if err != nil {
		return err
	}
	if s.kind() != unix.S_IFLNK {
		return p.putNode(name, s.kind(), s.stat.Rdev, a)
	}
	to, err := s.readLink()
	if err != nil {
		return err
	}
	return p.putLink(name, to, a)
}

func (w *writer) putRegular(p *place, name string, s step, twins map[identity]string) error {
	fd, e, err := s.from.open(s.entry)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	w.compare(s.from.pathOf(s.name), &e.stat)
	id := identity{e.stat.Dev, e.stat.Ino}
	if twin := twins[id]; twin != "" {
		return p.putTwin(name, twin)
	}
	if e.stat.Nlink > 1 && twins != nil {
		twins[id] = p.pathOf(name)
	}
	a, err := w.attributesOf(w.From, &e, fd)
	if err != nil {
		return err
	}
	return p.putFile(name, a, func(to int) error { return copyContent(to, fd, &e.stat, w.buffers) })
}

// compare notices that a file of a context is not what Digest has seen. What is in layers does not change.
func (w *writer) compare(path string, st *unix.Stat_t) {
	if w.seen == nil {
		return
	}
	w.met[path] = true
	if before, ok := w.seen[path]; !ok || before != stampOf(st) {
		w.changed = append(w.changed, path)
	}
}

// directory copies what is in a directory.
func (w *writer) directory(ctx context.Context, i item) error {
	root, err := w.target.root()
	if err != nil {
		return err
	}
	top, _, err := w.target.resolve(root, w.dest, true)
	if err != nil {
		return err
	}
	in := &inside{writer: w, here: top, twins: map[identity]string{}}
	defer func() { in.here.release() }()
	v := w.From.view()
	if top.fresh {
		if err := w.likeSource(v, i, top); err != nil {
			return err
		}
	}
	return w.walk(ctx, v, i, in.step)
}

// likeSource gives a destination that was missing the time of the directory whose content is copied; its mode and owner
// are no part of that content.
func (w *writer) likeSource(v *view, i item, top *place) error {
	source, err := v.lookup(i.path)
	if err != nil {
		return err
	}
	defer source.close()
	var st unix.Stat_t
	if err := unix.Fstat(source.last().fds[0], &st); err != nil {
		return err
	}
	a := w.target.made[top.path]
	a.mtime = w.clamped(time.Unix(st.Mtim.Unix()))
	a.mode = w.change(unix.S_IFDIR | a.mode)
	w.target.made[top.path] = a
	return nil
}

// inside is a walk through a directory that is copied: where it is in the target.
type inside struct {
	*writer
	here  *place
	rel   string // here, below the destination
	twins map[identity]string
}

func (in *inside) step(s step) error {
	in.goTo(s.rel[:max(0, strings.LastIndexByte(s.rel, '/'))])
	if !s.isDir() {
		return in.put(in.here, s.name, s, in.twins)
	}
	sub, err := in.merge(s)
	if err != nil {
		return err
	}
	in.here, in.rel = sub, s.rel
	return nil
}

// goTo goes back up to a directory that we are in.
func (in *inside) goTo(rel string) {
	for in.rel != rel {
		in.here = in.here.leave()
		in.rel = in.rel[:max(0, strings.LastIndexByte(in.rel, '/'))]
	}
}

// merge makes a directory, or takes the one that is there, which gets the attributes of the one that is copied.
func (in *inside) merge(s step) (*place, error) {
	a, err := in.attributesOf(in.From, &s.entry, -1)
	if err != nil {
		return nil, err
	}
	e, upper, err := in.here.look(s.name)
	if err == unix.ENOENT {
		return in.here.mkdir(s.name, a)
	}
	if err != nil {
		return nil, err
	}
	if !e.isDir() {
		return nil, in.notDirectory(e)
	}
	sub, err := in.here.enter(e, upper)
	if err != nil || s.parent {
		return sub, err
	}
	if err := sub.copyUp(); err != nil {
		sub.leave()
		return nil, err
	}
	in.target.made[sub.path] = a
	return sub, nil
}

func (in *inside) notDirectory(e entry) error {
	path := in.here.pathOf(e.name)
	if e.kind() == unix.S_IFLNK {
		to, _ := e.readLink()
		return kernel.Advise(fmt.Errorf("/%s is a symbolic link (to %s) in the image, and a directory is to be copied over it", path, to),
			"copy that directory by an instruction of its own, which follows the link: %s %s /%s/", in.verb(), e.name, path)
	}
	return kernel.Advise(fmt.Errorf("/%s is a file in the image, and a directory is to be copied over it", path), "remove the file with RUN rm first, or copy elsewhere")
}
