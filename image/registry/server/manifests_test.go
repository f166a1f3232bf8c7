package server

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"testing"
)

// TestPushingManifests is the section "Pushing Manifests" (end-7a, 7b).
func TestPushingManifests(t *testing.T) {
	w := start(t, Options{})
	w.pushBlob("a/b", "{}")
	w.pushBlob("a/b", "layer")
	content := imageOf("", "{}", "layer") + "\n  " // every byte counts
	d := sum(content).String()
	headers := []string{"Location: /v2/a/b/manifests/" + d, "Docker-Content-Digest: " + d, "OCI-Subject: ", "OCI-Tag: "}
	w.ask("PUT", "/v2/a/b/manifests/v1", content, "Content-Type: "+ociManifest+"; charset=utf-8").want(t, 201, "", headers...)
	w.ask("PUT", "/v2/a/b/manifests/"+d, content, "Content-Type: "+ociManifest).want(t, 201, "", headers...)
	w.ask("PUT", "/v2/a/b/manifests/"+d+"?tag=x&tag=y", content).want(t, 201, "", "OCI-Tag: x, y")
	for _, reference := range []string{"v1", "x", "y", d} {
		if got := w.ask("GET", "/v2/a/b/manifests/"+reference, "").want(t, 200, "", "Content-Type: "+ociManifest); got.body != content {
			t.Errorf("%s: got %q", reference, got.body)
		}
	}
	w.ask("PUT", "/v2/a/b/manifests/"+sum("x").String(), content).want(t, 400, codeDigestInvalid)
	w.ask("PUT", "/v2/a/b/manifests/sha256:x", content).want(t, 400, codeDigestInvalid)
	w.ask("PUT", "/v2/a/b/manifests/.x", content).want(t, 400, codeManifestInvalid)
	w.ask("PUT", "/v2/a/b/manifests/"+d+"?tag=.x", content).want(t, 400, codeManifestInvalid)

	// A tag moves.
	next := w.pushImage("a/b", "v1", "", "{}", "more")
	w.ask("GET", "/v2/a/b/manifests/v1", "").want(t, 200, "", "Docker-Content-Digest: "+sum(next).String())
	w.ask("GET", "/v2/a/b/manifests/"+d, "").want(t, 200, "")
	checkStore(t, w.dir)
}

// TestMissingBlobs: a manifest that refers to what the repository does not have is refused, one problem for each.
func TestMissingBlobs(t *testing.T) {
	w := start(t, Options{})
	w.pushBlob("a", "{}")
	w.pushBlob("other", "layer")
	got := w.ask("PUT", "/v2/a/manifests/v1", imageOf("", "{}", "layer", "more")).want(t, 400, codeManifestBlobUnknown)
	for _, content := range []string{"layer", "more"} {
		if !strings.Contains(got.body, `"digest":"`+sum(content).String()) {
			t.Errorf("%q is not named in %s", content, got.body)
		}
	}
	w.ask("GET", "/v2/a/manifests/v1", "").want(t, 404, codeManifestUnknown)
	w.ask("PUT", "/v2/a/manifests/index", indexOf("", "no manifest")).want(t, 400, codeManifestBlobUnknown)
	// What nobody pushes is not missed, and a subject may come later.
	foreign := strings.Replace(imageOf("", "{}", "layer"), "layer.v1.tar", "layer.nondistributable.v1.tar", 1)
	w.ask("PUT", "/v2/a/manifests/foreign", foreign).want(t, 201, "")
	w.ask("PUT", "/v2/a/manifests/later", imageOf(subjectOf("later"), "{}")).want(t, 201, "", "OCI-Subject: "+sum("later").String())
	image := w.pushImage("a", "v1", "", "{}", "layer")
	w.ask("PUT", "/v2/a/manifests/index", indexOf("", image)).want(t, 201, "")
}

