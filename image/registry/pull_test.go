package registry

import (
	"io"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	ggcr "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"sandbox/image/registry/server"
)

// TestThereAndBack pushes an image and pulls it into another store, with registries of two makers.
func TestThereAndBack(t *testing.T) {
	registries := map[string]http.Handler{
		"ours":                   server.New(t.TempDir(), server.Options{}),
		"go-containerregistry's": ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0))),
	}
	for maker, registry := range registries {
		t.Run(maker, func(t *testing.T) {
			w := newWorld(t, registry)
			here, there := newStore(t), newStore(t)
			large := noise(3 << 20)
			img := makeImage(t, here, "small", large, "third", "fourth", "fifth")
			pushed := w.mustPush(here, img, "demo/app:1.0")

			w.fresh()
			got, result, err := w.pull(there, "demo/app:1.0")
			if err != nil {
				t.Fatal(err)
			}
			if got.ID != img.ID || got.Digest != pushed.Digest || result.Digest != pushed.Digest || !result.Newer {
				t.Errorf("pushed %s as %s, pulled %s as %s, %+v", img.ID, pushed.Digest, got.ID, got.Digest, result)
			}
			if contentOf(t, there, got, "file1") != large || contentOf(t, there, got, "file4") != "fifth" {
				t.Error("the files are not what they were")
			}
			name := w.host + "/demo/app"
			if !slices.Equal(got.Names, []string{name + ":1.0"}) || !slices.Equal(got.Digests, []string{name + "@" + pushed.Digest}) {
				t.Errorf("names %v, digests %v", got.Names, got.Digests)
			}
			if pushedImage, err := here.Find(name + "@" + pushed.Digest); err != nil || pushedImage.ID != img.ID {
				t.Errorf("the pushed image has not got its digest: %v", err)
			}
		})
	}
}

// TestUpToDate: a tag that has not moved costs a HEAD, and one that has brings the new image.
func TestUpToDate(t *testing.T) {
	w := newWorld(t, nil)
	here, there := newStore(t), newStore(t)
	w.mustPush(here, makeImage(t, here, "one"), "demo:1")
	first := w.mustPull(there, "demo:1")
	w.forget()
	img, result, err := w.pull(there, "demo:1")
	if err != nil || result.Newer || img.ID != first.ID || result.Digest != first.Digest {
		t.Errorf("%+v %v", result, err)
	}
	if n := w.count("GET"); n > 0 {
		t.Errorf("%d GETs for what has not changed: %v", n, w.requests)
	}
	w.mustPush(here, makeImage(t, here, "two"), "demo:1")
	img, result, err = w.pull(there, "demo:1")
	if err != nil || !result.Newer || img.ID == first.ID {
		t.Errorf("the tag has moved: %+v %v", result, err)
	}
	old, err := there.Find(first.ID)
	if err != nil || len(old.Names) > 0 || len(old.Digests) != 1 {
		t.Errorf("the old image should have lost its tag and kept its digest: %+v %v", old, err)
	}
}

// TestKnownLayers: what the store has is not fetched.
func TestKnownLayers(t *testing.T) {
	w := newWorld(t, nil)
	here, there := newStore(t), newStore(t)
	w.mustPush(here, makeImage(t, here, "base"), "base:1")
	w.mustPush(here, makeImage(t, here, "base", "more"), "more:1")
	w.mustPull(there, "base:1")
	w.forget()
	var mu sync.Mutex
	var news []string
	_, _, err := w.client.Pull(t.Context(), there, PullOptions{Name: w.name("more:1"), Progress: func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Final {
			news = append(news, e.Text)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(news)
	if !slices.Equal(news, []string{"Already exists", "Pull complete"}) {
		t.Errorf("%v", news)
	}
	if n := w.count("GET /v2/more/blobs/"); n != 2 {
		t.Errorf("%d blobs fetched, where the configuration and one layer are missing", n)
	}
}

func TestByDigest(t *testing.T) {
	w := newWorld(t, nil)
	here, there := newStore(t), newStore(t)
	pushed := w.mustPush(here, makeImage(t, here, "one"), "demo:1")
	img, _, err := w.pull(there, "demo@"+pushed.Digest)
	if err != nil || len(img.Names) > 0 || len(img.Digests) != 1 {
		t.Fatalf("%+v %v", img, err)
	}
	_, result, err := w.pull(there, "demo@"+pushed.Digest)
	if err != nil || result.Newer {
		t.Errorf("it is here already: %+v %v", result, err)
	}
	if w.mustPull(there, "demo:1@"+pushed.Digest); len(img.Names) > 0 {
		t.Errorf("with a digest the tag does not count: %v", img.Names)
	}
}

// TestSameLayerTwice: old images have the same empty layer many times.
func TestSameLayerTwice(t *testing.T) {
	s := newShelf()
	p := thisPlatform()
	s.image(t, "twice", p, "same", "same", "other", "same")
	w := newWorld(t, s)
	store := newStore(t)
	img := w.mustPull(store, "demo:twice")
	if got := contentOf(t, store, img, "file"); got != "same" {
		t.Errorf("%q", got)
	}
	other := newWorld(t, nil)
	pushed := other.mustPush(store, img, "demo:twice")
	if pushed.Digest != img.Digest {
		t.Errorf("an image that was pulled keeps its digest: %s, now %s", img.Digest, pushed.Digest)
	}
	if n := other.count("POST"); n != 3 {
		t.Errorf("%d uploads, where two layers and a configuration are to be sent: %v", n, other.requests)
	}
}

// TestTwoPullsAtOnce of the same image into the same store.
func TestTwoPullsAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	here, there := newStore(t), newStore(t)
	img := makeImage(t, here, noise(1<<20), "b", "c")
	w.mustPush(here, img, "demo:1")
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			got, _, err := New(w.o).Pull(t.Context(), there, PullOptions{Name: w.name("demo:1")})
			if err != nil || got.ID != img.ID {
				t.Errorf("%v %v", got, err)
			}
		})
	}
	group.Wait()
	images, err := there.List()
	if err != nil || len(images) != 1 || len(images[0].Names) != 1 {
		t.Errorf("%v %v", images, err)
	}
	if left, err := os.ReadDir(there.Dir + "/staging"); err != nil || len(left) > 0 && left[0].IsDir() && left[0].Name() != "empty" {
		t.Errorf("left in staging: %v %v", left, err)
	}
}

