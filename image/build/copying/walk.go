package copying

import (
	"context"
	"errors"
	"strings"

	"github.com/moby/patternmatcher"
	"golang.org/x/sys/unix"
)

// step is one file or directory that a walk comes to, a directory before what is in it.
type step struct {
	rel  string // below the item; "" for the item itself
	from *directory
	entry
	parent bool // a directory that is only there because --parents keeps it
}

var errEnough = errors.New("enough seen")

// walk goes through an item of the tree.
func (c *Copy) walk(ctx context.Context, v *view, i item, visit func(step) error) error {
	exclude, err := matcherOf(c.Exclude)
	if err != nil {
		return err
	}
	include, err := matcherOf(i.include)
	if err != nil {
		return err
	}
	t, err := v.lookup(i.path)
	if err != nil {
		return err
	}
	defer t.close()
	w := &walk{ctx: ctx, exclude: exclude, include: include, visit: visit}
	if t.end != nil {
		if w.leavesOut(t.end.name) {
			return nil
		}
		return visit(step{from: t.last(), entry: *t.end})
	}
	return w.directory(t.last(), "", patternmatcher.MatchInfo{}, patternmatcher.MatchInfo{})
}

type walk struct {
	ctx              context.Context
	exclude, include *patternmatcher.PatternMatcher
	visit            func(step) error
	pending          []step // the directories that we are in and nobody has been told of: perhaps nothing in them is wanted
}

// leavesOut: a file that is itself a source is excluded by its name.
func (w *walk) leavesOut(name string) bool {
	if w.exclude == nil {
		return false
	}
	excluded, err := w.exclude.MatchesOrParentMatches(name)
	return err == nil && excluded
}

// directory walks through what is in a directory. Patterns are matched against paths below the item, each with what was
// found for the directory.
func (w *walk) directory(d *directory, rel string, excludeInfo, includeInfo patternmatcher.MatchInfo) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	entries, err := d.list()
	if err != nil {
		return err
	}
	for _, e := range entries {
		s := step{rel: strings.TrimPrefix(rel+"/"+e.name, "/"), from: d, entry: e}
		wanted, excluded := true, false
		below := [2]patternmatcher.MatchInfo{}
		if w.include != nil {
			if wanted, below[1], err = w.include.MatchesUsingParentResults(s.rel, includeInfo); err != nil {
				return err
			}
		}
		if w.exclude != nil {
			if excluded, below[0], err = w.exclude.MatchesUsingParentResults(s.rel, excludeInfo); err != nil {
				return err
			}
		}
		switch {
		case e.isDir():
			if excluded && !mayKeep(w.exclude, s.rel) {
				continue
			}
			err = w.enter(s, wanted && !excluded, below)
		case wanted && !excluded && e.kind() != unix.S_IFSOCK:
			err = w.tell(s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// enter tells of a directory, at once or when something in it is wanted, and goes through it.
func (w *walk) enter(s step, wanted bool, below [2]patternmatcher.MatchInfo) error {
	sub, err := s.from.enter(s.entry)
	if err != nil {
		return err
	}
	defer sub.close()
	if wanted {
		if err := w.tell(s); err != nil {
			return err
		}
		return w.directory(sub, s.rel, below[0], below[1])
	}
	s.parent = true
	depth := len(w.pending)
	w.pending = append(w.pending, s)
	err = w.directory(sub, s.rel, below[0], below[1])
	w.pending = w.pending[:min(depth, len(w.pending))]
	return err
}

// tell visits a step, and before it the directories that it is in.
func (w *walk) tell(s step) error {
	for len(w.pending) > 0 {
		first := w.pending[0]
		w.pending = w.pending[1:]
		if err := w.visit(first); err != nil {
			return err
		}
	}
	return w.visit(s)
}
