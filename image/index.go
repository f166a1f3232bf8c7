package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Annotations of a descriptor in index.json. The first is the OCI image spec's (annotations.md); the others save a reader
// the way through the manifest. Descriptors that another tool has written do without them.
const (
	refName          = "org.opencontainers.image.ref.name"
	idAnnotation     = "sandbox.image.id"     // digest of the configuration
	sizeAnnotation   = "sandbox.image.size"   // of all layers, not compressed
	sizesAnnotation  = "sandbox.image.sizes"  // of each layer, the lowest first, separated by blanks
	parentAnnotation = "sandbox.image.parent" // ID of the image that a build step went out from
)

// index is what readers need of index.json. Decoding the whole of it (v1.IndexManifest) takes a fresh process twice as
// long, and every `sandbox run` is one.
type index struct {
	Manifests []entry `json:"manifests"`
}

// entry is one name of one image, or an image without a name.
type entry struct {
	Digest      string `json:"digest"` // of the manifest
	Annotations struct {
		Name   string `json:"org.opencontainers.image.ref.name"`
		ID     string `json:"sandbox.image.id"`
		Size   string `json:"sandbox.image.size"`
		Sizes  string `json:"sandbox.image.sizes"`
		Parent string `json:"sandbox.image.parent"`
	} `json:"annotations"`
}

func (s *Store) readIndex() (*index, error) {
	i := &index{}
	return i, s.decodeIndex(i)
}

// decodeIndex decodes index.json; a store that does not exist yet has no images.
func (s *Store) decodeIndex(into any) error {
	data, err := os.ReadFile(s.IndexPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot read the list of images: %w", err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("damaged list of images %s: %w", s.IndexPath(), err)
	}
	return nil
}

// reading calls f with the index. An image may be removed while f follows the index to it; then a newer index, without
// that image, is read.
func (s *Store) reading(f func(*index) error) error {
	var err error
	for range 3 {
		index, readErr := s.readIndex()
		if readErr != nil {
			return readErr
		}
		if err = f(index); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}

// identify returns the ID and the size of the image that an entry leads to.
func (s *Store) identify(e entry) (id string, size int64, err error) {
	size, err = strconv.ParseInt(e.Annotations.Size, 10, 64)
	if id = e.Annotations.ID; id != "" && err == nil {
		return id, size, nil
	}
	var manifest v1.Manifest
	if err := s.readBlob(e.Digest, &manifest); err != nil {
		return "", 0, err
	}
	for _, layer := range manifest.Layers {
		size += layer.Size
	}
	return manifest.Config.Digest.String(), size, nil
}

// layerSize is the size of layer i, not compressed; otherwise is what is known if nobody has written it down.
func (e entry) layerSize(i int, otherwise int64) int64 {
	sizes := strings.Fields(e.Annotations.Sizes)
	if i < len(sizes) {
		if size, err := strconv.ParseInt(sizes[i], 10, 64); err == nil {
			return size
		}
	}
	return otherwise
}

// namesOf lists the names of an image, as people write them: those with a tag, and those with a digest by which it was
// pulled or pushed. An image may have several manifests (its layers came compressed from a registry, plain in an archive):
// the names of all of them are its.
func (s *Store) namesOf(i *index, id string) (tags, digests []string) {
	for _, e := range i.Manifests {
		name := e.Annotations.Name
		if name == "" {
			continue
		}
		other, _, err := s.identify(e)
		switch {
		case err != nil || other != id: // one that cannot be read is told of by List
		case strings.Contains(name, "@"):
			digests = append(digests, familiar(name))
		default:
			tags = append(tags, familiar(name))
		}
	}
	slices.Sort(tags)
	slices.Sort(digests)
	return tags, digests
}

// hasName: the manifest itself has one.
func (i *index) hasName(digest string) bool {
	_, found := i.first(func(e entry) bool { return e.Digest == digest && e.Annotations.Name != "" })
	return found
}

// changeIndex rewrites index.json, and sweeps out what nothing leads to any more. The store is locked.
func (s *Store) changeIndex(replace replacement, change func(*v1.IndexManifest)) error {
	dropped, err := s.rewriteIndex(replace, change)
	if err == nil && dropped {
		_ = s.sweep() // what cannot be removed now, the next one removes
	}
	return err
}

// rewriteIndex rewrites index.json, keeping what other tools have put there. It tells whether a manifest is out of it now,
// so that there is something to sweep. The store is locked.
func (s *Store) rewriteIndex(replace replacement, change func(*v1.IndexManifest)) (dropped bool, err error) {
	full := &v1.IndexManifest{SchemaVersion: 2, MediaType: "application/vnd.oci.image.index.v1+json", Manifests: []v1.Descriptor{}}
	if err := s.decodeIndex(full); err != nil {
		return false, err
	}
	before := slices.Clone(full.Manifests)
	change(full)
	data, err := json.Marshal(full)
	if err != nil {
		return false, err
	}
	dropped = slices.ContainsFunc(before, func(d v1.Descriptor) bool { return !has(full, d.Digest) })
	return dropped, replace(s.IndexPath(), data)
}

// enter puts an image into the index. The one that had a name before stays, without it: containers may be made of it.
func enter(full *v1.IndexManifest, image v1.Descriptor, names []Name) {
	for _, name := range names {
		unname(full, name.String())
	}
	full.Manifests = slices.DeleteFunc(full.Manifests, func(d v1.Descriptor) bool {
		return d.Digest == image.Digest && d.Annotations[refName] == "" // it gets a name, or is entered anew
	})
	for _, name := range names {
		full.Manifests = append(full.Manifests, annotated(image, refName, name.String()))
	}
	if !has(full, image.Digest) {
		full.Manifests = append(full.Manifests, image)
	}
	// Another manifest of the same image that has lost its last name to this one is of no use any more.
	id := image.Annotations[idAnnotation]
	full.Manifests = slices.DeleteFunc(full.Manifests, func(d v1.Descriptor) bool {
		return len(names) > 0 && id != "" && d.Annotations[idAnnotation] == id && d.Digest != image.Digest && d.Annotations[refName] == ""
	})
}

// unname takes a name away from the image that has it. An image that has no other stays in the index, without a name; one
// of several manifests of an image does not.
func unname(full *v1.IndexManifest, name string) {
	i := slices.IndexFunc(full.Manifests, func(d v1.Descriptor) bool { return d.Annotations[refName] == name })
	if i < 0 {
		return
	}
	d := full.Manifests[i]
	full.Manifests = slices.Delete(full.Manifests, i, i+1)
	if !has(full, d.Digest) && !hasImage(full, d.Annotations[idAnnotation]) {
		full.Manifests = append(full.Manifests, annotated(d, refName, ""))
	}
}

func has(full *v1.IndexManifest, digest v1.Hash) bool {
	return slices.ContainsFunc(full.Manifests, func(d v1.Descriptor) bool { return d.Digest == digest })
}

// hasImage tells whether a manifest of the image with an ID is there.
func hasImage(full *v1.IndexManifest, id string) bool {
	return id != "" && slices.ContainsFunc(full.Manifests, func(d v1.Descriptor) bool { return d.Annotations[idAnnotation] == id })
}

// annotated returns a copy of a descriptor with an annotation set, or taken away if the value is empty.
func annotated(d v1.Descriptor, key, value string) v1.Descriptor {
	d.Annotations = maps.Clone(d.Annotations)
	if d.Annotations == nil {
		d.Annotations = map[string]string{}
	}
	d.Annotations[key] = value
	if value == "" {
		delete(d.Annotations, key)
	}
	return d
}
