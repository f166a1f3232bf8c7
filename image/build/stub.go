package build

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sandbox/image/layer"
)

// stub is a directory or file that somebody had to make so that there was something to mount on, or a directory that was copied up
// for that. It is no work of the command's and should not get into the layer.
type stub struct {
	path  string
	below *layer.Info // what was there before; nil: nothing
}

// stubsOf lists what mounting will leave behind, each before the directory that it is in. below are the layers, the uppermost
// first.
func stubsOf(mounts []Mount, below []string) ([]stub, error) {
	var stubs []stub
	for _, m := range mounts {
		missing := ""
		at := filepath.Clean("/" + m.Target)
		for ; at != "/"; at = filepath.Dir(at) {
			found, err := layer.Stat(below, at)
			if err == nil {
				at = "/" + found.Path // without links
				break
			}
			if !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			missing = filepath.Join(filepath.Base(at), missing)
		}
		for rest := missing; rest != "" && rest != "."; rest = filepath.Dir(rest) {
			stubs = append(stubs, stub{path: filepath.Join(at, rest)})
		}
		if missing == "" {
			continue
		}
		for ; at != "/"; at = filepath.Dir(at) {
			info, err := layer.Stat(below, at)
			if err != nil {
				return nil, err
			}
			stubs = append(stubs, stub{path: at, below: &info})
		}
	}
	return stubs, nil
}

// removeStubs removes from what a command has written what only mounting has. A directory with something in it stays, and so does
// one whose mode or owner is another one than before.
func removeStubs(upper string, stubs []stub) error {
	if len(stubs) == 0 {
		return nil
	}
	root, err := os.OpenRoot(upper)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, s := range stubs {
		name := strings.TrimPrefix(s.path, "/")
		info, err := root.Lstat(name)
		if err != nil || !info.IsDir() && (!info.Mode().IsRegular() || info.Size() > 0) {
			continue
		}
		if s.below != nil {
			now, err := layer.Lstat([]string{upper}, s.path)
			if err != nil || now.Mode != s.below.Mode || now.UID != s.below.UID || now.GID != s.below.GID {
				continue
			}
		}
		_ = root.Remove(name) // not one with something in it
	}
	return nil
}
