package server

import (
	"os"
	"strings"
	"testing"
)

// TestEndPoint1: is this a registry?
func TestEndPoint1(t *testing.T) {
	w := start(t, Options{})
	w.ask("GET", "/v2/", "").want(t, 200, "", "Content-Type: application/json")
	w.ask("GET", "/v2", "").want(t, 200, "")
	w.ask("HEAD", "/v2/", "").want(t, 200, "")
	w.ask("GET", "/", "").want(t, 200, "")
	w.ask("GET", "/v1/search", "").want(t, 404, codeUnsupported)
	w.ask("DELETE", "/v2/", "").want(t, 405, codeUnsupported, "Allow: GET, HEAD")
	w.ask("PUT", "/v2/a/tags/list", "").want(t, 405, codeUnsupported, "Allow: GET, HEAD")
}

// TestPullingBlobs is the section "Pulling blobs" (end-2), and "Checking if content exists".
func TestPullingBlobs(t *testing.T) {
	w := start(t, Options{})
	d := w.pushBlob("a/b", "0123456789").String()
	url := "/v2/a/b/blobs/" + d
	headers := []string{"Docker-Content-Digest: " + d, "Content-Length: 10", "Etag: \"" + d + "\"", "Content-Type: application/octet-stream"}
	if got := w.ask("GET", url, "").want(t, 200, "", headers...); got.body != "0123456789" {
		t.Errorf("got %q", got.body)
	}
	w.ask("HEAD", url, "").want(t, 200, "", headers...)
	if got := w.ask("GET", url, "", "Range: bytes=2-4").want(t, 206, "", "Content-Range: bytes 2-4/10"); got.body != "234" {
		t.Errorf("got %q", got.body)
	}
	if got := w.ask("GET", url, "", "Range: bytes=7-").want(t, 206, ""); got.body != "789" {
		t.Errorf("got %q", got.body)
	}
	w.ask("GET", url, "", "Range: bytes=10-").want(t, 416, "", "Content-Range: bytes */10")
	w.ask("GET", url, "", "If-None-Match: \""+d+"\"").want(t, 304, "")

	other := sum("other").String()
	w.ask("GET", "/v2/a/b/blobs/"+other, "").want(t, 404, codeBlobUnknown)
	w.ask("HEAD", "/v2/a/b/blobs/"+other, "").want(t, 404, "")
	w.ask("GET", "/v2/a/c/blobs/"+d, "").want(t, 404, codeBlobUnknown) // another repository
	w.ask("GET", "/v2/a/b/blobs/sha256:123", "").want(t, 400, codeDigestInvalid)
	w.ask("GET", "/v2/a/b/blobs/"+strings.ToUpper(d), "").want(t, 400, codeDigestInvalid)
	w.ask("GET", "/v2/a/b/blobs/blake3:"+strings.Repeat("a", 64), "").want(t, 404, codeBlobUnknown)

	if err := os.Remove(store{w.dir}.blobFile(sum("0123456789"))); err != nil {
		t.Fatal(err)
	}
	w.ask("GET", url, "").want(t, 404, codeBlobUnknown) // a link to nothing
}

// TestPullingManifests is the section "Pulling manifests" (end-3).
func TestPullingManifests(t *testing.T) {
	w := start(t, Options{})
	content := w.pushImage("a/b", "v1", "", "{}", "layer")
	d := sum(content).String()
	headers := []string{"Docker-Content-Digest: " + d, "Content-Type: " + ociManifest, "Etag: \"" + d + "\""}
	for _, reference := range []string{"v1", d} {
		if got := w.ask("GET", "/v2/a/b/manifests/"+reference, "").want(t, 200, "", headers...); got.body != content {
			t.Errorf("got %q", got.body)
		}
		if got := w.ask("HEAD", "/v2/a/b/manifests/"+reference, "").want(t, 200, "", headers...); got.ContentLength != int64(len(content)) {
			t.Errorf("Content-Length is %d", got.ContentLength)
		}
		w.ask("GET", "/v2/a/b/manifests/"+reference, "", "If-None-Match: \""+d+"\"").want(t, 304, "")
	}
	w.ask("GET", "/v2/a/b/manifests/v2", "").want(t, 404, codeManifestUnknown)
	w.ask("GET", "/v2/a/b/manifests/.INVALID", "").want(t, 404, codeManifestUnknown)
	w.ask("GET", "/v2/a/b/manifests/"+sum("x").String(), "").want(t, 404, codeManifestUnknown)
	w.ask("GET", "/v2/a/b/manifests/sha256:x", "").want(t, 400, codeDigestInvalid)
	w.ask("GET", "/v2/a/b/manifests/"+sum("layer").String(), "").want(t, 404, codeManifestUnknown) // a blob is no manifest
	w.ask("GET", "/v2/none/manifests/v1", "").want(t, 404, codeNameUnknown)
	w.ask("HEAD", "/v2/none/manifests/v1", "").want(t, 404, "")
}

