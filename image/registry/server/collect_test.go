package server

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// age makes everything in a registry two hours old.
func age(t testing.TB, dir string) {
	t.Helper()
	then := time.Now().Add(-2 * time.Hour)
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, then, then))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func collect(t testing.TB, dir string, o CollectOptions) Report {
	t.Helper()
	report, err := Collect(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	checkStore(t, dir)
	return report
}

// same compares lists without regard to their order.
func same(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(sorted(slices.Clone(got)...), sorted(want...)) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func digests(contents ...string) []string {
	var list []string
	for _, content := range contents {
		list = append(list, sum(content).String())
	}
	return list
}

func in(repo string, digests []string) []string {
	var list []string
	for _, d := range digests {
		list = append(list, repo+"@"+d)
	}
	return list
}

func TestCollect(t *testing.T) {
	w := start(t, Options{})
	kept := w.pushImage("a", "v1", "", "{}", "base", "kept")
	gone := w.pushImage("a", "v2", "", "{}", "base", "gone")
	w.pushImage("b", "v1", "", "{}", "shared")
	w.ask("POST", "/v2/a/blobs/uploads/?from=b&mount="+sum("shared").String(), "").want(t, 201, "")
	w.pushBlob("a", "nobody's")
	w.ask("DELETE", "/v2/a/manifests/"+sum(gone).String(), "").want(t, 202, "")
	same(t, "young", collect(t, w.dir, CollectOptions{}).Blobs) // somebody may be in the middle of a push

	age(t, w.dir)
	w.ask("HEAD", "/v2/a/blobs/"+sum("nobody's").String(), "").want(t, 200, "") // asked for: somebody counts on it
	want := digests("gone", gone)
	for _, dryRun := range []bool{true, false} {
		report := collect(t, w.dir, CollectOptions{DryRun: dryRun})
		same(t, "blobs", report.Blobs, want...)
		same(t, "links", report.Layers, in("a", digests("gone", "shared"))...) // b still has the second
		same(t, "manifests", report.Manifests)
		if report.Bytes != int64(len("gone")+len(gone)) {
			t.Errorf("%d bytes", report.Bytes)
		}
	}
	w.ask("GET", "/v2/a/blobs/"+sum("gone").String(), "").want(t, 404, codeBlobUnknown)
	w.ask("GET", "/v2/a/blobs/"+sum("nobody's").String(), "").want(t, 200, "")
	w.ask("GET", "/v2/b/blobs/"+sum("shared").String(), "").want(t, 200, "")
	w.ask("GET", "/v2/a/manifests/"+sum(kept).String(), "").want(t, 200, "")
	same(t, "again", collect(t, w.dir, CollectOptions{}).Blobs)
	age(t, w.dir)
	same(t, "an hour later", collect(t, w.dir, CollectOptions{}).Blobs, digests("nobody's")...)
	w.pushImage("a", "v2", "", "{}", "base", "gone") // and back
}

// TestCollectUntagged: what an index with a tag lists, and what refers to something that stays, stays too.
func TestCollectUntagged(t *testing.T) {
	w := start(t, Options{})
	child := w.pushImage("a", "", "", "{}", "child")
	inner := indexOf("", child)
	w.pushManifest("a", "", inner)
	w.pushManifest("a", "index", strings.Replace(indexOf("", inner), ociManifest, ociIndex, 1))
	signature := w.pushImage("a", "", subjectOf(child), "{}", "signature")
	w.pushImage("a", "", subjectOf(signature), "{}", "signature of the signature")
	lone := w.pushImage("a", "", "", "{}", "lone")
	orphan := w.pushImage("a", "", subjectOf("not here"), "{}", "orphan")
	moved := w.pushImage("a", "moved", "", "{}", "old")
	w.pushImage("a", "moved", "", "{}", "new")

	same(t, "young", collect(t, w.dir, CollectOptions{Untagged: true}).Manifests)
	age(t, w.dir)
	same(t, "all stay", collect(t, w.dir, CollectOptions{}).Blobs)
	want := digests(lone, orphan, moved)
	for _, dryRun := range []bool{true, false} {
		report := collect(t, w.dir, CollectOptions{Untagged: true, DryRun: dryRun})
		same(t, "manifests", report.Manifests, in("a", want)...)
		same(t, "blobs", report.Blobs, append(digests("lone", "orphan", "old"), want...)...)
	}
	for _, content := range []string{child, inner, signature} {
		w.ask("GET", "/v2/a/manifests/"+sum(content).String(), "").want(t, 200, "")
	}
	w.ask("GET", "/v2/a/manifests/"+sum(moved).String(), "").want(t, 404, codeManifestUnknown)
	w.ask("GET", "/v2/a/manifests/moved", "").want(t, 200, "")
}

// TestCollectWhatItDoesNotKnow: a manifest of a kind that another program put there keeps whatever it names; one that
// cannot be read is reported.
func TestCollectWhatItDoesNotKnow(t *testing.T) {
	w := start(t, Options{})
	w.pushImage("a", "v1", "", "{}")
	w.pushBlob("a", "layer of old")
	old := `{"schemaVersion":1,"fsLayers":[{"blobSum":"` + sum("layer of old").String() + `"}]}`
	w.pushBlob("a", old)
	w.pushBlob("a", "not JSON")
	r := store{w.dir}.repository("a")
	for _, content := range []string{old, "not JSON"} {
		if err := r.writeLink(r.revisionLink(sum(content)), sum(content)); err != nil {
			t.Fatal(err)
		}
	}
	age(t, w.dir)
	report, err := Collect(w.dir, CollectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "blobs", report.Blobs)
	same(t, "damaged", report.Damaged, in("a", digests("not JSON"))...)
	var out bytes.Buffer
	report.Print(&out, false)
	if !strings.HasSuffix(out.String(), "removed 0 manifests, 2 links, 0 blobs (0 bytes), 0 uploads\n") {
		t.Errorf("got %q", out.String())
	}
}

// TestOldUploads: what nobody went on with, and what killed writers left.
func TestOldUploads(t *testing.T) {
	w := start(t, Options{})
	location := w.upload("only/begun")
	w.ask("PATCH", location, "content").want(t, 202, "")
	r := store{w.dir}.repository("only/begun")
	write(t, r.uploads()+"/x.new", "half a link")
	same(t, "young", collect(t, w.dir, CollectOptions{}).Uploads)
	age(t, w.dir)
	same(t, "not old enough", collect(t, w.dir, CollectOptions{}).Uploads)
	u, err := r.resume(t.Context(), filepath.Base(location))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "at work", collect(t, w.dir, CollectOptions{Uploads: time.Hour, DryRun: true}).Uploads, "only/begun/_uploads/x.new")
	u.close()
	report := collect(t, w.dir, CollectOptions{Uploads: time.Hour})
	same(t, "old", report.Uploads, "only/begun/_uploads/x.new", "only/begun/_uploads/"+filepath.Base(location))
	w.ask("GET", location, "").want(t, 404, codeUploadUnknown)
	if _, err := Collect(t.TempDir(), CollectOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no registry: %v", err)
	}
}