func TestPlatforms(t *testing.T) {
	s := newShelf()
	var entries []v1.Descriptor
	for _, p := range []v1.Platform{
		{OS: "windows", Architecture: "amd64"}, {OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64", Variant: "v8"},
		{OS: "linux", Architecture: "arm", Variant: "v6"}, {OS: "linux", Architecture: "s390x"},
	} {
		entries = append(entries, s.image(t, p.Architecture+p.OS, p, platformName(p)))
	}
	attestation := s.image(t, "attestation", v1.Platform{OS: "unknown", Architecture: "unknown"})
	entries = append(entries, attestation)
	index := s.manifest("all", types.OCIImageIndex, v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: entries})
	nested := []v1.Descriptor{{MediaType: types.OCIImageIndex, Digest: index.Digest, Size: index.Size}}
	s.manifest("nested", types.OCIImageIndex, v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: nested})
	w := newWorld(t, s)
	for _, tag := range []string{"all", "nested"} {
		for asked, wanted := range map[string]string{
			"": platformName(thisPlatform()), "linux/arm64": "linux/arm64", "arm64": "linux/arm64", "linux/arm/v7": "linux/arm/v6", "linux/s390x": "linux/s390x", "linux/amd64": "linux/amd64",
		} {
			store := newStore(t)
			o := PullOptions{Name: w.name("demo:" + tag)}
			if asked != "" {
				p, err := ParsePlatform(asked)
				if err != nil {
					t.Fatal(err)
				}
				o.Platform = &p
			}
			img, result, err := w.client.Pull(t.Context(), store, o)
			if err != nil {
				t.Errorf("%s %q: %v", tag, asked, err)
				continue
			}
			if got := contentOf(t, store, img, "file"); got != wanted {
				t.Errorf("%s %q: got %s", tag, asked, got)
			}
			if tag == "all" && result.Digest != index.Digest.String() {
				t.Errorf("the registry's digest is the index's, not %s", result.Digest)
			}
			if _, again, err := w.client.Pull(t.Context(), store, o); err != nil || again.Newer {
				t.Errorf("%s %q is here already: %+v %v", tag, asked, again, err)
			}
			if _, err := store.Find(w.host + "/demo@" + result.Digest); err != nil {
				t.Error(err)
			}
		}
	}
	p := v1.Platform{OS: "linux", Architecture: "riscv64"}
	_, _, err := w.client.Pull(t.Context(), newStore(t), PullOptions{Name: w.name("demo:all"), Platform: &p})
	wantError(t, err, "no image for linux/riscv64; there are windows/amd64, linux/amd64, linux/arm64, linux/arm/v6, linux/s390x", "--platform")
}

// TestAnotherPlatform: the store has the tag for another machine; asking for this one's is no "up to date".
func TestAnotherPlatform(t *testing.T) {
	s := newShelf()
	other := v1.Platform{OS: "linux", Architecture: "s390x"}
	entries := []v1.Descriptor{s.image(t, "a", thisPlatform(), "ours"), s.image(t, "b", other, "theirs")}
	s.manifest("all", types.OCIImageIndex, v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: entries})
	w := newWorld(t, s)
	store := newStore(t)
	if _, _, err := w.client.Pull(t.Context(), store, PullOptions{Name: w.name("demo:all"), Platform: &other}); err != nil {
		t.Fatal(err)
	}
	img, result, err := w.pull(store, "demo:all")
	if err != nil || !result.Newer || img.Architecture != thisPlatform().Architecture {
		t.Errorf("%+v %+v %v", img, result, err)
	}
	_, result, err = w.client.Pull(t.Context(), store, PullOptions{Name: w.name("demo:b")})
	if err != nil || !strings.Contains(result.Warning, "for linux/s390x") {
		t.Errorf("a foreign image without a choice: warning %q, %v", result.Warning, err)
	}
	_, _, err = w.client.Pull(t.Context(), store, PullOptions{Name: w.name("demo:a"), Platform: &other})
	wantError(t, err, "not for linux/s390x", "--platform")
}

func TestMirror(t *testing.T) {
	w := newWorld(t, nil)
	here, there := newStore(t), newStore(t)
	w.mustPush(here, makeImage(t, here, "one"), "library/debian:12")
	for _, mirror := range []string{w.host, w.http.URL + "/"} {
		w.o.Mirror = mirror
		name := parseName(t, "debian:12")
		img, _, err := w.fresh().Pull(t.Context(), there, PullOptions{Name: name})
		if err != nil || !slices.Equal(img.Names, []string{"debian:12"}) || !strings.HasPrefix(img.Digests[0], "debian@sha256:") {
			t.Errorf("%+v %v", img, err)
		}
	}
	if sources := w.client.sources(w.host); len(sources) != 1 {
		t.Error("the mirror is Docker Hub's, not everybody's")
	}
	if tags, err := w.client.Tags(t.Context(), parseName(t, "debian")); err != nil || !slices.Equal(tags, []string{"12"}) {
		t.Errorf("%v %v", tags, err)
	}
}
