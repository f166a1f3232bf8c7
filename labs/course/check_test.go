package course

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const twoExercises = "# 3.1 T\n" + `## Exercise 1
` + "```need name=root\ntest: false\nonly root can see this\n```\n```setup\n$ echo set up >> $WORLD/setups\n```\n```cleanup\nrm $WORLD/setups\n```\n" + `the task
` + "```check name=value\nshow: cat $WORLD/value\nwant: right\nThe value is right\n```\n" +
	"```check name=lines\ntest: test \"$(wc -l < $WORLD/value)\" = 1\nshow: cat $WORLD/value\nwant: one line\nIt is one line\n```\n" +
	"```check name=priv need=root\ntest: false\nRoot is content\n```\n" +
	"```hint failed=value\nwhen: test ! -e $WORLD/value\nthere is no value\n```\n" +
	"```hint failed=value\nthe value is wrong\n```\n```hint\nit is something else\n```\n" +
	"```solution\necho right > $WORLD/value\n```\n```cleanup\nrm $WORLD/value\n```\nthe debrief\n" +
	exercise

func check(t *testing.T, w *world, n int) (bool, string) {
	t.Helper()
	w.out.Reset()
	ok, err := w.Check(context.Background(), "3.1", n)
	if err != nil {
		t.Fatal(err)
	}
	return ok, w.out.String()
}

func TestCheck(t *testing.T) {
	w := newWorld(t, English).withLesson(twoExercises)
	ok, out := check(t, w, 1)
	mustContain(t, out, "  ✗ The value is right\n      expected: right\n      found:    cat: ", "│ there is no value",
		"  – Root is content\n      not checked here: only root can see this\n")
	mustNotContain(t, out, "the debrief")
	if ok {
		t.Error("passed with nothing done")
	}
	w.do(t, "echo wrong > $WORLD/value")
	_, out = check(t, w, 1)
	mustContain(t, out, "found:    wrong", "  ✓ It is one line\n", "│ the value is wrong")

	w.do(t, `printf '\033[1mwrong\r\nas it was\rtyped\n' > $WORLD/value`)
	_, out = check(t, w, 1)
	mustContain(t, out, "found:    ^[[1mwrong\n                as it was^Mtyped\n")

	w.do(t, "printf 'right\n\n\n' > $WORLD/value")
	_, out = check(t, w, 1)
	mustContain(t, out, "  ✓ The value is right\n", "✗ It is one line", "│ it is something else")

	w.do(t, "echo right > $WORLD/value")
	if ok, out = check(t, w, 0); !ok {
		t.Error("not passed, though it is right")
	}
	mustContain(t, out, "All of it is right.", "the debrief")
}

// Exercise 0 is the one that the learner is at.
func TestCheckWithoutNumber(t *testing.T) {
	w := newWorld(t, English).withLesson(twoExercises)
	if _, out := check(t, w, 0); !strings.Contains(out, "Exercise 1") {
		t.Errorf("not the first exercise:\n%s", out)
	}
	w.do(t, "echo right > $WORLD/value")
	check(t, w, 1)
	if _, out := check(t, w, 0); !strings.Contains(out, "the file is there") {
		t.Errorf("not the second exercise:\n%s", out)
	}
	if _, err := w.Check(context.Background(), "3.1", 3); err == nil || !strings.Contains(err.Error(), "1 to 2") {
		t.Errorf("error %v, want one that says which exercises there are", err)
	}
}

// An exercise is set up once in a world, however often one looks at it; reset begins anew.
func TestSetUpOnce(t *testing.T) {
	w := newWorld(t, English).withLesson(twoExercises)
	ctx := context.Background()
	setups := func() int {
		data, _ := os.ReadFile(filepath.Join(w.dir, "setups"))
		return strings.Count(string(data), "\n")
	}
	check(t, w, 1)
	check(t, w, 1)
	if err := w.Hint(ctx, "3.1", 1); err != nil {
		t.Fatal(err)
	}
	if setups() != 1 {
		t.Errorf("set up %d times, want once", setups())
	}
	w.do(t, "echo spoilt >> $WORLD/setups")
	if err := w.Reset(ctx, "3.1"); err != nil {
		t.Fatal(err)
	}
	if setups() != 1 {
		t.Errorf("reset: set up %d times, want undone and once anew", setups())
	}
	if err := w.Prepare(ctx, "3.1"); err != nil {
		t.Fatal(err)
	}
	if setups() != 1 {
		t.Errorf("after reset: set up %d times, want once", setups())
	}
}

