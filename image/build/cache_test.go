package build

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"sandbox/kernel"
)

// hits counts the steps that were taken from the cache.
func (w *world) hits() int { return strings.Count(w.out.String(), " ---> Using cache") }

// note finds the reason that was given for an instruction.
func (w *world) note(instruction string) string {
	for _, line := range w.notes {
		if strings.HasPrefix(strings.TrimPrefix(strings.TrimPrefix(line, "cache hit: "), "cache miss: "), instruction) {
			return line
		}
	}
	return ""
}

// TestCacheAsTaught is what the tutorial says in 2.4.3.
func TestCacheAsTaught(t *testing.T) {
	w := newWorld(t)
	w.file("testfile", "x")
	w.build(lines("FROM base", "RUN write /vim 1"))
	w.build(lines("FROM base", "RUN write /vim 1", "COPY testfile /"))
	if w.hits() != 1 {
		t.Errorf("the same first step: %d hits", w.hits())
	}
	w.build(lines("FROM base", "COPY testfile /", "RUN write /vim 1"))
	if w.hits() != 0 {
		t.Errorf("another order: %d hits", w.hits())
	}
	if note := w.note("COPY testfile"); !strings.Contains(note, "cache miss") || !strings.Contains(note, "on this parent it was so far: RUN write /vim 1") {
		t.Errorf("reason for COPY: %q", note)
	}
	if note := w.note("RUN write"); !strings.Contains(note, "step 2 was built anew") {
		t.Errorf("reason for RUN: %q", note)
	}
}

func TestCache(t *testing.T) {
	dockerfile := lines("FROM base", "ARG A=1", "RUN print $A", "COPY dir /dir/", "CMD x")
	for _, c := range []struct {
		name   string
		change func(w *world)
		hits   int
		step   string
		reason string
	}{
		{"nothing", func(w *world) {}, 4, "CMD", "cache hit"},
		{"only the time of a file", func(w *world) {
			if err := os.Chtimes(filepath.Join(w.dir, "dir/a"), time.Time{}, time.Unix(5, 0)); err != nil {
				w.t.Fatal(err)
			}
		}, 4, "COPY", "cache hit"},
		{"content", func(w *world) { w.file("dir/a", "changed") }, 2, "COPY", "file dir/a changed"},
		{"a new file", func(w *world) { w.file("dir/new", "") }, 2, "COPY", "file dir/new is new"},
		{"a file less", func(w *world) { os.Remove(filepath.Join(w.dir, "dir/b")) }, 2, "COPY", "file dir/b is gone"},
		{"mode", func(w *world) { os.Chmod(filepath.Join(w.dir, "dir/a"), 0o600) }, 2, "COPY", "file dir/a changed"},
		{"a file that is not copied", func(w *world) { w.file("other", "") }, 4, "COPY", "cache hit"},
		{"ARG", func(w *world) { w.Args = map[string]string{"A": "2"} }, 1, "RUN", `ARG A was "1", is "2"`},
		{"a proxy", func(w *world) { w.Args = map[string]string{"http_proxy": "2"} }, 4, "RUN", "cache hit"},
		{"network", func(w *world) { w.Network = "none" }, 1, "RUN", "--network=none"},
		{"--no-cache", func(w *world) { w.NoCache = true }, 0, "RUN", "--no-cache"},
		{"another base image", func(w *world) { w.base("base", v1.Config{User: "other"}) }, 0, "ARG", "built on another parent so far"},
		{"a time for everything", func(w *world) { w.Epoch = &time.Time{} }, 0, "ARG", "options differ"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.file("dir/a", "1")
			w.file("dir/b", "2")
			w.build(dockerfile)
			c.change(w)
			w.build(dockerfile)
			if w.hits() != c.hits {
				t.Errorf("%d hits, want %d:\n%s", w.hits(), c.hits, w.out.String())
			}
			if note := w.note(c.step); !strings.Contains(note, c.reason) {
				t.Errorf("reason: %q, want %q", note, c.reason)
			}
		})
	}
}

