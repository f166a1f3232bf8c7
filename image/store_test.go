package image

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sandbox/image/layer/tartest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

func TestMain(m *testing.M) {
	if task := os.Getenv(childTask); task != "" {
		os.Exit(runChild(task))
	}
	os.Exit(m.Run())
}

// add puts an image into the store.
func add(s *Store, created time.Time, layers [][]byte, names ...string) (*Image, error) {
	d, err := s.Begin()
	if err != nil {
		return nil, err
	}
	defer d.Discard()
	for _, layer := range layers {
		if _, err := d.AddLayer(bytes.NewReader(layer)); err != nil {
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
	config := v1.Config{Cmd: []string{"sh"}, Env: []string{"A=b"}, Labels: map[string]string{"names": strings.Join(names, " ")}}
	return d.Commit(v1.ConfigFile{OS: "linux", Architecture: "amd64", Created: v1.Time{Time: created}, Config: config}, parsed...)
}

func mustAdd(t testing.TB, s *Store, layers [][]byte, names ...string) *Image {
	t.Helper()
	img, err := add(s, time.Unix(1, 0).UTC(), layers, names...)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// checkLayout has another implementation read the store, and checks every digest.
func checkLayout(t *testing.T, s *Store) {
	t.Helper()
	images, err := layout.ImageIndexFromPath(s.layoutDir())
	if err != nil {
		t.Fatal(err)
	}
	index, err := images.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range index.Manifests {
		img, err := images.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkImage(img, d); err != nil {
			t.Errorf("image %s: %v", d.Digest, err)
		}
	}
}

func checkImage(img v1.Image, d v1.Descriptor) error {
	raw, err := img.RawManifest()
	if err != nil {
		return err
	}
	if digest, size, _ := v1.SHA256(bytes.NewReader(raw)); digest != d.Digest || size != d.Size {
		return fmt.Errorf("the manifest is %s of %d bytes", digest, size)
	}
	manifest, err := img.Manifest()
	if err != nil {
		return err
	}
	rawConfig, err := img.RawConfigFile()
	if err != nil {
		return err
	}
	if digest, size, _ := v1.SHA256(bytes.NewReader(rawConfig)); digest != manifest.Config.Digest || size != manifest.Config.Size {
		return fmt.Errorf("the configuration is %s of %d bytes", digest, size)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return err
	}
	if len(config.RootFS.DiffIDs) != len(manifest.Layers) {
		return fmt.Errorf("%d DiffIDs, %d layers", len(config.RootFS.DiffIDs), len(manifest.Layers))
	}
	for i, layer := range manifest.Layers {
		l, err := img.LayerByDigest(layer.Digest)
		if err != nil {
			return err
		}
		content, err := l.Compressed() // as it is stored
		if err != nil {
			return err
		}
		digest, size, err := v1.SHA256(content)
		content.Close()
		if err != nil || digest != layer.Digest || size != layer.Size {
			return fmt.Errorf("layer %d is %s of %d bytes: %v", i, digest, size, err)
		}
		if content, err = l.Uncompressed(); err != nil {
			return err
		}
		diffID, _, err := v1.SHA256(content)
		content.Close()
		if err != nil || diffID != config.RootFS.DiffIDs[i] {
			return fmt.Errorf("layer %d has DiffID %s: %v", i, diffID, err)
		}
	}
	return nil
}

// checkTidy checks that the store has what its images need, and nothing else.
func checkTidy(t *testing.T, s *Store) {
	t.Helper()
	r, err := s.reachable()
	if err != nil {
		t.Fatal(err)
	}
	holds := func(dir string, want int) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) != want {
			t.Errorf("%s holds %d entries, want %d: %v", dir, len(entries), want, entries)
		}
	}
	holds(s.blobDir(), len(r.blobs))
	holds(s.LayerDir(), len(r.layers))
	holds(s.stagingDir(), 0)
	holds(s.layoutDir(), 3)
	for name := range r.layers {
		if _, err := os.Stat(filepath.Join(s.LayerDir(), name)); err != nil {
			t.Error(err)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	s := &Store{Dir: filepath.Join(t.TempDir(), "new")}
	created := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	layers := [][]byte{tartest.Archive(t, tartest.File("a", "one")), tartest.Archive(t, tartest.Dir("d"), tartest.File("d/b", "two"))}
	img, err := add(s, created, layers, "demo:1", "localhost:5000/team/demo")
	if err != nil {
		t.Fatal(err)
	}
	checkLayout(t, s)
	checkTidy(t, s)
	if want := []string{"demo:1", "localhost:5000/team/demo:latest"}; !slices.Equal(img.Names, want) {
		t.Errorf("names %q, want %q", img.Names, want)
	}
	if img.Size != int64(len(layers[0])+len(layers[1])) || !img.Created.Equal(created) || img.OS != "linux" || img.Config.Env[0] != "A=b" {
		t.Errorf("read back: %+v", img)
	}
	for i, want := range []string{"a", "d/b"} {
		if _, err := os.Stat(filepath.Join(s.LayerDir(), img.Layers[i], want)); err != nil {
			t.Error(err)
		}
	}
	hex := strings.TrimPrefix(img.ID, "sha256:")
	for _, ref := range []string{
		"demo:1", "library/demo:1", "docker.io/library/demo:1", "index.docker.io/demo:1", "localhost:5000/team/demo",
		"demo@" + img.Digest, img.Digest, img.ID, hex, hex[:12], hex[:1], "sha256:" + hex[:12],
	} {
		found, err := s.Find(ref)
		if err != nil || found.ID != img.ID {
			t.Errorf("Find(%q) = %v, %v", ref, found, err)
		}
	}
}

func TestNameMoves(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	one := mustAdd(t, s, [][]byte{tartest.Archive(t, tartest.File("a", "1"))}, "demo", "demo:1")
	two := mustAdd(t, s, [][]byte{tartest.Archive(t, tartest.File("a", "2"))}, "demo")
	three := mustAdd(t, s, [][]byte{tartest.Archive(t, tartest.File("a", "3"))}, "demo:1")
	names := func(id string) []string {
		img, err := s.Find(id)
		if err != nil {
			t.Fatal(err)
		}
		return img.Names
	}
	if len(names(one.ID)) != 0 || !slices.Equal(names(two.ID), []string{"demo:latest"}) || !slices.Equal(names(three.ID), []string{"demo:1"}) {
		t.Errorf("names: %q %q %q", names(one.ID), names(two.ID), names(three.ID))
	}
	mustAdd(t, s, [][]byte{tartest.Archive(t, tartest.File("a", "3"))}, "demo:1") // the same again changes nothing
	images, err := s.List()
	if err != nil || len(images) != 3 {
		t.Errorf("List: %d images, %v", len(images), err)
	}
	checkLayout(t, s)
	checkTidy(t, s)
}

func TestRemoveKeepsSharedLayers(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	shared := tartest.Archive(t, tartest.File("a", "shared"))
	one := mustAdd(t, s, [][]byte{shared, tartest.Archive(t, tartest.File("b", "1"))}, "one")
	two := mustAdd(t, s, [][]byte{shared, shared}, "two", "zwei")
	if err := s.Remove(one.ID); err != nil {
		t.Fatal(err)
	}
	checkLayout(t, s)
	checkTidy(t, s)
	if found, err := s.Find("zwei"); err != nil || found.ID != two.ID {
		t.Errorf("the other image: %v, %v", found, err)
	}
	var missing *NotFoundError
	if err := s.Remove(one.ID); !errors.As(err, &missing) {
		t.Errorf("removed twice: %v", err)
	}
}

func TestLayersThatBeginAlike(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	layer := tartest.Archive(t, tartest.File("a", "1"))
	mustAdd(t, s, [][]byte{layer}, "honest")
	d, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Discard()
	if _, err := d.AddLayer(bytes.NewReader(tartest.Archive(t, tartest.File("a", "evil")))); err != nil {
		t.Fatal(err)
	}
	good, err := s.Find("honest") // a real collision takes hours to compute: pretend that the digests begin alike
	if err != nil {
		t.Fatal(err)
	}
	d.layers[0].diffID.Hex = good.Layers[0] + d.layers[0].diffID.Hex[12:]
	if _, err := d.Commit(v1.ConfigFile{OS: "linux"}, Name{Repository: "evil", Tag: "latest"}); err == nil {
		t.Error("a layer took another one's place")
	}
	if data, _ := os.ReadFile(filepath.Join(s.LayerDir(), good.Layers[0], "a")); string(data) != "1" {
		t.Errorf("the honest layer now has %q", data)
	}
}

func TestUnreadableImageStopsTheSweep(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	bad := mustAdd(t, s, [][]byte{tartest.Archive(t, tartest.File("a", "1"))}, "bad")
	good := mustAdd(t, s, [][]byte{tartest.Archive(t, tartest.File("a", "2"))}, "good")
	if err := os.Remove(s.blobPath(bad.ID)); err != nil {
		t.Fatal(err)
	}
	if err := s.Repair(); err == nil {
		t.Error("Repair did not tell of the damage")
	}
	if _, err := os.Stat(filepath.Join(s.LayerDir(), bad.Layers[0])); err != nil {
		t.Errorf("Repair made it worse: %v", err)
	}
	images, err := s.List()
	if err == nil || len(images) != 1 || images[0].ID != good.ID {
		t.Errorf("List: %v, %v", images, err)
	}
	if _, err := s.Find("good"); err != nil {
		t.Error(err)
	}
	if _, err := s.Find("bad"); err == nil {
		t.Error("a damaged image was found")
	}
}

func TestConcurrentAdds(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	shared := tartest.Archive(t, tartest.File("a", "shared"))
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			layers := [][]byte{shared, tartest.Archive(t, tartest.File("b", fmt.Sprint(i%4)))}
			if _, err := add(s, time.Unix(1, 0), layers, "last", fmt.Sprintf("demo:%d", i)); err != nil {
				t.Error(err)
			}
			if img, err := s.Find("last"); err != nil || len(img.Layers) != 2 {
				t.Errorf("while others add: %v, %v", img, err)
			}
		})
	}
	group.Wait()
	images, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	names := 0
	for _, img := range images {
		names += len(img.Names)
	}
	if names != 9 {
		t.Errorf("%d names, want 9", names)
	}
	checkLayout(t, s)
	checkTidy(t, s)
}

