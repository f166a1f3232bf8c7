package image

import (
	"errors"
	"fmt"
	"sandbox/image/layer/tartest"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestFindWithoutAnnotations(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	img := mustAdd(t, s, [][]byte{tartest.Archive(t, tartest.File("a", "one"))}, "demo")
	err := s.changeIndex(replaceFile, func(full *v1.IndexManifest) { // as another tool would have written it
		full.Manifests[0].Annotations = map[string]string{refName: "demo:latest"}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{"demo", img.ID} {
		if found, err := s.Find(ref); err != nil || found.ID != img.ID || found.Size != img.Size {
			t.Errorf("Find(%q) = %v, %v", ref, found, err)
		}
	}
}

func TestNotFound(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	var missing *NotFoundError
	if _, err := s.Find("demo"); !errors.As(err, &missing) || len(missing.Near) != 0 {
		t.Errorf("in an empty store: %v", err)
	}
	mustAdd(t, s, [][]byte{tartest.Archive(t, tartest.File("a", "1"))}, "ubuntu:22.04", "quay.io/team/redis", "alpine")
	for ref, near := range map[string][]string{
		"ubunut": {"ubuntu:22.04"}, "ubuntu": {"ubuntu:22.04"}, "ubuntu:20.04": {"ubuntu:22.04"}, "redis": {"quay.io/team/redis"},
		"alpin": {"alpine"}, "alpine:3": {"alpine"}, "nginx": {}, "docker.io/library/alpin": {},
		"sha256:" + strings.Repeat("0", 64): {}, "cafe": {}, "alpine@sha256:" + strings.Repeat("0", 64): {"alpine"},
	} {
		_, err := s.Find(ref)
		if !errors.As(err, &missing) || missing.Name != ref || !slices.Equal(missing.Near, near) {
			t.Errorf("Find(%q): %v, want near %q", ref, err, near)
		}
	}
	if _, err := s.Find("No/Such"); err == nil || errors.As(err, &missing) {
		t.Error("an invalid name was looked for")
	}
}

func TestAmbiguousID(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	first := map[byte]bool{}
	for i := 0; ; i++ { // until two IDs begin alike; 17 images do in any case
		img := mustAdd(t, s, [][]byte{tartest.Archive(t, tartest.File("a", fmt.Sprint(i)))})
		digit := strings.TrimPrefix(img.ID, "sha256:")[0]
		if first[digit] {
			_, err := s.Find(string(digit))
			var ambiguous *AmbiguousError
			if !errors.As(err, &ambiguous) || len(ambiguous.IDs) < 2 {
				t.Errorf("Find(%q): %v", digit, err)
			}
			return
		}
		first[digit] = true
	}
}

func TestBuiltinNameGoesFirst(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	hubs := mustAdd(t, s, [][]byte{tartest.Archive(t, tartest.File("a", "hub"))}, "base")
	d, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Discard()
	own, err := d.Commit(v1.ConfigFile{OS: "linux"}, Name{Repository: "base", Tag: "latest"})
	if err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[string]*Image{"base": own, "base:latest": own, "docker.io/base": hubs, "docker.io/library/base": hubs, "library/base": hubs} {
		if found, err := s.Find(ref); err != nil || found.ID != want.ID {
			t.Errorf("Find(%q) = %v, %v; want %s", ref, found, err, want.ID)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	s := &Store{Dir: b.TempDir()}
	for i := range 50 {
		mustAdd(b, s, [][]byte{tartest.Archive(b, tartest.File("a", fmt.Sprint(i)))}, fmt.Sprintf("demo:%d", i))
	}
	for b.Loop() {
		if _, err := s.Find("demo:49"); err != nil {
			b.Fatal(err)
		}
	}
}
