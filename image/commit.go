package image

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sys/unix"

	"sandbox/image/layer"
)

// Commit puts the image into the store under some names, which it takes from the images that had them. It fills in the
// configuration's list of layers.
func (d *Draft) Commit(config v1.ConfigFile, names ...Name) (*Image, error) {
	config.RootFS = v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{}}
	manifest := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Layers: []v1.Descriptor{}}
	for _, l := range d.layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, l.diffID)
		manifest.Layers = append(manifest.Layers, l.blob)
	}
	rawConfig, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	manifest.Config = describe(rawConfig, types.OCIConfigJSON)
	rawManifest, err := json.Marshal(manifest)
	if err != nil {
		return nil, err
	}
	return d.CommitExact(rawManifest, rawConfig, names...)
}

// CommitExact is Commit with a manifest and a configuration that somebody else has written, whose digests are kept. Both
// must agree with the layers.
func (d *Draft) CommitExact(manifest, config []byte, names ...Name) (*Image, error) {
	m, c, err := d.check(manifest, config)
	if err != nil {
		return nil, err
	}
	image := describe(manifest, m.MediaType)
	if image.MediaType == "" {
		image.MediaType = types.OCIManifestSchema1
	}
	size, sizes := int64(0), make([]string, len(d.layers))
	for i, l := range d.layers {
		size += l.size
		sizes[i] = strconv.FormatInt(l.size, 10)
	}
	for key, value := range map[string]string{
		idAnnotation: m.Config.Digest.String(), sizeAnnotation: strconv.FormatInt(size, 10),
		sizesAnnotation: strings.Join(sizes, " "), parentAnnotation: d.Parent,
	} {
		image = annotated(image, key, value)
	}
	image.Platform = &v1.Platform{OS: c.OS, Architecture: c.Architecture, Variant: c.Variant}
	for digest, data := range map[v1.Hash][]byte{image.Digest: manifest, m.Config.Digest: config} {
		if err := os.WriteFile(filepath.Join(d.dir, digest.Hex), data, 0o600); err != nil {
			return nil, err
		}
	}
	if err := d.publish(m.Config, image, names); err != nil {
		return nil, fmt.Errorf("cannot put the image into the store: %w", err)
	}
	return d.store.Find(m.Config.Digest.String())
}

// check holds manifest, configuration and layers against each other.
func (d *Draft) check(manifest, config []byte) (*v1.Manifest, *v1.ConfigFile, error) {
	m, err := ParseManifest(manifest)
	if err != nil {
		return nil, nil, err
	}
	c, err := v1.ParseConfigFile(bytes.NewReader(config))
	if err != nil {
		return nil, nil, fmt.Errorf("the image's configuration is no valid JSON: %w", err)
	}
	switch {
	case describe(config, "").Digest != m.Config.Digest:
		return nil, nil, fmt.Errorf("wrong content: the configuration's digest is not %s", m.Config.Digest)
	case m.Config.Size != int64(len(config)):
		return nil, nil, fmt.Errorf("wrong content: the configuration has %d bytes; the manifest says %d", len(config), m.Config.Size)
	case len(m.Layers) != len(d.layers) || len(c.RootFS.DiffIDs) != len(d.layers):
		return nil, nil, fmt.Errorf("the manifest has %d layers, the configuration %d, and %d came", len(m.Layers), len(c.RootFS.DiffIDs), len(d.layers))
	}
	for i, l := range d.layers {
		if l.blob.Digest != m.Layers[i].Digest || l.diffID != c.RootFS.DiffIDs[i] {
			return nil, nil, fmt.Errorf("wrong content: layer %d is %s with DiffID %s; manifest and configuration say %s, %s",
				i, l.blob.Digest, l.diffID, m.Layers[i].Digest, c.RootFS.DiffIDs[i])
		}
		if l.blob.Size != m.Layers[i].Size {
			return nil, nil, fmt.Errorf("wrong content: layer %s has %d bytes; the manifest says %d", l.blob.Digest, l.blob.Size, m.Layers[i].Size)
		}
	}
	return m, c, nil
}

// describe is the descriptor of some bytes.
func describe(data []byte, mediaType types.MediaType) v1.Descriptor {
	sum := sha256.Sum256(data)
	return v1.Descriptor{MediaType: mediaType, Size: int64(len(data)), Digest: v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}}
}

// publish moves the draft into the store; the index comes last.
func (d *Draft) publish(config, image v1.Descriptor, names []Name) error {
	if !d.Volatile {
		// Before an index names the image the disk has it: after a power cut it is whole or not there.
		if err := unix.Syncfs(int(d.alive.Fd())); err != nil {
			return err
		}
	}
	unlock, err := d.store.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := d.move(config, image, names); err != nil {
		_ = d.store.sweep() // what has been moved already: on a full disk its room is wanted now
		return err
	}
	return nil
}

// move moves all that the image has. The store is locked.
func (d *Draft) move(config, image v1.Descriptor, names []Name) error {
	if err := d.moveLayers(); err != nil {
		return err
	}
	for _, blob := range []v1.Descriptor{config, image} {
		if err := d.moveBlob(filepath.Join(d.dir, blob.Digest.Hex), blob); err != nil {
			return err
		}
	}
	replace := replaceFile
	if d.Volatile {
		replace = swapFile
	}
	return d.store.changeIndex(replace, func(full *v1.IndexManifest) { enter(full, image, names) })
}

// moveLayers moves archives and directories into the store. A directory that is there already is this layer's only if
// an image has this layer: it could be another one whose digest begins alike (which somebody may even have brought about,
// to have their files taken for others), or what a removal was killed over.
func (d *Draft) moveLayers() error {
	var inStore *reachable
	moved := map[string]string{}
	for _, l := range d.layers {
		if l.file != "" {
			if err := d.moveBlob(l.file, l.blob); err != nil {
				return err
			}
		}
		name, diffID := layerName(l.diffID.String()), l.diffID.String()
		if l.dir == "" || moved[name] == diffID { // an image may have the same layer twice
			continue
		}
		target := filepath.Join(d.store.LayerDir(), name)
		if _, err := os.Lstat(target); err == nil {
			if inStore == nil {
				if inStore, err = d.store.reachable(); err != nil {
					return err
				}
			}
			switch known := inStore.layers[name]; known {
			case diffID:
				continue
			case "":
				if err := layer.RemoveTree(target); err != nil {
					return err
				}
			default:
				return fmt.Errorf("layer %s: the digest of another layer begins alike: %s", diffID, known)
			}
		}
		if other := moved[name]; other != "" {
			return fmt.Errorf("layer %s: the digest of another layer begins alike: %s", diffID, other)
		}
		if err := os.Rename(l.dir, target); err != nil {
			return err
		}
		moved[name] = diffID
	}
	return nil
}

func (d *Draft) moveBlob(file string, blob v1.Descriptor) error {
	err := os.Rename(file, d.store.blobPath(blob.Digest.String()))
	if errors.Is(err, fs.ErrNotExist) { // the same layer twice: it has been moved
		_, err = os.Stat(d.store.blobPath(blob.Digest.String()))
	}
	return err
}
