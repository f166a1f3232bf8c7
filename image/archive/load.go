// Package archive carries images from machine to machine as single files. Two forms are about:
//
//	Docker archive   manifest.json lists images: {configuration, names, layers}, each a path in the archive
//	OCI archive      an OCI image layout packed by tar: index.json leads to manifests, they to blobs/sha256/…
//
// Save writes one archive that is both, as Docker has done since version 25: whoever knows one of the forms reads it. Load
// reads all that Docker, Podman, skopeo, umoci, BuildKit and crane write. Import makes an image of a bare tar archive.
//
// An archive lists its images wherever it likes, mostly after the layers. So Load first makes all files accessible
// (open.go), then reads what images there are (docker.go, oci.go), and then puts them into the store, one after the other,
// the layers of each at the same time.
package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"

	"sandbox/image"
	"sandbox/kernel"
)

// LoadOptions say how Load reads.
type LoadOptions struct {
	Platform *v1.Platform // which image of several; nil: this machine's
}

// Loaded is an image that has come into the store.
type Loaded struct {
	ID    string
	Names []image.Name
	Taken map[image.Name]string // names that another image had, and its ID
}

// damaged adds what to do about an archive that cannot be read.
func damaged(ctx context.Context, err error) error {
	if err == nil || kernel.CureOf(err) != "" || ctx.Err() != nil {
		return err
	}
	return kernel.Advise(err, "the archive is damaged, or is none that can be trusted: nothing of this image has been kept; get it once more")
}

// Load puts all images of an archive into the store. The archive may be compressed. If r is an *os.File that can be read
// anywhere, it is not read twice; a directory (an OCI image layout) will do, too. Whatever is wrong with an image, the ones
// before it are in the store and it is not.
func Load(ctx context.Context, store *image.Store, r io.Reader, o LoadOptions) ([]Loaded, error) {
	all, err := load(ctx, store, r, o)
	return all, damaged(ctx, err)
}

func load(ctx context.Context, store *image.Store, r io.Reader, o LoadOptions) ([]Loaded, error) {
	draft, err := store.Begin() // for its directory
	if err != nil {
		return nil, err
	}
	defer draft.Discard()
	f, err := open(ctx, r, draft)
	if err != nil {
		return nil, err
	}
	images, err := readImages(f, o.Platform)
	if err != nil {
		return nil, err
	}
	var all []Loaded
	for _, one := range images {
		loaded, err := one.add(ctx, store)
		if err != nil {
			return all, err
		}
		all = append(all, loaded)
	}
	return all, nil
}

// readImages reads both lists of images, if there are two: only index.json leads to manifests, and with them to the
// digests that registries know the images by; manifest.json has the names that everybody agrees on.
func readImages(f files, platform *v1.Platform) ([]found, error) {
	docker, dockerErr := readDocker(f)
	oci, err := readOCI(f, platform)
	var missing *missingError
	switch {
	case err == nil && dockerErr == nil:
		return merge(slices.Concat(oci, docker)), nil
	case err == nil && isMissing(dockerErr, dockerManifest):
		return oci, nil
	case dockerErr == nil && errors.As(err, &missing):
		return docker, nil // no index.json, or Docker has not got all that its index lists
	case isMissing(err, layoutIndex) && isMissing(dockerErr, dockerManifest):
		return nil, unknownArchive(f)
	case err == nil || isMissing(err, layoutIndex):
		return nil, dockerErr
	}
	return nil, err
}

func isMissing(err error, name string) bool {
	var missing *missingError
	return errors.As(err, &missing) && missing.name == name
}

// add puts one image into the store. If the store has it, it only gets the names.
func (f found) add(ctx context.Context, store *image.Store) (Loaded, error) {
	id, _ := digestOf(f.config)
	loaded := Loaded{ID: id.String(), Names: f.names, Taken: map[image.Name]string{}}
	known, err := store.Find(loaded.ID)
	if err == nil {
		loaded.Names = keepBuiltin(known, f.names)
	}
	for _, name := range loaded.Names {
		if old, err := store.Find(name.String()); err == nil && old.ID != loaded.ID {
			loaded.Taken[name] = old.ID
		}
	}
	if known == nil {
		return loaded, f.receive(ctx, store)
	}
	for _, name := range loaded.Names {
		if err := store.Tag(known, name); err != nil {
			return loaded, err
		}
	}
	return loaded, nil
}

// keepBuiltin reads a short name as that of the built-in image, if it is this one that comes back. (As any other image's, it
// is Docker Hub's.)
func keepBuiltin(known *image.Image, names []image.Name) []image.Name {
	kept := slices.Clone(names)
	for i, name := range kept {
		if builtin := name.Builtin(); isBuiltin(known, builtin) && name.Familiar() == builtin.Familiar() {
			kept[i] = builtin
		}
	}
	return kept
}

// receive reads an image's layers and commits it.
func (f found) receive(ctx context.Context, store *image.Store) error {
	draft, err := store.Begin()
	if err != nil {
		return err
	}
	defer draft.Discard()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.NumCPU())
	for i, blob := range f.layers {
		group.Go(func() error { return draft.SetLayer(i, interruptible(ctx, blob)) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	manifest := f.manifest
	if manifest == nil {
		if manifest, err = manifestOf(draft, f.config); err != nil {
			return err
		}
	}
	_, err = draft.CommitExact(manifest, f.config, f.names...)
	return err
}

// interruptible has the reading of a blob end with a context: when another layer of the image is damaged, say.
func interruptible(ctx context.Context, b image.Blob) image.Blob {
	if open := b.Open; open != nil {
		b.Open = func() (io.ReadCloser, error) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			source, err := open()
			if err != nil {
				return nil, err
			}
			return struct {
				io.Reader
				io.Closer
			}{reader{ctx, source}, source}, nil
		}
	}
	return b
}

// reader ends with a context.
type reader struct {
	ctx    context.Context
	source io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.source.Read(p)
}

// manifestOf makes the manifest that Docker's archives did without.
func manifestOf(draft *image.Draft, config []byte) ([]byte, error) {
	digest, size := digestOf(config)
	return json.Marshal(v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Layers: draft.Layers(),
		Config: v1.Descriptor{MediaType: types.OCIConfigJSON, Digest: digest, Size: size},
	})
}

func digestOf(data []byte) (v1.Hash, int64) {
	sum := sha256.Sum256(data)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}, int64(len(data))
}
