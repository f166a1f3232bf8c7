package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"sandbox/image"
)

// files are what an archive holds, whether it lies on the disk, came as a stream, or is a directory. Names are looked up
// among them and nowhere else: whatever a name in an archive says, no path is made of it.
type files interface {
	find(name string) (*file, error)
}

// file is one of them. Several may be read at the same time.
type file struct {
	name    string
	size    int64
	open    func() (io.ReadCloser, error)
	link    string         // it stands for the file of this name
	spooled *image.Spooled // it came in a stream, and is on the store's file system now
}

// missingError says that an archive does not hold what it should.
type missingError struct{ name string }

func (e *missingError) Error() string { return fmt.Sprintf("the archive has no file %q", e.name) }

// clean is a name as all are looked up by: relative to the archive's root, out of which .. does not lead.
func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

const maxLinks = 40 // as the kernel has it, path_resolution(7)

// entries are the files of a tar archive by their cleaned names.
type entries map[string]*file

// find follows links: Docker saved a layer that several images have as a symbolic link to the first one's.
func (e entries) find(name string) (*file, error) {
	at := clean(name)
	for range maxLinks {
		f := e[at]
		if f == nil {
			return nil, &missingError{name}
		}
		if f.link == "" {
			return f, nil
		}
		at = f.link
	}
	return nil, fmt.Errorf("the archive's links go round in a circle at %q", name)
}

// directory is an image layout or an unpacked archive on disk. Links out of it lead nowhere.
type directory struct{ root *os.Root }

func (d directory) find(name string) (*file, error) {
	info, err := d.root.Stat(clean(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &missingError{name}
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is no regular file", name)
	}
	return &file{name: name, size: info.Size(), open: func() (io.ReadCloser, error) { return d.root.Open(clean(name)) }}, nil
}

// maxDocument is more than a manifest, a configuration or an index ever has; registries refuse manifests of 4 MiB.
const maxDocument = 16 << 20

// read returns the content of a file that is small by its nature.
func read(f files, name string) ([]byte, error) {
	document, err := f.find(name)
	if err != nil {
		return nil, err
	}
	if document.size > maxDocument {
		return nil, fmt.Errorf("%q has %d bytes: too many for what it should be", name, document.size)
	}
	content, err := document.open()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	data, err := io.ReadAll(io.LimitReader(content, maxDocument))
	if err == nil && int64(len(data)) != document.size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read %q: %w", name, err)
	}
	return data, nil
}

func inMemory(name string, content []byte) *file {
	return &file{name: name, size: int64(len(content)), open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}}
}
