package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"sandbox/kernel"
)

// maxLayers is more than any image has; overlayfs stacks 500.
const maxLayers = 500

const knownTypes = "images of OCI's and of Docker's types (schema 2) are known here; layers are tar archives, plain or compressed by gzip or zstd"

// ParseManifest reads an image's manifest, OCI's or Docker's schema 2. What is something else is refused with its name.
func ParseManifest(data []byte) (*v1.Manifest, error) {
	var m struct {
		v1.Manifest
		Manifests []json.RawMessage `json:"manifests"` // an index has these
		FSLayers  []json.RawMessage `json:"fsLayers"`  // schema 1
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("the manifest is no valid JSON: %w", err)
	}
	switch {
	case m.SchemaVersion == 1 || m.FSLayers != nil:
		return nil, kernel.Advise(errors.New("the manifest is of Docker's schema 1, which nobody has written since 2017"), "have the image pushed again, by a newer program")
	case m.MediaType.IsIndex() || m.Manifests != nil:
		return nil, fmt.Errorf("an index of several manifests, where the manifest of one image was expected")
	case m.SchemaVersion != 2:
		return nil, fmt.Errorf("unknown version of the manifest: schemaVersion %d", m.SchemaVersion)
	case m.MediaType != "" && !m.MediaType.IsImage():
		return nil, kernel.Advise(fmt.Errorf("unknown type of manifest %q", m.MediaType), knownTypes)
	case m.Config.MediaType != types.OCIConfigJSON && m.Config.MediaType != types.DockerConfigJSON:
		return nil, kernel.Advise(fmt.Errorf("the manifest is not that of a container image, but of %q", m.Config.MediaType),
			"what it is of, the program that made it knows: it cannot be run")
	case len(m.Layers) > maxLayers:
		return nil, fmt.Errorf("the image has %d layers: more than %d cannot be stacked", len(m.Layers), maxLayers)
	}
	for _, blob := range append([]v1.Descriptor{m.Config}, m.Layers...) {
		if blob.Digest.Algorithm != "sha256" || len(blob.Digest.Hex) != 64 {
			return nil, fmt.Errorf("the manifest names a blob without a SHA-256 digest: %q", blob.Digest)
		}
	}
	for _, l := range m.Layers {
		if !l.MediaType.IsLayer() {
			return nil, kernel.Advise(fmt.Errorf("unknown type of layer %q", l.MediaType), knownTypes)
		}
		if !l.MediaType.IsDistributable() {
			return nil, fmt.Errorf("layer %s may not be distributed, and is to be fetched elsewhere (%q)", l.Digest, l.MediaType)
		}
	}
	return &m.Manifest, nil
}

// RawManifest is an image's manifest as it was written.
func (s *Store) RawManifest(img *Image) ([]byte, error) { return os.ReadFile(s.blobPath(img.Digest)) }

// RawConfig is an image's configuration as it was written: the bytes that its ID is the digest of.
func (s *Store) RawConfig(img *Image) ([]byte, error) { return os.ReadFile(s.blobPath(img.ID)) }

// Manifest is an image's manifest.
func (s *Store) Manifest(img *Image) (*v1.Manifest, error) {
	m := &v1.Manifest{}
	return m, s.readBlob(img.Digest, m)
}

// ConfigFile is an image's whole configuration, with its history.
func (s *Store) ConfigFile(img *Image) (*v1.ConfigFile, error) {
	c := &v1.ConfigFile{}
	return c, s.readBlob(img.ID, c)
}

// OpenBlob opens a blob: a layer as the manifest has it.
func (s *Store) OpenBlob(digest v1.Hash) (*os.File, error) {
	return os.Open(s.blobPath(digest.String()))
}
