package layer

import (
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Looking into a stack of unpacked layers, the uppermost first, as overlayfs shows it, without mounting it. Symbolic links
// are followed inside the stack, across layers, and never lead out of it. Errors are *fs.PathError with errno.
//
// The uppermost may be written by a container at the same moment, so no step relies on what an earlier one saw: a directory
// is used by its descriptor, and nothing is opened through a link. Directories that overlayfs was asked to rename
// (redirect_dir) are not found under their new names.

// Open opens a regular file.
func Open(dirs []string, path string) (*os.File, error) {
	var file *os.File
	err := look("open", dirs, path, true, func(u *union, found finding) (err error) {
		if found.directories != nil {
			return unix.EISDIR
		}
		file, err = found.parent.openFile(found.name, new(unix.Stat_t))
		return err
	})
	return file, err
}

// Stat tells what a path leads to.
func Stat(dirs []string, path string) (Info, error) { return info("stat", dirs, path, true) }

// Lstat is Stat, but does not follow a symbolic link that the path ends in.
func Lstat(dirs []string, path string) (Info, error) { return info("lstat", dirs, path, false) }

func info(op string, dirs []string, path string, follow bool) (info Info, err error) {
	err = look(op, dirs, path, follow, func(u *union, found finding) error {
		e := &Entry{owners: NewOwners(), in: found.parent, self: found.directories}
		if err := e.fill(u.name(found), found.name); err != nil {
			return err
		}
		e.Info.Xattrs, err = e.xattrs()
		info = e.Info
		return err
	})
	return info, err
}

// ReadDir lists a directory, by name; the Infos have no extended attributes.
func ReadDir(dirs []string, path string) ([]Info, error) {
	var list []Info
	err := look("readdir", dirs, path, true, func(u *union, found finding) error {
		if found.directories == nil {
			return unix.ENOTDIR
		}
		return found.directories.each(NewOwners(), u.name(found), func(e *Entry) error {
			list = append(list, e.Info)
			return nil
		})
	})
	return list, err
}

// look finds a path and hands over what is there, for as long as f runs.
func look(op string, dirs []string, path string, follow bool, f func(*union, finding) error) error {
	u := &union{}
	defer u.closeDown(0)
	err := u.openRoot(dirs)
	if err == nil {
		var found finding
		if found, err = u.walk(path, follow); err == nil {
			err = f(u, found)
		}
	}
	if err != nil {
		return &fs.PathError{Op: op, Path: path, Err: err}
	}
	return nil
}

// union is a path through the stack of layers: the directories from the root to where the search has come.
type union struct {
	path  []merged
	names []string // of the directories after the root
}

func (u *union) here() merged { return u.path[len(u.path)-1] }

// name is what a finding is called, without links.
func (u *union) name(found finding) string {
	name := strings.Join(u.names, "/")
	if found.directories != nil {
		return name
	}
	return strings.TrimPrefix(name+"/"+found.name, "/")
}

// closeDown closes all but the first n directories of the path.
func (u *union) closeDown(n int) {
	for _, m := range u.path[n:] {
		m.close()
	}
	u.path, u.names = u.path[:n], u.names[:max(0, n-1)]
}

func (u *union) openRoot(dirs []string) error {
	if len(dirs) == 0 {
		return unix.ENOENT
	}
	u.path = []merged{nil}
	for i, path := range dirs {
		root, err := openPlace(path, i)
		if err != nil {
			return err
		}
		u.path[0] = append(u.path[0], root) // overlayfs merges all roots, even below an opaque one
	}
	return nil
}

// walk goes along a path. What it finds stays open as long as the union does.
func (u *union) walk(path string, follow bool) (finding, error) {
	links := 0
	for todo := strings.Split(path, "/"); len(todo) > 0; {
		element := todo[0]
		todo = todo[1:]
		switch element {
		case "", ".":
			continue
		case "..":
			u.closeDown(max(1, len(u.path)-1))
			continue
		}
		found, err := u.here().find(element)
		if err != nil {
			return found, err
		}
		switch {
		case found.target != "" && (follow || len(todo) > 0):
			if links++; links > maxLinks {
				return found, unix.ELOOP
			}
			if strings.HasPrefix(found.target, "/") {
				u.closeDown(1)
			}
			todo = append(strings.Split(found.target, "/"), todo...)
		case found.directories != nil:
			u.path, u.names = append(u.path, found.directories), append(u.names, element)
		case len(todo) > 0:
			return found, unix.ENOTDIR
		default:
			return found, nil
		}
	}
	return finding{directories: u.here()}, nil
}
