package image

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"sandbox/image/layer"
	"sandbox/image/layer/tartest"
)

func sumOf(data []byte) v1.Hash {
	sum := sha256.Sum256(data)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// foreign is an image as a registry has it: compressed layers, a manifest and a configuration of its own spelling.
type foreign struct {
	manifest, config []byte
	blobs            []Blob
	opened           int
}

func makeForeign(t *testing.T, archives ...[]byte) *foreign {
	t.Helper()
	f := &foreign{}
	config := v1.ConfigFile{OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers"}}
	manifest := v1.Manifest{SchemaVersion: 2, MediaType: types.DockerManifestSchema2}
	for _, archive := range archives {
		packed := gzipped(archive)
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, sumOf(archive))
		manifest.Layers = append(manifest.Layers, v1.Descriptor{MediaType: types.DockerLayer, Size: int64(len(packed)), Digest: sumOf(packed)})
		f.blobs = append(f.blobs, Blob{MediaType: types.DockerLayer, Digest: sumOf(packed), DiffID: sumOf(archive), Open: func() (io.ReadCloser, error) {
			f.opened++
			return io.NopCloser(bytes.NewReader(packed)), nil
		}})
	}
	f.config, _ = json.MarshalIndent(config, "", "   ")
	manifest.Config = v1.Descriptor{MediaType: types.DockerConfigJSON, Size: int64(len(f.config)), Digest: sumOf(f.config)}
	f.manifest, _ = json.MarshalIndent(manifest, "", "     ")
	return f
}

func (f *foreign) add(s *Store, names ...string) (*Image, error) {
	d, err := s.Begin()
	if err != nil {
		return nil, err
	}
	defer d.Discard()
	for i := len(f.blobs) - 1; i >= 0; i-- { // in any order
		if err := d.SetLayer(i, f.blobs[i]); err != nil {
			return nil, err
		}
	}
	var parsed []Name
	for _, name := range names {
		n, err := ParseName(name)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, n)
	}
	return d.CommitExact(f.manifest, f.config, parsed...)
}

func TestForeignImageKeepsItsDigests(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	low, high := tartest.Archive(t, tartest.File("a", "1")), tartest.Archive(t, tartest.File("b", "2"))
	f := makeForeign(t, low, high)
	img, err := f.add(s, "example.org/x:1", "example.org/x@"+sumOf([]byte("an index")).String())
	if err != nil {
		t.Fatal(err)
	}
	if img.ID != sumOf(f.config).String() || img.Digest != sumOf(f.manifest).String() {
		t.Errorf("ID %s, digest %s", img.ID, img.Digest)
	}
	if raw, _ := s.RawManifest(img); !bytes.Equal(raw, f.manifest) {
		t.Error("the manifest was rewritten")
	}
	if img.Size != int64(len(low)+len(high)) || len(img.LayerSizes()) != 2 || img.LayerSizes()[1] != int64(len(high)) {
		t.Errorf("size %d, of layers %v", img.Size, img.LayerSizes())
	}
	if len(img.Names) != 1 || len(img.Digests) != 1 {
		t.Errorf("names %v, digests %v", img.Names, img.Digests)
	}
	for _, ref := range []string{"example.org/x:1", img.Digests[0], "example.org/other@" + img.Digest, img.ID[7:19]} {
		if found, err := s.Find(ref); err != nil || found.ID != img.ID {
			t.Errorf("%s: %v, %v", ref, found, err)
		}
	}
	for i, content := range []string{"1", "2"} {
		data, err := os.ReadFile(filepath.Join(s.LayerDir(), img.Layers[i], []string{"a", "b"}[i]))
		if err != nil || string(data) != content {
			t.Errorf("layer %d: %q, %v", i, data, err)
		}
	}
	checkLayout(t, s)
}

func TestKnownLayersAreNotRead(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	f := makeForeign(t, tartest.Archive(t, tartest.File("a", "1")))
	for range 2 {
		if _, err := f.add(s, "x:1"); err != nil {
			t.Fatal(err)
		}
	}
	if f.opened != 1 {
		t.Errorf("the layer was read %d times", f.opened)
	}
}

// TestManifestsAreReadOnce: not once for each layer that the store has already.
func TestManifestsAreReadOnce(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	f := makeForeign(t, tartest.Archive(t, tartest.File("a", "1")), tartest.Archive(t, tartest.File("b", "2")))
	img, err := f.add(s, "x:1")
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Discard()
	for i, blob := range f.blobs {
		if err := d.SetLayer(i, blob); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(s.blobPath(img.Digest)); err != nil {
			t.Fatal(err)
		}
	}
	if f.opened != len(f.blobs) {
		t.Errorf("%d layers were read again", f.opened-len(f.blobs))
	}
}

