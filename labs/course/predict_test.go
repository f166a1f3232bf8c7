package course

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const asking = "# 3.1 T\n## 3.1.1 One\nBefore.\n```predict name=q\nright: test \"$OUTPUT\" = \"one\n two\"\nWhat does it print?\n- nothing\n+ two\n  lines\n" +
	"- an error\nBecause it does.\n```\n```console step=a\n$ echo one\n$ echo two >&2\n```\nAfter.\n"

func TestQuestion(t *testing.T) {
	const options = "*What do you think?* What does it print?\n\n  a) nothing\n  b) two lines\n  c) an error\n"
	const answer = "*The answer is b)* two lines\n\nBecause it does.\n"
	for _, c := range []struct {
		name string
		keys []string // nil: no terminal
		want []string
		know string // what is remembered
	}{
		{"in a pipe", nil, []string{options + "\n  $ echo one\n  one\n  $ echo two >&2\n  two\n\n" + answer}, "map[]"},
		{"right", []string{"b", "", ""}, []string{options, "✓ As you said.\n" + answer}, "map[q:true]"},
		{"wrong, as text is typed", []string{"z", "C", "", ""}, []string{"No such key", "✗ You said c. It turned out otherwise.\n" + answer}, "map[q:false]"},
		{"passed over", []string{"", "", ""}, []string{answer}, "map[]"},
		{"left", []string{"q"}, []string{"Left."}, "map[]"},
		{"the first answer counts, and repeating does not ask", []string{"a", "", "r", "b", "b", "", ""}, []string{"You said a", "✓ As you said."}, "map[q:false]"},
		{"nothing to repeat yet", []string{"r", "b", "", ""}, []string{"There is no step before this one", "✓ As you said."}, "map[q:true]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, English).withLesson(asking)
			if c.keys != nil {
				w.typing(c.keys...)
			}
			out := w.mustRun(t, "3.1")
			mustContain(t, out, c.want...)
			lab, err := w.recallLab("3.1")
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(strings.Fields(fmt.Sprint(lab.Predicted)), " "); got != c.know {
				t.Errorf("remembered %s, want %s", got, c.know)
			}
		})
	}
}

// An answer that is not true of what was printed is a failure of the lesson.
func TestQuestionIsProved(t *testing.T) {
	w := newWorld(t, Chinese).withLesson(strings.Replace(asking, "echo one", "echo three", 1))
	if err := w.Run(context.Background(), "3.1"); !errors.Is(err, ErrStep) || !strings.Contains(err.Error(), ": q") {
		t.Errorf("error %v, want %v with the question's name", err, ErrStep)
	}
	mustContain(t, w.out.String(), "课程给出的答案是 b），但刚才的输出并不支持它。")
	mustNotContain(t, w.out.String(), "Because it does")
}

// Where the step is left out, nothing is asked.
func TestQuestionOfStepLeftOut(t *testing.T) {
	source := strings.Replace(strings.Replace(asking, "step=a", "step=a need=n", 1), "Before.", "```need name=n\ntest: false\nno\n```\n", 1)
	out := newWorld(t, English).withLesson(source).mustRun(t, "3.1")
	mustContain(t, out, "(left out here: no)")
	mustNotContain(t, out, "What does it print")
}

// At a terminal a step that is left out does not wait for a key, and `b` goes to the one before it.
func TestStepLeftOutDoesNotWait(t *testing.T) {
	const source = "# 3.1 T\n\n```need name=n\ntest: false\nno\n```\n\n## 3.1.1 S\n\n```console step=a\n$ echo one >> $WORLD/log\n```\n\n" +
		"```console step=b need=n\n$ echo two >> $WORLD/log\n```\n\nThe end.\n"
	w := newWorld(t, English).withLesson(source).typing("", "b", "s", "")
	out := w.mustRun(t, "3.1")
	log, _ := os.ReadFile(filepath.Join(w.dir, "log"))
	if asked := strings.Count(out, "[Enter runs it"); asked != 2 || string(log) != "one\n" {
		t.Errorf("asked %d times about a step, want 2 (the first one, and again after b); done: %q\n%s", asked, log, out)
	}
	mustContain(t, out, "(left out here: no)")
}

// A shell can be opened at a question, which is asked again afterwards.
func TestShellAtQuestion(t *testing.T) {
	w := newWorld(t, English).withLesson(asking).sharing(t, "echo looking", "!", "b", "", "")
	mustContain(t, w.mustRun(t, "3.1"), "looking\nBack in the lesson.\n*What do you think?*", "✓ As you said.")
}

// A step can be repeated from the question that follows it; the question is asked again.
func TestRepeatAtQuestion(t *testing.T) {
	source := strings.Replace(asking, "Before.\n", "```console step=first\n$ echo again >> $WORLD/log\n```\nBefore.\n", 1)
	w := newWorld(t, English).withLesson(source).typing("", "r", "b", "", "")
	out := w.mustRun(t, "3.1")
	mustContain(t, out, "✓ As you said.")
	if log, _ := os.ReadFile(filepath.Join(w.dir, "log")); string(log) != "again\nagain\n" || strings.Count(out, "What does it print?") != 2 {
		t.Errorf("done: %q\n%s", log, out)
	}
}
