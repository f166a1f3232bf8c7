package build

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"sandbox/image"
	"sandbox/image/build/copying"
	"sandbox/image/layer"
	"sandbox/kernel"
)

// buildContext is where COPY takes files from.
type buildContext struct {
	dir        string // "" if there is none
	dockerfile string // its path: its own ignore file goes before the context's
	draft      *image.Draft

	once sync.Once
	tree *copying.Tree
	err  error
}

// maxDockerfile is more than any Dockerfile has, in bytes.
const maxDockerfile = 16 << 20

// Stdin tells what comes from a stream: a Dockerfile, or a build context as a tar archive, which may be compressed.
func Stdin(r io.Reader) (dockerfile []byte, archive io.Reader, err error) {
	stream := bufio.NewReaderSize(r, 1024)
	start, err := stream.Peek(512)
	if err != nil && err != io.EOF {
		return nil, nil, err
	}
	// POSIX, pax(1): a tar archive's first header has "ustar" at 257.
	if layer.CompressionOf(start) != "" || len(start) == 512 && bytes.Equal(start[257:262], []byte("ustar")) {
		return nil, stream, nil
	}
	dockerfile, err = io.ReadAll(io.LimitReader(stream, maxDockerfile))
	if err == nil && len(bytes.TrimSpace(dockerfile)) == 0 {
		err = kernel.Advise(errors.New("nothing came from stdin"), "sandbox build - < Dockerfile, or: tar -c . | sandbox build -")
	}
	return dockerfile, nil, err
}

// openContext opens a directory of files to be copied, without what its ignore file names.
func openContext(dir, dockerfile string) (*copying.Tree, error) {
	ignore, err := copying.FindIgnore(dir, dockerfile)
	if err != nil {
		return nil, err
	}
	return copying.OpenDirectory(dir, ignore)
}

// contextTree opens the build context when it is first needed.
func (b *builder) contextTree() (*copying.Tree, error) {
	c := &b.context
	c.once.Do(func() {
		if c.dir == "" { // here-documents and URLs need none
			c.tree, c.err = copying.OpenLayers(nil)
			if c.err == nil {
				c.tree.Name = "the build context, of which there is none: only a Dockerfile came from stdin"
			}
			return
		}
		c.tree, c.err = openContext(c.dir, c.dockerfile)
		if c.err == nil && c.draft != nil {
			c.tree.Name = "the build context (the archive that came)"
		}
	})
	return c.tree, c.err
}

// openSources gets the build context ready, and reads the Dockerfile.
func (b *builder) openSources() (name string, text []byte, err error) {
	b.context.dir = b.Context
	if b.Archive != nil {
		if b.context.draft, err = b.Store.Begin(); err != nil { // a directory that is swept away if we are killed
			return "", nil, err
		}
		b.context.dir = filepath.Join(b.context.draft.Dir(), "context")
		if err := os.Mkdir(b.context.dir, 0o755); err != nil {
			return "", nil, err
		}
		if err := copying.ContextFromTar(b.Archive, b.context.dir); err != nil {
			return "", nil, err
		}
	}
	if b.Text != nil {
		return "Dockerfile", b.Text, nil
	}
	return b.readDockerfile()
}

func (b *builder) readDockerfile() (name string, text []byte, err error) {
	name = b.Dockerfile
	inContext := name == "" || b.Archive != nil
	if name == "" {
		name = "Dockerfile"
	}
	var file *os.File
	if inContext {
		file, err = openInside(b.context.dir, name)
		if errors.Is(err, fs.ErrNotExist) && b.Dockerfile == "" {
			if lower, lowerErr := openInside(b.context.dir, "dockerfile"); lowerErr == nil {
				file, name, err = lower, "dockerfile", nil
			}
		}
	} else {
		file, err = os.Open(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err := fmt.Errorf("no %s in %s", name, b.context.dir)
		switch {
		case !inContext:
			err = fmt.Errorf("no file %s", name)
		case b.Archive != nil:
			err = fmt.Errorf("no %s in the archive that came from stdin", name)
		}
		return "", nil, kernel.Advise(err, "name it: -f FILE; the last argument is the directory with the files to copy")
	}
	if err != nil {
		return "", nil, err
	}
	defer file.Close()
	b.context.dockerfile = name
	if inContext {
		b.context.dockerfile = filepath.Join(b.context.dir, name)
	}
	text, err = io.ReadAll(io.LimitReader(file, maxDockerfile))
	if errors.Is(err, unix.EISDIR) {
		err = kernel.Advise(fmt.Errorf("%s is a directory, not a Dockerfile", name), "-f %s, if that is in it", filepath.Join(name, "Dockerfile"))
	}
	return name, text, err
}

// openInside opens a file of a directory that may hold links to anywhere, which are not followed out of it.
func openInside(dir, name string) (*os.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, kernel.Advise(err, "the last argument is a directory: the build context")
	}
	defer root.Close()
	return root.Open(filepath.Clean(name))
}

// close gives everything back.
func (b *builder) close() error {
	var errs []error
	if b.context.tree != nil {
		errs = append(errs, b.context.tree.Close())
	}
	if b.context.draft != nil {
		errs = append(errs, b.context.draft.Discard())
	}
	return errors.Join(errs...)
}
