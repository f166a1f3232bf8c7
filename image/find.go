package image

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
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
	err := s.reading(func(index *v1.IndexManifest) error {
		digest, err := s.search(index, ref)
		if err != nil {
			return err
		}
		img, err = s.load(index, digest)
		return err
	})
	if err != nil {
		return nil, err
	}
	return img, nil
}

// search finds the digest of the manifest that ref means.
func (s *Store) search(index *v1.IndexManifest, ref string) (v1.Hash, error) {
	prefix := strings.TrimPrefix(ref, "sha256:")
	name, err := ParseName(ref)
	if err != nil && !isHex(prefix) {
		return v1.Hash{}, err
	}
	if err == nil {
		if digest, found := searchName(index, name, !strings.Contains(ref, "/")); found {
			return digest, nil
		}
	}
	if isHex(prefix) {
		if digest, err := s.searchID(index, prefix); err != nil || digest.Hex != "" {
			return digest, err
		}
	}
	return v1.Hash{}, &NotFoundError{Name: ref, Near: nearestNames(index, ref)}
}

// searchName looks for a name, or for a digest if the name has one.
func searchName(index *v1.IndexManifest, name Name, short bool) (v1.Hash, bool) {
	if name.Digest != "" {
		for _, d := range index.Manifests {
			if d.Digest.String() == name.Digest {
				return d.Digest, true
			}
		}
		return v1.Hash{}, false
	}
	candidates := []string{name.String()}
	if short {
		candidates = []string{name.Builtin().String(), name.String()}
	}
	for _, candidate := range candidates {
		for _, d := range index.Manifests {
			if d.Annotations[refName] == candidate {
				return d.Digest, true
			}
		}
	}
	return v1.Hash{}, false
}

// searchID looks for an image whose ID, or else whose manifest's digest, begins with prefix. No such image is no error.
func (s *Store) searchID(index *v1.IndexManifest, prefix string) (v1.Hash, error) {
	ids := map[string]v1.Hash{} // image ID or digest to manifest
	for _, d := range index.Manifests {
		if strings.HasPrefix(d.Digest.Hex, prefix) {
			ids[d.Digest.Hex] = d.Digest
			continue
		}
		var manifest v1.Manifest
		if err := s.readBlob(d.Digest, &manifest); err != nil {
			return v1.Hash{}, err
		}
		if id := manifest.Config.Digest.Hex; strings.HasPrefix(id, prefix) {
			ids[id] = d.Digest
		}
	}
	if len(ids) > 1 {
		e := &AmbiguousError{Prefix: prefix}
		for id := range ids {
			e.IDs = append(e.IDs, "sha256:"+id)
		}
		slices.Sort(e.IDs)
		return v1.Hash{}, e
	}
	for _, digest := range ids {
		return digest, nil
	}
	return v1.Hash{}, nil
}

// nearestNames are at most three names in the index that may have been meant.
func nearestNames(index *v1.IndexManifest, ref string) []string {
	var names []string
	for _, d := range index.Manifests {
		if name := d.Annotations[refName]; name != "" {
			names = append(names, strings.TrimSuffix(familiar(name), ":latest"))
		}
	}
	return Nearest(strings.TrimSuffix(ref, ":latest"), names)
}

// Nearest picks at most three of names that a person may have meant by ref, the nearest first: a slip of the keys, a
// forgotten tag, or a forgotten registry.
func Nearest(ref string, names []string) []string {
	distance := func(name string) int {
		repository, _, _ := strings.Cut(name, ":")
		asked, _, _ := strings.Cut(ref, ":")
		if repository == asked || strings.HasSuffix(repository, "/"+asked) {
			return 1
		}
		return editDistance(ref, name)
	}
	near := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return distance(name) > max(1, len(ref)/3) })
	slices.SortFunc(near, func(a, b string) int { return cmp.Or(distance(a)-distance(b), strings.Compare(a, b)) })
	return near[:min(3, len(near))]
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
