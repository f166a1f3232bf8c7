package layer

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// Walk visits everything at and below a path of a stack of layers, as overlayfs shows it: a directory before what is in
// it, names in the order of their bytes. The first is what the path leads to, the root for "". If f returns fs.SkipDir, what
// is in a directory is left out, or, for something else, the rest of its directory; fs.SkipAll ends the walk. An Entry
// is good while f runs.
func Walk(dirs []string, path string, f func(path string, e *Entry) error) error {
	owners := NewOwners()
	var failed error // of f: it is passed on as it is
	err := look("walk", dirs, path, true, func(u *union, found finding) error {
		e := &Entry{owners: owners, in: found.parent, self: found.directories}
		if err := e.fill(u.name(found), found.name); err != nil {
			return err
		}
		return walk(e, func(e *Entry) error {
			failed = f(e.Path, e)
			return failed
		})
	})
	switch {
	case failed == fs.SkipDir || failed == fs.SkipAll:
		if errors.Is(err, failed) {
			return nil
		}
	case failed != nil && errors.Is(err, failed):
		return failed
	}
	return err
}

func walk(e *Entry, f func(*Entry) error) error {
	err := f(e)
	if e.self == nil || err != nil {
		if e.self != nil && err == fs.SkipDir {
			return nil
		}
		return err
	}
	err = e.self.each(e.owners, e.Path, func(sub *Entry) error { return walk(sub, f) })
	if err == fs.SkipDir {
		return nil
	}
	return err
}

// inode is a file of a stack, whatever names it has.
type inode struct {
	layer         int
	device, inode uint64
}

func inodeOf(layer int, st *unix.Stat_t) inode { return inode{layer, uint64(st.Dev), st.Ino} }

// Waste is, for each layer of a stack, the bytes of the files in it that nobody can see any more, because a layer above
// has others of the same names or has deleted them. The layers stay as big as they are, however: that is what makes
// `RUN rm` in a step of its own useless.
func Waste(dirs []string) ([]int64, error) {
	waste := make([]int64, len(dirs))
	if len(dirs) == 0 {
		return waste, nil
	}
	for layer := range dirs {
		err := eachInode(dirs[layer:layer+1], func(_ inode, size int64) { waste[layer] += size })
		if err != nil {
			return nil, err
		}
	}
	err := eachInode(dirs, func(i inode, size int64) { waste[i.layer] -= size })
	return waste, err
}

// eachInode visits the regular files that a stack shows, each once.
func eachInode(dirs []string, f func(i inode, size int64)) error {
	seen := map[inode]bool{}
	return Walk(dirs, "", func(_ string, e *Entry) error {
		if !e.IsRegular() {
			return nil
		}
		if e.Links > 1 {
			i := inodeOf(e.Layer, &e.stat)
			if seen[i] {
				return nil
			}
			seen[i] = true
		}
		f(inodeOf(e.Layer, &e.stat), e.Size)
		return nil
	})
}
