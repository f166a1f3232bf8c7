package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"sandbox/image"
	"sandbox/image/layer/tartest"
	"sandbox/image/registry/server"
	"sandbox/kernel"
)

func TestMain(m *testing.M) {
	if task := os.Getenv(childTask); task != "" {
		os.Exit(runChild(task))
	}
	os.Exit(m.Run())
}

// world is a registry on a loopback port, whose answers a test can spoil, and a client that does not really wait.
type world struct {
	t      *testing.T
	http   *httptest.Server
	host   string
	client *Client
	o      Options

	mu       sync.Mutex
	requests []string // "GET /v2/", in the order in which they came
	spoil    spoiler
	pauses   []time.Duration
}

// spoiler comes before the registry: it returns what the registry is to write to, or nil if it has answered itself.
type spoiler func(w http.ResponseWriter, r *http.Request) http.ResponseWriter

// cutter passes so many bytes on and then does something else.
type cutter struct {
	http.ResponseWriter
	left int
	then func()
}

func (c *cutter) Write(p []byte) (int, error) {
	if len(p) < c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	n, err := c.ResponseWriter.Write(p[:c.left])
	if err != nil {
		return n, err
	}
	http.NewResponseController(c.ResponseWriter).Flush()
	c.then()
	c.left = 1 << 62
	m, err := c.ResponseWriter.Write(p[n:])
	return n + m, err
}

// hangUp ends a connection without a word.
func hangUp() { panic(http.ErrAbortHandler) }

func isBlob(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/sha256:")
}

// newWorld has our own registry, unless another one is given.
func newWorld(t *testing.T, registry http.Handler) *world {
	if registry == nil {
		registry = server.New(t.TempDir(), server.Options{})
	}
	w := &world{t: t}
	w.http = httptest.NewServer(w.watch(registry))
	t.Cleanup(w.http.Close)
	w.host = strings.TrimPrefix(w.http.URL, "http://")
	w.o = Options{ConfigDir: t.TempDir(), Pause: func(ctx context.Context, d time.Duration) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.pauses = append(w.pauses, d)
		return ctx.Err()
	}}
	w.fresh()
	return w
}

// fresh makes a client that knows nothing yet, as the next command's does.
func (w *world) fresh() *Client {
	w.client = New(w.o)
	return w.client
}

func (w *world) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.requests = append(w.requests, r.Method+" "+r.URL.RequestURI())
		spoil := w.spoil
		w.mu.Unlock()
		if spoil != nil {
			if out = spoil(out, r); out == nil {
				return
			}
		}
		next.ServeHTTP(out, r)
	})
}

func (w *world) set(spoil spoiler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.spoil = spoil
}

// count returns how many requests began like this, and forgets nothing.
func (w *world) count(prefix string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, r := range w.requests {
		if strings.HasPrefix(r, prefix) {
			n++
		}
	}
	return n
}

func (w *world) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests, w.pauses = nil, nil
}

func (w *world) waited() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.pauses)
}

func (w *world) name(s string) image.Name { return parseName(w.t, w.host+"/"+s) }

func (w *world) pull(store *image.Store, name string) (*image.Image, Result, error) {
	return w.client.Pull(w.t.Context(), store, PullOptions{Name: w.name(name)})
}

func (w *world) push(store *image.Store, img *image.Image, name string) (Pushed, error) {
	return w.client.Push(w.t.Context(), store, img, PushOptions{Name: w.name(name)})
}

func (w *world) mustPull(store *image.Store, name string) *image.Image {
	w.t.Helper()
	img, _, err := w.pull(store, name)
	if err != nil {
		w.t.Fatal(err)
	}
	return img
}

func (w *world) mustPush(store *image.Store, img *image.Image, name string) Pushed {
	w.t.Helper()
	pushed, err := w.push(store, img, name)
	if err != nil {
		w.t.Fatal(err)
	}
	return pushed
}

