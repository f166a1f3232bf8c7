package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"sandbox/image"
	"sandbox/kernel"
)

// TestResume: connections break in the middle of a layer; only what is missing is asked for again.
func TestResume(t *testing.T) {
	for _, ranges := range []bool{true, false} {
		t.Run(fmt.Sprint("ranges ", ranges), func(t *testing.T) {
			w := newWorld(t, nil)
			here, there := newStore(t), newStore(t)
			large := noise(4 << 20)
			img := makeImage(t, here, large)
			w.mustPush(here, img, "demo:1")
			w.forget()
			var asked atomic.Int64 // how many requests began in the middle
			w.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
				if !isBlob(r) {
					return out
				}
				if r.Header.Get("Range") != "" {
					asked.Add(1)
				}
				if !ranges {
					r.Header.Del("Range") // a registry that begins anew each time
				}
				return &cutter{out, (1 + int(asked.Load())) * 1 << 20, hangUp}
			})
			got := w.mustPull(there, "demo:1")
			if got.ID != img.ID || contentOf(t, there, got, "file0") != large {
				t.Error("not what was pushed")
			}
			if asked.Load() < 2 {
				t.Errorf("%d requests began in the middle", asked.Load())
			}
			if len(w.waited()) < 2 {
				t.Errorf("waited %v", w.waited())
			}
		})
	}
}

// TestGivesUp: a registry that never gets further is not tried forever.
func TestGivesUp(t *testing.T) {
	w := newWorld(t, nil)
	here, there := newStore(t), newStore(t)
	w.mustPush(here, makeImage(t, here, noise(1<<20)), "demo:1")
	w.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
		if isBlob(r) && !strings.Contains(r.URL.Path, configOf(t, here)) {
			return &cutter{out, 10, hangUp}
		}
		return out
	})
	_, _, err := w.pull(there, "demo:1")
	wantError(t, err, "breaks off again and again", "try again later")
	checkEmpty(t, there)
}

func configOf(t *testing.T, store *image.Store) string {
	images, err := store.List()
	if err != nil {
		t.Error(err)
		return ""
	}
	return images[0].ID
}

// TestPassingTrouble: 429 and 5xx pass; a registry says how long to wait.
func TestPassingTrouble(t *testing.T) {
	w := newWorld(t, nil)
	here := newStore(t)
	w.mustPush(here, makeImage(t, here, "one"), "demo:1")
	for _, c := range []struct {
		status     int
		retryAfter string
		least      time.Duration
	}{
		{http.StatusTooManyRequests, "7", 7 * time.Second}, {http.StatusInternalServerError, "", 250 * time.Millisecond}, {http.StatusServiceUnavailable, "3", 3 * time.Second},
	} {
		failures := map[string]bool{}
		w.forget()
		w.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
			if r.URL.Path == "/v2/" || failures[r.URL.Path] {
				return out
			}
			failures[r.URL.Path] = true // requests come one after the other here
			if c.retryAfter != "" {
				out.Header().Set("Retry-After", c.retryAfter)
			}
			answer(out, c.status, "X", "come back later")
			return nil
		})
		if _, _, err := w.client.Pull(t.Context(), newStore(t), PullOptions{Name: w.name("demo:1")}); err != nil {
			t.Errorf("%d: %v", c.status, err)
		}
		pauses := w.waited()
		if len(pauses) != 3 || pauses[0] < c.least || pauses[0] > c.least+time.Second {
			t.Errorf("%d: waited %v", c.status, pauses)
		}
	}
}

// TestLastingTrouble: what does not pass is said, with its cure.
func TestLastingTrouble(t *testing.T) {
	for _, c := range []struct {
		status      int
		retryAfter  string
		cause, cure string
		requests    int // for the manifest
	}{
		{http.StatusInternalServerError, "", "so 5 times in a row", "try again later", attempts},
		{http.StatusTooManyRequests, "3600", "too many requests", "wait a while", 1},
		{http.StatusForbidden, "", "forbids it", "sandbox login", 1},
		{http.StatusUnauthorized, "", "not by a way that sandbox knows", "is that a registry?", 1},
	} {
		w := newWorld(t, nil)
		w.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
			if r.URL.Path == "/v2/" {
				return out
			}
			if c.retryAfter != "" {
				out.Header().Set("Retry-After", c.retryAfter)
			}
			answer(out, c.status, "X", "that is\x1b[31m how it is")
			return nil
		})
		store := newStore(t)
		_, _, err := w.pull(store, "demo:1")
		wantError(t, err, c.cause, c.cure)
		if strings.Contains(err.Error(), "\x1b") {
			t.Errorf("a registry writes to the terminal: %q", err)
		}
		if n := w.count("GET /v2/demo/manifests/"); n != c.requests {
			t.Errorf("%d: %d requests", c.status, n)
		}
		checkEmpty(t, store)
	}
}

