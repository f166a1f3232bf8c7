package chapter3

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"sandbox/image/carry"
	"sandbox/kernel"
	"sandbox/labs/command"
)

// out copies from the container.
func (c *copying) out() error {
	o, err := c.origin()
	if err != nil {
		return err
	}
	if c.to.path == "-" {
		if out, ok := c.env.Out.(*os.File); ok && term.IsTerminal(int(out.Fd())) {
			return kernel.Advise(errors.New("an archive is nothing for a terminal"), "sandbox cp %s - > FILE.tar, or | tar t", c.from)
		}
		name := o.name
		if o.content {
			name = "."
		}
		return c.files.Pack(c.env.Out, o.Path, name)
	}
	dir, name, err := c.target(o)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	unpack := func(r io.Reader) error {
		var failed error
		write := func() error { failed = carry.Unpack(r, root, c.opts.archive); return failed }
		step := kernel.Because(kernel.WriteTree{From: c.from.String(), To: filepath.Join(dir, name), Write: write}, "no link that the container has made leads out of this directory", "容器里的链接出不了这个目录")
		if err := c.env.Engine().Door.Do(kernel.In("3.2", step)...); failed == nil {
			return err
		}
		return failed // which says more than the call that it became
	}
	return c.transfer("from", func(w io.Writer) error { return c.files.Pack(w, o.Path, name) }, unpack)
}

// in copies into the container.
func (c *copying) in() error {
	if c.from.path == "-" {
		t, err := c.to.look(filepath.Clean(c.to.path), true)
		if err == nil && !t.Dir {
			err = kernel.Advise(fmt.Errorf("destination %q must be a directory", c.to), "%s", c.makeDirectory(filepath.Clean(c.to.path)))
		}
		if err != nil {
			return err
		}
		return c.transfer("to", func(w io.Writer) error { _, err := io.Copy(w, c.env.In); return err }, func(r io.Reader) error { return c.unpackInside(r, t.Path, true) })
	}
	o, err := c.origin()
	if err != nil {
		return err
	}
	dir, name, err := c.target(o)
	if err != nil {
		return err
	}
	return c.transfer("to", func(w io.Writer) error { return carry.Pack(w, o.Path, name) }, func(r io.Reader) error { return c.unpackInside(r, dir, c.opts.archive) })
}

// unpackInside has the process in the container write. What it does is not among the client's calls: it is told in words.
func (c *copying) unpackInside(r io.Reader, dir string, owners bool) error {
	err := c.files.Unpack(r, dir, owners)
	if err == nil {
		c.env.Note("3.2", "cp -a "+c.from.String()+" "+c.to.String(), kernel.Why{EN: "written by the process in the container's mount namespace", ZH: "由容器 mount namespace 里的那个进程写入"})
	}
	return err
}

// transfer connects both ends, and says how far it has come.
func (c *copying) transfer(word string, pack func(io.Writer) error, unpack func(io.Reader) error) error {
	reader, writer := io.Pipe()
	counted := &counter{w: writer}
	done := c.showProgress(word, counted)
	packed := make(chan error, 1)
	go func() {
		err := pack(counted)
		writer.CloseWithError(err)
		packed <- err
	}()
	err := unpack(reader)
	reader.CloseWithError(io.ErrClosedPipe)
	if packErr := <-packed; packErr != nil && !errors.Is(packErr, io.ErrClosedPipe) {
		err = packErr // of which the other is a consequence
	}
	done()
	if err == nil && !c.opts.quiet {
		fmt.Fprintf(c.env.Err, "Successfully copied %s to %s\n", command.Size(counted.n.Load()), c.to)
	}
	return err
}

// counter counts what goes through it.
type counter struct {
	w io.Writer
	n atomic.Int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// showProgress draws a line on a terminal, several times a second, until it is told to stop.
func (c *copying) showProgress(word string, counted *counter) (stop func()) {
	file, ok := c.env.Err.(*os.File)
	if !ok || c.opts.quiet || c.env.Explain != "" || !term.IsTerminal(int(file.Fd())) {
		return func() {}
	}
	ended, drawn := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(drawn)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for shown := false; ; shown = true {
			select {
			case <-ended:
				if shown {
					fmt.Fprint(file, "\r\x1b[K")
				}
				return
			case <-tick.C:
				fmt.Fprintf(file, "\r\x1b[KCopying %s container - %s", word, command.Size(counted.n.Load()))
			}
		}
	}()
	return func() { close(ended); <-drawn }
}