func TestSetUpFails(t *testing.T) {
	w := newWorld(t, English).withLesson(strings.Replace(twoExercises, "echo set up", "false", 1))
	if _, err := w.Check(context.Background(), "3.1", 1); err == nil || !strings.Contains(err.Error(), "set up exercise 1 of lab 3.1") {
		t.Errorf("error %v, want one about the set-up", err)
	}
}

func TestSolution(t *testing.T) {
	w := newWorld(t, English).withLesson(twoExercises)
	if err := w.Solution("3.1", 1); err != nil {
		t.Fatal(err)
	}
	mustContain(t, w.out.String(), "  $ echo right > $WORLD/value\n")
	if w.has("value") {
		t.Error("showing the solution has performed it")
	}
	if err := w.RunSolution(context.Background(), "3.1", 1); err != nil {
		t.Fatal(err)
	}
	if ok, out := check(t, w, 1); !ok {
		t.Errorf("not solved by the solution:\n%s", out)
	}
}

func TestProveFindsUnsoundExercises(t *testing.T) {
	for source, want := range map[string]string{
		twoExercises: "",
		strings.Replace(twoExercises, "echo right", "echo wrong", 1):                "do not pass after the solution",
		strings.Replace(twoExercises, "test: test -e $WORLD/made", "test: true", 1): "exercise 2: its checks pass before",
	} {
		err := newWorld(t, English).withLesson(source).Prove(context.Background(), "3.1")
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestProgress(t *testing.T) {
	w := newWorld(t, English).withLesson(twoExercises)
	if err := w.List(); err != nil {
		t.Fatal(err)
	}
	mustContain(t, w.out.String(), "  3.1  Running containers           exercises 0/2\n", "· 3.2  Getting into a container     not written yet\n")

	w.do(t, "echo right > $WORLD/value; touch $WORLD/made")
	check(t, w, 1)
	w.out.Reset()
	if err := w.List(); err != nil {
		t.Fatal(err)
	}
	mustContain(t, w.out.String(), "… 3.1  Running containers           exercises 1/2\n")
	check(t, w, 2)
	w.typing("", "").mustRun(t, "3.1")
	w.Terminal = false
	w.out.Reset()
	if err := w.List(); err != nil {
		t.Fatal(err)
	}
	mustContain(t, w.out.String(), "✓ 3.1  Running containers           exercises 2/2\n")

	files, err := os.ReadDir(filepath.Dir(w.Progress))
	if err != nil || len(files) != 1 {
		t.Errorf("beside the progress file: %v %v", files, err)
	}
	if err := os.WriteFile(w.Progress, []byte("{\"labs\": nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if lab, err := w.recallLab("3.1"); err != nil || lab.Finished {
		t.Errorf("a damaged file gives %+v, %v; want a new beginning", lab, err)
	}
}

// An exercise with nothing that could be checked here is left out: not set up, not solved, not proved, and the walk goes on.
func TestExerciseLeftOut(t *testing.T) {
	source := strings.NewReplacer("name=value\n", "name=value need=root\n", "name=lines\n", "name=lines need=root\n", "echo set up", "false; echo set up").Replace(twoExercises)
	w := newWorld(t, English).withLesson(source)
	const sentence = "This exercise cannot be done here: only root can see this.\n"
	ok, out := check(t, w, 1)
	mustContain(t, out, sentence)
	mustNotContain(t, out, "All of it is right", "Hint")
	if ok {
		t.Error("passed, though it cannot be done")
	}
	w.out.Reset()
	if err := w.Hint(context.Background(), "3.1", 1); err != nil {
		t.Fatal(err)
	}
	mustContain(t, w.out.String(), sentence)
	if err := w.Prepare(context.Background(), "3.1"); err != nil || w.has("setups") {
		t.Errorf("set up: %v", err)
	}
	if err := w.Prove(context.Background(), "3.1"); err != nil {
		t.Error(err)
	}
	out = w.mustRun(t, "3.1")
	mustContain(t, out, "the task", sentence, "sandbox lab check 3.1 2")
	mustNotContain(t, out, "sandbox lab check 3.1 1")

	// At a terminal it is told, and the next one asked about.
	w = newWorld(t, Chinese).withLesson(source).typing("s")
	mustContain(t, w.mustRun(t, "3.1"), "这道练习在这里做不了：only root can see this。")
}