// TestLies: what comes is not what was announced. Nothing of it gets into the store.
func TestLies(t *testing.T) {
	p := thisPlatform()
	for name, c := range map[string]struct {
		lie   func(s *shelf, layer, config v1.Hash)
		cause string
	}{
		"other bytes": {func(s *shelf, layer, _ v1.Hash) {
			s.blobs[layer.String()] = []byte(strings.Replace(string(s.blobs[layer.String()]), "hello", "jello", 1))
		}, "wrong content: layer sha256:"},
		"longer": {func(s *shelf, layer, _ v1.Hash) {
			s.blobs[layer.String()] = append(s.blobs[layer.String()], "more"...)
		}, "its manifest says"},
		"another configuration": {func(s *shelf, _, config v1.Hash) {
			s.blobs[config.String()] = []byte(strings.Replace(string(s.blobs[config.String()]), "linux", "Linux", 1))
		}, "wrong content: the manifest names configuration"},
		"no layer":         {func(s *shelf, layer, _ v1.Hash) { delete(s.blobs, layer.String()) }, "which its manifest names, is missing"},
		"no configuration": {func(s *shelf, _, config v1.Hash) { delete(s.blobs, config.String()) }, "which its manifest names, is missing"},
		"another manifest": {func(s *shelf, _, _ v1.Hash) {
			for reference, m := range s.manifests {
				s.manifests[reference] = manifestOnShelf{m.mediaType, append(m.data, ' ')}
			}
		}, "wrong content: asked for manifest"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf()
			d := s.image(t, "x", p, "hello")
			m, err := image.ParseManifest(s.manifests["x"].data)
			if err != nil {
				t.Fatal(err)
			}
			c.lie(s, m.Layers[0].Digest, m.Config.Digest)
			w, store := newWorld(t, s), newStore(t)
			_, _, err = w.pull(store, "demo@"+d.Digest.String())
			if err == nil || !strings.Contains(err.Error(), c.cause) || kernel.CureOf(err) == "" {
				t.Errorf("got %v (cure %q), wanted %q", err, kernel.CureOf(err), c.cause)
			}
			checkEmpty(t, store)
		})
	}
}

// TestEndlessLayer: a registry that sends more than it announced, without saying how much.
func TestEndlessLayer(t *testing.T) {
	s := newShelf()
	s.image(t, "x", thisPlatform(), "hello")
	m, err := image.ParseManifest(s.manifests["x"].data)
	if err != nil {
		t.Fatal(err)
	}
	w, store := newWorld(t, s), newStore(t)
	w.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
		if !strings.HasSuffix(r.URL.Path, m.Layers[0].Digest.String()) {
			return out
		}
		data := s.blobs[m.Layers[0].Digest.String()]
		for { // until the client has gone
			if _, err := out.Write(data); err != nil {
				return nil
			}
		}
	})
	_, _, err = w.pull(store, "demo:x")
	wantError(t, err, "sends more than", "nothing of it has been kept")
	checkEmpty(t, store)
}

// TestShortLayer: a registry whose Content-Length promises more than comes, forever.
func TestShortLayer(t *testing.T) {
	s := newShelf()
	s.image(t, "x", thisPlatform(), "hello")
	m, err := image.ParseManifest(s.manifests["x"].data)
	if err != nil {
		t.Fatal(err)
	}
	layer := m.Layers[0]
	w, store := newWorld(t, s), newStore(t)
	w.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
		if !strings.HasSuffix(r.URL.Path, layer.Digest.String()) {
			return out
		}
		out.Header().Set("Content-Length", fmt.Sprint(layer.Size))
		out.Write(s.blobs[layer.Digest.String()][:100])
		return nil
	})
	_, _, err = w.pull(store, "demo:x")
	wantError(t, err, "breaks off again and again", "try again later")
	checkEmpty(t, store)
}

// TestDishonestRange: a registry that begins elsewhere than it was asked to.
func TestDishonestRange(t *testing.T) {
	w := newWorld(t, nil)
	here, there := newStore(t), newStore(t)
	w.mustPush(here, makeImage(t, here, noise(1<<20)), "demo:1")
	w.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
		if !isBlob(r) || strings.Contains(r.URL.Path, configOf(t, here)) {
			return out
		}
		if r.Header.Get("Range") == "" {
			return &cutter{out, 300 << 10, hangUp}
		}
		out.Header().Set("Content-Range", "bytes 999999-1000000/1000001")
		out.WriteHeader(http.StatusPartialContent)
		return nil
	})
	_, _, err := w.pull(there, "demo:1")
	wantError(t, err, `and sends "bytes 999999-`, "nothing of it has been kept")
	checkEmpty(t, there)
}

