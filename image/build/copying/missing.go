package copying

import (
	"fmt"
	"path"
	"sandbox/image"
	"sandbox/kernel"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// NotFoundError says that a source is not there, with what helps to see why.
type NotFoundError struct {
	Instruction string // COPY or ADD
	Pattern     string // the source as it was written
	Where       string // the tree: "the build context DIR"
	Ignored     []Dropped
	DeadLink    string   // the target of a symbolic link that leads nowhere inside the tree
	Near        []string // paths that may have been meant, the nearest first
}

// Dropped is a path that the ignore file leaves out of the context.
type Dropped struct {
	Path    string
	File    string // the ignore file
	Line    int
	Pattern string // what is on that line
}

func (d Dropped) String() string {
	return fmt.Sprintf("%s (%s, line %d: %s)", d.Path, d.File, d.Line, d.Pattern)
}

func (e *NotFoundError) Error() string {
	what := fmt.Sprintf("%s %s: ", e.Instruction, e.Pattern)
	switch {
	case len(e.Ignored) > 0:
		first := e.Ignored[0]
		what += fmt.Sprintf("%q is left out of %s by %s, line %d: %s", first.Path, e.Where, first.File, first.Line, first.Pattern)
		if more := len(e.Ignored) - 1; more > 0 {
			what += fmt.Sprintf(" (and %d more)", more)
		}
		return what
	case e.DeadLink != "":
		return what + fmt.Sprintf("a symbolic link leads to %q, which is not in %s", e.DeadLink, e.Where)
	case hasWildcard(e.Pattern):
		return what + "nothing in " + e.Where + " matches"
	}
	return what + "not found in " + e.Where
}

// Cure is what can be done about it.
func (e *NotFoundError) Cure() string {
	switch {
	case len(e.Ignored) > 0:
		return fmt.Sprintf("take the line out of %s, or add this one at its end: !%s", e.Ignored[0].File, e.Ignored[0].Path)
	case e.DeadLink != "":
		return "links are followed inside it only: copy the file itself into it"
	case len(e.Near) > 0:
		return "there is " + strings.Join(e.Near, ", ")
	}
	return "paths of sources begin at its root, not at the Dockerfile"
}

// missing makes the error for a source that is not there.
func (c *Copy) missing(source string) error {
	e := &NotFoundError{Instruction: c.verb(), Pattern: source, Where: c.From.Name}
	e.Ignored = c.ignoredOf(source)
	if len(e.Ignored) == 0 {
		e.DeadLink = c.From.deadLink(unescape(source))
	}
	if len(e.Ignored) == 0 && e.DeadLink == "" {
		e.Near = c.From.near(strings.TrimPrefix(path.Clean("/"+source), "/"))
	}
	return kernel.Advise(e, "%s", e.Cure())
}

// ignoredOf looks for the source in what the ignore file has left out, and notes it for Ignored.
func (c *Copy) ignoredOf(source string) []Dropped {
	if c.From.ignore == nil {
		return nil
	}
	v := c.From.unfiltered()
	paths, _ := v.glob(strings.Replace(source, "/./", "/", 1))
	var found []Dropped
	var lines []string
	for _, p := range paths {
		resolved, err := v.item(p)
		if err != nil {
			continue
		}
		for _, candidate := range []string{p, resolved.path} {
			if r, ignored := c.From.ignore.culprit(candidate); ignored {
				dropped := Dropped{Path: candidate, File: c.From.ignore.name, Line: r.line, Pattern: r.pattern}
				found = append(found, dropped)
				lines = append(lines, dropped.String())
				break
			}
		}
	}
	c.From.addIgnored(lines)
	return found
}

// deadLink is the target of the last link on a path that leads nowhere, or "".
func (t *Tree) deadLink(source string) string {
	v := t.unfiltered()
	elements := strings.Split(strings.Trim(path.Clean("/"+source), "/"), "/")
	for i := range elements {
		parent, err := v.lookup(strings.Join(elements[:i], "/"))
		if err != nil {
			return ""
		}
		e, err := parent.last().find(elements[i])
		target := ""
		if err == nil && e.kind() == unix.S_IFLNK {
			target, _ = e.readLink()
		}
		parent.close()
		if target == "" {
			continue
		}
		through, err := v.lookup(strings.Join(elements[:i+1], "/"))
		if isMissing(err) {
			return target
		}
		if err == nil {
			through.close()
		}
	}
	return ""
}

// near lists at most three paths that may have been meant: with other capitals, with a slip of the keys, or in another
// directory.
func (t *Tree) near(asked string) []string {
	const enough = 5000 // a larger tree is not searched to its end for a mere hint
	var all, near []string
	root, err := t.view().root()
	if err != nil {
		return nil
	}
	defer root.close()
	collect(root, &all, enough)
	for _, name := range all {
		if strings.EqualFold(name, asked) {
			near = append(near, name)
		}
	}
	for _, name := range image.Nearest(asked, all) {
		if !slices.Contains(near, name) {
			near = append(near, name)
		}
	}
	return near[:min(3, len(near))]
}

// collect lists a tree, what is near its root first.
func collect(d *directory, all *[]string, enough int) {
	entries, err := d.list()
	if err != nil {
		return
	}
	for _, e := range entries {
		if len(*all) < enough {
			*all = append(*all, d.pathOf(e.name))
		}
	}
	for _, e := range entries {
		if !e.isDir() || len(*all) >= enough {
			continue
		}
		if sub, err := d.enter(e); err == nil {
			collect(sub, all, enough)
			sub.close()
		}
	}
}
