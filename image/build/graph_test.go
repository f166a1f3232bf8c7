package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"sandbox/image"
)

func TestOnlyNeededStagesAreBuilt(t *testing.T) {
	w := newWorld(t)
	dockerfile := lines("FROM base AS a", "RUN write /a 1", "FROM base AS unneeded", "RUN exit 1", "FROM a AS b", "RUN write /b 2",
		"FROM base AS late", "COPY --from=b /b /late", "FROM scratch", "COPY --from=a /a /", "COPY --from=2 /b /")
	img := w.build(dockerfile)
	if got := w.content(img, "a") + w.content(img, "b"); got != "12" {
		t.Errorf("copied %q", got)
	}
	if len(w.runner.calls) != 2 {
		t.Errorf("%d commands were run:\n%s", len(w.runner.calls), w.out.String())
	}
	if !strings.Contains(w.out.String(), "Step 7/7 : COPY --from=2") {
		t.Errorf("steps are numbered wrongly:\n%s", w.out.String())
	}
	w.Target = "LATE"
	if img = w.build(dockerfile); w.content(img, "late") != "2" {
		t.Error("--target late was not built")
	}
	w.Target = "0"
	if img = w.build(dockerfile); w.content(img, "a") != "1" || w.content(img, "b") != "" {
		t.Error("--target 0 was not built")
	}
}