func TestInvalidManifests(t *testing.T) {
	w := start(t, Options{})
	w.pushBlob("a", "{}")
	good := imageOf("", "{}")
	index := `{"schemaVersion":2,"manifests":[]}`
	for name, c := range map[string]struct{ content, contentType string }{
		"empty":               {"", ""},
		"no JSON":             {"hello", ""},
		"an array":            {"[]", ""},
		"more after the end":  {good + good, ""},
		"schema 1":            {`{"schemaVersion":1,"name":"a","tag":"v1","fsLayers":[]}`, "application/vnd.docker.distribution.manifest.v1+prettyjws"},
		"no schemaVersion":    {strings.Replace(good, `"schemaVersion":2,`, "", 1), ""},
		"another type":        {good, dockerManifest},
		"no type at all":      {good, ";;;"},
		"unknown type":        {strings.Replace(good, ociManifest, "text/plain", 1), "text/plain"},
		"both":                {strings.Replace(good, `"layers"`, `"manifests":[],"layers"`, 1), ""},
		"image, typed index":  {strings.Replace(good, ociManifest, ociIndex, 1), ociIndex},
		"no config":           {`{"schemaVersion":2,"mediaType":"` + ociManifest + `","layers":[]}`, ""},
		"untyped as Docker's": {index, dockerList},
		"short digest":        {strings.Replace(good, sum("{}").Hex, "abc", 1), ""},
		"path as digest":      {strings.Replace(good, sum("{}").Hex, strings.Repeat("../", 21)+"x", 1), ""},
		"deep":                {strings.Repeat("[", 100000), ""},
	} {
		t.Run(name, func(t *testing.T) {
			var headers []string
			if c.contentType != "" {
				headers = []string{"Content-Type: " + c.contentType}
			}
			w.ask("PUT", "/v2/a/manifests/v1", c.content, headers...).want(t, 400, codeManifestInvalid)
		})
	}
	w.ask("PUT", "/v2/a/manifests/index", index, "Content-Type: "+ociIndex).want(t, 201, "")
	w.ask("GET", "/v2/a/manifests/index", "").want(t, 200, "", "Content-Type: "+ociIndex)
	w.ask("PUT", "/v2/a/manifests/plain", strings.Replace(good, `"mediaType":"`+ociManifest+`",`, "", 1)).want(t, 201, "")
	w.ask("GET", "/v2/a/manifests/plain", "").want(t, 200, "", "Content-Type: "+ociManifest)
}

// TestManifestSize: four mebibytes are taken, a byte more is not.
func TestManifestSize(t *testing.T) {
	w := start(t, Options{})
	w.pushBlob("a", "{}")
	content := imageOf("", "{}")
	content += strings.Repeat(" ", maxManifest-len(content))
	w.ask("PUT", "/v2/a/manifests/v1", content).want(t, 201, "")
	w.ask("PUT", "/v2/a/manifests/v1", content+" ").want(t, 413, codeManifestInvalid)
}

