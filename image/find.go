package image

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// NotFoundError says that the store has no such image.
type NotFoundError struct {
	Name string   // as it was asked for
	Near []string // names of images in the store that look alike, the nearest first
}

func (e *NotFoundError) Error() string {
	if len(e.Near) == 0 {
		return fmt.Sprintf("no image %q here", e.Name)
	}
	return fmt.Sprintf("no image %q here; there is %s", e.Name, strings.Join(e.Near, ", "))
}

// AmbiguousError says that more than one image's ID begins like this.
type AmbiguousError struct {
	Prefix string
	IDs    []string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("the IDs of %d images begin with %q: give more digits", len(e.IDs), e.Prefix)
}

// Find returns the image that ref means: a name as Docker reads it (Name), a digest, an image ID or the beginning of one.
// A name that is written without a registry means a built-in image if there is one, else Docker Hub's. A name goes before
// an ID that begins alike.
func (s *Store) Find(ref string) (*Image, error) {
	var img *Image
	err := s.reading(func(index *index) error {
		e, err := s.search(index, ref)
		if err != nil {
			return err
		}
		img, err = s.load(index, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return img, nil
}

func (s *Store) search(index *index, ref string) (entry, error) {
	prefix := strings.TrimPrefix(ref, sha256Prefix)
	name, err := ParseName(ref)
	if err != nil && !isHex(prefix) {
		return entry{}, err
	}
	if err == nil {
		if e, found := index.searchName(name, !strings.Contains(ref, "/")); found {
			return e, nil
		}
	}
	if isHex(prefix) {
		if e, err := s.searchID(index, prefix); err != nil || e.Digest != "" {
			return e, err
		}
	}
	return entry{}, &NotFoundError{Name: ref, Near: index.nearest(ref)}
}

// searchName looks for a name, or for a digest if the name has one. short: it was written without a registry.
func (i *index) searchName(name Name, short bool) (entry, bool) {
	if name.Digest != "" {
		byDigest := Name{Registry: name.Registry, Repository: name.Repository, Digest: name.Digest}.String()
		if e, found := i.first(func(e entry) bool { return e.Annotations.Name == byDigest }); found {
			return e, true // also that of an index of several platforms
		}
		return i.first(func(e entry) bool { return e.Digest == name.Digest })
	}
	if short {
		builtin := name.Builtin().String()
		if e, found := i.first(func(e entry) bool { return e.Annotations.Name == builtin }); found {
			return e, true
		}
	}
	full := name.String()
	return i.first(func(e entry) bool { return e.Annotations.Name == full })
}

func (i *index) first(is func(entry) bool) (entry, bool) {
	if n := slices.IndexFunc(i.Manifests, is); n >= 0 {
		return i.Manifests[n], true
	}
	return entry{}, false
}

// searchID looks for an image whose ID, or whose manifest's digest, begins with prefix. No such image is no error.
func (s *Store) searchID(index *index, prefix string) (entry, error) {
	found := map[string]entry{} // by ID
	for _, e := range index.Manifests {
		id, _, err := s.identify(e)
		if err != nil {
			return entry{}, err
		}
		if strings.HasPrefix(id, sha256Prefix+prefix) || strings.HasPrefix(e.Digest, sha256Prefix+prefix) {
			found[id] = e
		}
	}
	ids := slices.Sorted(maps.Keys(found))
	switch len(ids) {
	case 0:
		return entry{}, nil
	case 1:
		return found[ids[0]], nil
	}
	return entry{}, &AmbiguousError{Prefix: prefix, IDs: ids}
}

// nearest are names in the index that may have been meant.
func (i *index) nearest(ref string) []string {
	var names []string
	for _, e := range i.Manifests {
		if name := e.Annotations.Name; name != "" {
			names = append(names, strings.TrimSuffix(familiar(name), ":latest"))
		}
	}
	return Nearest(strings.TrimSuffix(ref, ":latest"), names)
}

// Nearest picks at most three of names that a person may have meant by ref, the nearest first: a slip of the keys, a
// forgotten tag, or a forgotten registry.
func Nearest(ref string, names []string) []string {
	asked := repositoryOf(ref)
	distance := func(name string) int {
		repository := repositoryOf(name)
		if strings.HasSuffix(repository, "/"+asked) {
			return 1
		}
		return min(editDistance(ref, name), editDistance(asked, repository)+1)
	}
	near := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return distance(name) > 1+len(asked)/3 })
	slices.SortFunc(near, func(a, b string) int { return cmp.Or(distance(a)-distance(b), strings.Compare(a, b)) })
	return near[:min(3, len(near))]
}

// repositoryOf is a name without its tag and digest.
func repositoryOf(name string) string {
	name, _, _ = strings.Cut(name, "@")
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		name = name[:colon]
	}
	return name
}

// editDistance counts the insertions, deletions, replacements and swaps of neighbours that turn a into b.
func editDistance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replace := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
