package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"sandbox/image"
	"sandbox/image/layer"
	"sandbox/image/layer/tartest"
	"sandbox/kernel"
)

// world is a store with a base image, a context, and a runner that runs nothing.
type world struct {
	t      *testing.T
	store  *image.Store
	dir    string // the build context
	runner *fakeRunner
	Options
	out   bytes.Buffer
	mu    sync.Mutex
	notes []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, store: &image.Store{Dir: t.TempDir()}, dir: t.TempDir()}
	w.runner = &fakeRunner{dir: t.TempDir()}
	w.base("base", v1.Config{Cmd: []string{"sh"}, Env: []string{"PATH=/bin"}})
	w.Options = Options{Store: w.store, Runner: w.runner, Context: w.dir, CacheDir: t.TempDir()}
	w.Resolve = func(_ context.Context, name, _ string, _ bool) (*image.Image, error) { return w.store.Find(name) }
	w.Note = func(_, line string, _ kernel.Why) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.notes = append(w.notes, line)
	}
	return w
}

// base puts an image with a few files into the store.
func (w *world) base(name string, config v1.Config) *image.Image {
	w.t.Helper()
	d, err := w.store.Begin()
	if err != nil {
		w.t.Fatal(err)
	}
	defer d.Discard()
	archive := tartest.Archive(w.t, tartest.Dir("etc"), tartest.File("etc/passwd", "root:x:0:0::/:/bin/sh\napp:x:10:20::/:/bin/sh\n"),
		tartest.File("etc/group", "root:x:0:\nstaff:x:50:\n"), tartest.Dir("usr"), tartest.Dir("usr/bin"), tartest.Link("bin", "usr/bin"))
	if _, err := d.AddLayer(bytes.NewReader(archive)); err != nil {
		w.t.Fatal(err)
	}
	parsed, err := image.ParseName(name)
	if err != nil {
		w.t.Fatal(err)
	}
	img, err := d.Commit(v1.ConfigFile{OS: "linux", Architecture: thisPlatform().Architecture, Config: config, History: []v1.History{{CreatedBy: "made"}}}, parsed)
	if err != nil {
		w.t.Fatal(err)
	}
	return img
}

// file writes a file of the context.
func (w *world) file(name, content string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
		w.t.Fatal(err)
	}
}

// try builds a Dockerfile.
func (w *world) try(dockerfile string) (*image.Image, error) {
	w.out.Reset()
	w.notes = nil
	w.runner.calls = nil
	o := w.Options
	o.Text, o.Out = []byte(dockerfile), &w.out
	return Build(context.Background(), o)
}

func (w *world) build(dockerfile string) *image.Image {
	w.t.Helper()
	img, err := w.try(dockerfile)
	if err != nil {
		w.t.Fatalf("%v (%s)\n%s", err, kernel.CureOf(err), w.out.String())
	}
	return img
}

// fails builds a Dockerfile that must fail, with these words in the error or its cure.
func (w *world) fails(dockerfile string, words ...string) error {
	w.t.Helper()
	_, err := w.try(dockerfile)
	if err == nil {
		w.t.Fatalf("%q was built", dockerfile)
	}
	text := err.Error() + "\n" + kernel.CureOf(err)
	for _, word := range words {
		if !strings.Contains(text, word) {
			w.t.Errorf("%q: no %q in the error:\n%s", dockerfile, word, text)
		}
	}
	return err
}

// printed is the output with digests masked.
func (w *world) printed() string {
	return regexp.MustCompile(`\b[0-9a-f]{12}\b`).ReplaceAllString(w.out.String(), "ID")
}

// content is a file of an image; "" if it is not there.
func (w *world) content(img *image.Image, path string) string {
	w.t.Helper()
	file, err := layer.Open(w.store.Stack(img.Layers, ""), path)
	if errors.Is(err, os.ErrNotExist) {
		return ""
	}
	if err != nil {
		w.t.Fatal(err)
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

func (w *world) history(img *image.Image) []string {
	w.t.Helper()
	file, err := w.store.ConfigFile(img)
	if err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	layers := 0
	for _, h := range file.History {
		line := h.CreatedBy
		if h.EmptyLayer {
			line += " (empty)"
		} else {
			layers++
		}
		lines = append(lines, line)
	}
	if layers != len(file.RootFS.DiffIDs) {
		w.t.Errorf("%d layers, and the history tells of %d", len(file.RootFS.DiffIDs), layers)
	}
	return lines
}

// fakeRunner performs "write PATH CONTENT", "print TEXT", "exit N" and "env NAME FILE", joined by " && ", in an empty directory.
type fakeRunner struct {
	dir string
	do  func(ctx context.Context, r RunRequest, upper string) error // besides

	mu    sync.Mutex
	calls []RunRequest
	open  int // containers that have not been removed
}

func (f *fakeRunner) Run(ctx context.Context, r RunRequest) (*Ran, error) {
	f.mu.Lock()
	f.calls = append(f.calls, r)
	f.open++
	id := fmt.Sprintf("%012x", 0xabc000+len(f.calls))
	f.mu.Unlock()
	upper, err := os.MkdirTemp(f.dir, "upper")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(upper, 0o755); err != nil {
		return nil, err
	}
	r.Started(id)
	ran := &Ran{ID: id, Upper: upper, Close: func() error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.open--
		return nil
	}}
	if f.do != nil {
		if err := f.do(ctx, r, upper); err != nil {
			return nil, errors.Join(err, ran.Close())
		}
	}
	for command := range strings.SplitSeq(r.Args[len(r.Args)-1], "&&") {
		words := append(strings.Fields(command), "", "", "")
		switch words[0] {
		case "write":
			path := filepath.Join(upper, words[1])
			err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(words[2]), 0o644))
		case "env":
			value := variables(r.Config.Env)[words[1]]
			err = os.WriteFile(filepath.Join(upper, words[2]), []byte(value), 0o644)
		case "print":
			fmt.Fprintln(r.Output, strings.TrimSpace(strings.Join(words[1:], " ")))
		case "exit":
			fmt.Sscan(words[1], &ran.Code)
		}
		if err != nil {
			return nil, err
		}
	}
	return ran, nil
}