// TestDeleting is the section "Content Management" (end-9, end-10).
func TestDeleting(t *testing.T) {
	w := start(t, Options{})
	first, second := w.pushImage("a", "one", "", "{}", "1"), w.pushImage("a", "two", "", "{}", "2")
	w.pushManifest("a", "both", first)
	w.pushManifest("a", "both", second)

	w.ask("DELETE", "/v2/a/manifests/two", "").want(t, 202, "") // a tag
	w.ask("GET", "/v2/a/manifests/two", "").want(t, 404, codeManifestUnknown)
	w.ask("DELETE", "/v2/a/manifests/two", "").want(t, 404, codeManifestUnknown)
	w.ask("GET", "/v2/a/manifests/"+sum(second).String(), "").want(t, 200, "")

	w.ask("DELETE", "/v2/a/manifests/"+sum(second).String(), "").want(t, 202, "") // a manifest, with its tags
	w.ask("DELETE", "/v2/a/manifests/"+sum(second).String(), "").want(t, 404, codeManifestUnknown)
	w.ask("GET", "/v2/a/manifests/both", "").want(t, 404, codeManifestUnknown)
	if got := w.ask("GET", "/v2/a/tags/list", "").want(t, 200, ""); got.body != `{"name":"a","tags":["one"]}` {
		t.Errorf("got %s", got.body)
	}
	blob := "/v2/a/blobs/" + sum("2").String()
	w.ask("DELETE", blob, "").want(t, 202, "")
	w.ask("DELETE", blob, "").want(t, 404, codeBlobUnknown)
	w.ask("GET", blob, "").want(t, 404, codeBlobUnknown)
	w.ask("DELETE", "/v2/none/manifests/x", "").want(t, 404, codeManifestUnknown)
	w.ask("DELETE", "/v2/none/manifests/"+sum("").String(), "").want(t, 404, codeNameUnknown)
	checkStore(t, w.dir)

	kept := start(t, Options{NoDelete: true})
	image := kept.pushImage("a", "one", "", "{}", "1")
	for _, path := range []string{"manifests/one", "manifests/" + sum(image).String(), "blobs/" + sum("1").String()} {
		kept.ask("DELETE", "/v2/a/"+path, "").want(t, 405, codeUnsupported)
		kept.ask("GET", "/v2/a/"+path, "").want(t, 200, "")
	}
	kept.ask("DELETE", kept.upload("a"), "").want(t, 204, "")
}

