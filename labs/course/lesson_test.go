package course

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

// outline is a lesson without its words: what must be the same in both languages.
func outline(l *Lesson) string {
	var b strings.Builder
	for _, n := range l.Needs {
		fmt.Fprintf(&b, "need %s: %s\n", n.Name, n.Test)
	}
	for _, s := range l.Sections {
		fmt.Fprintf(&b, "section %q\n", s.Number)
		for _, p := range s.Parts {
			if p.Step == nil {
				fmt.Fprintln(&b, "  text")
				continue
			}
			if q := p.Step.Predict; q != nil {
				fmt.Fprintf(&b, "  question %s proved by %q: %d of %d, with a reason %v\n", q.Name, q.Proof, q.Right, len(q.Options), q.Because != "")
			}
			fmt.Fprintf(&b, "  step %s exit %d need %q setup %v: %q typed %q undone by %q\n",
				p.Step.Name, p.Step.Exit, p.Step.Need, p.Step.Setup, p.Step.Commands, p.Step.Typed, p.Step.Cleanup)
		}
		for _, p := range s.Params {
			fmt.Fprintf(&b, "  parameter %s: %q or %d to %d\n", p.Name, p.Values, p.Low, p.High)
		}
		if s.Exercise == nil {
			continue
		}
		for _, c := range s.Exercise.Checks {
			want := c.Want
			if c.Test != "" {
				want = fmt.Sprint(want != "") // prose: it is only shown
			}
			fmt.Fprintf(&b, "  check %s need %q: test %q show %q want %s\n", c.Name, c.Need, c.Test, c.Show, want)
		}
		for _, h := range s.Exercise.Hints {
			fmt.Fprintf(&b, "  hint %s level %d failed %q when %q\n", h.Name, h.Level, h.Failed, h.When)
		}
		fmt.Fprintf(&b, "  solution %q undone by %q\n", s.Exercise.Solution.Commands, s.Exercise.Solution.Cleanup)
	}
	return b.String()
}

func TestLanguagesHoldTogether(t *testing.T) {
	for _, number := range written(t) {
		en, err := Load(Lessons(), number, English, "")
		if err != nil {
			t.Error(err)
			continue
		}
		zh, err := Load(Lessons(), number, Chinese, "")
		if err != nil {
			t.Error(err)
			continue
		}
		a, b := strings.Split(outline(en), "\n"), strings.Split(outline(zh), "\n")
		for i := range max(len(a), len(b)) {
			if i >= len(a) || i >= len(b) || a[i] != b[i] {
				t.Errorf("%s: the languages part at line %d of the outline:\nen: %s\nzh: %s",
					number, i+1, at(a, i), at(b, i))
				break
			}
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(end)"
}

// written lists the chapters that have a lesson, and sees to it that no file lies beside the catalogue.
func written(t *testing.T) []string {
	t.Helper()
	files, err := fs.Glob(Lessons(), "*.md")
	if err != nil {
		t.Fatal(err)
	}
	var numbers []string
	for _, f := range files {
		number := f
		for _, kind := range []string{".en.md", ".zh.md", ".mistakes.md"} {
			number = strings.TrimSuffix(number, kind)
		}
		if _, err := FindChapter(number); err != nil {
			t.Errorf("lessons/%s: %v", f, err)
		}
		if !slices.Contains(numbers, number) {
			numbers = append(numbers, number)
		}
	}
	if !slices.Contains(numbers, "3.1") || !slices.Contains(numbers, "3.5") {
		t.Fatalf("the first two lessons are missing: found %v", numbers)
	}
	return numbers
}

// The seed draws the same values in both languages, others for other learners, and the first ones without a seed.
func TestSeedDrawsParameters(t *testing.T) {
	const source = "# 3.1 T\n## Exercise @name@\n```seed\nname: red green blue\nsize: 10..99\n```\nmake @name@ @size@\n" +
		"```check name=made\ntest: test -e @name@\nit is there\n```\n```hint\nmake it\n```\n```solution\ntouch @name@ @size@\n```\nthat was @name@\n## 3.1.1 @name@\n"
	seen := map[string]bool{}
	for _, seed := range []string{"", PlainSeed, "ada", "bob", "cy", "dee", "eve", "fay"} {
		lesson, err := Parse("x.md", source, seed)
		if err != nil {
			t.Fatal(err)
		}
		e := lesson.Sections[0].Exercise
		command := e.Solution.Commands[0]
		name := strings.Fields(command)[1]
		if e.Checks[0].Test != "test -e "+name || e.Debrief != "that was "+name || "touch "+strings.TrimPrefix(lesson.Sections[0].Parts[0].Text, "make ") != command {
			t.Errorf("seed %q: not everywhere the same values: %+v", seed, lesson.Sections[0])
		}
		if (seed == "" || seed == PlainSeed) && command != "touch red 10" {
			t.Errorf("without a seed: %q", command)
		}
		if lesson.Sections[0].Title+lesson.Sections[1].Title != "Exercise @name@3.1.1 @name@" {
			t.Error("values reach beyond what stands between the seed block and the end of its section")
		}
		seen[command] = true
	}
	if len(seen) < 5 {
		t.Errorf("seven seeds draw %d different exercises: %v", len(seen), seen)
	}
}

func TestLessonsAreWhole(t *testing.T) {
	for _, number := range written(t) {
		for _, lang := range []Lang{English, Chinese} {
			lesson, err := Load(Lessons(), number, lang, "")
			if err != nil {
				t.Error(err)
				continue
			}
			chapter, _ := FindChapter(number)
			if lesson.Title != chapter.Title(lang) {
				t.Errorf("%s.%s: title %q, in the catalogue %q", number, lang, lesson.Title, chapter.Title(lang))
			}
			if n := len(lesson.exercises()); n < 2 {
				t.Errorf("%s.%s has %d exercises; a lesson has two at least", number, lang, n)
			}
		}
	}
}

func TestUnwrittenLesson(t *testing.T) {
	if _, err := Load(os.DirFS(t.TempDir()), "3.1", English, ""); err == nil || !strings.Contains(err.Error(), ErrNoLesson.Error()) {
		t.Errorf("error %v, want %v", err, ErrNoLesson)
	}
}