func lines(s ...string) string { return strings.Join(s, "\n") + "\n" }

func TestOutput(t *testing.T) {
	w := newWorld(t)
	w.file("app.py", "print(1)")
	name, err := image.ParseName("localhost/demo")
	if err != nil {
		t.Fatal(err)
	}
	w.Tags = []image.Name{name}
	dockerfile := lines("FROM base", `RUN print hello \`, "  world", "COPY app.py /srv/", "CMD app")
	img := w.build(dockerfile)
	want := lines("Step 1/4 : FROM base", " ---> ID", "Step 2/4 : RUN print hello   world", " ---> Running in ID", "hello world", " ---> ID",
		"Removing intermediate container ID", "Step 3/4 : COPY app.py /srv/", " ---> ID", "Step 4/4 : CMD app", " ---> ID", "Successfully built ID",
		"Successfully tagged localhost/demo:latest")
	if got := w.printed(); got != want {
		t.Errorf("printed:\n%s\nwant:\n%s", got, want)
	}
	if got := w.content(img, "/srv/app.py"); got != "print(1)" {
		t.Errorf("app.py: %q", got)
	}
	if len(img.Names) != 1 || img.Names[0] != "localhost/demo:latest" || img.Parent == "" {
		t.Errorf("names %v, parent %q", img.Names, img.Parent)
	}
	if w.runner.open != 0 {
		t.Errorf("%d containers are left", w.runner.open)
	}
	again := w.build(dockerfile)
	want = lines("Step 1/4 : FROM base", " ---> ID", "Step 2/4 : RUN print hello   world", " ---> Using cache", " ---> ID", "Step 3/4 : COPY app.py /srv/",
		" ---> Using cache", " ---> ID", "Step 4/4 : CMD app", " ---> Using cache", " ---> ID", "Successfully built ID", "Successfully tagged localhost/demo:latest")
	if got := w.printed(); got != want {
		t.Errorf("printed with the cache:\n%s\nwant:\n%s", got, want)
	}
	if again.ID != img.ID {
		t.Error("the cache has given another image")
	}
	left, err := os.ReadDir(filepath.Join(w.store.Dir, "staging"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in staging: %v, %v", left, err)
	}
}

func TestHistory(t *testing.T) {
	w := newWorld(t)
	w.file("a", "1")
	w.file("b", "2")
	img := w.build(lines("FROM base", "ARG V=1", "RUN write /x $V", `SHELL ["/bin/ash", "-ec"]`, `RUN ["write", "/y"]`, "ENV A=b C='d e'", "LABEL l=m",
		"MAINTAINER me", "WORKDIR /etc", "WORKDIR sub", "COPY a /", "COPY a b ./", "EXPOSE 80 53/udp", "VOLUME /data", "USER app", "STOPSIGNAL TERM",
		"HEALTHCHECK --interval=5s CMD true", "ONBUILD RUN true", `ENTRYPOINT ["top","-b"]`, "CMD a b"))
	want := []string{
		"made", "/bin/sh -c #(nop)  ARG V=1 (empty)", "|1 V=1 /bin/sh -c write /x $V", "/bin/sh -c #(nop)  SHELL [/bin/ash -ec] (empty)",
		"|1 V=1 write /y", "/bin/ash -ec #(nop)  ENV A=b C=d e (empty)", "/bin/ash -ec #(nop)  LABEL l=m (empty)", "/bin/ash -ec #(nop)  MAINTAINER me (empty)",
		"/bin/ash -ec #(nop) WORKDIR /etc (empty)", "/bin/ash -ec #(nop) WORKDIR /etc/sub", "/bin/ash -ec #(nop) COPY file:SUM in / ",
		"/bin/ash -ec #(nop) COPY multi:SUM in /etc/sub/ ", "/bin/ash -ec #(nop)  EXPOSE 53/udp 80 (empty)", "/bin/ash -ec #(nop)  VOLUME [/data] (empty)",
		"/bin/ash -ec #(nop)  USER app (empty)", "/bin/ash -ec #(nop)  STOPSIGNAL TERM (empty)",
		`/bin/ash -ec #(nop)  HEALTHCHECK --interval=5s ["CMD-SHELL" "true"] (empty)`, "/bin/ash -ec #(nop)  ONBUILD RUN true (empty)",
		`/bin/ash -ec #(nop)  ENTRYPOINT ["top" "-b"] (empty)`, `/bin/ash -ec #(nop)  CMD ["/bin/ash" "-ec" "a b"] (empty)`,
	}
	got := w.history(img)
	for i, line := range got {
		got[i] = regexp.MustCompile(`[0-9a-f]{64}`).ReplaceAllString(line, "SUM")
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("history:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	file, err := w.store.ConfigFile(img)
	if err != nil || file.Author != "me" || file.OS != "linux" || time.Since(file.Created.Time) > time.Hour {
		t.Errorf("author %q, OS %q, created %s, %v", file.Author, file.OS, file.Created, err)
	}
}
