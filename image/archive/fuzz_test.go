package archive

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"sandbox/image"
	"sandbox/image/layer/tartest"
)

// FuzzLoad: whatever comes as an archive of images, in a stream or as a file, either its images are in the store and can be
// saved, or nothing of it is.
func FuzzLoad(f *testing.F) {
	f.Add(tartest.Archive(f, tartest.File("manifest.json", "[null]")))
	f.Add(tartest.Archive(f, tar.Header{Typeflag: tar.TypeSymlink, Name: "index.json", Linkname: "index.json"}))
	f.Add([]byte("no archive"))
	f.Add(savedArchive(f))
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 1<<16 {
			t.Skip("longer than it need be")
		}
		store := &image.Store{Dir: t.TempDir()}
		file := filepath.Join(t.TempDir(), "archive")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		streamed, streamErr := Load(t.Context(), store, bytes.NewReader(content), LoadOptions{})
		checkStore(t, store, streamed, streamErr)
		inPlace, placeErr := Load(t.Context(), &image.Store{Dir: t.TempDir()}, in, LoadOptions{})
		if len(streamed) != len(inPlace) || (streamErr == nil) != (placeErr == nil) {
			t.Errorf("streamed: %d images, %v; in place: %d, %v", len(streamed), streamErr, len(inPlace), placeErr)
		}
	})
}

// savedArchive is what Save writes of a small image.
func savedArchive(f *testing.F) []byte {
	store := &image.Store{Dir: f.TempDir()}
	name, err := image.ParseName("some:1")
	if err != nil {
		f.Fatal(err)
	}
	layer := tartest.Archive(f, tartest.Dir("d"), tartest.File("d/f", "x"))
	if _, err := Import(f.Context(), store, bytes.NewReader(layer), ImportOptions{Names: []image.Name{name}}); err != nil {
		f.Fatal(err)
	}
	var out bytes.Buffer
	if err := Save(f.Context(), store, &out, []string{"some:1"}, SaveOptions{}); err != nil {
		f.Fatal(err)
	}
	return out.Bytes()
}

func checkStore(t *testing.T, store *image.Store, loaded []Loaded, err error) {
	t.Helper()
	images, listErr := store.List()
	if listErr != nil {
		t.Fatalf("the store is damaged: %v", listErr)
	}
	if err == nil && len(images) == 0 {
		t.Error("neither an image nor an error")
	}
	for _, img := range images {
		if err := Save(t.Context(), store, &bytes.Buffer{}, []string{img.ID}, SaveOptions{}); err != nil {
			t.Errorf("an image that was loaded cannot be saved: %v", err)
		}
	}
	if err != nil && len(loaded) == 0 && len(images) > 0 {
		t.Errorf("an error, %v, and yet images", err)
	}
	if left, _ := os.ReadDir(filepath.Join(store.Dir, "staging")); len(left) > 0 {
		t.Errorf("left in staging: %v", left)
	}
}
