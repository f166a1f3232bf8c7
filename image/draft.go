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
	"slices"
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
	index, err := s.readIndex()
	if err != nil {
		return err
	}
	if err := s.writeIndex(index); err != nil {
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
	if err := unpack(stream, dir); err != nil {
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
	for _, layer := range d.layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, layer.Digest)
	}
	manifest := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Layers: slices.Clone(d.layers)}
	if manifest.Layers == nil {
		manifest.Layers = []v1.Descriptor{}
	}
	var err error
	if manifest.Config, err = d.stageJSON(config, types.OCIConfigJSON); err != nil {
		return nil, err
	}
	descriptor, err := d.stageJSON(manifest, types.OCIManifestSchema1)
	if err != nil {
		return nil, err
	}
	descriptor.Platform = &v1.Platform{OS: config.OS, Architecture: config.Architecture, Variant: config.Variant}
	if err := d.sync(); err != nil {
		return nil, err
	}
	s := d.store
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	index, err := s.readIndex()
	if err != nil {
		return nil, err
	}
	if err := d.moveLayers(index); err != nil {
		return nil, err
	}
	for _, blob := range []v1.Descriptor{manifest.Config, descriptor} {
		if err := d.moveBlob(blob.Digest.Hex, blob); err != nil {
			return nil, err
		}
	}
	enter(index, descriptor, names)
	if err := s.writeIndex(index); err != nil {
		return nil, err
	}
	return s.load(index, descriptor.Digest)
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

// sync has the disk write the draft before an index names it: after a power cut an image is whole or not there.
func (d *Draft) sync() error {
	if err := unix.Syncfs(int(d.alive.Fd())); err != nil {
		return fmt.Errorf("cannot write the image to the disk: %w", err)
	}
	return nil
}

// moveLayers moves archives and directories into the store. A directory that is there already is this layer's only if
// an image has this layer: it could be another one whose digest begins alike (which somebody may even have brought about,
// to have their files taken for others), or what a removal was killed over.
func (d *Draft) moveLayers(index *v1.IndexManifest) error {
	s := d.store
	inStore, err := s.reachable(index)
	if err != nil {
		return err
	}
	for i, layer := range d.layers {
		number, name := strconv.Itoa(i), layerName(layer.Digest)
		if err := d.moveBlob(number+".tar", layer); err != nil {
			return err
		}
		target := filepath.Join(s.LayerDir(), name)
		switch known := inStore.layers[name]; known {
		case layer.Digest:
			if _, err := os.Lstat(target); err == nil {
				continue
			}
		case v1.Hash{}:
			if err := removeTree(target); err != nil {
				return err
			}
		default:
			return fmt.Errorf("layer %s cannot be added: the digest of another layer, %s, begins alike", layer.Digest, known)
		}
		if err := os.Rename(filepath.Join(d.dir, number), target); err != nil {
			return err
		}
		inStore.layers[name] = layer.Digest // an image may have the same layer twice
	}
	return nil
}

func (d *Draft) moveBlob(staged string, blob v1.Descriptor) error {
	err := os.Rename(filepath.Join(d.dir, staged), d.store.blobPath(blob.Digest))
	if errors.Is(err, fs.ErrNotExist) { // the same layer twice: it has been moved
		_, err = os.Stat(d.store.blobPath(blob.Digest))
	}
	return err
}

// enter puts an image into the index. The one that had a name before stays, without it: containers may be made of it.
func enter(index *v1.IndexManifest, image v1.Descriptor, names []Name) {
	index.Manifests = slices.Clone(index.Manifests)
	for _, name := range names {
		unname(index, name.String())
	}
	index.Manifests = slices.DeleteFunc(index.Manifests, func(d v1.Descriptor) bool {
		return d.Digest == image.Digest && d.Annotations[refName] == "" // it gets a name, or is entered anew
	})
	named := slices.ContainsFunc(index.Manifests, func(d v1.Descriptor) bool { return d.Digest == image.Digest })
	for _, name := range names {
		d := image
		d.Annotations = map[string]string{refName: name.String()}
		index.Manifests = append(index.Manifests, d)
	}
	if len(names) == 0 && !named {
		index.Manifests = append(index.Manifests, image)
	}
}

// unname takes a name away from the image that has it, which stays in the index.
func unname(index *v1.IndexManifest, name string) {
	for i, d := range index.Manifests {
		if d.Annotations[refName] != name {
			continue
		}
		others := slices.ContainsFunc(index.Manifests, func(o v1.Descriptor) bool {
			return o.Digest == d.Digest && o.Annotations[refName] != name
		})
		if others {
			index.Manifests = slices.Delete(index.Manifests, i, i+1)
			return
		}
		index.Manifests[i].Annotations = nil
		return
	}
}

// Discard ends a draft; what was not committed is removed.
func (d *Draft) Discard() error {
	defer d.alive.Close()
	return removeTree(d.dir)
}
