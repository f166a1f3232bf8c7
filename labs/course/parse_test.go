package course

import (
	"reflect"
	"strings"
	"testing"
)

// exercise is the least that makes a section an exercise, to be changed by the tests.
const exercise = "## Exercise\ndo it\n" +
	"```check name=made\ntest: test -e $WORLD/made\nthe file is there\n```\n" +
	"```hint\nmake it\n```\n" +
	"```solution\ntouch $WORLD/made\n```\n" +
	"```cleanup\nrm $WORLD/made\n```\n" +
	"well done\n"

func TestParse(t *testing.T) {
	lesson, err := Parse("x.md", `# 9.9 Title
Intro.

## One
Before.
~~~console
$ only to look at
~~~
`+"```console step=a expect=exit:3 need=n\n$ first\n$ second \\\n  goes on\n```\n```cleanup\nundo\n```\nAfter.\n"+
		"````\n```console step=not-one\n```\n````\n"+
		"```need name=n\ntest: true\nno n here\n```\n"+exercise, "")
	if err != nil {
		t.Fatal(err)
	}
	if lesson.Title != "9.9 Title" || lesson.Intro != "Intro." || len(lesson.Sections) != 2 {
		t.Fatalf("lesson %+v", lesson)
	}
	parts := lesson.Sections[0].Parts
	if len(parts) != 3 || parts[0].Text != "Before.\n~~~console\n$ only to look at\n~~~" {
		t.Fatalf("parts %+v", parts)
	}
	want := &Step{
		Name: "a", Exit: 3, Need: "n", Line: 9, Cleanup: []string{"undo"},
		Commands: []string{"first", "second \\\n  goes on"},
	}
	if !reflect.DeepEqual(parts[1].Step, want) {
		t.Errorf("step %+v, want %+v", parts[1].Step, want)
	}
	if !strings.HasSuffix(parts[2].Text, "```console step=not-one\n```\n````") {
		t.Errorf("a fence inside a longer one is prose, got %q", parts[2].Text)
	}
	e := lesson.Sections[1].Exercise
	if e == nil || e.Number != 1 || e.Debrief != "well done" || e.Solution.Cleanup[0] != "rm $WORLD/made" ||
		e.Checks[0].Text != "the file is there" || e.Hints[0].Text != "make it" {
		t.Errorf("exercise %+v", e)
	}
}