func TestAccept(t *testing.T) {
	w := start(t, Options{})
	const manifests = "/v2/a/manifests/"
	oci := w.pushImage("a", "oci", "", "{}", "layer")
	docker := strings.ReplaceAll(imageOf("", "{}", "layer"), ociManifest, dockerManifest)
	w.ask("PUT", manifests+"docker", docker, "Content-Type: "+dockerManifest).want(t, 201, "")
	entry := func(architecture string) string {
		return `{"mediaType":"` + dockerManifest + `","digest":"` + sum(docker).String() + `","size":1,"platform":{"os":"linux","architecture":"` + architecture + `"}}`
	}
	list := func(entries string) string {
		return `{"schemaVersion":2,"mediaType":"` + dockerList + `","manifests":[` + entries + `]}`
	}
	w.ask("PUT", manifests+"list", list(entry("arm64")+","+entry("amd64"))).want(t, 201, "")
	w.ask("PUT", manifests+"arm", list(entry("arm64"))).want(t, 201, "")
	w.ask("PUT", manifests+"index", indexOf("", oci)).want(t, 201, "")
	for _, c := range []struct {
		reference, accept string
		mediaType         string // of the answer; "" for none
	}{
		{"oci", "", ociManifest},
		{"oci", "*/*", ociManifest},
		{"oci", "application/*;q=0.5", ociManifest},
		{"oci", dockerManifest + ", " + ociManifest + "; q=0.1", ociManifest},
		{"oci", dockerManifest, ""},
		{sum(oci).String(), dockerManifest, ""},
		{"docker", ociManifest + ", " + dockerManifest, dockerManifest},
		{"index", ociIndex, ociIndex},
		{"index", ociManifest, ""},
		{"list", dockerList + "," + dockerManifest, dockerList},
		{"list", dockerManifest, dockerManifest}, // linux/amd64, as old clients expect
		{"list", ociManifest, ""},
		{"arm", dockerManifest, ""},
	} {
		var headers []string
		if c.accept != "" {
			headers = []string{"Accept: " + c.accept}
		}
		got := w.ask("GET", manifests+c.reference, "", headers...)
		if c.mediaType == "" {
			got.want(t, 404, codeManifestUnknown)
			continue
		}
		got.want(t, 200, "", "Content-Type: "+c.mediaType, "Docker-Content-Digest: "+sum(got.body).String())
	}
}

// TestNames: what cannot be a repository, a tag or an upload never reaches the disk.
func TestNames(t *testing.T) {
	w := start(t, Options{})
	long := strings.Repeat("a", 250) + "/bcd"
	for _, name := range []string{"a", "a/b/c", "a__b", "a---b", "a.b_c-d", "0/1", "blobs/uploads", "x/manifests", "tags/list", long} {
		if !validName(name) {
			t.Errorf("%q is refused", name)
		}
		w.pushImage(name, "v1", "", "{}")
		w.ask("GET", "/v2/"+name+"/manifests/v1", "").want(t, 200, "")
	}
	checkStore(t, w.dir)
	for _, name := range []string{"A", "a b", "-a", "a-", "a..b", "a___b", "a._b", "a//b", "a/", "_layers", "a/_uploads", "..", "%2e%2e", "%2e%2e/%2e%2e/etc",
		"a/../b", "a%00b", "a%2f..%2f..", "é", long + "x" + strings.Repeat("y", 8)} {
		w.ask("GET", "/v2/"+name+"/manifests/v1", "").want(t, 404, codeNameInvalid)
		w.ask("PUT", "/v2/"+name+"/manifests/v1", imageOf("", "{}")).want(t, 400, codeNameInvalid)
		w.ask("POST", "/v2/"+name+"/blobs/uploads/", "").want(t, 400, codeNameInvalid)
	}
	for _, tag := range []string{"-a", ".a", "a%2fb", "..", "%2e%2e", "é", strings.Repeat("a", 129), "a%20b"} {
		if got := w.ask("PUT", "/v2/a/manifests/"+tag, imageOf("", "{}")); got.StatusCode/100 != 4 {
			t.Errorf("tag %q: %d", tag, got.StatusCode)
		}
	}
	for _, id := range []string{"..", "%2e%2e", "x", strings.Repeat("a", 36), "00000000-0000-0000-0000-000000000000"} {
		for _, method := range []string{"GET", "PATCH", "PUT", "DELETE"} {
			got := w.ask(method, "/v2/a/blobs/uploads/"+id+"?digest="+sum("").String(), "")
			if got.StatusCode != 404 && !(strings.Contains(id, "..") || strings.Contains(id, "%")) || got.StatusCode/100 != 4 {
				t.Errorf("%s upload %q: %d %s", method, id, got.StatusCode, got.body)
			}
		}
	}
}

// FuzzPath: whatever the path is, what comes out of it and is let through stays where it belongs.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"/v2/a/b/manifests/v1", "/v2/a/blobs/uploads/", "/v2/a/blobs/uploads/x", "/v2/../../etc/blobs/sha256:00", "/v2/a/tags/list", "/v2//referrers/x"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		target := parsePath(path)
		if target.check("PUT") != nil || target.kind <= catalog {
			return
		}
		r := store{"/registry"}.repository(target.name)
		paths := []string{r.dir()}
		if validTag(target.reference) {
			paths = append(paths, r.currentLink(target.reference))
		}
		if validUpload(target.reference) {
			paths = append(paths, r.uploadDir(target.reference))
		}
		if d, err := ParseDigest(target.reference); err == nil {
			paths = append(paths, r.layerLink(d))
		}
		for _, p := range paths {
			rest, inside := strings.CutPrefix(p, "/registry/docker/registry/v2/repositories/")
			if !inside || strings.Contains(rest, "..") && strings.Contains("/"+rest+"/", "/../") || strings.Contains(rest, "//") || strings.ContainsRune(rest, 0) {
				t.Errorf("%q leads to %q", path, p)
			}
		}
	})
}