// TestReferrers is the section "Listing Referrers" (end-12a, 12b).
func TestReferrers(t *testing.T) {
	w := start(t, Options{})
	image := w.pushImage("a", "v1", "", "{}", "layer")
	signature := w.pushImage("a", "", `"artifactType":"app/signature","annotations":{"k":"v"},`+subjectOf(image), "{}", "signature")
	plain := w.pushImage("a", "", subjectOf(image), "{}", "sbom")
	index := indexOf(subjectOf(image), plain)
	w.pushManifest("a", "", index)
	w.pushImage("a", "", `"annotations":{"mentions":"`+sum(image).String()+`"},`, "{}", "x") // no referrer
	w.pushImage("other", "", subjectOf(image), "{}", "y")                                    // another repository's

	entry := func(content, mediaType, more string) string {
		return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d%s}`, mediaType, sum(content), len(content), more)
	}
	entries := map[string]string{
		sum(signature).Hex: entry(signature, ociManifest, `,"artifactType":"app/signature","annotations":{"k":"v"}`),
		sum(plain).Hex:     entry(plain, ociManifest, `,"artifactType":"application/vnd.oci.image.config.v1+json"`),
		sum(index).Hex:     entry(index, ociIndex, ""),
	}
	want := func(digests ...string) string {
		var list []string
		for _, d := range sorted(digests...) {
			list = append(list, entries[d])
		}
		return `{"schemaVersion":2,"mediaType":"` + ociIndex + `","manifests":[` + strings.Join(list, ",") + `]}`
	}
	all := want(sum(signature).Hex, sum(plain).Hex, sum(index).Hex)
	for path, c := range map[string]struct{ body, filters string }{
		"a/referrers/" + sum(image).String():                                 {all, ""},
		"a/referrers/" + sum(image).String() + "?artifactType=app/signature": {want(sum(signature).Hex), "artifactType"},
		"a/referrers/" + sum(image).String() + "?artifactType=none":          {want(), "artifactType"},
		"a/referrers/" + sum("nobody").String():                              {want(), ""},
		"none/referrers/" + sum(image).String():                              {want(), ""},
		"a/referrers/blake3:" + strings.Repeat("a", 64):                      {want(), ""},
	} {
		got := w.ask("GET", "/v2/"+path, "").want(t, 200, "", "Content-Type: "+ociIndex, "OCI-Filters-Applied: "+c.filters, "Link: ")
		if got.body != c.body {
			t.Errorf("%s: got %s, want %s", path, got.body, c.body)
		}
	}
	w.ask("GET", "/v2/a/referrers/sha256:x", "").want(t, 400, codeDigestInvalid)
	w.ask("GET", "/v2/a/referrers/v1", "").want(t, 400, codeDigestInvalid)
	w.ask("DELETE", "/v2/a/manifests/"+sum(plain).String(), "").want(t, 202, "")
	if got := w.ask("GET", "/v2/a/referrers/"+sum(image).String(), ""); got.body != want(sum(signature).Hex, sum(index).Hex) {
		t.Errorf("after a deletion: %s", got.body)
	}
}

// TestManyReferrers: more than fit into a manifest come in pages.
func TestManyReferrers(t *testing.T) {
	w := start(t, Options{})
	image := w.pushImage("a", "v1", "", "{}", "layer")
	for i := range 3 {
		w.pushImage("a", "", fmt.Sprintf(`"annotations":{"i":"%d","k":%q},`, i, strings.Repeat("x", 300<<10))+subjectOf(image), "{}")
	}
	found := 0
	path := "/v2/a/referrers/" + sum(image).String() + "?artifactType=" + url.QueryEscape("application/vnd.oci.image.config.v1+json")
	for pages := 1; path != ""; pages++ {
		got := w.ask("GET", path, "").want(t, 200, "", "OCI-Filters-Applied: artifactType")
		if len(got.body) > maxManifest || pages > 3 {
			t.Fatalf("page %d has %d bytes", pages, len(got.body))
		}
		found += strings.Count(got.body, `"artifactType"`)
		path = nextOf(got)
		if path == "" && pages < 2 {
			t.Errorf("%d pages", pages)
		}
	}
	if found != 3 {
		t.Errorf("found %d", found)
	}
}

// TestDamage: what a power failure can leave is no content, never wrong content.
func TestDamage(t *testing.T) {
	w := start(t, Options{})
	image := w.pushImage("a", "v1", "", "{}", "layer")
	r := store{w.dir}.repository("a")
	if err := os.WriteFile(r.currentLink("v1"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	w.ask("GET", "/v2/a/manifests/v1", "").want(t, 404, codeManifestUnknown)
	w.pushManifest("a", "v1", image)
	if err := os.WriteFile(r.blobFile(sum(image)), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := w.ask("GET", "/v2/a/manifests/v1", "").want(t, 500, codeUnknown); strings.Contains(got.body, w.dir) {
		t.Errorf("the client is told of the machine's directories: %s", got.body)
	}
	w.pushManifest("a", "v1", image) // heals it
	w.ask("GET", "/v2/a/manifests/v1", "").want(t, 200, "")
	if _, err := readLink(r.dir()); errors.Is(err, fs.ErrNotExist) {
		t.Error("a directory is no missing link")
	}
}

// FuzzManifest: whatever is pushed is refused, or read the same when it comes back from the disk, where no Content-Type
// helps.
func FuzzManifest(f *testing.F) {
	for _, content := range []string{imageOf("", "{}", "layer"), imageOf(subjectOf("x"), "{}"), indexOf("", "x"), `{"schemaVersion":2,"manifests":[]}`,
		`{"schemaVersion":1}`, `{"schemaVersion":2,"config":{},"layers":null}`, `{"schemaVersion":2,"mediaType":"` + dockerList + `"}`} {
		for _, contentType := range []string{"", ociManifest, ociIndex + "; x=y", dockerList} {
			f.Add([]byte(content), contentType)
		}
	}
	f.Fuzz(func(t *testing.T, content []byte, contentType string) {
		m, err := parseManifest(content, contentType)
		if err != nil {
			return
		}
		again, err := parseManifest(content, "")
		if err != nil || again.MediaType != m.MediaType {
			t.Fatalf("pushed as %s, came back as %v, %v", m.MediaType, again, err)
		}
		n, err := nodeOf(content)
		if err != nil || len(n.refers) != len(m.references()) {
			t.Errorf("it refers to %v, garbage collection sees %v, %v", m.references(), n.refers, err)
		}
	})
}