// Code that is moved in stays so, also where nothing but a step stands before it.
func TestParseKeepsIndentation(t *testing.T) {
	lesson, err := Parse("x.md", "# 9.9 Title\n## One\n```console step=a\n$ true\n```\n\n    code\n      more\n\nProse.\n", "")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := lesson.Sections[0].Parts[1].Text, "    code\n      more\n\nProse."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// An author is told what is wrong, and in which line.
func TestParseErrors(t *testing.T) {
	step := "```console step=a\n$ true\n```\n"
	for _, c := range []struct{ name, source, want string }{
		{"no title", "text\n", "x.md:1: a lesson begins with"},
		{"two titles", "# a\n# b\n", "x.md:2: a second title"},
		{"open fence", "# a\n## b\n```console step=a\n$ true\n", "x.md:3: this block is never closed"},
		{"no prompt", "# a\n## b\n```console step=a\ntrue\n```\n", "x.md:3: a step's command begins with"},
		{"empty step", "# a\n## b\n```console step=a\n```\n", "x.md:3: the console block is empty"},
		{"twice", "# a\n## b\n" + step + step, `x.md:6: a second step named "a" (the first is in line 3)`},
		{"expect", "# a\n## b\n```console step=a expect=exit:x\n$ true\n```\n", "expect=exit:x: write exit:N"},
		{"expect without step", "# a\n## b\n```console expect=exit:1\n$ true\n```\n", "wants step="},
		{"attribute", "# a\n## b\n```console step=a wants=3\n$ true\n```\n", `x.md:3: a console block knows no "wants"`},
		{"word", "# a\n## b\n```check running\n```\n", `x.md:3: "running" is not of the form word=value`},
		{"need", "# a\n## b\n```console step=a need=n\n$ true\n```\n", `x.md:3: no need named "n"`},
		{"cleanup of nothing", "# a\n## b\n```cleanup\ntrue\n```\n", "x.md:3: a cleanup block follows"},
		{"before sections", "# a\n" + step, "x.md:2: a console block before the first"},
		{"check alone", "# a\n## b\n```check name=c\ntest: true\nit is so\n```\n", `x.md:2: the exercise "b" has no hint`},
		{"check without test", "# a\n## b\n```check name=c\nshow: ls\nit is so\n```\n", "x.md:3: a check wants"},
		{"check without text", "# a\n## b\n```check name=c\ntest: true\n```\n", "x.md:3: the check block has no text"},
		{"field twice", "# a\n## b\n```check name=c\ntest: true\ntest: true\nx\n```\n", `x.md:3: "test" stands twice`},
		{"no debrief", "# a\n" + strings.Replace(exercise, "well done", "", 1), `x.md:2: the exercise "Exercise" has no debrief`},
		{"hint", "# a\n" + strings.Replace(exercise, "```hint", "```hint failed=x", 1), `x.md:8: no check named "x"`},
		{"only some hints", "# a\n" + strings.Replace(exercise, "```hint", "```hint failed=made", 1), "has no last hint that always fits"},
		{"hint twice", "# a\n" + strings.Replace(exercise, "```hint", "```hint name=h\nx\n```\n```hint name=h", 1), `a second hint named "h"`},
		{"hint level", "# a\n" + strings.Replace(exercise, "```hint", "```hint level=4", 1), "x.md:8: level=4: a hint's level is 1 to 3"},
		{"hint order", "# a\n" + strings.Replace(exercise, "```hint", "```hint level=2\nx\n```\n```hint", 1), "a hint of level 1 after one of level 2"},
		{"only some of a level", "# a\n" + strings.Replace(exercise, "```solution", "```hint level=2 failed=made\nx\n```\n```solution", 1), "always fits (without failed= and when:) on level 2"},
		{"question without proof", "# a\n## b\n```predict name=q\nWhat?\n- a\n+ b\n```\n" + step, `x.md:3: a predict block wants name= and a line "right: COMMAND"`},
		{"question without answer", "# a\n## b\n```predict name=q\nright: true\nWhat?\n- a\n- b\n```\n" + step, `no option is marked with "+"`},
		{"two answers", "# a\n## b\n```predict name=q\nright: true\nWhat?\n+ a\n+ b\n```\n" + step, `two options are marked with "+"`},
		{"one option", "# a\n## b\n```predict name=q\nright: true\nWhat?\n+ b\n```\n" + step, "the predict block has 1 options"},
		{"question without step", "# a\n## b\n```predict name=q\nright: true\nWhat?\n- a\n+ b\n```\n## c\n" + step, `the question "q" (line 3) is not followed by a step`},
		{"question at the end", "# a\n## b\n```predict name=q\nright: true\nWhat?\n- a\n+ b\n```\n", `the question "q" (line 3) is not followed by a step`},
		{"question before a terminal", "# a\n## b\n```predict name=q\nright: test -z \"$OUTPUT\"\nWhat?\n- a\n+ b\n```\n```console step=s tty=yes\n$ sh\n< exit\n```\n", `x.md:9: the question "q" stands before a step with a terminal`},
		{"seed in a section", "# a\n## b\n```seed\nx: a b c\n```\n" + step, "x.md:4: a seed block in a section that is no exercise"},
		{"seed unused", "# a\n" + strings.Replace(exercise, "do it", "```seed\nx: a b c\n```\n", 1), `x.md:4: the parameter "x" is not used: write @x@`},
		{"seed too late", "# a\n" + strings.Replace(exercise, "do it", "do it\n```seed\nx: a b c\n```\n", 1), "x.md:4: a seed block is the first thing"},
		{"few values", "# a\n## b\n```seed\nx: a b\n```\n", `x.md:3: "x" has 2 values`},
		{"no range", "# a\n## b\n```seed\nx: 9..1\n```\n", `"9..1" is no range`},
		{"no parameter", "# a\n## b\n```seed\nX y\n```\n", `"X y" is not of the form`},
		{"step in exercise", "# a\n" + exercise + step, "x.md:18: a console block after the checks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("x.md", c.source, "")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestNumbersInHeadings(t *testing.T) {
	for source, want := range map[string]string{
		"# Title\n":                             "is to begin with the lab's number",
		"# 3.1 Title\n\n## 3.1.2 Second\n":      "3.1.en.md:3: this heading is to begin with 3.1.1",
		"# 3.1 T\n## 3.1.1 a\n## 3.1.11 b\n":    "3.1.en.md:3: this heading is to begin with 3.1.2",
		"# 3.1 T\n## 3.1.1 a\n" + exercise:      "",
		"# 3.1 T\n" + exercise + "## 3.1.1 a\n": "",
	} {
		w := newWorld(t, English).withLesson(source)
		_, err := w.load("3.1")
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", source, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: error %v, want %q", source, err, want)
		}
	}
}
