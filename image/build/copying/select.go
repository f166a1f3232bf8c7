package copying

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"sandbox/kernel"
	"strings"

	"github.com/moby/patternmatcher"
	"golang.org/x/sys/unix"
)

// item is one thing to be copied: a file or a directory of the tree, what is behind a URL, or a here-document.
type item struct {
	base    string   // the name it gets in a directory
	path    string   // in the tree, without links
	isDir   bool     // its content is meant
	include []string // --parents: only what these match, with the directories it is in
	fetched *download
	inline  *Inline
}

// selection finds out what the instruction means. With fetch, URLs are fetched that Digest need not look at because
// their checksum is given.
func (c *Copy) selection(ctx context.Context, fetch bool) ([]item, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	c.unmatched = nil
	var items []item
	for _, source := range c.Sources {
		found, err := c.selectSource(ctx, source, fetch)
		if err != nil {
			return nil, err
		}
		items = append(items, found...)
	}
	for i := range c.Inline {
		items = append(items, item{base: path.Base(c.Inline[i].Name), inline: &c.Inline[i]})
	}
	if len(items) == 0 {
		return nil, c.missing(c.unmatched[0])
	}
	return items, nil
}

func (c *Copy) selectSource(ctx context.Context, source string, fetch bool) ([]item, error) {
	switch {
	case isRepository(source):
		return nil, kernel.Advise(fmt.Errorf("%s %s: git repositories cannot be sources here", c.verb(), source),
			"clone it into the build context, or ADD an archive of it by its http URL")
	case isURL(source) && !c.Add:
		return nil, kernel.Advise(fmt.Errorf("COPY %s: COPY copies no URLs", source), "write ADD %s", source)
	case isURL(source):
		d, err := c.download(ctx, source, fetch)
		if err != nil {
			return nil, err
		}
		return []item{{base: d.name, fetched: d}}, nil
	}
	if c.From == nil {
		return nil, kernel.Advise(fmt.Errorf("%s %s: there is no build context to copy from", c.verb(), source), "give a directory: `sandbox build .`")
	}
	if !c.From.layers && leadsOut(source) {
		return nil, kernel.Advise(fmt.Errorf("%s %s: forbidden path outside %s", c.verb(), source, c.From.Name),
			"start the build in a directory that holds all of it, and name the Dockerfile with -f")
	}
	items, err := c.selectPattern(source)
	var missing *NotFoundError
	switch {
	case isMissing(err):
		return nil, c.missing(source)
	case errors.As(err, &missing):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%s %s: %w", c.verb(), source, err)
	case len(items) == 0:
		c.unmatched = append(c.unmatched, source)
	}
	return items, nil
}

// selectPattern expands a pattern. With --parents, what comes before /./ says where to begin, and what comes after is
// matched as lines of an ignore file are, so that ** means any number of directories.
func (c *Copy) selectPattern(source string) ([]item, error) {
	v := c.From.view()
	if c.Parents {
		return c.selectWithParents(v, source)
	}
	paths, err := v.glob(source)
	if err != nil {
		return nil, err
	}
	var items []item
	for _, p := range paths {
		found, err := v.item(p)
		if isMissing(err) {
			return nil, c.missing(p) // a link to nothing, perhaps one of several that the pattern has found
		}
		if err != nil {
			return nil, err
		}
		items = append(items, found)
	}
	return items, nil
}

// item follows a path to what is copied. The name is that of the link, if it is one.
func (v *view) item(name string) (item, error) {
	t, err := v.lookup(name)
	if err != nil {
		return item{}, err
	}
	defer t.close()
	if t.end != nil && t.end.kind() == unix.S_IFSOCK {
		return item{}, fmt.Errorf("%q is a socket, which nobody could use", name)
	}
	return item{base: path.Base("/" + name), path: t.path(), isDir: t.end == nil}, nil
}

func (c *Copy) selectWithParents(v *view, source string) ([]item, error) {
	start, pattern, found := strings.Cut(source, "/./")
	if !found {
		start, pattern = "/", source
	}
	pattern = strings.TrimPrefix(path.Clean("/"+pattern), "/")
	if !hasWildcard(start) && !hasWildcard(pattern) {
		t, err := v.lookup(unescape(path.Join(start, pattern)))
		if err != nil {
			return nil, err
		}
		t.close()
	}
	starts, err := v.glob(start)
	if err != nil {
		return nil, err
	}
	var items []item
	for _, p := range starts {
		found, err := v.item(p)
		if err != nil {
			return nil, err
		}
		if !found.isDir {
			continue
		}
		if pattern != "" {
			found.include = []string{pattern}
		}
		if any, err := c.holdsAnything(v, found); err != nil {
			return nil, err
		} else if any {
			items = append(items, found)
		}
	}
	return items, nil
}

// holdsAnything says whether the patterns of --parents match anything in a directory.
func (c *Copy) holdsAnything(v *view, i item) (bool, error) {
	found := false
	err := c.walk(context.Background(), v, i, func(step) error {
		found = true
		return errEnough
	})
	if err == errEnough {
		err = nil
	}
	return found, err
}

// leadsOut says whether a path, read without looking at any file, ends above where it begins.
func leadsOut(source string) bool {
	clean := path.Clean(strings.TrimLeft(source, "/"))
	return clean == ".." || strings.HasPrefix(clean, "../")
}

func isURL(source string) bool {
	return strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://")
}

// isRepository recognises what BuildKit would clone with git.
func isRepository(source string) bool {
	for _, prefix := range []string{"git://", "git@", "ssh://"} {
		if strings.HasPrefix(source, prefix) {
			return true
		}
	}
	if !isURL(source) {
		return false
	}
	u, err := url.Parse(source)
	return err == nil && strings.HasSuffix(u.Path, ".git")
}

// matcherOf compiles patterns of --exclude or --parents; nil for none.
func matcherOf(patterns []string) (*patternmatcher.PatternMatcher, error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	m, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, fmt.Errorf("bad pattern among %q: %w", patterns, err)
	}
	return m, nil
}
