package registry

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"sandbox/image"
	"sandbox/image/layer/tartest"
)

// finals pushes and returns the last word on each layer, the lowest first.
func (w *world) finals(store *image.Store, img *image.Image, name string) ([]string, error) {
	var mu sync.Mutex
	said := map[string]string{}
	_, err := w.client.Push(w.t.Context(), store, img, PushOptions{Name: w.name(name), Progress: func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Final {
			said[e.Layer] = e.Text
		}
	}})
	config, configErr := store.ConfigFile(img)
	var list []string
	for _, diffID := range config.RootFS.DiffIDs {
		list = append(list, said[shortDigest(diffID.Hex)])
	}
	return list, errors.Join(err, configErr)
}

// TestPushAgain: what is there is not sent again, nor compressed.
func TestPushAgain(t *testing.T) {
	w := newWorld(t, nil)
	store := newStore(t)
	img := makeImage(t, store, "one", noise(2<<20))
	first := w.mustPush(store, img, "demo:1")
	w.fresh()
	w.forget()
	said, err := w.finals(store, img, "demo:2")
	if err != nil || !slices.Equal(said, []string{"Layer already exists", "Layer already exists"}) {
		t.Errorf("%v %v", said, err)
	}
	if n := w.count("POST") + w.count("PATCH"); n > 0 {
		t.Errorf("%d uploads: %v", n, w.requests)
	}
	if second := w.mustPush(store, img, "demo:1"); second != first {
		t.Errorf("%+v, then %+v", first, second)
	}
}

// TestMount: a layer that another repository has is taken from there.
func TestMount(t *testing.T) {
	w := newWorld(t, nil)
	store := newStore(t)
	base := makeImage(t, store, "one")
	w.mustPush(store, base, "library/httpd:1")
	img := makeImage(t, store, "one", "two")
	base, err := store.Find(base.ID)
	if err != nil || len(base.Digests) != 1 {
		t.Fatal(base, err)
	}
	w.forget()
	said, err := w.finals(store, img, "worden525/httpd:1.0")
	if err != nil || !slices.Equal(said, []string{"Mounted from library/httpd", "Pushed"}) {
		t.Errorf("%v %v", said, err)
	}
	// A registry that does not mount has begun an upload, which is used.
	other := newWorld(t, nil)
	other.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
		r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, "mount=", "x=")
		return out
	})
	other.mustPush(store, base, "a/b:1")
	other.forget()
	if said, err = other.finals(store, img, "c/d:1"); err != nil || !slices.Equal(said, []string{"Pushed", "Pushed"}) {
		t.Errorf("%v %v", said, err)
	}
	if n := other.count("POST"); n != 3 {
		t.Errorf("%d uploads were begun, for two layers and a configuration: %v", n, other.requests)
	}
}

// TestKeepsItsDigest: an image that was pulled is pushed as it is, to the last bit; also with Docker's media types.
func TestKeepsItsDigest(t *testing.T) {
	s := newShelf()
	archive := tartest.Archive(t, tartest.File("file", "hello"))
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.DockerManifestSchema2}
	m.Layers = []v1.Descriptor{s.blob(gzipped(t, archive), types.DockerLayer)}
	m.Config = s.blob([]byte(`{"os":"linux","architecture":"`+thisPlatform().Architecture+`","rootfs":{"type":"layers","diff_ids":["`+digestOf(archive).String()+`"]}}`), types.DockerConfigJSON)
	d := s.manifest("1", m.MediaType, m)
	from, to := newWorld(t, s), newWorld(t, nil)
	store := newStore(t)
	img := from.mustPull(store, "demo:1")
	if pushed := to.mustPush(store, img, "demo:1"); pushed.Digest != d.Digest.String() {
		t.Errorf("%s became %s", d.Digest, pushed.Digest)
	}
	// With a layer on top it is another image, all in OCI's words.
	draft, err := store.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer draft.Discard()
	if err := draft.Base(img); err != nil {
		t.Fatal(err)
	}
	if _, err := draft.AddLayer(bytes.NewReader(tartest.Archive(t, tartest.File("top", "x")))); err != nil {
		t.Fatal(err)
	}
	built, err := draft.Commit(v1.ConfigFile{OS: "linux", Architecture: thisPlatform().Architecture})
	if err != nil {
		t.Fatal(err)
	}
	to.mustPush(store, built, "demo:2")
	there := newStore(t)
	got := to.mustPull(there, "demo:2")
	manifest, err := there.Manifest(got)
	if err != nil || got.ID != built.ID {
		t.Fatal(got, err)
	}
	for _, l := range append(manifest.Layers, manifest.Config) {
		if l.MediaType != types.OCILayer && l.MediaType != types.OCIConfigJSON {
			t.Errorf("media type %s in %s", l.MediaType, manifest.MediaType)
		}
	}
	if manifest.Layers[0].Digest != m.Layers[0].Digest {
		t.Error("a compressed layer goes as it is")
	}
}

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// breakOff hangs up after some bytes of a request's body have been read, passing those on; then it leaves the next ones alone.
type breakOff struct {
	mu   sync.Mutex
	cuts []int // how much to let through of each PATCH that comes
}

