package course

import (
	"context"
	"strings"
	"testing"
)

// leveled is an exercise with hints of three levels for two situations.
var leveled = "# 3.1 T\n" + strings.Replace(exercise, "```hint\nmake it\n```\n",
	"```hint name=dir\nwhen: test -d $WORLD/made.d\nnot a directory\n```\n```hint name=none\nmake it\n```\n"+
		"```hint level=2 failed=made\nwhen: test -d $WORLD/made.d\ndirectories are no files\n```\n```hint level=2\nwhich command makes files?\n```\n```hint level=3\ntouch …\n```\n", 1)

func TestHintLevels(t *testing.T) {
	w := newWorld(t, English).withLesson(leveled)
	hint := func() string {
		t.Helper()
		w.out.Reset()
		if err := w.Hint(context.Background(), "3.1", 1); err != nil {
			t.Fatal(err)
		}
		return w.out.String()
	}
	_, out := check(t, w, 1)
	mustContain(t, out, "Hint 1 of 3\n│ make it")
	mustContain(t, hint(), "Hint 2 of 3\n│ which command makes files?") // the check has given the first one
	_, out = check(t, w, 1)
	mustContain(t, out, "Hint 1 of 3\n│ make it")
	mustContain(t, hint(), "Hint 3 of 3\n│ touch …", "`sandbox lab solution 3.1 1` shows one way")
	mustContain(t, hint(), "Hint 3 of 3\n│ touch …")

	w.do(t, "mkdir $WORLD/made.d") // another situation begins anew
	mustContain(t, hint(), "Hint 1 of 3\n│ not a directory")
	mustContain(t, hint(), "Hint 2 of 3\n│ directories are no files")
	lab, err := w.recallLab("3.1")
	if err != nil {
		t.Fatal(err)
	}
	if e := lab.exercise(1); e.Hints != 3 || e.Tries != 2 || e.Solved != nil || strings.Join(e.Failed, " ") != "made" {
		t.Errorf("remembered %+v", e)
	}
	w.do(t, "touch $WORLD/made")
	mustContain(t, hint(), "Nothing to hint at")
}

func TestAttempts(t *testing.T) {
	const good = "# Mistakes\n\n```mistake exercise=1 hint=none\n```\n\ntext\n\n```mistake exercise=1 hint=dir\nmkdir $WORLD/made.d\n```\n\n```way exercise=1\necho x > $WORLD/made\n```\n"
	for _, c := range []struct {
		name, source string
		n            int
		want         string
	}{
		{"nothing done", good, 1, ""},
		{"a mistake", good, 2, ""},
		{"another way", good, 3, ""},
		{"no such", good, 4, "has 3 foreseen attempts"},
		{"another hint comes", strings.Replace(good, "hint=none", "hint=dir", 1), 1, `3.1.mistakes.md:3: exercise 1, after`},
		{"it was right", strings.Replace(good, "mkdir", "touch $WORLD/made; mkdir", 1), 2, `the checks pass; the hint was to be "dir"`},
		{"it was not right", strings.Replace(good, "echo x >", "echo", 1), 3, `the checks do not pass, and the hint is "none"`},
		{"unknown hint", strings.Replace(good, "hint=none", "hint=x", 1), 1, "3.1.mistakes.md:3: exercise 1 has no hint of level 1 with name=x"},
		{"unknown exercise", strings.Replace(good, "way exercise=1", "way exercise=2", 1), 1, "3.1.mistakes.md:12: exercise=2: the lesson has exercises 1 to 1"},
		{"another block", strings.Replace(good, "way exercise=1", "check exercise=1", 1), 1, "a block here is"},
		{"a way to nothing", strings.Replace(good, "echo x > $WORLD/made\n", "", 1), 1, "a way that does nothing"},
		{"open", good + "```way exercise=1\n", 1, "3.1.mistakes.md:15: this block is never closed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, English).withLesson(leveled).withMistakes(c.source)
			err := w.ProveAttempt(context.Background(), "3.1", c.n)
			if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// Conditions, and what stands beside them, are Markdown as the lessons are; what was really found is not.
func TestConditionsAreRendered(t *testing.T) {
	const lesson = "# 3.1 T\n## Exercise 1: e\n```need name=moon\ntest: false\nthere is no `moon`\n```\n" +
		"```check name=mine\ntest: test -e $WORLD/mine\nshow: echo 'a `b` *c*'\nwant: what `mine` has, including all\n`mine` is there, and the *long* sentence goes on to\n`the end` of a line and further\n```\n" +
		"```check name=exact\nshow: echo no\nwant: `as it is`\n它是 `box`，\n中文的行\n```\n" +
		"```check name=left need=moon\ntest: true\n# no heading\n```\n" +
		"```hint\nsee `mine`\n```\n```solution\ntrue\n```\nDone.\n"
	const plain = `  ✗ ` + "`mine`" + ` is there, and the *long*
    sentence goes on to ` + "`the end`" + ` of
    a line and further
      expected: what ` + "`mine`" + ` has,
                including all
      found:    a ` + "`b` *c*" + `
  ✗ 它是 ` + "`box`" + `，中文的行
      expected: ` + "`as it is`" + `
      found:    no
  – # no heading
      not checked here: there is no ` + "`moon`" + `
`
	colorful := strings.NewReplacer(
		"✗", "\x1b[31m✗\x1b[0m", "–", "\x1b[2m–\x1b[0m", "*long*", "\x1b[3mlong\x1b[0m",
		"`mine`", "\x1b[36mmine\x1b[0m", "`the end` of\n    a line", "\x1b[36mthe end\x1b[0m of a\n    line",
		"`box`", "\x1b[36mbox\x1b[0m", "`moon`", "\x1b[36mmoon\x1b[0m").Replace(plain)
	for color, want := range map[bool]string{false: plain, true: colorful} {
		w := newWorld(t, English).withLesson(lesson)
		w.Width, w.Color = 36, color
		_, out := check(t, w, 1)
		mustContain(t, out, want)
	}
}
