package image

import (
	"os"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Remove takes images with all their names out of the store, and what only they had. Whether a container is made of one,
// the caller knows. It works on a full disk, too.
func (s *Store) Remove(ids ...string) error {
	return s.makingRoom(func() error { return s.remove(ids) })
}

func (s *Store) remove(ids []string) error {
	if err := s.makeDirectories(); err != nil {
		return err
	}
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	index, err := s.readIndex()
	if err != nil {
		return err
	}
	gone := map[string]bool{} // manifests
	for _, id := range ids {
		found := false
		for _, e := range index.Manifests {
			if other, _, err := s.identify(e); err == nil && other == id {
				gone[e.Digest], found = true, true
			}
		}
		if !found {
			return &NotFoundError{Name: id}
		}
	}
	dir, alive, err := s.stage() // tells the next one to sweep if we are killed in the middle
	if err != nil {
		return err
	}
	defer alive.Close()
	defer os.Remove(dir)
	_, err = s.rewriteIndex(replaceFile, func(full *v1.IndexManifest) {
		full.Manifests = slices.DeleteFunc(full.Manifests, func(d v1.Descriptor) bool { return gone[d.Digest.String()] })
	})
	if err != nil {
		return err
	}
	return s.sweep()
}

// Tag gives an image one more name, and takes it from the image that had it.
func (s *Store) Tag(img *Image, name Name) error {
	return s.locked(func() error {
		if named, err := s.isNamed(img, name); named || err != nil {
			return err
		}
		found := false
		err := s.changeIndex(replaceFile, func(full *v1.IndexManifest) {
			i := slices.IndexFunc(full.Manifests, func(d v1.Descriptor) bool { return d.Digest.String() == img.Digest })
			if found = i >= 0; found {
				enter(full, full.Manifests[i], []Name{name})
			}
		})
		if err == nil && !found { // removed since it was looked up
			err = &NotFoundError{Name: img.ID}
		}
		return err
	})
}

// isNamed tells whether an image has a name already.
func (s *Store) isNamed(img *Image, name Name) (bool, error) {
	var full v1.IndexManifest
	err := s.decodeIndex(&full)
	return slices.ContainsFunc(full.Manifests, func(d v1.Descriptor) bool {
		return d.Digest.String() == img.Digest && d.Annotations[refName] == name.String()
	}), err
}

// Untag takes a name away. An image that has no other stays, without a name.
func (s *Store) Untag(name Name) error {
	return s.makingRoom(func() error {
		return s.locked(func() error {
			return s.changeIndex(replaceFile, func(full *v1.IndexManifest) { unname(full, name.String()) })
		})
	})
}

func (s *Store) locked(change func() error) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	return change()
}
