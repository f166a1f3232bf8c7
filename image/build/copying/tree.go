package copying

import (
	"errors"
	"os"
	"sandbox/image/layer"
	"sync"

	"golang.org/x/sys/unix"
)

// Tree is where COPY and ADD take files from: the build context, an earlier stage, another image. Several may use it at
// the same time.
type Tree struct {
	Name   string // what messages call it: "the build context DIR"
	roots  []int  // descriptors; of layers, the uppermost first
	layers bool   // roots are layers, whose whiteouts and owners mean something
	owners layer.Owners
	ignore *Ignore

	mutex   sync.Mutex
	dropped []string
}

// OpenDirectory opens a build context. What ignore names is not in it.
func OpenDirectory(dir string, ignore *Ignore) (*Tree, error) {
	t, err := openTree([]string{dir})
	if err != nil {
		return nil, err
	}
	t.Name, t.ignore = "the build context", ignore
	if dir != "." {
		t.Name += " " + dir
	}
	return t, nil
}

// OpenLayers opens the root file system of an image: its unpacked layers, the uppermost first. No layers are an empty one.
func OpenLayers(dirs []string) (*Tree, error) {
	t, err := openTree(dirs)
	if err != nil {
		return nil, err
	}
	t.Name, t.layers, t.owners = "the image", true, layer.NewOwners()
	return t, nil
}

func openTree(dirs []string) (*Tree, error) {
	t := &Tree{}
	for _, dir := range dirs {
		fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, errors.Join(&os.PathError{Op: "open", Path: dir, Err: err}, t.Close())
		}
		t.roots = append(t.roots, fd)
	}
	return t, nil
}

// Close gives the descriptors back.
func (t *Tree) Close() error {
	var errs []error
	for _, fd := range t.roots {
		errs = append(errs, unix.Close(fd))
	}
	t.roots = nil
	return errors.Join(errs...)
}

// Ignored are the paths that were asked for and are not in the context because of the ignore file, each with the file,
// the line and the pattern.
func (t *Tree) Ignored() []string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return append([]string(nil), t.dropped...)
}

func (t *Tree) addIgnored(what []string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.dropped = append(t.dropped, what...)
}