// TestChangedMeanwhile: somebody writes into the context after the cache was asked. What is built then is good, but is not what
// was asked for, and must not be taken for it later.
func TestChangedMeanwhile(t *testing.T) {
	for _, step := range []string{"COPY f /f", "ADD dir /dir", "RUN --mount=type=bind,target=/c print x"} {
		w := newWorld(t)
		w.file("f", "before")
		w.file("dir/f", "before")
		tell := w.Note
		write := true
		w.Note = func(section, line string, why kernel.Why) {
			tell(section, line, why)
			if write && strings.HasPrefix(line, "cache miss") {
				w.file("f", "afterwards")
				w.file("dir/f", "afterwards")
			}
		}
		w.build(lines("FROM base", step))
		if !strings.Contains(w.out.String(), "has changed in the meantime") {
			t.Errorf("%s: %s", step, w.out.String())
		}
		write = false
		w.file("f", "before")
		w.file("dir/f", "before")
		w.build(lines("FROM base", step))
		if w.hits() != 0 {
			t.Errorf("%s: what was made of other files is taken for it", step)
		}
		w.build(lines("FROM base", step))
		if w.hits() != 1 {
			t.Errorf("%s: nothing has changed any more, and it was not in the cache", step)
		}
	}
}

func TestCacheOfRemovedImage(t *testing.T) {
	w := newWorld(t)
	first := w.build(lines("FROM base", "RUN print 1", "CMD x"))
	if err := w.store.Remove(first.ID); err != nil {
		t.Fatal(err)
	}
	again := w.build(lines("FROM base", "RUN print 1", "CMD x"))
	if w.hits() != 1 || !strings.Contains(w.note("CMD"), "is gone") {
		t.Errorf("%d hits, %v", w.hits(), w.notes)
	}
	if _, err := w.store.Find(again.ID); err != nil {
		t.Error(err)
	}
	if err := w.store.Remove(again.ID, again.Parent); err != nil {
		t.Fatal(err)
	}
	if freed, err := Prune(w.CacheDir, w.store); err != nil || freed == 0 {
		t.Errorf("pruned %d bytes, %v", freed, err)
	}
	left, err := filepath.Glob(filepath.Join(w.CacheDir, "steps/*/*"))
	if err != nil || len(left) > 0 {
		t.Errorf("records left: %v, %v", left, err)
	}
}

// TestCacheKeepsCmd: the same ENTRYPOINT on the same parent, and not the same result.
func TestCacheKeepsCmd(t *testing.T) {
	w := newWorld(t)
	with := w.build(lines("FROM base", "CMD x", `ENTRYPOINT ["e"]`))
	parent, err := w.store.Find(with.Parent)
	if err != nil {
		t.Fatal(err)
	}
	without := w.build(lines("FROM "+strings.TrimPrefix(parent.ID, "sha256:"), `ENTRYPOINT ["e"]`))
	if len(with.Config.Cmd) == 0 || len(without.Config.Cmd) != 0 {
		t.Errorf("CMD %q and %q", with.Config.Cmd, without.Config.Cmd)
	}
}

func TestDamagedRecord(t *testing.T) {
	w := newWorld(t)
	w.build(lines("FROM base", "CMD x"))
	records, err := filepath.Glob(filepath.Join(w.CacheDir, "steps/*/*.json"))
	if err != nil || len(records) != 1 {
		t.Fatal(records, err)
	}
	if err := os.WriteFile(records[0], []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.build(lines("FROM base", "CMD x"))
	if w.hits() != 0 {
		t.Error("a damaged record was believed")
	}
	w.build(lines("FROM base", "CMD x"))
	if w.hits() != 1 {
		t.Error("the record was not repaired")
	}
}

// TestReproducible: with SOURCE_DATE_EPOCH the same input gives the same image, whenever.
func TestReproducible(t *testing.T) {
	w := newWorld(t)
	w.file("a", "1")
	epoch := time.Unix(1e9, 0)
	w.Epoch, w.NoCache = &epoch, true
	dockerfile := lines("FROM base", "RUN write /x/y 1", "WORKDIR /new/dir", "COPY a .", "CMD x")
	first := w.build(dockerfile)
	if err := os.Chtimes(filepath.Join(w.dir, "a"), time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	second := w.build(dockerfile)
	if first.ID != second.ID || first.Digest != second.Digest {
		t.Errorf("two images: %s, %s", first.Digest, second.Digest)
	}
	if !second.Created.Equal(epoch) {
		t.Errorf("created %s", second.Created)
	}
}