func TestWrongContentIsRefused(t *testing.T) {
	archive := tartest.Archive(t, tartest.File("a", "1"))
	for what, spoil := range map[string]func(*foreign){
		"digest":       func(f *foreign) { f.blobs[0].Digest = sumOf([]byte("other")) },
		"DiffID":       func(f *foreign) { f.blobs[0].DiffID = sumOf([]byte("other")) },
		"config":       func(f *foreign) { f.config = append(f.config, ' ') },
		"manifest":     func(f *foreign) { f.manifest = bytes.Replace(f.manifest, []byte(`"digest"`), []byte(`"digets"`), 1) },
		"fewer layers": func(f *foreign) { f.blobs = nil },
		"no JSON":      func(f *foreign) { f.manifest = []byte("<html>") },
		"schema 1":     func(f *foreign) { f.manifest = []byte(`{"schemaVersion":1,"fsLayers":[]}`) },
		"an index":     func(f *foreign) { f.manifest = []byte(`{"schemaVersion":2,"manifests":[]}`) },
		"cut short": func(f *foreign) {
			open := f.blobs[0].Open
			f.blobs[0].Open = func() (io.ReadCloser, error) { r, err := open(); return io.NopCloser(io.LimitReader(r, 20)), err }
		},
	} {
		s := &Store{Dir: t.TempDir()}
		f := makeForeign(t, archive)
		spoil(f)
		if _, err := f.add(s, "x:1"); err == nil {
			t.Errorf("wrong %s: no error", what)
		}
		var missing *NotFoundError
		if _, err := s.Find("x:1"); !errors.As(err, &missing) {
			t.Errorf("wrong %s: half of it is visible: %v", what, err)
		}
		checkTidy(t, s)
	}
}

// TestPinned removes the image that a draft builds on before the draft is committed.
func TestPinned(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	base := mustAdd(t, s, [][]byte{tartest.Archive(t, tartest.File("a", "1"))}, "base:1")
	d, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Discard()
	if err := d.Base(base); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(base.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.Repair(); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(d.Dir(), "new")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "b"), []byte("2"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := d.AddDirectory(dir, layer.PackOptions{}); err != nil {
		t.Fatal(err)
	}
	img, err := d.Commit(v1.ConfigFile{OS: "linux"}, Name{Registry: "docker.io", Repository: "library/child", Tag: "latest"})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := lookupText(s, img.Layers, "", "/a"), lookupText(s, img.Layers, "", "/b"); a != "1" || b != "2" {
		t.Errorf("/a: %q, /b: %q", a, b)
	}
	d.Discard()
	checkLayout(t, s)
	checkTidy(t, s)
}

func TestTagAndUntag(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	one := mustAdd(t, s, [][]byte{tartest.Archive(t, tartest.File("a", "1"))}, "one")
	two := mustAdd(t, s, [][]byte{tartest.Archive(t, tartest.File("a", "2"))}, "two")
	name, _ := ParseName("both:1")
	for _, img := range []*Image{one, two} {
		if err := s.Tag(img, name); err != nil {
			t.Fatal(err)
		}
	}
	found, err := s.Find("both:1")
	if err != nil || found.ID != two.ID || strings.Join(found.Names, " ") != "both:1 two:latest" {
		t.Errorf("%+v, %v", found, err)
	}
	if one, err = s.Find(one.ID); err != nil || strings.Join(one.Names, " ") != "one:latest" {
		t.Errorf("the image that had the name: %v, %v", one, err)
	}
	if err := s.Untag(name); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Find("both:1"); err == nil {
		t.Error("the name is still there")
	}
}

// TestSecondManifestGoes: an image whose layers came compressed from a registry comes plain as well, and takes over both names,
// one after the other. Then nothing leads to the compressed layer any more.
func TestSecondManifestGoes(t *testing.T) {
	archive := tartest.Archive(t, tartest.File("a", "1"))
	f := makeForeign(t, archive)
	plain := &foreign{config: f.config, blobs: []Blob{{DiffID: sumOf(archive), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil }}}}
	var err error
	if plain.manifest, err = json.Marshal(v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Config: describe(f.config, types.OCIConfigJSON),
		Layers: []v1.Descriptor{describe(archive, types.OCIUncompressedLayer)},
	}); err != nil {
		t.Fatal(err)
	}
	second, _ := ParseName("x:2")
	for how, last := range map[string]func(*Store, *Image) error{
		"tag":   func(s *Store, img *Image) error { return s.Tag(img, second) },
		"untag": func(s *Store, _ *Image) error { return s.Untag(second) },
		"commit": func(s *Store, _ *Image) error {
			_, err := plain.add(s, "x:2")
			return err
		},
	} {
		s := &Store{Dir: t.TempDir()}
		if _, err := f.add(s, "x:1", "x:2"); err != nil {
			t.Fatal(err)
		}
		if _, err := plain.add(s, "x:1"); err != nil {
			t.Fatal(err)
		}
		img, err := s.Find("x:1")
		if err != nil || img.Digest != sumOf(plain.manifest).String() {
			t.Fatalf("%+v, %v", img, err)
		}
		if err := last(s, img); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(s.blobPath(f.blobs[0].Digest.String())); err == nil {
			t.Errorf("%s: the compressed layer is still there", how)
		}
		checkTidy(t, s)
	}
}

// TestFailedCommitLeavesNothing has the last of a commit's steps fail, when all but the list of images is in its place.
func TestFailedCommitLeavesNothing(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	mustAdd(t, s, [][]byte{tartest.Archive(t, tartest.File("a", "1"))}, "one")
	if err := os.Mkdir(s.IndexPath()+temporarySuffix, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := add(s, time.Unix(1, 0), [][]byte{tartest.Archive(t, tartest.File("a", "2"))}, "two"); err == nil {
		t.Fatal("no error")
	}
	checkTidy(t, s)
}

// TestTagOfWhatIsGone: somebody has removed the image since it was looked up.
func TestTagOfWhatIsGone(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	img := mustAdd(t, s, [][]byte{tartest.Archive(t, tartest.File("a", "1"))}, "one")
	if err := s.Remove(img.ID); err != nil {
		t.Fatal(err)
	}
	name, _ := ParseName("two")
	var missing *NotFoundError
	if err := s.Tag(img, name); !errors.As(err, &missing) {
		t.Errorf("error %v", err)
	}
}
