package copying

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func digestOf(t *testing.T, c Copy) Digest {
	t.Helper()
	d, err := c.Digest(context.Background())
	must(t, err)
	return d
}

// TestDigest: what changes the layer changes the digest, and names the file; nothing else does.
func TestDigest(t *testing.T) {
	const before = "d/a=1 d/b=2 d/l->a d/e/ other=3"
	original := digestOf(t, copyOf(contextOf(t, plant(t, before), ""), "d", "/x"))
	for _, c := range []struct{ name, context, changed string }{
		{"the same elsewhere", before, ""},
		{"another file", "d/a=1 d/b=2 d/l->a d/e/ other=4", ""},
		{"content", "d/a=1 d/b=3 d/l->a d/e/", "d/b"},
		{"content of the same length and hash of all", "d/a=2 d/b=1 d/l->a d/e/", "d/a d/b"},
		{"mode", "d/a=1:755 d/b=2 d/l->a d/e/", "d/a"},
		{"mode of a directory", "d/a=1 d/b=2 d/l->a d/e/:700", "d/e"},
		{"link", "d/a=1 d/b=2 d/l->b d/e/", "d/l"},
		{"type", "d/a=1 d/b=2 d/l=a d/e/", "d/l"},
		{"new", "d/a=1 d/b=2 d/c= d/l->a d/e/", "d/c"},
		{"gone", "d/a=1 d/l->a d/e/", "d/b"},
		{"renamed", "d/a=1 d/bb=2 d/l->a d/e/", "d/b d/bb"},
		{"moved", "d/a=1 d/e/b=2 d/l->a", "d/b d/e/b"},
	} {
		changed := digestOf(t, copyOf(contextOf(t, plant(t, c.context), ""), "d", "/x"))
		if (changed.Sum == original.Sum) != (c.changed == "") {
			t.Errorf("%s: the sum before %s, now %s", c.name, original.Sum, changed.Sum)
		}
		if got := strings.Join(differences(original.Files, changed.Files), " "); got != c.changed {
			t.Errorf("%s: changed %q, want %q", c.name, got, c.changed)
		}
	}
}

func differences(a, b map[string]string) []string {
	var names []string
	for name := range a {
		if a[name] != b[name] {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func TestDigestAndAttributes(t *testing.T) {
	source := plant(t, "a=1")
	tree := contextOf(t, source, "")
	original := digestOf(t, copyOf(tree, "a", "/x"))
	must(t, os.Chtimes(source+"/a", time.Now(), time.Now()))
	if digestOf(t, copyOf(tree, "a", "/x")).Sum != original.Sum {
		t.Error("the time counts")
	}
	owned := copyOf(tree, "a", "/x")
	owned.UID = 7
	if digestOf(t, owned).Sum == original.Sum {
		t.Error("the owner does not count")
	}
	must(t, unix.Setxattr(source+"/a", "user.color", []byte("blue"), 0))
	if digestOf(t, copyOf(tree, "a", "/x")).Sum == original.Sum {
		t.Error("extended attributes do not count")
	}
}

// TestDigestOfNames: the name that a file gets in a directory counts, also when a pattern has found it.
func TestDigestOfNames(t *testing.T) {
	one := digestOf(t, copyOf(contextOf(t, plant(t, "a1=x"), ""), "a*", "/d/"))
	two := digestOf(t, copyOf(contextOf(t, plant(t, "a2=x"), ""), "a*", "/d/"))
	if one.Sum == two.Sum {
		t.Error("the same digest for a1 and a2")
	}
	inline := digestOf(t, Copy{Inline: []Inline{{"EOF", "text"}}, Dest: "/x"})
	if inline.Sum == digestOf(t, Copy{Inline: []Inline{{"EOF", "other"}}, Dest: "/x"}).Sum || !strings.Contains(strings.Join(slices.Collect(maps.Keys(inline.Files)), " "), "<<EOF") {
		t.Errorf("here-document: %v", inline.Files)
	}
}

// TestChanged: what is not as Digest has seen it is told.
func TestChanged(t *testing.T) {
	source := plant(t, "a=1 b=2 c=3")
	c := copyOf(contextOf(t, source, ""), ".", "/x/")
	_, err := c.Digest(context.Background())
	must(t, err)
	must(t, c.Write(context.Background(), t.TempDir(), nil))
	if len(c.Changed()) > 0 {
		t.Errorf("changed %q, and nobody has", c.Changed())
	}
	must(t, os.WriteFile(source+"/b", []byte("other"), 0o644))
	must(t, os.WriteFile(source+"/d", nil, 0o644))
	must(t, os.Remove(source+"/c"))
	must(t, c.Write(context.Background(), t.TempDir(), nil))
	if got := strings.Join(c.Changed(), " "); got != "b c d" {
		t.Errorf("changed %q", got)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c := copyOf(contextOf(t, plant(t, "d/a=1"), ""), "d", "/x")
	if _, err := c.Digest(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("digest: %v", err)
	}
	if err := c.Write(ctx, t.TempDir(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("write: %v", err)
	}
}

// TestFindIgnore: the file beside the Dockerfile goes before the context's.
func TestFindIgnore(t *testing.T) {
	dir := plant(t, "app.Dockerfile= a=1 b=2 c=3")
	must(t, os.WriteFile(dir+"/.dockerignore", []byte("a\n"), 0o644))
	must(t, os.WriteFile(dir+"/app.Dockerfile.dockerignore", []byte("\xef\xbb\xbf# first\nb\n*Docker*\n.d*\n"), 0o644))
	for dockerfile, want := range map[string]string{"": "!a", filepath.Join(dir, "app.Dockerfile"): "!b", filepath.Join(dir, "Dockerfile"): "!a"} {
		ignore, err := FindIgnore(dir, dockerfile)
		must(t, err)
		tree, err := OpenDirectory(dir, ignore)
		must(t, err)
		_, err = written(t, copyOf(tree, want[1:], "/"))
		if err == nil || !strings.Contains(err.Error(), "is left out") || !strings.Contains(err.Error(), "ockerignore, line ") {
			t.Errorf("%q: %s: error %v", dockerfile, want, err)
		}
		tree.Close()
	}
	if ignore, err := FindIgnore(t.TempDir(), ""); err != nil || ignore.matcher() != nil {
		t.Errorf("no file: %v, %v", ignore, err)
	}
	for _, bad := range []string{"a\n!\n", "a\n[\n"} {
		if _, err := ReadIgnore(strings.NewReader(bad)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: error %v", bad, err)
		}
	}
}

// TestTreeIsShared: stages that are built at the same time use one context.
func TestTreeIsShared(t *testing.T) {
	tree := contextOf(t, plant(t, "d/a=1 d/b.log=2 d/c.log=3"), "**/*.log\n!**/c.log\n")
	var all sync.WaitGroup
	sums := make([]string, 8)
	for i := range sums {
		all.Go(func() {
			c := copyOf(tree, ".", "/x")
			d, err := c.Digest(context.Background())
			if err != nil {
				t.Error(err)
			}
			sums[i] = d.Sum
			missing := copyOf(tree, "d/b.log", "/x")
			if _, err := missing.Digest(context.Background()); err == nil {
				t.Error("no error for what is ignored")
			}
		})
	}
	all.Wait()
	if slices.Sort(sums); sums[0] != sums[7] || len(tree.Ignored()) != 8 {
		t.Errorf("sums %q, ignored %q", sums, tree.Ignored())
	}
}