func (b *breakOff) spoil(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.Method == http.MethodPatch && len(b.cuts) > 0 {
		r.Body = &cutBody{ReadCloser: r.Body, left: b.cuts[0]}
		b.cuts = b.cuts[1:]
		return &silent{out}
	}
	return out
}

// cutBody ends as a body does whose sender has gone.
type cutBody struct {
	io.ReadCloser
	left int
}

func (c *cutBody) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.ReadCloser.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// silent hangs up instead of answering.
type silent struct{ http.ResponseWriter }

func (s *silent) WriteHeader(int)           { hangUp() }
func (s *silent) Write([]byte) (int, error) { hangUp(); return 0, nil }

// TestUploadResumes: the connection breaks in the middle of a layer, twice; the registry is asked what it has, and gets
// the rest. Once for a blob that is sent as it is, once for one that is compressed on the way.
func TestUploadResumes(t *testing.T) {
	for _, how := range []string{"compressed on the way", "as it is"} {
		t.Run(how, func(t *testing.T) {
			w := newWorld(t, nil)
			store := newStore(t)
			img := makeImage(t, store, noise(4<<20))
			if how == "as it is" {
				w.mustPush(store, img, "first:1")
				store = newStore(t)
				img = w.mustPull(store, "first:1")
				w.host = strings.Replace(w.host, "127.0.0.1", "localhost", 1) // another registry, as far as the client knows: no mounting
				w.fresh()
				w.forget()
			}
			cut := &breakOff{cuts: []int{1 << 20, 1 << 20}}
			w.set(cut.spoil)
			w.mustPush(store, img, "demo:1")
			w.set(nil)
			if n := w.count("POST /v2/demo/"); n != 2 {
				t.Errorf("%d uploads were begun, for a layer and a configuration: it did not go on, but anew", n)
			}
			if n := w.count("PATCH"); n != 3 {
				t.Errorf("%d PATCHes: %v", n, w.requests)
			}
			there := newStore(t)
			if got := w.mustPull(there, "demo:1"); got.ID != img.ID || contentOf(t, there, got, "file0") != noise(4<<20) {
				t.Error("not what was pushed")
			}
		})
	}
}

// TestUploadAnew: a registry that has lost an upload gets it from the beginning.
func TestUploadAnew(t *testing.T) {
	w := newWorld(t, nil)
	store := newStore(t)
	img := makeImage(t, store, noise(2<<20))
	cut := &breakOff{cuts: []int{1 << 20}}
	w.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/uploads/") {
			answer(out, http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "no such upload")
			return nil
		}
		return cut.spoil(out, r)
	})
	w.mustPush(store, img, "demo:1")
	if n := w.count("POST"); n != 3 {
		t.Errorf("%d uploads were begun: %v", n, w.requests)
	}
	if got := w.mustPull(newStore(t), "demo:1"); got.ID != img.ID {
		t.Error("not what was pushed")
	}
}