// TestStagesAtTheSameTime: each of two commands ends only when the other one has begun, and their output does not mix.
func TestStagesAtTheSameTime(t *testing.T) {
	w := newWorld(t)
	begun := map[string]chan bool{"a": make(chan bool), "b": make(chan bool)}
	w.runner.do = func(ctx context.Context, r RunRequest, _ string) error {
		me, other := "a", "b"
		if strings.Contains(r.Args[2], "print b") {
			me, other = "b", "a"
		}
		fmt.Fprintln(r.Output, me, "begins")
		close(begun[me])
		select {
		case <-begun[other]:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	img := w.build(lines("FROM base AS a", "RUN print a && write /a 1", "FROM base AS b", "RUN print b && write /b 2", "FROM scratch", "COPY --from=b /b /", "COPY --from=a /a /"))
	if got := w.content(img, "a") + w.content(img, "b"); got != "12" {
		t.Errorf("copied %q", got)
	}
	want := "Step 1/7 : FROM base AS a\n ---> ID\nStep 2/7 : RUN print a && write /a 1\n ---> Running in ID\na begins\na\n ---> ID\nRemoving intermediate container ID\n" +
		"Step 3/7 : FROM base AS b\n ---> ID\nStep 4/7 : RUN print b && write /b 2\n ---> Running in ID\nb begins\nb\n ---> ID\nRemoving intermediate container ID\n" +
		"Step 5/7 : FROM scratch\n"
	if !strings.HasPrefix(w.printed(), want) {
		t.Errorf("printed:\n%s\nwant:\n%s", w.printed(), want)
	}
}

// TestFailureCallsOthersOff: when one stage fails another one's command is ended, and the error is the first one's.
func TestFailureCallsOthersOff(t *testing.T) {
	w := newWorld(t)
	waiting := make(chan bool)
	w.runner.do = func(ctx context.Context, r RunRequest, _ string) error {
		if strings.Contains(r.Args[2], "exit") {
			<-waiting
			return nil
		}
		close(waiting)
		<-ctx.Done()
		return ctx.Err()
	}
	err := w.fails(lines("FROM base AS a", "RUN wait", "FROM base AS b", "RUN exit 7", "FROM a", "COPY --from=b / /"), "returned a non-zero code: 7")
	var failed *RunError
	if !errors.As(err, &failed) || failed.Code != 7 || failed.Line != 4 {
		t.Errorf("error %#v", err)
	}
	if !strings.Contains(w.out.String(), "RUN exit 7") {
		t.Errorf("the output of the stage that failed is missing:\n%s", w.out.String())
	}
	if w.runner.open != 0 {
		t.Errorf("%d containers are left", w.runner.open)
	}
}

func TestInterrupted(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	w.runner.do = func(ctx context.Context, r RunRequest, _ string) error {
		if strings.Contains(r.Args[2], "second") {
			cancel()
			return ctx.Err()
		}
		return nil
	}
	dockerfile := lines("FROM base", "RUN write /first 1", "RUN print second")
	o := w.Options
	o.Text, o.Out = []byte(dockerfile), &w.out
	if _, err := Build(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	w.runner.do = nil
	w.build(dockerfile)
	if w.hits() != 1 {
		t.Errorf("the finished step was not kept:\n%s", w.out.String())
	}
}

func TestOnbuild(t *testing.T) {
	w := newWorld(t)
	w.file("src/f", "content")
	parent := w.build(lines("FROM base", "ONBUILD RUN write /triggered 1", "ONBUILD COPY src /src", "CMD x"))
	if len(parent.Config.OnBuild) != 2 {
		t.Fatalf("OnBuild %q", parent.Config.OnBuild)
	}
	name := strings.TrimPrefix(parent.ID, "sha256:")
	child := w.build(lines("FROM " + name))
	if w.content(child, "/triggered") != "1" || w.content(child, "/src/f") != "content" || len(child.Config.OnBuild) != 0 || child.ID == parent.ID {
		t.Errorf("the triggers were not performed: %q\n%s", child.Config.OnBuild, w.out.String())
	}
	if !strings.Contains(w.out.String(), "# Executing 2 build triggers\n") {
		t.Errorf("printed:\n%s", w.out.String())
	}
	again := w.build(lines("FROM " + name))
	if w.hits() != 2 || again.ID != child.ID {
		t.Errorf("triggers and the cache: %d hits", w.hits())
	}
}

// TestOnbuildNeedsStage: a trigger may ask for a stage that nobody knew to be needed.
func TestOnbuildNeedsStage(t *testing.T) {
	w := newWorld(t)
	parent := w.build(lines("FROM base", "ONBUILD COPY --from=extra /e /"))
	id := strings.TrimPrefix(parent.ID, "sha256:")
	img := w.build(lines("FROM base AS extra", "RUN write /e 1", "FROM "+id))
	if w.content(img, "e") != "1" {
		t.Errorf("the stage was not built:\n%s", w.out.String())
	}
	w.fails(lines("FROM "+id+" AS extra", "FROM base", "COPY --from=extra / /"), "in a circle")
}

func TestBuildContexts(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("other"), 0o644); err != nil {
		t.Fatal(err)
	}
	w.base("localhost/other", v1.Config{User: "other"})
	w.Contexts = map[string]string{"more": dir, "alpine": "docker-image://localhost/other"}
	img := w.build(lines("FROM alpine", "COPY --from=more f /", "COPY --from=localhost/other /etc/group /"))
	if w.content(img, "f") != "other" || !strings.HasPrefix(w.content(img, "group"), "root") || img.Config.User != "other" {
		t.Errorf("built on %v", img.Config)
	}
	if file, err := w.store.ConfigFile(img); err != nil || len(file.History) != 3 {
		t.Errorf("history %v, %v", file, err)
	}
	w.fails(lines("FROM more"), "is a directory")
}

func TestPlatform(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	var asked []string
	w.Resolve = func(_ context.Context, name, platform string, pull bool) (*image.Image, error) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, fmt.Sprint(name, " ", platform, " ", pull))
		return w.store.Find(name)
	}
	w.Platform, w.Pull = "linux/arm64", true
	img := w.build(lines("ARG P=riscv64", "FROM base AS a", "CMD a", "FROM --platform=linux/$P base AS b", "CMD b", "FROM scratch", "COPY --from=a /etc/group /", "COPY --from=b /etc/passwd /"))
	got := strings.Join(asked, ", ")
	if got != "base linux/arm64 true, base linux/riscv64 true" && got != "base linux/riscv64 true, base linux/arm64 true" {
		t.Errorf("asked for %s", got)
	}
	if img.Architecture != "arm64" {
		t.Errorf("architecture %s", img.Architecture)
	}
}
