package course

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// small is a lesson of two sections and an exercise. Its steps leave files in $WORLD, which is how the tests see them.
const small = `# 3.1 Small
An introduction.

## 3.1.1 First
` + "```setup\n$ touch $WORLD/ready\n```\n```cleanup\nrm $WORLD/ready\n```\n" + `
Now a step.
` + "```console step=one\n$ test -e $WORLD/ready && echo one >> $WORLD/log && touch $WORLD/one && echo done one\n```\n```cleanup\nrm $WORLD/one\n```\n" + `
And another.
` + "```console step=two expect=exit:2\n$ ls $WORLD\n$ echo two >> $WORLD/log; exit 2\n```\n" + `
The end of the first.

## 3.1.2 Second
` + "```need name=moon\ntest: false\nthere is no\nmoon tonight\n```\n```console step=three need=moon\n$ touch $WORLD/moon\n```\n" + `
The end of the second.

` + exercise

func (w *world) log(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(w.dir + "/log")
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(data)), " ")
}

func TestRunInPipe(t *testing.T) {
	w := newWorld(t, English).withLesson(small)
	out := w.mustRun(t, "3.1")
	const want = `
3.1 Small
═════════

An introduction.


3.1.1 First
───────────

  $ touch $WORLD/ready

Now a step.

  $ test -e $WORLD/ready && echo one >> $WORLD/log && touch $WORLD/one && echo done one
  done one

And another.

  $ ls $WORLD
  log
  one
  ready
  $ echo two >> $WORLD/log; exit 2

The end of the first.


3.1.2 Second
────────────

  $ touch $WORLD/moon
  (left out here: there is no moon tonight)

The end of the second.


Exercise
────────

do it

Your turn: ` + "`sandbox lab shell 3.1`, then `sandbox lab check 3.1 1` (or `hint`,\nor `solution`)." + `

That was lab 3.1.
`
	if out != want {
		t.Errorf("output:\n%s\nwant:\n%s", out, want)
	}
	for _, left := range []string{"ready", "one", "moon", "made"} {
		if w.has(left) {
			t.Errorf("the run has left %s", left)
		}
	}
}

func TestRunInPipeNoticesFailure(t *testing.T) {
	w := newWorld(t, Chinese).withLesson(strings.Replace(small, "exit 2", "exit 1", 1))
	err := w.Run(context.Background(), "3.1")
	if !errors.Is(err, ErrStep) || !strings.Contains(err.Error(), "two") {
		t.Errorf("error %v, want %v with the step's name", err, ErrStep)
	}
	mustContain(t, w.out.String(), "退出状态是 1，而课程预期的是 2", "The end of the second.")
}

func TestRunSection(t *testing.T) {
	w := newWorld(t, English).withLesson(small)
	out := w.mustRun(t, "3.1.2")
	mustContain(t, out, "3.1.2 Second")
	mustNotContain(t, out, "3.1.1", "Exercise", "introduction")
	for number, want := range map[string]string{
		"3.1.9": "has no section 3.1.9: it has 3.1.1, 3.1.2",
		"9.9":   `no chapter "9.9"`,
		"3.2":   ErrNoLesson.Error(),
	} {
		if err := w.Run(context.Background(), number); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("run %s: error %v, want %q", number, err, want)
		}
	}
}

func TestTerminal(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		log   string // what the steps have written
		want  string // in the output
	}{
		{"straight", []string{"", "", "", "", "", "s"}, "one two", "That was lab 3.1"},
		{"skip", []string{"s", "", "q"}, "two", "Left."},
		{"back undoes", []string{"", "b", "", "", "q"}, "one one two", ""},
		{"back over a skipped step", []string{"s", "b", "", "q"}, "one", ""},
		{"repeat", []string{"", "r", "r", "q"}, "one one one", ""},
		{"repeat too early", []string{"r", "q"}, "", "There is no step before this one"},
		{"back to the section before", []string{"s", "s", "", "b", "", "q"}, "one", "introduction"},
		{"wrong key", []string{"x", "q"}, "", `No such key: "x"`},
		{"end of input", nil, "", "Left."},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, English).withLesson(small).typing(c.lines...)
			out := w.mustRun(t, "3.1")
			mustContain(t, out, c.want)
			if got := w.log(t); got != c.log {
				t.Errorf("steps run: %q, want %q\n%s", got, c.log, out)
			}
			if c.name == "repeat" && strings.Count(out, "And another.") != 1 {
				t.Error("repeating a step tells the story again")
			}
			if w.has("one") || w.has("ready") {
				t.Error("what the steps did has not been undone")
			}
		})
	}
}

