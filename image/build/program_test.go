package build

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sandbox/image/layer/tartest"
)

// TestProblems: what is wrong, where, and what was probably meant.
func TestProblems(t *testing.T) {
	for _, c := range []struct {
		name, dockerfile string
		words            []string
	}{
		{"instruction", "FROM base\n\nRUNN x\n", []string{"Dockerfile:3: unknown instruction: RUNN\n    RUNN x\n    ^^^^\n", "did you mean RUN?"}},
		{"continued", "FROM base\nRUN a \\\n b\n  CPOY x \\\n y\n", []string{"Dockerfile:4:", "unknown instruction: CPOY\n      CPOY x \\\n      ^^^^", "COPY"}},
		{"nothing like it", "FROM base\nxyzzyxyz 1\n", []string{"Dockerfile:2:", "the instructions are ADD"}},
		{"empty", "", []string{"no instructions"}},
		{"only comments", "# x\n", []string{"no instructions"}},
		{"no FROM", "RUN x\n", []string{"Dockerfile:1", "before FROM"}},
		{"only ARG", "ARG x\n", []string{"no FROM"}},
		{"flag", "FROM base\nCOPY --form=x a b\n", []string{"Dockerfile:2:", "unknown flag: --form", "^^^^", "--from"}},
		{"mount", "FROM base\nRUN --mount=type=bnd,target=/x ls\n", []string{"Dockerfile:2: unsupported mount type \"bnd\"\n", "\n                     ^^^\n", "did you mean bind?"}},
		{"no text", "FROM base\nRUNX \x1b[31m\x00" + strings.Repeat("x", 1000), []string{"RUNX ?[31m?xxx", "…\n    ^^^^\n", "did you mean RUN?"}},
		{"no name", strings.Repeat("\x01é", 1000), []string{"é?é?é", "…\n    ^^^^"}},
		{"far right", "FROM base\nEXPOSE " + strings.Repeat("1 ", 500) + "x 2 3\n", []string{"invalid port: \"x\"", "\n    … 1 1", " x 2 3\n", "^\n"}},
		{"flag value", "FROM base\nRUN --network=x true\n", []string{"Dockerfile:2", `invalid network mode "x"`}},
		{"ENV", "FROM base\nENV A\n", []string{"Dockerfile:2", "ENV"}},
		{"ENV without quotes", "FROM base\nENV A=one of two\n", []string{"Dockerfile:2", `can't find = in "of"`, `quotes hold a value of several words together: NAME="one two three"`}},
		{"LABEL without quotes", "FROM base\nLABEL a=1 b=one of two\n", []string{"Dockerfile:2", `quotes hold a value of several words together: NAME="one two three"`}},
		{"no space", "FROM base\nCMD[\"a\"]\n", []string{"Dockerfile:2", "unknown instruction: CMD[\"a\"]", "a space is missing after CMD"}},
		{"COPY", "FROM base\nCOPY a\n", []string{"Dockerfile:2", "at least two arguments"}},
		{"FROM", "FROM base AS\n", []string{"Dockerfile:1", "one or three arguments"}},
		{"SHELL", "FROM base\nSHELL a\n", []string{"Dockerfile:2", "JSON"}},
		{"heredoc", "FROM base\nRUN <<EOF\nx\n", []string{"Dockerfile:2", "unterminated heredoc", "nothing but its name"}},
		{"escape", "# escape=x\nFROM base\n", []string{"escape token"}},
		{"ONBUILD ONBUILD", "FROM base\nONBUILD ONBUILD RUN x\n", []string{"Dockerfile:2", "ONBUILD"}},
		{"ONBUILD unknown", "FROM base\nONBUILD RUNN x\n", []string{"Dockerfile:2"}},
		{"variable", "FROM base\nENV A=\"${B:?is missing}\"\n", []string{"Dockerfile:2", "is missing"}},
		{"bad substitution", "FROM base\nENV A=${B!x}\n", []string{"Dockerfile:2"}},
		{"FROM a variable without a value", "FROM base AS a\nARG V\nFROM $V\n", []string{"Dockerfile:3", "FROM $V: that is empty", "ARG V=… before the first FROM", "--build-arg V="}},
		{"stage", "FROM base AS builder\nFROM base\nCOPY --from=biulder / /\n", []string{"Dockerfile:3", "biulder", "did you mean builder?"}},
		{"stage number", "FROM base\nCOPY --from=7 / /\n", []string{"Dockerfile:2", "no stage number 7: there are 1"}},
		{"image", "FROM bsae\n", []string{"Dockerfile:1", "bsae", "base"}},
		{"circle", "FROM base AS a\nCOPY --from=b / /\nFROM base AS b\nCOPY --from=a / /\n", []string{"in a circle: b needs a needs b"}},
		{"itself", "FROM base AS a\nCOPY --from=a / /\n", []string{"in a circle: a needs a"}},
		{"EXPOSE", "FROM base\nEXPOSE 80/xyz\n", []string{"Dockerfile:2", "invalid port", "EXPOSE 53/udp"}},
		{"EXPOSE range", "FROM base\nEXPOSE 9-8\n", []string{"Dockerfile:2", "invalid port"}},
		{"STOPSIGNAL", "FROM base\nSTOPSIGNAL SIGNONE\n", []string{"Dockerfile:2", "SIGNONE"}},
		{"not there", "FROM base\nCOPY ap.py /\n", []string{"Dockerfile:2", "COPY ap.py: not found in the build context", "there is app.py"}},
		{"not there, from the root", "FROM base\nCOPY /etc/nosuch /\n", []string{"Dockerfile:2", "not found", "\n    COPY /etc/nosuch /\n         ^^^^^^^^^^^\n"}},
		{"ignored", "FROM base\nCOPY secret /\n", []string{"Dockerfile:2", ".dockerignore, line 2: secret"}},
		{"out of the context", "FROM base\nCOPY ../x /\n", []string{"Dockerfile:2", "context"}},
		{"only scratch", "FROM scratch\n", []string{"no image was made"}},
		{"platform", "FROM --platform=a/b/c/d/e base\n", []string{"Dockerfile:1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.file("app.py", "")
			w.file("secret", "")
			w.file(".dockerignore", "# not these\nsecret\n")
			if c.dockerfile == "" {
				c.dockerfile = "\n"
			}
			w.fails(c.dockerfile, c.words...)
		})
	}
}

