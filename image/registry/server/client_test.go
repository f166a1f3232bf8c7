package server

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	made "github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// library is go-containerregistry, the client that crane and many others use, at a registry with accounts.
type library struct {
	t     *testing.T
	world *world
	auth  remote.Option
}

func (l *library) ref(s string) name.Reference {
	l.t.Helper()
	ref, err := name.ParseReference(strings.TrimPrefix(l.world.url, "http://")+"/"+s, name.Insecure)
	if err != nil {
		l.t.Fatal(err)
	}
	return ref
}

func (l *library) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func startLibrary(t *testing.T) *library {
	path := filepath.Join(t.TempDir(), "htpasswd")
	write(t, path, quick(t, "worden525", "secret"))
	accounts, err := OpenAccounts(path)
	if err != nil {
		t.Fatal(err)
	}
	auth := remote.WithAuth(&authn.Basic{Username: "worden525", Password: "secret"})
	return &library{t, start(t, Options{Accounts: accounts}), auth}
}

func TestLibraryPushAndPull(t *testing.T) {
	l := startLibrary(t)
	img, err := made.Image(100000, 4)
	l.must(err)
	if remote.Write(l.ref("worden525/httpd:v1"), img) == nil {
		t.Error("somebody without an account has pushed")
	}
	l.must(remote.Write(l.ref("worden525/httpd:v1"), img, l.auth))
	back, err := remote.Image(l.ref("worden525/httpd:v1"), l.auth)
	l.must(err)
	l.must(validate.Image(back))
	want, err := img.Digest()
	l.must(err)
	if got, err := back.Digest(); got != want || err != nil {
		t.Errorf("%v came back, %v", got, err)
	}
	// To another repository: the layers are mounted, not sent.
	l.must(remote.Write(l.ref("other:2"), back, l.auth))
	mounted, err := remote.Image(l.ref("other:2"), l.auth)
	l.must(err)
	l.must(validate.Image(mounted))
	tags, err := remote.List(l.ref("other").Context(), l.auth)
	if len(tags) != 1 || err != nil {
		t.Errorf("tags %v, %v", tags, err)
	}
	names, err := remote.Catalog(t.Context(), l.ref("x").Context().Registry, l.auth)
	if strings.Join(names, " ") != "other worden525/httpd" || err != nil {
		t.Errorf("repositories %v, %v", names, err)
	}
	l.must(remote.Delete(l.ref("other@"+want.String()), l.auth))
	if _, err := remote.Image(l.ref("other:2"), l.auth); err == nil {
		t.Error("a deleted image came back")
	}
	checkStore(t, l.world.dir)
}

func TestLibraryIndexAndReferrers(t *testing.T) {
	l := startLibrary(t)
	index, err := made.Index(1000, 2, 3)
	l.must(err)
	l.must(remote.WriteIndex(l.ref("a:all"), index, l.auth))
	back, err := remote.Index(l.ref("a:all"), l.auth)
	l.must(err)
	l.must(validate.Index(back))
	subject, err := remote.Head(l.ref("a:all"), l.auth)
	l.must(err)
	signature := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), "application/x-signature")
	signature, err = mutate.AppendLayers(signature, static.NewLayer([]byte("signed"), "text/plain"))
	l.must(err)
	attached := mutate.Subject(signature, *subject).(v1.Image)
	digest, err := attached.Digest()
	l.must(err)
	l.must(remote.Write(l.ref("a@"+digest.String()), attached, l.auth))
	list, err := remote.Referrers(l.ref("a@"+subject.Digest.String()).(name.Digest), l.auth)
	l.must(err)
	manifest, err := list.IndexManifest()
	l.must(err)
	if len(manifest.Manifests) != 1 || manifest.Manifests[0].Digest != digest || manifest.Manifests[0].ArtifactType != "application/x-signature" {
		t.Errorf("referrers: %v", manifest.Manifests)
	}
	if tags, err := remote.List(l.ref("a").Context(), l.auth); len(tags) != 1 || err != nil { // the client saw OCI-Subject
		t.Errorf("tags %v, %v", tags, err)
	}
	checkStore(t, l.world.dir)
}

// TestLibraryStream: a layer whose digest is not known before its end comes in one PATCH without a length.
func TestLibraryStream(t *testing.T) {
	l := startLibrary(t)
	layer := static.NewLayer(bytes.Repeat([]byte("stream"), 100000), types.DockerLayer)
	l.must(remote.WriteLayer(l.ref("a").Context(), layer, l.auth))
	digest, err := layer.Digest()
	l.must(err)
	l.world.ask("HEAD", "/v2/a/blobs/"+digest.String(), "", "user: worden525:secret").want(t, 200, "", "Content-Length: 600000")
}

// TestLayout: the files are those of Docker's registry, to the letter; the tutorial (2.6.2) looks at them.
func TestLayout(t *testing.T) {
	w := start(t, Options{})
	image := w.pushImage("worden525/httpd", "v1", "", "{}", "layer")
	const root = "docker/registry/v2/"
	const repo = root + "repositories/worden525/httpd/"
	link := func(dir, content string) string { return dir + "sha256/" + sum(content).Hex + "/link" }
	blob := func(content string) string {
		return root + "blobs/sha256/" + sum(content).Hex[:2] + "/" + sum(content).Hex + "/data"
	}
	want := sorted(blob("{}"), blob("layer"), blob(image), link(repo+"_layers/", "{}"), link(repo+"_layers/", "layer"),
		link(repo+"_manifests/revisions/", image), repo+"_manifests/tags/v1/current/link", link(repo+"_manifests/tags/v1/index/", image))
	var got []string
	err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			relative, _ := filepath.Rel(w.dir, path)
			got = append(got, relative)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "files", got, want...)
	names, err := entries(filepath.Join(w.dir, repo))
	if strings.Join(names, " ") != "_layers _manifests _uploads" || err != nil {
		t.Errorf("the repository has %v, %v", names, err)
	}

	location := w.upload("worden525/httpd")
	w.ask("PATCH", location, "0123").want(t, 202, "")
	dir := filepath.Join(w.dir, repo, "_uploads", filepath.Base(location))
	names, err = entries(dir)
	if strings.Join(names, " ") != "data hashstates startedat" || err != nil {
		t.Errorf("the upload has %v, %v", names, err)
	}
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(filepath.Base(location)) {
		t.Errorf("the upload is called %s", filepath.Base(location))
	}
	if names, err := entries(dir + "/hashstates/sha256"); strings.Join(names, " ") != "4" || err != nil {
		t.Errorf("states %v, %v", names, err)
	}
}