// A session that was killed leaves its steps' work behind; the next one begins in a tidy world all the same.
func TestRunAfterKill(t *testing.T) {
	w := newWorld(t, English).withLesson("# 3.1 T\n## 3.1.1 One\n```console step=a\n$ mkdir $WORLD/d\n```\n```cleanup\nrmdir $WORLD/d\n```\n")
	w.do(t, "mkdir $WORLD/d")
	w.mustRun(t, "3.1")
}

func TestResume(t *testing.T) {
	w := newWorld(t, English).withLesson(small)
	w.typing("s", "s", "", "q").mustRun(t, "3.1") // leaves in 3.1.2
	out := w.typing("", "q").mustRun(t, "3.1")
	mustContain(t, out, "You were at 3.1.2 Second")
	mustNotContain(t, out, "introduction")
	out = w.typing("a", "q").mustRun(t, "3.1")
	mustContain(t, out, "introduction", "3.1.1 First")
	out = w.typing("q").mustRun(t, "3.1")
	mustNotContain(t, out, "──")
}

// The learner's shell reads from the same terminal as the lesson: what is typed for the one must not reach the other.
func TestShellInBetween(t *testing.T) {
	w := newWorld(t, English).withLesson(small).sharing(t, "read name; touch $WORLD/$name", "!", "mine", "", "q")
	out := w.mustRun(t, "3.1")
	mustContain(t, out, "A shell in the lab.", "Back in the lesson.", "done one")
	if !w.has("mine") || w.log(t) != "one" {
		t.Errorf("mine made: %v, steps run: %q", w.has("mine"), w.log(t))
	}
}

// In the shell that is opened at an exercise, it is known which one that is.
func TestShellAtExercise(t *testing.T) {
	w := newWorld(t, English).withLesson("# 3.1 T\n"+exercise).sharing(t, "echo this is exercise $"+ExerciseVariable, "!", "q")
	mustContain(t, w.mustRun(t, "3.1"), "this is exercise 1\nBack in the lesson.")
}

// One that is solved in there is not asked about again.
func TestSolvedInShell(t *testing.T) {
	w := newWorld(t, English).withLesson("# 3.1 T\n" + exercise)
	solved := `{"labs":{"3.1":{"exercises":[{"solved":"2026-01-02T03:04:05Z"}]}}}`
	w.sharing(t, "mkdir -p "+filepath.Dir(w.Progress)+" && echo '"+solved+"' > "+w.Progress, "!")
	mustContain(t, w.mustRun(t, "3.1"), "Back in the lesson.\nThat was lab 3.1.")
}

func TestExerciseOnTerminal(t *testing.T) {
	w := newWorld(t, English).withLesson("# 3.1 T\n" + exercise)
	out := w.typing("", "h", "v", "s").mustRun(t, "3.1")
	mustContain(t, out, "✗ the file is there", "Not yet.", "│ make it", "One way to do it:\n  $ touch $WORLD/made",
		"That was lab 3.1.\nExercises not solved yet: 1. `sandbox lab shell 3.1` takes you to them.")
	mustNotContain(t, out, "well done")
	w.do(t, "touch $WORLD/made")
	out = w.typing("").mustRun(t, "3.1")
	mustContain(t, out, "✓ the file is there", "All of it is right.", "well done", "That was lab 3.1.")
	mustNotContain(t, out, "not solved yet")
}

