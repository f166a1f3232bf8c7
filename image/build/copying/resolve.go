package copying

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// trail is a way through a tree: the directories from the root to where it has come, and there perhaps something that
// is no directory.
type trail struct {
	directories []*directory
	end         *entry // nil if it ends in a directory
}

func (t *trail) last() *directory { return t.directories[len(t.directories)-1] }

// path is where it has come, without links.
func (t *trail) path() string {
	if t.end != nil {
		return t.last().pathOf(t.end.name)
	}
	return t.last().path
}

// cut goes back to the first n directories.
func (t *trail) cut(n int) {
	for _, d := range t.directories[n:] {
		d.close()
	}
	t.directories = t.directories[:n]
}

func (t *trail) close() { t.cut(0) }

// lookup follows a path, and the links on it, the last one included, inside the tree: an absolute link begins at its
// root, and .. does not lead out of it. The errors are ENOENT, ENOTDIR and ELOOP, or tell of trouble with the file
// system. The caller closes the trail.
func (v *view) lookup(name string) (*trail, error) {
	root, err := v.root()
	if err != nil {
		return nil, err
	}
	t := &trail{directories: []*directory{root}}
	if err := t.follow(name); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *trail) follow(name string) error {
	links := 0
	for todo := strings.Split(name, "/"); len(todo) > 0; {
		element := todo[0]
		todo = todo[1:]
		if element == "" || element == "." {
			continue
		}
		if t.end != nil {
			return unix.ENOTDIR
		}
		if element == ".." {
			t.cut(max(1, len(t.directories)-1))
			continue
		}
		e, err := t.last().find(element)
		if err != nil {
			return err
		}
		switch e.kind() {
		case unix.S_IFLNK:
			if links++; links > maxLinks {
				return unix.ELOOP
			}
			target, err := e.readLink()
			if err != nil {
				return err
			}
			if strings.HasPrefix(target, "/") {
				t.cut(1)
			}
			todo = append(strings.Split(target, "/"), todo...)
		case unix.S_IFDIR:
			sub, err := t.last().enter(e)
			if err != nil {
				return err
			}
			t.directories = append(t.directories, sub)
		default:
			t.end = &e
		}
	}
	return nil
}

// hasWildcard says whether a pattern means more than one name.
func hasWildcard(pattern string) bool {
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '\\':
			i++
		case '*', '?', '[':
			return true
		}
	}
	return false
}

// unescape is the one name that a pattern without wildcards means.
func unescape(pattern string) string {
	if !strings.Contains(pattern, `\`) {
		return pattern
	}
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] == '\\' && i+1 < len(pattern) {
			i++
		}
		b.WriteByte(pattern[i])
	}
	return b.String()
}

// glob lists the paths that a pattern matches, as path/filepath.Match has it: * and ? match no slash. As in BuildKit,
// links are followed up to the first wildcard, and in the end. Without a wildcard the result is the pattern, whether
// there is such a file or not.
func (v *view) glob(pattern string) ([]string, error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, err
	}
	elements := strings.Split(strings.Trim(path.Clean("/"+pattern), "/"), "/")
	literal := 0
	for literal < len(elements) && !hasWildcard(elements[literal]) {
		elements[literal] = unescape(elements[literal])
		literal++
	}
	prefix := strings.Join(elements[:literal], "/")
	if literal == len(elements) {
		return []string{prefix}, nil
	}
	t, err := v.lookup(prefix)
	if isMissing(err) || err == nil && t.end != nil {
		if t != nil {
			t.close()
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer t.close()
	return match(t.last(), elements[literal:], nil)
}

// match adds to found what the elements of a pattern match in a directory.
func match(d *directory, elements []string, found []string) ([]string, error) {
	entries, err := d.list()
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		ok, err := path.Match(elements[0], e.name)
		if err != nil {
			return nil, err
		}
		switch {
		case !ok:
		case len(elements) == 1:
			found = append(found, d.pathOf(e.name))
		case e.isDir():
			sub, err := d.enter(e)
			if err != nil {
				return nil, err
			}
			found, err = match(sub, elements[1:], found)
			sub.close()
			if err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// isMissing says that a path leads nowhere.
func isMissing(err error) bool {
	return err == unix.ENOENT || err == unix.ENOTDIR || err == unix.ELOOP
}
