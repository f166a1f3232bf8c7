package image

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"sandbox/image/layer"
)

// Draft is an image on its way into the store. Nobody sees anything of it before Commit; then all of it is there.
//
//	Begin      makes staging/…/ and locks it: that is how others tell it from what a killed process left
//	SetLayer   the archive goes to staging/…/0.blob as it comes and, unpacked, to staging/…/0/; both are hashed on the way.
//	           A layer that the store has already is not read at all: it is pinned (staging/…/keep), so that nobody who
//	           removes an image meanwhile takes it away
//	Commit     under the store's lock: blobs, configuration and manifest are renamed into blobs/, directories into layers/,
//	           and last a new index.json takes the place of the old one (commit.go)
type Draft struct {
	Parent   string // ID of the image that a build step or a commit went out from; "" for none
	Volatile bool   // do not wait for the disk: a later commit will

	store *Store
	dir   string
	alive *os.File

	mu     sync.Mutex // several layers are added at once
	layers []staged
	kept   map[string]bool // what is in the file keep

	manifests map[string]*v1.Manifest // of the store, by digest, as far as they have been read; the store's lock is theirs
}

// staged is a layer of a draft.
type staged struct {
	blob   v1.Descriptor
	diffID v1.Hash
	size   int64  // of the archive, not compressed
	dir    string // where it is unpacked; "" if it is in the store
	file   string // the blob; "" if it is in the store
}

// Blob is a layer as somebody offers it: a registry, an archive.
type Blob struct {
	MediaType types.MediaType // as the manifest has it
	Digest    v1.Hash         // of its bytes; the zero Hash if nobody has said
	DiffID    v1.Hash         // of the archive that is in it, not compressed; zero likewise
	Open      func() (io.ReadCloser, error)
	Spooled   *Spooled // instead of Open: it is in a file already
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
	s.keepReserve()
	_ = s.sweepIfNeeded() // what cannot be swept now does not hinder a new image; Repair tells
	dir, alive, err := s.stage()
	if err != nil {
		return nil, err
	}
	return &Draft{store: s, dir: dir, alive: alive, kept: map[string]bool{}, manifests: map[string]*v1.Manifest{}}, nil
}

// stage makes a staging directory and locks it. The store is locked.
func (s *Store) stage() (dir string, alive *os.File, err error) {
	if dir, err = os.MkdirTemp(s.stagingDir(), ""); err != nil {
		return "", nil, err
	}
	alive, err = LockDirectory(dir, true)
	return dir, alive, err
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
	spread(s.stagingDir())
	if err := s.changeIndex(replaceFile, func(*v1.IndexManifest) {}); err != nil {
		return err
	}
	return replaceFile(path, []byte(`{"imageLayoutVersion":"1.0.0"}`))
}

// Dir is a directory on the store's file system for the draft's maker to work in; it goes with the draft.
func (d *Draft) Dir() string { return d.dir }

// Base makes the layers of an image in the store the draft's lowest ones.
func (d *Draft) Base(img *Image) error {
	manifest, err := d.store.Manifest(img)
	if err != nil {
		return err
	}
	config, err := d.store.ConfigFile(img)
	if err != nil {
		return err
	}
	if len(manifest.Layers) != len(config.RootFS.DiffIDs) {
		return fmt.Errorf("damaged image %s: %d layers, %d DiffIDs", img.ID, len(manifest.Layers), len(config.RootFS.DiffIDs))
	}
	sizes := img.LayerSizes()
	for i, blob := range manifest.Layers {
		d.place(i, staged{blob: blob, diffID: config.RootFS.DiffIDs[i], size: sizes[i]})
	}
	return d.pinAll(img)
}

// Layers describes the blobs of the layers so far, the lowest first.
func (d *Draft) Layers() []v1.Descriptor {
	d.mu.Lock()
	defer d.mu.Unlock()
	var blobs []v1.Descriptor
	for _, l := range d.layers {
		blobs = append(blobs, l.blob)
	}
	return blobs
}

// place puts a layer where it belongs; 0 is the lowest.
func (d *Draft) place(i int, l staged) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.layers) <= i {
		d.layers = append(d.layers, staged{})
	}
	d.layers[i] = l
}

// Len is the number of layers so far.
func (d *Draft) Len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.layers)
}

// AddLayer reads an archive, compressed or not, to its end: the next layer, above the ones before. It returns its DiffID.
func (d *Draft) AddLayer(archive io.Reader) (v1.Hash, error) {
	i := d.Len()
	if err := d.SetLayer(i, Blob{Open: func() (io.ReadCloser, error) { return io.NopCloser(archive), nil }}); err != nil {
		return v1.Hash{}, err
	}
	return d.layers[i].diffID, nil
}

// SetLayer makes a blob the draft's layer number i, from 0, the lowest. Several may be set at the same time. A blob that
// is not what its digest or DiffID says is refused. If the store has it the blob is not opened.
func (d *Draft) SetLayer(i int, b Blob) error {
	if known, found, err := d.pinKnown(b); found || err != nil {
		if err == nil {
			d.place(i, known)
		}
		return err
	}
	l, err := d.receive(strconv.Itoa(i), b)
	if err != nil {
		return err
	}
	d.place(i, l)
	return nil
}

// AddDirectory makes an unpacked layer the draft's next one: a directory on the store's file system, in the form that
// overlayfs has it in (a container's upper directory, say). The directory is moved.
func (d *Draft) AddDirectory(dir string, o layer.PackOptions) (v1.Hash, error) {
	i := d.Len()
	l := staged{dir: filepath.Join(d.dir, strconv.Itoa(i)), file: filepath.Join(d.dir, strconv.Itoa(i)+".blob")}
	file, err := os.OpenFile(l.file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return v1.Hash{}, err
	}
	defer file.Close()
	sum := newCounter()
	out := bufio.NewWriterSize(io.MultiWriter(file, sum), 1<<18)
	if err = layer.Pack(out, dir, o); err == nil {
		err = out.Flush()
	}
	if err != nil {
		return v1.Hash{}, fmt.Errorf("cannot write the layer: %w", err)
	}
	if err := os.Rename(dir, l.dir); err != nil {
		return v1.Hash{}, err
	}
	l.diffID, l.size = sum.hash(), sum.size
	l.blob = v1.Descriptor{MediaType: types.OCIUncompressedLayer, Size: sum.size, Digest: l.diffID}
	d.place(i, l)
	return l.diffID, nil
}

// Discard ends a draft; what was not committed is removed.
func (d *Draft) Discard() error {
	defer d.alive.Close()
	err := layer.RemoveTree(d.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