// many is an image of as many layers as Docker allows.
func many(t testing.TB, s *Store) *Image {
	t.Helper()
	layers := [][]byte{tartest.Archive(t, tartest.Dir("etc"), tartest.File("etc/passwd", "0"), tartest.File("etc/0", "lowest"))}
	for i := 1; i < 127; i++ {
		layers = append(layers, tartest.Archive(t, tartest.Dir("etc"), tartest.File(fmt.Sprintf("etc/%d", i), "x"), tartest.File("etc/passwd", fmt.Sprint(i))))
	}
	return mustAdd(t, s, layers, "many")
}

func TestManyLayers(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	img := many(t, s)
	if n := len(strings.Join(img.Layers, ":")); len(img.Layers) != 127 || n > 2000 {
		t.Errorf("%d layers, %d bytes in the mount's options, which have a page in all", len(img.Layers), n)
	}
	for path, want := range map[string]string{"/etc/passwd": "126", "/etc/0": "lowest", "/etc/64": "x"} {
		if got := lookupText(s, img.Layers, "", path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func BenchmarkLookupManyLayers(b *testing.B) {
	s := &Store{Dir: b.TempDir()}
	img := many(b, s)
	for b.Loop() {
		if lookupText(s, img.Layers, "", "/etc/0") != "lowest" {
			b.Fatal("not found")
		}
	}
}
