package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain is the tests, or, in a child of them, a registry (see child_test.go).
func TestMain(m *testing.M) {
	if role := os.Getenv("REGISTRY_TEST_ROLE"); role != "" {
		os.Exit(childMain(role))
	}
	os.Exit(m.Run())
}

// world is a registry that listens on a port of its own.
type world struct {
	t   testing.TB
	dir string
	url string
}

func start(t testing.TB, o Options) *world {
	t.Helper()
	dir := t.TempDir()
	web := httptest.NewServer(New(dir, o))
	t.Cleanup(web.Close)
	return &world{t, dir, web.URL}
}

// answer is a response, read to its end.
type answer struct {
	*http.Response
	body string
}

// ask sends a request; headers are "Name: value".
func (w *world) ask(method, path, body string, headers ...string) answer {
	w.t.Helper()
	request, err := http.NewRequest(method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		if name == "user" {
			user, password, _ := strings.Cut(value, ":")
			request.SetBasicAuth(user, password)
			continue
		}
		request.Header.Add(name, value)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	if version := response.Header.Get("Docker-Distribution-API-Version"); version != "registry/2.0" {
		w.t.Errorf("%s %s: Docker-Distribution-API-Version is %q", method, path, version)
	}
	return answer{response, string(content)}
}

// want checks a status, the error's code in the body ("" for none), and headers.
func (a answer) want(t testing.TB, status int, code string, headers ...string) answer {
	t.Helper()
	what := a.Request.Method + " " + a.Request.URL.RequestURI()
	if a.StatusCode != status {
		t.Errorf("%s: status %d, want %d: %s", what, a.StatusCode, status, a.body)
	}
	if a.Request.Method != http.MethodHead && code != a.code() {
		t.Errorf("%s: code %q, want %q", what, a.code(), code)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		if got := strings.Join(a.Header.Values(name), ", "); got != value {
			t.Errorf("%s: %s is %q, want %q", what, name, got, value)
		}
	}
	return a
}

// code is that of the first error in the body.
func (a answer) code() string {
	var body struct{ Errors []problem }
	if json.Unmarshal([]byte(a.body), &body) != nil || len(body.Errors) == 0 {
		return ""
	}
	return body.Errors[0].Code
}

func sum(content string) Digest {
	return Digest{"sha256", fmt.Sprintf("%x", sha256.Sum256([]byte(content)))}
}

// pushBlob sends one in a single request.
func (w *world) pushBlob(repo, content string) Digest {
	w.t.Helper()
	d := sum(content)
	w.ask("POST", "/v2/"+repo+"/blobs/uploads/?digest="+d.String(), content).want(w.t, 201, "")
	return d
}

// upload begins one and returns its address.
func (w *world) upload(repo string) string {
	w.t.Helper()
	return w.ask("POST", "/v2/"+repo+"/blobs/uploads/", "").want(w.t, 202, "").Header.Get("Location")
}

// imageOf is the manifest of an image; more is put into it: `"subject":…,`.
func imageOf(more, config string, layers ...string) string {
	describe := func(mediaType, content string) string {
		return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, mediaType, sum(content), len(content))
	}
	var list []string
	for _, content := range layers {
		list = append(list, describe("application/vnd.oci.image.layer.v1.tar", content))
	}
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,%s"config":%s,"layers":[%s]}`,
		ociManifest, more, describe("application/vnd.oci.image.config.v1+json", config), strings.Join(list, ","))
}

// indexOf is an index of manifests.
func indexOf(more string, manifests ...string) string {
	var list []string
	for _, content := range manifests {
		list = append(list, fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, ociManifest, sum(content), len(content)))
	}
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,%s"manifests":[%s]}`, ociIndex, more, strings.Join(list, ","))
}

// subjectOf is the field of a manifest that refers to another one.
func subjectOf(content string) string {
	return fmt.Sprintf(`"subject":{"mediaType":%q,"digest":%q,"size":%d},`, ociManifest, sum(content), len(content))
}

// pushImage pushes the blobs and the manifest, and returns that. Its digest is what it is called if reference is "".
func (w *world) pushImage(repo, reference, more string, blobs ...string) string {
	w.t.Helper()
	for _, content := range blobs {
		w.pushBlob(repo, content)
	}
	content := imageOf(more, blobs[0], blobs[1:]...)
	w.pushManifest(repo, reference, content)
	return content
}

func (w *world) pushManifest(repo, reference, content string) {
	w.t.Helper()
	if reference == "" {
		reference = sum(content).String()
	}
	w.ask("PUT", "/v2/"+repo+"/manifests/"+reference, content).want(w.t, 201, "")
}

// checkStore holds a registry's directory against what it promises after any crash.
func checkStore(t testing.TB, dir string) {
	t.Helper()
	s := store{dir}
	err := filepath.WalkDir(s.blobs(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if want := filepath.Base(filepath.Dir(path)); err == nil && sum(string(content)).Hex != want {
			t.Errorf("%s has other content: %d bytes", path, len(content))
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	names, err := s.names()
	if err != nil {
		t.Error(err)
	}
	for _, name := range names {
		checkRepository(t, s.repository(name))
	}
}

func checkRepository(t testing.TB, r repository) {
	t.Helper()
	revisions, _ := digestsIn(r.revisions())
	for _, d := range revisions {
		_, m, err := r.readManifest(d)
		if err != nil {
			t.Errorf("%s: manifest %s: %v", r.name, d, err)
			continue
		}
		if problems, err := r.missing(m); err != nil || len(problems) > 0 {
			t.Errorf("%s: manifest %s refers to what is not there: %v, %v", r.name, d, problems, err)
		}
	}
	tags, _ := entries(r.tags())
	for _, tag := range tags {
		if _, err := os.Stat(r.currentLink(tag)); errors.Is(err, fs.ErrNotExist) {
			continue // killed between the two links of a new tag: it does not exist yet
		}
		if d, err := r.resolve(tag); err != nil {
			t.Errorf("%s:%s means %s: %v", r.name, tag, d, err)
		}
	}
}

// random is content of a size, the same for the same seed.
func random(seed string, size int) string {
	var b bytes.Buffer
	for i := 0; b.Len() < size; i++ {
		piece := sha256.Sum256(fmt.Append(nil, seed, i))
		b.Write(piece[:])
	}
	return b.String()[:size]
}