// TestUploadTrouble: 5xx at each step of an upload passes.
func TestUploadTrouble(t *testing.T) {
	w := newWorld(t, nil)
	store := newStore(t)
	img := makeImage(t, store, noise(2<<20))
	var mu sync.Mutex
	failed := map[string]bool{}
	w.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
		mu.Lock()
		defer mu.Unlock()
		if failed[r.Method] || r.URL.Path == "/v2/" {
			return out
		}
		failed[r.Method] = true
		answer(out, http.StatusBadGateway, "UNKNOWN", "")
		return nil
	})
	w.mustPush(store, img, "demo:1")
	if len(failed) < 4 { // HEAD, POST, PATCH, PUT, and GET after the failure
		t.Errorf("%v", failed)
	}
	w.set(nil)
	if got := w.mustPull(newStore(t), "demo:1"); got.ID != img.ID {
		t.Error("not what was pushed")
	}
}

// TestRefusedUploads: what a registry does not want is said, and nothing is noted as pushed.
func TestRefusedUploads(t *testing.T) {
	for method, c := range map[string]struct {
		status      int
		cause, cure string
	}{
		"POST":  {http.StatusForbidden, "forbids it", "another account"},
		"PATCH": {http.StatusRequestEntityTooLarge, "413", ""},
		"PUT":   {http.StatusMethodNotAllowed, "does not offer this", "read-only"},
	} {
		w := newWorld(t, nil)
		store := newStore(t)
		img := makeImage(t, store, noise(2<<20))
		w.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
			if r.Method == method {
				io.Copy(io.Discard, r.Body)
				answer(out, c.status, "DENIED", "no")
				return nil
			}
			return out
		})
		_, err := w.push(store, img, "demo:1")
		wantError(t, err, c.cause, c.cure)
		if found, err := store.Find(img.ID); err != nil || len(found.Digests) > 0 {
			t.Errorf("%v %v", found, err)
		}
	}
}

// TestWrongDigestThere: a registry that claims to have got something else.
func TestWrongDigestThere(t *testing.T) {
	for _, part := range []string{"/blobs/", "/manifests/"} {
		w := newWorld(t, nil)
		store := newStore(t)
		img := makeImage(t, store, "one")
		w.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
			if r.Method == http.MethodPut && strings.Contains(r.URL.Path, part) {
				out.Header().Set("Docker-Content-Digest", digestOf(nil).String())
				out.WriteHeader(http.StatusCreated)
				return nil
			}
			return out
		})
		_, err := w.push(store, img, "demo:1")
		wantError(t, err, "wrong content", "")
	}
}

func TestInterruptedPush(t *testing.T) {
	w := newWorld(t, nil)
	store := newStore(t)
	img := makeImage(t, store, noise(4<<20))
	ctx, cancel := context.WithCancel(t.Context())
	w.set(func(out http.ResponseWriter, r *http.Request) http.ResponseWriter {
		if r.Method == http.MethodPatch {
			cancel()
		}
		return out
	})
	_, err := w.client.Push(ctx, store, img, PushOptions{Name: w.name("demo:1")})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestRemembered: notes on compressed layers go when the layers do, and a damaged one is no harm.
func TestRemembered(t *testing.T) {
	w := newWorld(t, nil)
	store := newStore(t)
	img := makeImage(t, store, "one")
	w.mustPush(store, img, "demo:1")
	notes, err := filepath.Glob(rememberDir(store) + "/*")
	if err != nil || len(notes) != 1 {
		t.Fatal(notes, err)
	}
	if err := os.WriteFile(notes[0], []byte(`{"digest":`), 0o600); err != nil {
		t.Fatal(err)
	}
	w.mustPush(store, img, "demo:1")
	if err := store.Remove(img.ID); err != nil {
		t.Fatal(err)
	}
	w.mustPush(store, makeImage(t, store, "two"), "demo:2")
	after, err := filepath.Glob(rememberDir(store) + "/*")
	if err != nil || len(after) != 1 || after[0] == notes[0] {
		t.Errorf("%v %v", after, err)
	}
}

func TestPushNeedsATag(t *testing.T) {
	w := newWorld(t, nil)
	store := newStore(t)
	_, err := w.push(store, makeImage(t, store, "one"), "demo@"+digestOf(nil).String())
	wantError(t, err, "needs a tag", "sandbox tag")
}
