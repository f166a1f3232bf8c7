package image

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// A draft that builds on layers of the store pins them: it lists them in a file in its staging directory, which whoever
// removes images reads. Otherwise `rmi` of the base image in the middle of a build would take them away.
const pinFile = "keep" // in a staging directory: a digest a line, of blobs and of unpacked layers ("diff sha256:…")

const pinnedLayer = "diff "

// pin protects the layers from removal for as long as the draft lives. The store is locked.
func (d *Draft) pin(layers ...staged) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var lines strings.Builder
	for _, l := range layers {
		for _, line := range []string{l.blob.Digest.String(), pinnedLayer + l.diffID.String()} {
			if !d.kept[line] {
				d.kept[line] = true
				lines.WriteString(line + "\n")
			}
		}
	}
	if lines.Len() == 0 {
		return nil
	}
	file, err := os.OpenFile(filepath.Join(d.dir, pinFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.WriteString(lines.String())
	return err
}

// pinAll pins the draft's layers, which are those of img, if it is still there.
func (d *Draft) pinAll(img *Image) error {
	unlock, err := d.store.lock()
	if err != nil {
		return err
	}
	defer unlock()
	for _, digest := range append([]string{img.ID}, img.Digest) {
		if _, err := os.Stat(d.store.blobPath(digest)); err != nil {
			return fmt.Errorf("image %s was removed in the meantime", img.ID)
		}
	}
	return d.pin(d.layers...)
}

// pinKnown looks for a layer in the store and pins it: one with the blob that was announced, unpacked.
func (d *Draft) pinKnown(b Blob) (l staged, found bool, err error) {
	if b.Digest == (v1.Hash{}) {
		return l, false, nil
	}
	unlock, err := d.store.lock()
	if err != nil {
		return l, false, err
	}
	defer unlock()
	if _, err := os.Lstat(d.store.blobPath(b.Digest.String())); err != nil {
		return l, false, nil // which most are: no manifest needs to be read for that
	}
	index, err := d.store.readIndex()
	if err != nil {
		return l, false, err
	}
	for _, e := range index.Manifests {
		if l, found = d.store.findLayer(e, d.manifest(e), b); found {
			return l, true, d.pin(l)
		}
	}
	return l, false, nil
}

// manifest reads a manifest once for all the draft's layers; one that cannot be read has none. The store is locked.
func (d *Draft) manifest(e entry) *v1.Manifest {
	known := d.manifests[e.Digest]
	if known == nil {
		known = &v1.Manifest{}
		if d.store.readBlob(e.Digest, known) != nil {
			known = &v1.Manifest{}
		}
		d.manifests[e.Digest] = known
	}
	return known
}

// findLayer looks for a blob among the layers of one image. One that cannot be read has none.
func (s *Store) findLayer(e entry, manifest *v1.Manifest, b Blob) (l staged, found bool) {
	for i, blob := range manifest.Layers {
		if blob.Digest != b.Digest {
			continue
		}
		var config configuration
		if s.readBlob(manifest.Config.Digest.String(), &config) != nil || i >= len(config.RootFS.DiffIDs) {
			return l, false
		}
		diffID, err := v1.NewHash(config.RootFS.DiffIDs[i])
		if err != nil || b.DiffID != (v1.Hash{}) && b.DiffID != diffID {
			return l, false
		}
		for _, path := range []string{s.blobPath(blob.Digest.String()), filepath.Join(s.LayerDir(), layerName(diffID.String()))} {
			if _, err := os.Lstat(path); err != nil {
				return l, false
			}
		}
		if b.MediaType != "" {
			blob.MediaType = b.MediaType
		}
		return staged{blob: blob, diffID: diffID, size: e.layerSize(i, blob.Size)}, true
	}
	return l, false
}

// readPins adds what the drafts of living processes rely on.
func (s *Store) readPins(r *reachable) error {
	files, err := filepath.Glob(filepath.Join(s.stagingDir(), "*", pinFile))
	for _, path := range files {
		if err := r.addPins(path); err != nil {
			return err
		}
	}
	return err
}

func (r *reachable) addPins(path string) error {
	file, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil // the draft has just ended
	}
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if diffID, found := strings.CutPrefix(lines.Text(), pinnedLayer); found {
			r.layers[layerName(diffID)] = diffID
		} else {
			r.blobs[strings.TrimPrefix(lines.Text(), sha256Prefix)] = true
		}
	}
	return lines.Err()
}
