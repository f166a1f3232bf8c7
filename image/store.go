// Package image keeps images: where they are, what they are called, and what is in them.
//
// An image is a stack of layers and a configuration. A layer is a tar archive; the configuration is JSON that lists the
// layers and says what a container made from them runs. Both are named by the SHA-256 of their content, so that
// whatever has the right name is the right thing. On disk:
//
//	DIR/oci/               an OCI image layout, which other tools read as it is
//	    oci-layout         its version
//	    index.json         the images: one descriptor for each name, {digest of the manifest, name}
//	    blobs/sha256/…     manifests, configurations, layers (tar archives)
//	DIR/layers/3f2a…/      each layer unpacked once, under 12 digits of its DiffID: overlayfs stacks these
//	DIR/staging/…/         images that are being added
//
// The manifest names the configuration and the layers' archives; the configuration names the layers by DiffID, the digest
// of the uncompressed archive. An image's ID is the digest of its configuration.
//
// Readers take no lock. That is safe because nothing that index.json leads to is ever changed, and index.json itself is
// replaced whole, last when an image is added (draft.go), first when one is removed (sweep.go). So whoever is killed
// leaves at worst something that nothing leads to, and the next one to add an image sweeps it out.
package image

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sandbox/image/layer"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Store is a directory of images.
type Store struct {
	Dir string
	// InUse tells whether a container is made of an image. Without it every image may be in use, and an old version of a
	// built-in image is never removed.
	InUse func(id string) bool
}

// Image is what the store knows of one image.
type Image struct {
	ID           string   // "sha256:…", the digest of the configuration
	Digest       string   // "sha256:…", the digest of the manifest: what a registry knows the image by
	Parent       string   // ID of the image that a build step went out from, if it was one
	Names        []string // as people write them: "ubuntu:22.04"; none if another image has taken its name
	Digests      []string // what registries call it: "localhost:5000/demo@sha256:…"
	Created      time.Time
	Size         int64 // bytes, of all layers, not compressed
	Config       v1.Config
	OS           string
	Architecture string
	Variant      string
	Layers       []string // directories under LayerDir, the lowest first; one that comes twice only where it is uppermost

	names []string
	sizes []int64
}

// LayerSizes are the sizes of the layers, the lowest first, not compressed, as many as the manifest has.
func (i *Image) LayerSizes() []int64 { return i.sizes }

// LayerNames are the directories of the layers that LayerSizes has the sizes of. Unlike in Layers, one that comes twice is
// there twice: images have several empty layers, which are all the same one.
func (i *Image) LayerNames() []string { return i.names }

// LayerDir is where the layers are unpacked.
func (s *Store) LayerDir() string { return filepath.Join(s.Dir, "layers") }

// IndexPath is the file that changes whenever the store does.
func (s *Store) IndexPath() string { return filepath.Join(s.Dir, "oci/index.json") }

func (s *Store) layoutDir() string  { return filepath.Join(s.Dir, "oci") }
func (s *Store) blobDir() string    { return filepath.Join(s.Dir, "oci/blobs/sha256") }
func (s *Store) stagingDir() string { return filepath.Join(s.Dir, "staging") }

func (s *Store) blobPath(digest string) string {
	return s.blobDir() + "/" + strings.TrimPrefix(digest, sha256Prefix)
}

const sha256Prefix = "sha256:"

// readBlob decodes a JSON blob.
func (s *Store) readBlob(digest string, into any) error {
	data, err := os.ReadFile(s.blobPath(digest))
	if err != nil {
		return fmt.Errorf("image is incomplete: %w", err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("damaged image: %s: %w", s.blobPath(digest), err)
	}
	return nil
}

// configuration is what Find needs of an image's configuration. History, the bulk of it, is skipped.
type configuration struct {
	Created      time.Time `json:"created"`
	OS           string    `json:"os"`
	Architecture string    `json:"architecture"`
	Variant      string    `json:"variant"`
	Config       v1.Config `json:"config"`
	RootFS       struct {
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
}

// load reads the image that an entry of the index leads to.
func (s *Store) load(index *index, e entry) (*Image, error) {
	id, size, err := s.identify(e)
	if err != nil {
		return nil, err
	}
	var config configuration
	if err := s.readBlob(id, &config); err != nil {
		return nil, err
	}
	img := &Image{
		ID: id, Digest: e.Digest, Parent: e.Annotations.Parent, Size: size, Created: config.Created, Config: config.Config,
		OS: config.OS, Architecture: config.Architecture, Variant: config.Variant,
	}
	img.Names, img.Digests = s.namesOf(index, id)
	for i, diffID := range config.RootFS.DiffIDs {
		name := layerName(diffID)
		// overlayfs refuses the same directory twice, and nothing of the lower one would be seen.
		img.Layers = append(slices.DeleteFunc(img.Layers, func(l string) bool { return l == name }), name)
		img.names, img.sizes = append(img.names, name), append(img.sizes, e.layerSize(i, 0))
	}
	return img, nil
}

// layerName is short because the options of a mount must fit into a page: 127 names of 64 digits would not.
func layerName(diffID string) string {
	hex := strings.TrimPrefix(diffID, sha256Prefix)
	return hex[:min(12, len(hex))]
}

// List returns all images, the newest first. If one cannot be read, it returns the others and an error.
func (s *Store) List() ([]*Image, error) {
	var images []*Image
	err := s.reading(func(index *index) error {
		images = nil
		seen, at := map[string]bool{}, map[string]int{} // manifests; images by ID
		var problems error
		for _, e := range index.Manifests {
			if seen[e.Digest] {
				continue
			}
			seen[e.Digest] = true
			img, err := s.load(index, e)
			if err != nil {
				problems = errors.Join(problems, err)
				continue
			}
			if i, known := at[img.ID]; !known {
				at[img.ID] = len(images)
				images = append(images, img)
			} else if e.Annotations.Name != "" && !index.hasName(images[i].Digest) {
				images[i] = img
			}
		}
		return problems
	})
	slices.SortFunc(images, func(a, b *Image) int {
		return cmp.Or(b.Created.Compare(a.Created), strings.Compare(strings.Join(a.Names, " "), strings.Join(b.Names, " ")))
	})
	return images, err
}

// Lookup opens a regular file of a container's root file system as overlayfs shows it (layer.Open): upper is the
// container's own layer ("" for none), layers are names under LayerDir, the lowest first.
func (s *Store) Lookup(layers []string, upper, path string) (*os.File, error) {
	return layer.Open(s.Stack(layers, upper), path)
}

// Stack lists the directories of a root file system, the uppermost first.
func (s *Store) Stack(layers []string, upper string) []string {
	var dirs []string
	if upper != "" {
		dirs = append(dirs, upper)
	}
	for _, name := range slices.Backward(layers) {
		dirs = append(dirs, filepath.Join(s.LayerDir(), name))
	}
	return dirs
}
