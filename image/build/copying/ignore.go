package copying

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"sandbox/kernel"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// Ignore is what a .dockerignore file says: patterns of paths that are no part of the build context, and with ! those
// that are after all. The last one that matches a path, or a directory above it, decides.
type Ignore struct {
	name  string // the file, as messages call it
	rules []rule
}

type rule struct {
	pattern string // cleaned, with its !
	line    int
}

// ReadIgnore reads a .dockerignore file.
func ReadIgnore(r io.Reader) (*Ignore, error) {
	ignore := &Ignore{name: ".dockerignore"}
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	number := 0
	for line := range bytes.Lines(data) {
		number++
		patterns, err := ignorefile.ReadAll(bytes.NewReader(line))
		if err == nil {
			_, err = patternmatcher.New(patterns)
		}
		if err != nil {
			return nil, kernel.Advise(fmt.Errorf(".dockerignore, line %d: %q: %w", number, bytes.TrimSpace(line), err), "correct that line: the patterns are those of path/filepath.Match, ** and a leading !")
		}
		for _, pattern := range patterns {
			ignore.rules = append(ignore.rules, rule{pattern, number})
		}
	}
	return ignore, nil
}

// FindIgnore reads the ignore file of a build: the one beside the Dockerfile, <Dockerfile>.dockerignore, goes before the
// context's .dockerignore. A missing one is an empty one. dockerfile may be "".
func FindIgnore(contextDir, dockerfile string) (*Ignore, error) {
	candidates := []string{filepath.Join(contextDir, ".dockerignore")}
	if dockerfile != "" {
		candidates = append([]string{dockerfile + ".dockerignore"}, candidates...)
	}
	for _, candidate := range candidates {
		file, err := os.Open(candidate)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		defer file.Close()
		ignore, err := ReadIgnore(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", candidate, err)
		}
		ignore.name = filepath.Base(candidate)
		return ignore, nil
	}
	return &Ignore{name: ".dockerignore"}, nil
}

// matcher makes one for a single walk: it remembers what it has compiled and must not be used by two at once.
func (i *Ignore) matcher() *patternmatcher.PatternMatcher {
	if i == nil || len(i.rules) == 0 {
		return nil
	}
	patterns := make([]string, len(i.rules))
	for n, r := range i.rules {
		patterns[n] = r.pattern
	}
	m, err := patternmatcher.New(patterns)
	if err != nil {
		return nil // cannot be: each of them was tried when it was read
	}
	return m
}

// culprit is the rule that leaves a path out: the last one that matches it.
func (i *Ignore) culprit(name string) (rule, bool) {
	var found rule
	ignored := false
	for _, r := range i.rules {
		pattern, exception := strings.CutPrefix(r.pattern, "!")
		m, err := patternmatcher.New([]string{pattern})
		if err != nil {
			continue
		}
		if matches, _ := m.MatchesOrParentMatches(name); matches {
			found, ignored = r, !exception
		}
	}
	return found, ignored
}

// mayKeep says whether an exception could bring back something in an ignored directory; if not, nobody need look into it.
func mayKeep(m *patternmatcher.PatternMatcher, directory string) bool {
	if m == nil || !m.Exclusions() {
		return false
	}
	elements := strings.Split(directory, "/")
	for _, p := range m.Patterns() {
		if p.Exclusion() && reachesInto(strings.Split(p.String(), "/"), elements) {
			return true
		}
	}
	return false
}

// reachesInto says whether a pattern's elements can match something below a directory.
func reachesInto(pattern, directory []string) bool {
	for i, element := range pattern {
		if i >= len(directory) || strings.Contains(element, "**") {
			return true
		}
		if ok, _ := path.Match(element, directory[i]); !ok {
			return false
		}
	}
	return true // the pattern is the directory, or one above it
}
