package registry

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"sandbox/image"
)

// What a layer became when it was compressed for a push is remembered in the store, in compressed/DIFFID, one small file a
// layer. It saves the next push the work: a registry can be asked whether it has a blob only by the blob's digest.

func rememberDir(store *image.Store) string { return filepath.Join(store.Dir, "compressed") }

// remember writes down what the layer was compressed to.
func remember(store *image.Store, diffID v1.Hash, blob v1.Descriptor) error {
	dir := rememberDir(store)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	forget(store)
	data, err := json.Marshal(v1.Descriptor{MediaType: blob.MediaType, Size: blob.Size, Digest: blob.Digest})
	if err != nil {
		return err
	}
	return replacePrivate(filepath.Join(dir, diffID.Hex), data, false) // lost with the power, it is worked out again
}

// remembered is what a layer was compressed to. A file that says nothing useful is as good as none.
func remembered(store *image.Store, diffID v1.Hash) (v1.Descriptor, bool) {
	var blob v1.Descriptor
	data, err := os.ReadFile(filepath.Join(rememberDir(store), diffID.Hex))
	if err != nil || json.Unmarshal(data, &blob) != nil {
		return blob, false
	}
	return blob, blob.Digest.Algorithm == "sha256" && len(blob.Digest.Hex) == 64 && blob.Size > 0 && blob.MediaType.IsLayer()
}

// forget drops the notes on layers that the store does not have any more: plain archives are kept under their DiffID.
func forget(store *image.Store) {
	files, err := os.ReadDir(rememberDir(store))
	if err != nil {
		return
	}
	for _, file := range files {
		if len(file.Name()) != 64 {
			continue // another push is writing it
		}
		layer, err := store.OpenBlob(v1.Hash{Algorithm: "sha256", Hex: file.Name()})
		if errors.Is(err, os.ErrNotExist) {
			os.Remove(filepath.Join(rememberDir(store), file.Name())) // once more next time, if it cannot be now
			continue
		}
		if err == nil {
			layer.Close()
		}
	}
}