func TestCommands(t *testing.T) {
	got := commands("a 'one\ntwo'; b\nfor x in 1; do\n  c\ndone\ncat <<E\nd\nE\ne \\\n f")
	want := []string{"a 'one\ntwo'; b", "for x in 1; do\n  c\ndone", "cat <<E\nd\nE", "e \\\n f"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// teller shows each record, and the end of each command.
type teller struct{}

func (teller) Tell(out io.Writer, record []byte) { fmt.Fprintf(out, "  told %s\n", record) }
func (teller) End(out io.Writer)                 { fmt.Fprintln(out, "end") }

func TestExplain(t *testing.T) {
	w := newWorld(t, English).withLesson("# 3.1 T\n## 3.1.1 One\n```console step=a\n" +
		"$ echo before; printf '{\"seq\":%s\\n' \"$SANDBOX_EXPLAIN $SANDBOX_LANG\" >&2; echo '{after}'\n$ printf plain\n```\n")
	out := w.mustRun(t, "3.1")
	mustContain(t, out, "\n  before\n  {\"seq\": en\n  {after}\n", "\n  plain\n")
	w.Explain = teller{}
	out = w.mustRun(t, "3.1")
	mustContain(t, out, "\n  before\n  ┆   told {\"seq\":json en\n  {after}\n  ┆ end\n", "\n  plain\n  ┆ end\n")
	w.Color = true
	out = w.mustRun(t, "3.1")
	mustContain(t, out, "\x1b[2m  ┆   told {\"seq\":json en\x1b[0m\n")
}

// However the output comes in pieces, records are found in it, in their place.
func TestRecords(t *testing.T) {
	const output = "one\n{\"seq\":1}\n{\"s\n{\"seq\":2}\ntwo{\"seq\":3}\nthree{\"se"
	const want = "one\n<{\"seq\":1}>{\"s\n<{\"seq\":2}>two<{\"seq\":3}>three{\"se"
	for size := 1; size <= len(output); size++ {
		var b strings.Builder
		r := &records{words: &b, tell: func(record []byte) { fmt.Fprintf(&b, "<%s>", record) }}
		for rest := []byte(output); len(rest) > 0; {
			n := min(size, len(rest))
			if written, err := r.Write(rest[:n]); written != n || err != nil {
				t.Fatal(written, err)
			}
			rest = rest[n:]
		}
		r.end()
		if b.String() != want {
			t.Errorf("in pieces of %d: %s\nwant %s", size, b.String(), want)
		}
	}
}

func TestFolder(t *testing.T) {
	var b strings.Builder
	fmt.Fprintln(folder{&b, 32}, "  one two three four five six seven\n[3.5] a heading")
	const want = "  one two three four five\n        six seven\n[3.5] a heading\n"
	if b.String() != want {
		t.Errorf("folded:\n%swant:\n%s", b.String(), want)
	}
}

func TestNoShell(t *testing.T) {
	w := newWorld(t, English).withLesson(small)
	w.Shell = []string{"/does/not/exist", "-c"}
	if err := w.Run(context.Background(), "3.1"); err == nil || !strings.Contains(err.Error(), "/does/not/exist") {
		t.Errorf("error %v, want one that names the shell", err)
	}
}

// Two streams on one screen do not cut into each other's lines.
func TestScreen(t *testing.T) {
	var b strings.Builder
	sc := &screen{out: &b}
	a, z := &stream{screen: sc, before: "a|"}, &stream{screen: sc, before: "z|", after: "."}
	for _, w := range []struct {
		to   *stream
		text string
	}{{a, "1\n2"}, {a, "3"}, {z, "x\ny"}, {a, "4\n\n5"}} {
		if n, err := w.to.Write([]byte(w.text)); n != len(w.text) || err != nil {
			t.Fatal(n, err)
		}
	}
	sc.endLine()
	sc.endLine()
	const want = "a|1\na|23\nz|x.\nz|y.\na|4\na|\na|5\n"
	if b.String() != want {
		t.Errorf("screen %q, want %q", b.String(), want)
	}
}

// At a terminal, columns made with tabs stand under each other, although the lines are moved in.
func TestScreenTabs(t *testing.T) {
	var b strings.Builder
	st := &stream{screen: &screen{out: &b}, before: "  ", tabs: true}
	for _, text := range []string{"bridge name\tid\n", "docker0", "\t\tid\n中文\tx\rab\tc\n"} {
		io.WriteString(st, text)
	}
	const want = "  bridge name     id\n  docker0         id\n  中文    x\rab      c\n"
	if b.String() != want {
		t.Errorf("screen %q, want %q", b.String(), want)
	}
}

func TestFolded(t *testing.T) {
	s := &Session{Width: 30}
	for question, want := range map[string]string{
		"  [Enter runs it · s skip] ":           "  [Enter runs it · s skip] ",
		"  [Enter runs it · s skip · q leave] ": "  [Enter runs it · s skip ·\n   q leave] ",
		"  [回车执行 · s 跳过 ·！打开 shell] ":           "  [回车执行 · s 跳过 ·\n   ！打开 shell] ",
	} {
		if got := s.folded(question); got != want {
			t.Errorf("folded(%q) = %q, want %q", question, got, want)
		}
	}
}
