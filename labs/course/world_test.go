package course

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// world is a session whose commands find the make-believe sandbox of testdata and a directory of their own, $WORLD.
type world struct {
	*Session
	out bytes.Buffer
	dir string
}

func newWorld(t *testing.T, lang Lang) *world {
	t.Helper()
	dir := t.TempDir()
	bin, state := filepath.Join(dir, "bin"), filepath.Join(dir, "world")
	for _, d := range []string{bin, state} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script, err := os.ReadFile("testdata/sandbox.sh")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "sandbox"), script, 0o755); err != nil {
		t.Fatal(err)
	}
	w := &world{dir: state}
	w.Session = &Session{
		In: strings.NewReader(""), Out: &w.out, Err: &w.out, Width: 80, Lang: lang,
		Shell: []string{"/bin/sh", "-c"},
		Env:   []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "WORLD=" + state, "TMPDIR=" + dir},
		// Two directories that are made when they are needed.
		Progress: filepath.Join(dir, "home", "progress.json"),
		Marks:    filepath.Join(dir, "run", "marks"),
	}
	return w
}

// withLesson replaces the course by one lesson, under the number 3.1.
func (w *world) withLesson(source string) *world {
	w.Lessons = fstest.MapFS{"3.1.en.md": {Data: []byte(source)}, "3.1.zh.md": {Data: []byte(source)}}
	return w
}

// withMistakes adds what the author has foreseen.
func (w *world) withMistakes(source string) *world {
	w.Lessons.(fstest.MapFS)["3.1.mistakes.md"] = &fstest.MapFile{Data: []byte(source)}
	return w
}

// typing makes the session a terminal at which these lines are entered.
func (w *world) typing(lines ...string) *world {
	w.Terminal = true
	var input strings.Builder
	for _, line := range lines {
		input.WriteString(line + "\n")
	}
	w.In = strings.NewReader(input.String())
	return w
}

// sharing does so where a shell that is opened reads from the same terminal: a pipe leaves it what the lesson has not read.
func (w *world) sharing(t *testing.T, shell string, lines ...string) *world {
	t.Helper()
	r, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	if _, err := in.WriteString(strings.Join(lines, "\n") + "\n"); err != nil {
		t.Fatal(err)
	}
	in.Close()
	w.Terminal, w.In, w.Interactive = true, r, []string{"/bin/sh", "-c", shell}
	return w
}

// do runs a command line in the world, as a learner would in the lab's shell.
func (w *world) do(t *testing.T, line string) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", line)
	cmd.Env = w.Env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// has reports whether a file exists in the world.
func (w *world) has(name string) bool {
	_, err := os.Stat(filepath.Join(w.dir, name))
	return err == nil
}

func (w *world) mustRun(t *testing.T, number string) string {
	t.Helper()
	w.out.Reset()
	if err := w.Run(context.Background(), number); err != nil {
		t.Fatalf("run %s: %v\n%s", number, err, w.out.String())
	}
	return w.out.String()
}

func mustContain(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is missing in:\n%s", p, text)
		}
	}
}

func mustNotContain(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(text, p) {
			t.Errorf("%q should not be in:\n%s", p, text)
		}
	}
}