func parseName(t *testing.T, s string) image.Name {
	t.Helper()
	n, err := image.ParseName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func newStore(t *testing.T) *image.Store { return &image.Store{Dir: t.TempDir()} }

// noise is content that does not compress.
func noise(n int) string {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return string(b)
}

// makeImage puts an image with one layer for each content into a store.
func makeImage(t testing.TB, store *image.Store, contents ...string) *image.Image {
	t.Helper()
	draft, err := store.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer draft.Discard()
	draft.Volatile = true
	for i, content := range contents {
		if _, err := draft.AddLayer(bytes.NewReader(tartest.Archive(t, tartest.File(fmt.Sprint("file", i), content)))); err != nil {
			t.Fatal(err)
		}
	}
	img, err := draft.Commit(v1.ConfigFile{OS: "linux", Architecture: thisPlatform().Architecture, Config: v1.Config{Cmd: []string{"sh"}}})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// contentOf reads a file of an image.
func contentOf(t *testing.T, store *image.Store, img *image.Image, path string) string {
	t.Helper()
	file, err := store.Lookup(img.Layers, "", path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// checkEmpty: nothing of what failed is seen, nor left behind.
func checkEmpty(t *testing.T, store *image.Store) {
	t.Helper()
	if images, err := store.List(); err != nil || len(images) > 0 {
		t.Errorf("there should be no image: %v, %v", images, err)
	}
	for _, dir := range []string{"staging", "layers", "oci/blobs/sha256"} {
		files, err := os.ReadDir(filepath.Join(store.Dir, dir))
		for _, f := range files {
			if f.Name() != "empty" && !strings.HasPrefix(f.Name(), ".") {
				t.Errorf("left behind: %s/%s (%v)", dir, f.Name(), err)
			}
		}
	}
}

// wantError checks an error and its cure.
func wantError(t *testing.T, err error, cause, cure string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, where %q was expected", cause)
	}
	if !strings.Contains(err.Error(), cause) {
		t.Errorf("error %q, where %q was expected", err, cause)
	}
	if got := kernel.CureOf(err); !strings.Contains(got, cure) || cure == "" && got != "" {
		t.Errorf("cure %q, where %q was expected", got, cure)
	}
}

// shelf is a registry by hand: it gives what a test has put there, whatever that is.
type shelf struct {
	manifests map[string]manifestOnShelf // by tag and by digest
	blobs     map[string][]byte
}

type manifestOnShelf struct {
	mediaType types.MediaType
	data      []byte
}

func newShelf() *shelf { return &shelf{map[string]manifestOnShelf{}, map[string][]byte{}} }

func digestOf(data []byte) v1.Hash {
	sum := sha256.Sum256(data)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
}

func (s *shelf) blob(data []byte, t types.MediaType) v1.Descriptor {
	d := v1.Descriptor{MediaType: t, Size: int64(len(data)), Digest: digestOf(data)}
	s.blobs[d.Digest.String()] = data
	return d
}

func (s *shelf) manifest(tag string, t types.MediaType, content any) v1.Descriptor {
	data, ok := content.([]byte)
	if !ok {
		data, _ = json.Marshal(content)
	}
	d := v1.Descriptor{MediaType: t, Size: int64(len(data)), Digest: digestOf(data)}
	s.manifests[tag], s.manifests[d.Digest.String()] = manifestOnShelf{t, data}, manifestOnShelf{t, data}
	return d
}

// image puts an image on the shelf. Its layers are plain tar archives.
func (s *shelf) image(t *testing.T, tag string, p v1.Platform, contents ...string) v1.Descriptor {
	t.Helper()
	config := v1.ConfigFile{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, RootFS: v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{}}}
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Layers: []v1.Descriptor{}}
	for _, content := range contents {
		layer := s.blob(tartest.Archive(t, tartest.File("file", content)), types.OCIUncompressedLayer)
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, layer.Digest)
		m.Layers = append(m.Layers, layer)
	}
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	m.Config = s.blob(data, types.OCIConfigJSON)
	d := s.manifest(tag, m.MediaType, m)
	d.Platform = &p
	return d
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.Split(r.URL.Path, "/")
	last := path[len(path)-1]
	switch {
	case r.URL.Path == "/v2/":
	case strings.HasSuffix(r.URL.Path, "/tags/list"):
		var tags []string
		for tag := range s.manifests {
			if !strings.HasPrefix(tag, "sha256:") {
				tags = append(tags, tag)
			}
		}
		json.NewEncoder(w).Encode(map[string]any{"tags": tags})
	case path[len(path)-2] == "manifests" && s.manifests[last].data != nil:
		w.Header().Set("Content-Type", string(s.manifests[last].mediaType))
		w.Header().Set("Docker-Content-Digest", digestOf(s.manifests[last].data).String())
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.manifests[last].data))
	case path[len(path)-2] == "blobs" && s.blobs[last] != nil:
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.blobs[last]))
	default:
		code := "BLOB_UNKNOWN"
		if path[len(path)-2] == "manifests" {
			code = "MANIFEST_UNKNOWN"
		}
		answer(w, http.StatusNotFound, code, "not on the shelf")
	}
}

// answer is an error as registries write it.
func answer(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, code, message)
}