func TestTargetProblems(t *testing.T) {
	w := newWorld(t)
	w.Target = "biuld"
	w.fails("FROM base AS build\n", `no stage "biuld"`, "did you mean build?")
	w.Target = "x"
	w.fails("FROM base\n", "the stages have no names")
}

func TestDockerfileSources(t *testing.T) {
	w := newWorld(t)
	w.file("Dockerfile", "FROM base\nENV A=1\n")
	w.file("dockerfile.two", "FROM base\nENV A=2\n")
	w.file("dockerfile.two.dockerignore", "f")
	w.file("f", "")
	for _, c := range []struct{ path, want string }{{"", "A=1"}, {filepath.Join(w.dir, "dockerfile.two"), "A=2"}} {
		o := w.Options
		o.Dockerfile, o.Out = c.path, &w.out
		img, err := Build(t.Context(), o)
		if err != nil || img.Config.Env[1] != c.want {
			t.Errorf("%s: %v, %v", c.path, img, err)
		}
	}
	w.Dockerfile = filepath.Join(w.dir, "dockerfile.two")
	if err := os.WriteFile(w.Dockerfile, []byte("FROM base\nCOPY f /\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	o := w.Options
	o.Out = &w.out
	if _, err := Build(t.Context(), o); err == nil || !strings.Contains(err.Error(), "dockerfile.two.dockerignore, line 1") {
		t.Errorf("the Dockerfile's own ignore file: %v", err)
	}
	o.Dockerfile = filepath.Join(w.dir, "none")
	if _, err := Build(t.Context(), o); err == nil || !strings.Contains(err.Error(), "no file") {
		t.Errorf("a missing Dockerfile: %v", err)
	}
}

func TestContextAsArchive(t *testing.T) {
	w := newWorld(t)
	plain := tartest.Archive(t, tartest.File("sub/Dockerfile", "FROM base\nCOPY f /\n"), tartest.File("f", "content"), tartest.Link("out", "/etc/passwd"))
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(plain)
	z.Close()
	for name, data := range map[string][]byte{"plain": plain, "gzip": packed.Bytes()} {
		text, archive, err := Stdin(bytes.NewReader(data))
		if err != nil || text != nil || archive == nil {
			t.Fatalf("%s: %q, %v, %v", name, text, archive, err)
		}
		o := w.Options
		o.Context, o.Archive, o.Dockerfile, o.Out = "", archive, "sub/Dockerfile", &w.out
		img, err := Build(t.Context(), o)
		if err != nil || w.content(img, "f") != "content" {
			t.Errorf("%s: %v", name, err)
		}
		o.Archive, o.Dockerfile = bytes.NewReader(data), "out"
		if _, err := Build(t.Context(), o); err == nil {
			t.Error("a Dockerfile outside the archive was read")
		}
	}
	text, archive, err := Stdin(strings.NewReader("FROM base\nENV A=1\n"))
	if err != nil || archive != nil {
		t.Fatal(archive, err)
	}
	o := w.Options
	o.Context, o.Text, o.Out = "", text, &w.out
	if img, err := Build(t.Context(), o); err != nil || len(img.Config.Env) != 2 {
		t.Error(img, err)
	}
	o.Text = []byte("FROM base\nCOPY <<EOF /x\nhi\nEOF\n")
	if img, err := Build(t.Context(), o); err != nil || w.content(img, "x") != "hi\n" {
		t.Errorf("a here-document without a context: %v", err)
	}
	o.Text = []byte("FROM base\nCOPY f /\n")
	if _, err := Build(t.Context(), o); err == nil || !strings.Contains(err.Error(), "only a Dockerfile came from stdin") {
		t.Errorf("COPY without a context: %v", err)
	}
	if _, _, err := Stdin(strings.NewReader(" \n")); err == nil {
		t.Error("nothing is a Dockerfile")
	}
	left, err := os.ReadDir(filepath.Join(w.store.Dir, "staging"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in staging: %v, %v", left, err)
	}
}

func TestLabelsAndComments(t *testing.T) {
	w := newWorld(t)
	w.Labels = map[string]string{"b": "$x", "a": "1"}
	img := w.build(lines("# syntax=docker/dockerfile:1", "# check=skip=all", "FROM base AS one", "# comment", "CMD x", "FROM base", "CMD y"))
	if img.Config.Labels["b"] != "$x" || img.Config.Labels["a"] != "1" || !strings.Contains(w.out.String(), "Step 3/3 : LABEL a=1 b=$x") {
		t.Errorf("labels %v:\n%s", img.Config.Labels, w.out.String())
	}
}

func TestOutputOption(t *testing.T) {
	for option, want := range map[string]Output{
		"out": {Type: "local", Dest: "out"}, "-": {Type: "tar", Dest: "-"}, "type=oci": {Type: "oci", Dest: "-"}, "type=tar,dest=x.tar": {Type: "tar", Dest: "x.tar"},
		"type=oci,dest=x,name=n": {Type: "oci", Dest: "x", Name: "n"}, "type=image,name=n,push=false": {Type: "image", Name: "n"},
	} {
		if got, err := ParseOutput(option); err != nil || got != want {
			t.Errorf("%s: %+v, %v", option, got, err)
		}
	}
	for _, option := range []string{"type=local", "type=x", "type=image,push=true", "type=registry", "a=b"} {
		if _, err := ParseOutput(option); err == nil {
			t.Errorf("%s was accepted", option)
		}
	}
}

func TestSecretOption(t *testing.T) {
	t.Setenv("TOKEN", "x")
	for option, want := range map[string]Secret{
		"id=a,src=f": {ID: "a", Path: "f"}, "id=a,env=E": {ID: "a", Env: "E"}, "type=env,id=a,src=E": {ID: "a", Env: "E"},
		"id=TOKEN": {ID: "TOKEN", Env: "TOKEN"}, "id=file": {ID: "file", Path: "file"}, "type=file,id=a,source=f": {ID: "a", Path: "f"},
	} {
		if got, err := ParseSecret(option); err != nil || got != want {
			t.Errorf("%s: %+v, %v", option, got, err)
		}
	}
	for _, option := range []string{"src=f", "id=a,x=y", "id=a,type=x", "f"} {
		if _, err := ParseSecret(option); err == nil {
			t.Errorf("%s was accepted", option)
		}
	}
}

func TestExport(t *testing.T) {
	w := newWorld(t)
	w.file("f", "1")
	img := w.build(lines("FROM scratch", "COPY f /dir/", "COPY f /g"))
	var archive bytes.Buffer
	if err := Export(w.store, img, Output{Type: "tar"}, nil, &archive); err != nil {
		t.Fatal(err)
	}
	var names []string
	for r := tar.NewReader(&archive); ; {
		h, err := r.Next()
		if err != nil {
			break
		}
		names = append(names, h.Name)
	}
	if got := strings.Join(names, " "); !strings.HasSuffix(got, "dir/ dir/f g") {
		t.Errorf("the archive has %s", got)
	}
	dest := filepath.Join(t.TempDir(), "new/out")
	if err := Export(w.store, img, Output{Type: "local", Dest: dest}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(dest, "dir/f")); err != nil || string(data) != "1" {
		t.Errorf("dir/f: %q, %v", data, err)
	}
}

// TestExportIntoADirectory: what is there stays, and so does the directory itself, which may be for its owner's eyes only.
func TestExportIntoADirectory(t *testing.T) {
	w := newWorld(t)
	w.file("f", "1")
	img := w.build(lines("FROM scratch", "COPY f /f"))
	dest := t.TempDir()
	then := time.Unix(1e9, 0)
	if err := errors.Join(os.WriteFile(filepath.Join(dest, "mine"), nil, 0o600), os.Chmod(dest, 0o700), os.Chtimes(dest, then, then)); err != nil {
		t.Fatal(err)
	}
	if err := Export(w.store, img, Output{Type: "local", Dest: dest}, nil, nil); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dest)
	if err != nil || info.Mode().Perm() != 0o700 || info.ModTime().Before(then) {
		t.Errorf("%v of %v, %v", info.Mode(), info.ModTime(), err)
	}
	for _, name := range []string{"mine", "f"} {
		if _, err := os.Stat(filepath.Join(dest, name)); err != nil {
			t.Error(err)
		}
	}
}

// FuzzDockerfile: whatever comes, there is an answer.
func FuzzDockerfile(f *testing.F) {
	f.Add("FROM base\nRUN <<EOF\nx\nEOF\n")
	f.Add("ARG A=1\nFROM $A AS b\nENV X=${Y:-z} A=\"b\nCOPY --from=b a b\n")
	f.Add("# escape=`\nFROM a\nHEALTHCHECK --interval=1s CMD x\nEXPOSE 1-70000\nONBUILD RUN <<A\nA\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parse("Dockerfile", []byte(text))
		if err != nil {
			_ = err.Error()
			return
		}
		s := &scope{escape: p.escape, args: map[string]string{"A": "1 2"}}
		for _, stage := range p.stages {
			for _, c := range stage.Commands {
				if s.expand(c) == nil {
					describe(c)
				}
			}
		}
	})
}
