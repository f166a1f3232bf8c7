package layer

import (
	"path"
	"strings"
)

// Stratum is what one layer of a stack has, seen from the others.
type Stratum struct {
	Files  int     // names of what is no directory
	Seen   int     // of these, how many the stack as a whole shows from here
	Traces []Trace // what the layer changes of those below it, sorted by path
}

// Trace is a name that a layer adds, changes or deletes, as Change has it. Directories are traces only if nothing in them is one.
// Layers are named by their place in the stack, 0 being the uppermost; -1 is none.
type Trace struct {
	Change
	Covers int  // the layer whose file it hides
	Hidden int  // the layer that hides it in turn, by another file or by deleting it
	Gone   bool // Hidden has deleted it
}

// Strata says of each layer of a stack, the uppermost first, what is in it, and what of that is seen.
func Strata(dirs []string) ([]Stratum, error) {
	if len(dirs) == 0 {
		return nil, nil
	}
	s := strata{make([]stratum, len(dirs))}
	list := make([]Stratum, len(dirs))
	for i := range dirs {
		if err := s.layers[i].read(dirs[i:]); err != nil {
			return nil, err
		}
	}
	for i, l := range s.layers {
		list[i].Files = len(l.files)
		for _, c := range l.changes {
			name := c.Path[1:]
			if c.Kind != 'D' && !l.files[name] && l.parents[name] {
				continue
			}
			t := Trace{Change: c, Covers: -1, Hidden: -1}
			if c.Kind != 'A' {
				t.Covers = s.below(i, name)
			}
			if c.Kind != 'D' {
				t.Hidden, t.Gone = s.above(i, name)
			}
			list[i].Traces = append(list[i].Traces, t)
		}
	}
	err := Walk(dirs, "", func(_ string, e *Entry) error {
		if !e.IsDir() {
			list[e.Layer].Seen++
		}
		return nil
	})
	return list, err
}

// stratum is a layer while it is compared with others.
type stratum struct {
	files, directories map[string]bool // that are in it
	deleted            map[string]bool
	parents            map[string]bool // directories in which something has changed
	changes            []Change
}

// read reads the uppermost layer of a stack.
func (l *stratum) read(dirs []string) (err error) {
	l.files, l.directories, l.deleted, l.parents = map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	err = Walk(dirs[:1], "", func(name string, e *Entry) error {
		if e.IsDir() {
			l.directories[name] = true
		} else {
			l.files[name] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	if l.changes, err = Changes(dirs[0], dirs[1:]); err != nil {
		return err
	}
	for _, c := range l.changes {
		if c.Kind == 'D' {
			l.deleted[c.Path[1:]] = true
		}
		l.parents[path.Dir(c.Path)[1:]] = true
	}
	return nil
}

type strata struct{ layers []stratum }

// below finds the layer that a name would be seen from if layer i had nothing of it.
func (s strata) below(i int, name string) int {
	for j := i + 1; j < len(s.layers); j++ {
		if s.layers[j].files[name] || s.layers[j].directories[name] {
			return j
		}
	}
	return -1
}

// above finds the layer that hides a name of layer i: the first one, from i upwards, that has something else under it, or has
// deleted it or a directory that it is in.
func (s strata) above(i int, name string) (hidden int, gone bool) {
	directory := s.layers[i].directories[name]
	for j := i - 1; j >= 0; j-- {
		l := s.layers[j]
		if l.files[name] || !directory && l.directories[name] {
			return j, false
		}
		for at := name; ; at = at[:strings.LastIndexByte(at, '/')] {
			if l.deleted[at] || at != name && l.files[at] {
				return j, true
			}
			if !strings.Contains(at, "/") {
				break
			}
		}
	}
	return -1, false
}
