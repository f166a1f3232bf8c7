package copying

import (
	"archive/tar"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sandbox/image/layer/tartest"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// outside is a directory that nothing may reach: reading from it would copy "secret", writing would be seen.
func outside(t *testing.T) string {
	t.Helper()
	return plant(t, "victim=secret:600")
}

func checkOutside(t *testing.T, dir string) {
	t.Helper()
	if got := harvest(t, dir); got != "victim=secret:600" {
		t.Errorf("outside there is %s", got)
	}
}

// TestRaces: somebody changes the context, again and again, into links that lead out of it, while it is copied. A
// file's place is sometimes empty; but nothing from outside is ever copied.
func TestRaces(t *testing.T) {
	away := outside(t)
	source := plant(t, "d/e/victim=safe")
	must(t, os.Symlink(away, source+"/link"))
	stop := make(chan struct{})
	var swapper sync.WaitGroup
	swapper.Add(1)
	go func() {
		defer swapper.Done()
		for {
			select {
			case <-stop:
				return
			default:
				unix.Renameat2(unix.AT_FDCWD, source+"/d/e", unix.AT_FDCWD, source+"/link", unix.RENAME_EXCHANGE)
			}
		}
	}()
	defer swapper.Wait()
	defer close(stop)
	tree := contextOf(t, source, "")
	for range 40 {
		for _, pattern := range []string{"d", "d/e/victim", "*/*/victim", "."} {
			c := copyOf(tree, pattern, "/x/")
			c.Digest(context.Background())
			dir := t.TempDir()
			c.Write(context.Background(), dir, nil)
			filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
				if content, err := os.ReadFile(path); err == nil && d.Type().IsRegular() && string(content) == "secret" {
					t.Fatalf("%s: copied from outside", path)
				}
				return nil
			})
		}
	}
}

// FuzzInside: whatever links an image and a context have, and wherever COPY and ADD are told to write, nothing outside
// is read or changed, and what they write looks the same to package layer.
func FuzzInside(f *testing.F) {
	f.Add("l0a f1b d2c", "l0d d1e", "a", "/a/b/", false)
	f.Add("l1k f0a", "l0k", ".", "/a", true)
	f.Add("d0a l1a", "l0a l2b", "*", "/b/../c", false)
	f.Fuzz(func(t *testing.T, context1, below, source, dest string, add bool) {
		away := outside(t)
		names := []string{"a", "b", "a/c", "c/a", "b/a/c"}
		targets := []string{"a", "b", "..", "../..", away, "/", ".", "a/b", "../c", away + "/victim", strings.Repeat("../", 12) + away[1:]}
		make := func(script string) string {
			dir := t.TempDir()
			root, err := os.OpenRoot(dir) // lest this test itself write through the links
			must(t, err)
			defer root.Close()
			for word := range strings.FieldsSeq(script) {
				if len(word) < 3 {
					continue
				}
				name, target := names[int(word[1])%len(names)], targets[int(word[2])%len(targets)]
				root.MkdirAll(filepath.Dir(name), 0o755)
				switch word[0] % 3 {
				case 0:
					root.Symlink(target, name)
				case 1:
					root.WriteFile(name, []byte("x"), 0o644)
				case 2:
					root.Mkdir(name, 0o755)
				}
			}
			return dir
		}
		tree := contextOf(t, make(context1), "")
		c := copyOf(tree, source, "/"+dest)
		c.Add = add && !isURL(source)
		lower := make(below)
		dir, err := written(t, c, lower)
		checkOutside(t, away)
		filepath.WalkDir(dir, func(path string, d os.DirEntry, walkErr error) error {
			if walkErr == nil && d.Type().IsRegular() {
				if content, _ := os.ReadFile(path); err == nil && string(content) == "secret" {
					t.Errorf("%s comes from outside", path)
				}
			}
			return nil
		})
	})
}

// FuzzArchive: a sequence of entries, each a letter of what and two of where, never changes anything outside.
func FuzzArchive(f *testing.F) {
	f.Add("lae fax dax wax hab oaa paa", "/")
	f.Add("lae dae fae haf", "/a/b")
	f.Fuzz(func(t *testing.T, script, dest string) {
		away := outside(t)
		places := []string{"a", "a/b", "b/../a", "../outside", away, ".", "a/victim", "c", "b/c/d", "c/victim", ".."}
		var entries []tar.Header
		for word := range strings.FieldsSeq(script) {
			if len(word) < 3 || len(entries) > 50 {
				continue
			}
			where, target := places[int(word[1])%len(places)], places[int(word[2])%len(places)]
			entries = append(entries, []tar.Header{tartest.File(where, "evil"), tartest.Dir(where), tartest.Link(where, target),
				tartest.HardLink(where, target), {Typeflag: tar.TypeFifo, Name: where}}[word[0]%5])
		}
		data := tartest.Archive(t, entries...)
		ContextFromTar(bytes.NewReader(data), t.TempDir())
		checkOutside(t, away)
		source := plant(t, "")
		must(t, os.WriteFile(source+"/t", data, 0o644))
		c := copyOf(contextOf(t, source, ""), "t", "/"+dest)
		c.Add = true
		lower := plant(t, "")
		os.Symlink(away, lower+"/a")
		os.Symlink(strings.Repeat("../", 12)+away[1:], lower+"/c")
		written(t, c, lower)
		checkOutside(t, away)
	})
}
