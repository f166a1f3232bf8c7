package builtin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/image"
)

// stamp tells, without reading it, whether the program is the one that an image was made from, and, without searching
// the store, whether it still has that image: nobody has changed either file. DIR/builtin/NAME holds it as text.
type stamp struct {
	program identity
	index   identity // of the store's index when the image was last seen in it
	image   string   // its ID
}

// identity is how a file is known to be the same, and unchanged; as text.
type identity string

func identify(path string) (identity, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return "", &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return identity(fmt.Sprintf("dev=%d inode=%d size=%d mtime=%d", st.Dev, st.Ino, st.Size, st.Mtim.Nano())), nil
}

// observe looks at the program and the store. A store that is not there yet is no error.
func observe(s *image.Store) (stamp, error) {
	program, err := identify(thisProgram)
	if err != nil {
		return stamp{}, err
	}
	index, err := identify(s.IndexPath())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return stamp{}, err
	}
	return stamp{program: program, index: index}, nil
}

func stampDir(s *image.Store) string { return filepath.Join(s.Dir, "builtin") }

func stampPath(s *image.Store, name string) string { return filepath.Join(stampDir(s), name) }

// readStamp returns an empty stamp if there is none, or none that can be read: then the image is made again.
func readStamp(s *image.Store, name string) stamp {
	data, _ := os.ReadFile(stampPath(s, name))
	lines := strings.Split(string(data), "\n")
	if len(lines) < 3 {
		return stamp{}
	}
	return stamp{program: identity(lines[0]), index: identity(lines[1]), image: lines[2]}
}

// lockStamps waits until nobody else makes a built-in image of the store. The kernel lets go of the lock when the process ends.
func lockStamps(s *image.Store) (*os.File, error) {
	dir := stampDir(s)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return image.LockDirectory(dir, true)
}

// write replaces the stamp's file. Of two processes that do so at the same time one wins; both are right.
func (st stamp) write(s *image.Store, name string) error {
	path := stampPath(s, name)
	file, err := os.CreateTemp(filepath.Dir(path), "."+name)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%s\n%s\n%s\n", st.program, st.index, st.image)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}