// TestRefusedManifests: what is no image is named.
func TestRefusedManifests(t *testing.T) {
	s := newShelf()
	w := newWorld(t, s)
	config := s.blob([]byte("{}"), "application/vnd.example.chart")
	s.manifest("schema1", types.DockerManifestSchema1Signed, []byte(`{"schemaVersion":1,"name":"demo","fsLayers":[{"blobSum":"sha256:0"}]}`))
	s.manifest("artifact", types.OCIManifestSchema1, v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Config: config})
	s.manifest("alien", "application/vnd.example", []byte(`{"schemaVersion":2,"mediaType":"application/vnd.example"}`))
	s.manifest("garbage", types.OCIManifestSchema1, []byte(`<html>`))
	s.manifest("empty", types.OCIImageIndex, []byte(`{"schemaVersion":2,"manifests":[]}`))
	s.manifest("broken", types.OCIImageIndex, []byte(`{"schemaVersion":2,"manifests":{}}`))
	s.manifest("huge", types.OCIManifestSchema1, []byte(strings.Repeat(" ", maxManifest+1)))
	s.manifest("nodigest", types.OCIImageIndex, []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:","size":1}]}`))
	inner := v1.Descriptor{MediaType: types.OCIImageIndex}
	inner.Digest = s.manifest("deep", types.OCIImageIndex, []byte(`{"schemaVersion":2,"manifests":[]}`)).Digest
	for range maxDepth + 1 {
		inner.Digest = s.manifest("deep", types.OCIImageIndex, v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{inner}}).Digest
	}
	negative := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Config: v1.Descriptor{MediaType: types.OCIConfigJSON, Size: -1, Digest: config.Digest}}
	s.manifest("negative", types.OCIManifestSchema1, negative)
	negative.Config.Size = 1 << 50
	s.manifest("enormous", types.OCIManifestSchema1, negative)
	for tag, cause := range map[string]string{
		"schema1": "schema 1", "artifact": "application/vnd.example.chart", "alien": "application/vnd.example", "garbage": "no valid JSON", "empty": "no image in it",
		"broken": "no valid JSON", "huge": "longer than", "nodigest": "sha256:", "deep": "deep", "negative": "configuration has -1 bytes", "enormous": "are not read",
	} {
		store := newStore(t)
		_, _, err := w.pull(store, "demo:"+tag)
		if err == nil || !strings.Contains(err.Error(), cause) || kernel.CureOf(err) == "" {
			t.Errorf("%s: got %v (cure %q), wanted %q", tag, err, kernel.CureOf(err), cause)
		}
		checkEmpty(t, store)
	}
}

// TestCycle: an index that names itself. No honest registry can have it, since a digest cannot be guessed.
func TestCycle(t *testing.T) {
	s := newShelf()
	w := newWorld(t, s)
	self := v1.Descriptor{MediaType: types.OCIImageIndex, Digest: digestOf([]byte("x"))}
	index := s.manifest("x", types.OCIImageIndex, v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{self}})
	s.manifests[self.Digest.String()] = s.manifests[index.Digest.String()]
	_, _, err := w.pull(newStore(t), "demo:x")
	wantError(t, err, "wrong content", "nothing of it has been kept")
	_, err = pick(&fetched{data: s.manifests["x"].data, digest: self.Digest.String()}, thisPlatform())
	if err != nil {
		t.Fatal(err)
	}
	e, err := w.client.connect(t.Context(), w.host)
	if err != nil {
		t.Fatal(err)
	}
	top := &fetched{data: s.manifests["x"].data, digest: self.Digest.String(), mediaType: types.OCIImageIndex}
	if _, err := e.resolve(t.Context(), "demo", top, thisPlatform()); err == nil || !strings.Contains(err.Error(), "back to itself") {
		t.Errorf("%v", err)
	}
}

// TestInterrupted: Ctrl-C in the middle of a layer ends the pull at once, and leaves nothing.
func TestInterrupted(t *testing.T) {
	w := newWorld(t, nil)
	here, there := newStore(t), newStore(t)
	w.mustPush(here, makeImage(t, here, noise(1<<20), noise(2<<20)), "demo:1")
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan bool)
	w.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
		if !isBlob(r) || strings.Contains(r.URL.Path, configOf(t, here)) {
			return out
		}
		return &cutter{out, 300 << 10, func() { cancel(); <-release }}
	})
	_, _, err := w.client.Pull(ctx, there, PullOptions{Name: w.name("demo:1")})
	close(release)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	checkEmpty(t, there)
}

// TestStalled: a connection on which nothing comes any more is given up, and another one goes on.
func TestStalled(t *testing.T) {
	w := watch(t.Context(), time.Nanosecond)
	defer w.stop()
	w.kick()
	<-w.ctx.Done()
	if err := context.Cause(w.ctx); !errors.Is(err, errStalled) || !isPassing(err, false) {
		t.Errorf("%v", err)
	}
	asleep := watch(t.Context(), time.Hour)
	asleep.stop()
	if !errors.Is(context.Cause(asleep.ctx), context.Canceled) {
		t.Error("a watchdog that is sent away ends its context")
	}
}
