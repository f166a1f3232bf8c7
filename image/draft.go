package image

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sandbox/image/layer"
	"strconv"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sys/unix"
)

// Draft is an image on its way into the store. Nobody sees anything of it before Commit; then all of it is there.
//
//	AddLayer  the archive goes to staging/…/0.tar and, unpacked, to staging/…/0/ (both at once, hashed on the way)
//	Commit    under the store's lock: archives, configuration and manifest are renamed into blobs/, directories into
//	          layers/, and last a new index.json takes the place of the old one
//
// A draft holds a lock on its staging directory for as long as its process lives; that is how others tell it from what a
// killed process left.
type Draft struct {
	store  *Store
	dir    string
	alive  *os.File
	layers []v1.Descriptor // Digest is the DiffID as well: the archives are not compressed
}

// Begin starts to add an image. Call Discard in the end, in any case.
func (s *Store) Begin() (*Draft, error) {
	if err := s.makeDirectories(); err != nil {
		return nil, err
	}
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := s.initLayout(); err != nil {
		return nil, err
	}
	_ = s.sweep() // what cannot be swept now does not hinder a new image; Repair tells
	dir, err := os.MkdirTemp(s.stagingDir(), "")
	if err != nil {
		return nil, err
	}
	alive, err := lockDirectory(dir, true)
	if err != nil {
		return nil, err
	}
	return &Draft{store: s, dir: dir, alive: alive}, nil
}

// makeDirectories makes what a store consists of. Only its owner may enter: an image may hold set-user-ID programs, which
// must not be within reach of the machine's other users.
func (s *Store) makeDirectories() error {
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return fmt.Errorf("cannot make the image store: %w", err)
	}
	for _, dir := range []string{s.layoutDir(), s.LayerDir(), s.stagingDir(), s.blobDir()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("cannot make the image store: %w", err)
		}
	}
	return nil
}

// initLayout writes the two files that make a directory an OCI image layout.
func (s *Store) initLayout() error {
	path := filepath.Join(s.layoutDir(), "oci-layout")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := s.changeIndex(func(*v1.IndexManifest) {}); err != nil {
		return err
	}
	return replaceFile(path, []byte(`{"imageLayoutVersion":"1.0.0"}`))
}

// AddLayer reads a tar archive to its end: the image's next layer, above the ones before. It returns the layer's DiffID.
func (d *Draft) AddLayer(archive io.Reader) (v1.Hash, error) {
	number := strconv.Itoa(len(d.layers))
	dir := filepath.Join(d.dir, number)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return v1.Hash{}, err
	}
	blob, err := os.OpenFile(dir+".tar", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return v1.Hash{}, err
	}
	defer blob.Close()
	digest := sha256.New()
	stream := bufio.NewReaderSize(io.TeeReader(archive, io.MultiWriter(blob, digest)), 1<<18)
	if err := layer.Unpack(stream, dir); err != nil {
		return v1.Hash{}, err
	}
	if _, err := io.Copy(io.Discard, stream); err != nil { // what comes after the archive's end is hashed too
		return v1.Hash{}, err
	}
	size, err := blob.Seek(0, io.SeekCurrent)
	if err != nil {
		return v1.Hash{}, err
	}
	diffID := v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(digest.Sum(nil))}
	d.layers = append(d.layers, v1.Descriptor{MediaType: types.OCIUncompressedLayer, Size: size, Digest: diffID})
	return diffID, nil
}

// Commit puts the image into the store under some names, which it takes from the images that had them. It fills in the
// configuration's list of layers.
func (d *Draft) Commit(config v1.ConfigFile, names ...Name) (*Image, error) {
	config.RootFS = v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{}}
	manifest := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Layers: []v1.Descriptor{}}
	size := int64(0)
	for _, layer := range d.layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, layer.Digest)
		manifest.Layers = append(manifest.Layers, layer)
		size += layer.Size
	}
	var err error
	if manifest.Config, err = d.stageJSON(config, types.OCIConfigJSON); err != nil {
		return nil, err
	}
	image, err := d.stageJSON(manifest, types.OCIManifestSchema1)
	if err != nil {
		return nil, err
	}
	image = annotated(image, idAnnotation, manifest.Config.Digest.String())
	image = annotated(image, sizeAnnotation, strconv.FormatInt(size, 10))
	if err := d.publish(manifest.Config, image, names); err != nil {
		return nil, fmt.Errorf("cannot put the image into the store: %w", err)
	}
	return d.store.Find(manifest.Config.Digest.String())
}

// publish moves the draft into the store; the index comes last.
func (d *Draft) publish(config, image v1.Descriptor, names []Name) error {
	// Before an index names the image the disk has it: after a power cut it is whole or not there.
	if err := unix.Syncfs(int(d.alive.Fd())); err != nil {
		return err
	}
	unlock, err := d.store.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := d.moveLayers(); err != nil {
		return err
	}
	for _, blob := range []v1.Descriptor{config, image} {
		if err := d.moveBlob(blob.Digest.Hex, blob); err != nil {
			return err
		}
	}
	return d.store.changeIndex(func(full *v1.IndexManifest) { enter(full, image, names) })
}

// stageJSON writes a JSON blob into the staging directory, under its digest.
func (d *Draft) stageJSON(content any, mediaType types.MediaType) (v1.Descriptor, error) {
	data, err := json.Marshal(content)
	if err != nil {
		return v1.Descriptor{}, err
	}
	sum := sha256.Sum256(data)
	digest := v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
	err = os.WriteFile(filepath.Join(d.dir, digest.Hex), data, 0o600)
	return v1.Descriptor{MediaType: mediaType, Size: int64(len(data)), Digest: digest}, err
}

// moveLayers moves archives and directories into the store. A directory that is there already is this layer's only if
// an image has this layer: it could be another one whose digest begins alike (which somebody may even have brought about,
// to have their files taken for others), or what a removal was killed over.
func (d *Draft) moveLayers() error {
	s := d.store
	inStore, err := s.reachable()
	if err != nil {
		return err
	}
	for i, archive := range d.layers {
		diffID, staged := archive.Digest.String(), filepath.Join(d.dir, strconv.Itoa(i))
		if err := d.moveBlob(strconv.Itoa(i)+".tar", archive); err != nil {
			return err
		}
		name := layerName(diffID)
		target := filepath.Join(s.LayerDir(), name)
		switch known := inStore.layers[name]; known {
		case diffID:
			if _, err := os.Lstat(target); err == nil {
				continue
			}
		case "":
			if err := layer.RemoveTree(target); err != nil {
				return err
			}
		default:
			return fmt.Errorf("layer %s: the digest of another layer begins alike: %s", diffID, known)
		}
		if err := os.Rename(staged, target); err != nil {
			return err
		}
		inStore.layers[name] = diffID // an image may have the same layer twice
	}
	return nil
}

func (d *Draft) moveBlob(staged string, blob v1.Descriptor) error {
	err := os.Rename(filepath.Join(d.dir, staged), d.store.blobPath(blob.Digest.String()))
	if errors.Is(err, fs.ErrNotExist) { // the same layer twice: it has been moved
		_, err = os.Stat(d.store.blobPath(blob.Digest.String()))
	}
	return err
}

// Discard ends a draft; what was not committed is removed.
func (d *Draft) Discard() error {
	defer d.alive.Close()
	return layer.RemoveTree(d.dir)
}
