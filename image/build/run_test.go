package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"sandbox/image/layer"
)

func TestRunForms(t *testing.T) {
	for _, c := range []struct{ name, run, want string }{
		{"shell", "RUN a  b", `["/bin/sh" "-c" "a  b"]`},
		{"exec", `RUN ["a", "b c"]`, `["a" "b c"]`},
		{"continued", "RUN a && \\\n # comment\n    b", `["/bin/sh" "-c" "a &&     b"]`},
		{"no substitution", "ENV X=1\nRUN echo $X ${X}", `["/bin/sh" "-c" "echo $X ${X}"]`},
		{"SHELL", "SHELL [\"/bin/ash\",\"-ec\"]\nRUN a", `["/bin/ash" "-ec" "a"]`},
		{"here-document", "RUN <<EOF\na\nb $X\nEOF", `["/bin/sh" "-c" "a\nb $X\n"]`},
		{"here-document with tabs", "RUN <<-EOF\n\ta\n\tEOF", `["/bin/sh" "-c" "a\n"]`},
		{"here-document for a program", "RUN cat <<EOF >/x\na\nEOF", `["/bin/sh" "-c" "cat <<EOF >/x\na\nEOF"]`},
		{"two here-documents", "RUN <<A cat; <<B cat\na\nA\nb\nB", `["/bin/sh" "-c" "<<A cat; <<B cat\na\nA\nb\nB"]`},
		{"script", "RUN <<EOF\n#!/bin/x\na\nEOF", `["/dev/pipes/EOF"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.build("FROM base\n" + c.run + "\n")
			if got := fmt.Sprintf("%q", w.runner.calls[0].Args); got != c.want {
				t.Errorf("executed %s, want %s", got, c.want)
			}
		})
	}
}

func TestRunRequest(t *testing.T) {
	w := newWorld(t)
	w.build(lines("FROM base", "USER app", "WORKDIR /w", "RUN --network=none --security=insecure true", "RUN true"))
	first, second := w.runner.calls[0], w.runner.calls[1]
	if first.Network != "none" || second.Network != "default" || first.Config.User != "app" || first.Config.WorkingDir != "/w" {
		t.Errorf("asked for %+v, then network %s", first, second.Network)
	}
	base, err := w.store.Find("base")
	if err != nil || len(first.Layers) != 2 || first.Layers[0] != base.Layers[0] {
		t.Errorf("layers %v, %v", first.Layers, err)
	}
	if !strings.Contains(w.out.String(), "--security=insecure has no effect") {
		t.Error("nothing was said of --security")
	}
}

func TestFailedRun(t *testing.T) {
	w := newWorld(t)
	err := w.fails(lines("FROM base", "RUN print before", "RUN print x && exit 42"), "The command '/bin/sh -c print x && exit 42' returned a non-zero code: 42")
	var failed *RunError
	if !errors.As(err, &failed) || failed.Code != 42 || failed.Line != 3 || failed.File != "Dockerfile" || failed.Image == "" {
		t.Errorf("error %#v", failed)
	}
	if w.runner.open != 0 {
		t.Errorf("%d containers are left", w.runner.open)
	}
	if w.build(lines("FROM base", "RUN print before")); w.hits() != 1 {
		t.Error("the step before was not kept")
	}
}

// mountOf looks at the mount with a target.
func mountOf(r RunRequest, target string) *Mount {
	for _, m := range r.Mounts {
		if m.Target == target {
			return &m
		}
	}
	return nil
}

func TestMounts(t *testing.T) {
	w := newWorld(t)
	w.file("src/f", "context")
	w.file("src/ignored", "x")
	w.file(".dockerignore", "**/ignored")
	w.Secrets = []Secret{{ID: "s", Path: filepath.Join(w.dir, "src/f")}, {ID: "e", Env: "PATH"}}
	w.runner.do = func(_ context.Context, r RunRequest, _ string) error {
		if len(r.Mounts) == 0 {
			return nil // of stage a
		}
		if m := mountOf(r, "/ctx"); m == nil || m.Type != "bind" || !m.ReadOnly {
			t.Errorf("/ctx: %+v", m)
		} else {
			files, err := os.ReadDir(m.Source)
			data, err2 := os.ReadFile(filepath.Join(m.Source, "f"))
			if err != nil || err2 != nil || len(files) != 1 || string(data) != "context" {
				t.Errorf("/ctx has %v, f is %q: %v, %v", files, data, err, err2)
			}
		}
		if m := mountOf(r, "/from"); m == nil || m.Type != "layers" || m.Source != "/etc" || m.ReadOnly || len(m.Layers) != 2 {
			t.Errorf("/from: %+v", m)
		}
		if m := mountOf(r, "/w/tmp"); m == nil || m.Type != "tmpfs" || m.Size != 1<<20 {
			t.Errorf("/w/tmp: %+v", m)
		}
		m := mountOf(r, "/run/secrets/s")
		if m == nil || m.Type != "bind" || !m.ReadOnly {
			return fmt.Errorf("/run/secrets/s: %+v", m)
		}
		data, err := os.ReadFile(m.Source)
		info, err2 := os.Stat(m.Source)
		if err != nil || err2 != nil || string(data) != "context" || info.Mode() != 0o400 {
			t.Errorf("the secret is %q, %v: %v, %v", data, info, err, err2)
		}
		if variables(r.Config.Env)["E"] != os.Getenv("PATH") {
			t.Error("the secret is not in the variable")
		}
		return nil
	}
	secrets := func() []string { found, _ := filepath.Glob(memory() + "/sandbox-secret-*"); return found }
	before := secrets() // other programs' of this machine
	img := w.build(lines("FROM base AS a", "RUN write /etc/x 1", "FROM base", "WORKDIR /w",
		"RUN --mount=target=/ctx,source=src --mount=from=a,source=etc,target=/from,rw --mount=type=tmpfs,target=tmp,size=1m "+
			"--mount=type=secret,id=s --mount=type=secret,id=e,env=E --mount=type=secret,id=none true"))
	w.runner.do = nil
	if history := strings.Join(w.history(img), ""); strings.Contains(history, "context") {
		t.Error("the secret got into the history")
	}
	if left := slices.DeleteFunc(secrets(), func(dir string) bool { return slices.Contains(before, dir) }); len(left) > 0 {
		t.Errorf("secrets are left: %v", left)
	}
	w.fails(lines("FROM base", "RUN --mount=type=secret,id=none,required=true true"), `secret "none" is required`, "--secret id=none")
	w.fails(lines("FROM base", "RUN --mount=type=ssh true"), "type=ssh is not supported")
	w.fails(lines("FROM base", "RUN --mount=type=bind true"), "needs a target")
	w.fails(lines("FROM base", "RUN --mount=type=bind,from=base,source=/none,target=/x true"), "base has no /none")
	w.fails(lines("FROM base", "RUN --mount=type=bind,source=none,target=/x true"), "none")
	w.fails(lines("FROM base", "RUN --mount=type=bint,target=/x true"), "unsupported mount type")
}

// TestMountsAndTheCache: what is mounted counts, except what changes all the time.
func TestMountsAndTheCache(t *testing.T) {
	w := newWorld(t)
	w.file("f", "1")
	w.Secrets = []Secret{{ID: "s", Path: filepath.Join(w.dir, "secret")}}
	w.file("secret", "1")
	bound := lines("FROM base", "RUN --mount=target=/x,source=f true")
	secret := lines("FROM base", "RUN --mount=type=secret,id=s true")
	w.build(bound)
	w.build(secret)
	w.file("secret", "2")
	w.file("f", "2")
	if w.build(secret); w.hits() != 1 {
		t.Error("another secret is another step")
	}
	if w.build(bound); w.hits() != 0 || !strings.Contains(w.note("RUN"), "file f changed") {
		t.Errorf("another file was taken for the same: %v", w.notes)
	}
}

func TestCacheMounts(t *testing.T) {
	w := newWorld(t)
	w.NoCache = true
	var seen []string
	w.runner.do = func(_ context.Context, r RunRequest, _ string) error {
		m := mountOf(r, "/cache")
		if m == nil || m.Type != "bind" || m.ReadOnly {
			return fmt.Errorf("/cache: %+v", m)
		}
		files, err := os.ReadDir(m.Source)
		if err != nil {
			return err
		}
		info, err := os.Stat(m.Source)
		if err != nil {
			return err
		}
		seen = append(seen, fmt.Sprint(len(files), " ", info.Mode().Perm()))
		return os.WriteFile(filepath.Join(m.Source, fmt.Sprint("file", len(files))), nil, 0o644)
	}
	w.build(lines("FROM base", "RUN --mount=type=cache,target=/cache true", "RUN --mount=type=cache,target=/cache,sharing=locked true",
		"RUN --mount=type=cache,id=other,target=/cache,mode=0700 true", "RUN --mount=type=cache,target=/cache,sharing=private true",
		"RUN --mount=type=cache,id=seeded,target=/cache,from=base,source=etc true"))
	if got := strings.Join(seen, ", "); got != "0 -rwxr-xr-x, 1 -rwxr-xr-x, 0 -rwx------, 2 -rwxr-xr-x, 2 -rwxr-xr-x" {
		t.Errorf("the commands saw %s", got)
	}
}

// TestPrivateCacheMount: who wants a directory alone gets another one while the first is in use.
// TestPruneCacheMounts: those that a build uses at the moment are left alone.
func TestPruneCacheMounts(t *testing.T) {
	w := newWorld(t)
	base := filepath.Join(w.CacheDir, "mounts")
	made := map[string]*os.File{}
	for _, id := range []string{"used", "left"} {
		dir, lock, err := lockCache(context.Background(), base, id, instructions.MountSharingShared)
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close()
		made[dir] = lock
		if err := errors.Join(os.Mkdir(filepath.Join(dir, "content"), 0o755), os.WriteFile(filepath.Join(dir, "content/f"), []byte("1234"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int64{0, 4, 4, 0} {
		if freed, err := Prune(w.CacheDir, w.store); err != nil || freed != want {
			t.Errorf("%d bytes are free, want %d: %v", freed, want, err)
		}
		for dir, lock := range made {
			lock.Close()
			delete(made, dir)
			break
		}
	}
}

func TestPrivateCacheMount(t *testing.T) {
	base := t.TempDir()
	first, lock, err := lockCache(context.Background(), base, "id", "private")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	second, other, err := lockCache(context.Background(), base, "id", "private")
	if err != nil || first == second {
		t.Fatalf("%s and %s, %v", first, second, err)
	}
	other.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := lockCache(ctx, base, "id", "locked"); !errors.Is(err, context.Canceled) {
		t.Errorf("a locked one while it is in use: %v", err)
	}
}

// TestStubs: what was only made to mount on does not get into the layer.
func TestStubs(t *testing.T) {
	w := newWorld(t)
	w.file("f", "1")
	w.runner.do = func(_ context.Context, r RunRequest, upper string) error {
		for _, m := range r.Mounts { // as a runtime does
			if m.Target == "/bin/tool" {
				m.Target = "/usr/bin/tool"
			}
			path := filepath.Join(upper, m.Target)
			err := os.MkdirAll(filepath.Dir(path), 0o755)
			if m.Type == "tmpfs" {
				err = errors.Join(err, os.Mkdir(path, 0o755))
			} else {
				err = errors.Join(err, os.WriteFile(path, nil, 0o644))
			}
			if err != nil {
				return err
			}
		}
		return os.WriteFile(filepath.Join(upper, "new/full/work"), nil, 0o644)
	}
	img := w.build(lines("FROM base", "RUN --mount=type=tmpfs,target=/new/empty --mount=type=tmpfs,target=/new/full --mount=target=/bin/tool,source=f --mount=target=/etc/group,source=f true"))
	var got []string
	err := layer.Walk(w.store.Stack(img.Layers[1:], ""), "/", func(path string, _ *layer.Entry) error {
		got = append(got, path)
		return nil
	})
	if err != nil || strings.Join(got, " ") != "etc etc/group new new/full new/full/work" && strings.Join(got, " ") != " etc etc/group new new/full new/full/work" {
		t.Errorf("the layer has %q, %v", got, err)
	}
}

func TestCopyOwners(t *testing.T) {
	w := newWorld(t)
	w.file("f", "1")
	for chown, want := range map[string]string{
		"app": "10:20", "app:staff": "10:50", "app:7": "10:7", "5": "5:5", "5:staff": "5:50", ":staff": "0:50", "0:0": "0:0",
	} {
		img := w.build(lines("FROM base", "COPY --chown="+chown+" f /"))
		info, err := layer.Stat(w.store.Stack(img.Layers, ""), "/f")
		if got := fmt.Sprintf("%d:%d", info.UID, info.GID); err != nil || got != want {
			t.Errorf("--chown=%s: %s, want %s, %v", chown, got, want, err)
		}
	}
	w.fails(lines("FROM base", "COPY --chown=nobody f /"), `has no "nobody"`, "number")
	w.fails(lines("FROM scratch", "COPY --chown=app f /"), `has no "app"`)
}

func TestCopy(t *testing.T) {
	w := newWorld(t)
	w.file("dir/a", "a")
	w.file("dir/b", "b")
	img := w.build(lines("FROM base", "ENV D=/dst", "WORKDIR /w", "COPY dir/* $D/", "COPY --chmod=700 dir/a rel", "COPY <<EOF <<\"RAW\" /here/", "$D", "EOF", "$D", "RAW",
		"ADD dir/a /added", "COPY dir/a /bin/"))
	for path, want := range map[string]string{
		"/dst/a": "a", "/dst/b": "b", "/w/rel": "a", "/here/EOF": "/dst\n", "/here/RAW": "$D\n", "/added": "a", "/usr/bin/a": "a",
	} {
		if got := w.content(img, path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	info, err := layer.Stat(w.store.Stack(img.Layers, ""), "/w/rel")
	if err != nil || info.Mode&0o777 != 0o700 {
		t.Errorf("mode %o, %v", info.Mode, err)
	}
}

func TestWorkdirMakesDirectory(t *testing.T) {
	w := newWorld(t)
	base := w.base("base", v1.Config{})
	img := w.build(lines("FROM base", "WORKDIR /new/dir", "WORKDIR /bin", "WORKDIR /"))
	info, err := layer.Stat(w.store.Stack(img.Layers, ""), "/new/dir")
	if err != nil || !info.IsDir() || info.Mode&0o777 != 0o755 || len(img.Layers) != len(base.Layers)+1 {
		t.Errorf("%+v, %v, %d layers", info, err, len(img.Layers))
	}
	w.fails(lines("FROM base", "WORKDIR $NONE"), "empty")
}
