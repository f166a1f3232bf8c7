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
			fmt.Fprintf(&b, "  step %s exit %d need %q setup %v: %q undone by %q\n",
				p.Step.Name, p.Step.Exit, p.Step.Need, p.Step.Setup, p.Step.Commands, p.Step.Cleanup)
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
			fmt.Fprintf(&b, "  hint failed %q when %q\n", h.Failed, h.When)
		}
		fmt.Fprintf(&b, "  solution %q undone by %q\n", s.Exercise.Solution.Commands, s.Exercise.Solution.Cleanup)
	}
	return b.String()
}

func TestLanguagesHoldTogether(t *testing.T) {
	for _, number := range written(t) {
		en, err := Load(Lessons(), number, English)
		if err != nil {
			t.Error(err)
			continue
		}
		zh, err := Load(Lessons(), number, Chinese)
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
		number := strings.TrimSuffix(strings.TrimSuffix(f, ".en.md"), ".zh.md")
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

func TestLessonsAreWhole(t *testing.T) {
	for _, number := range written(t) {
		for _, lang := range []Lang{English, Chinese} {
			lesson, err := Load(Lessons(), number, lang)
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
	if _, err := Load(os.DirFS(t.TempDir()), "3.1", English); err == nil || !strings.Contains(err.Error(), ErrNoLesson.Error()) {
		t.Errorf("error %v, want %v", err, ErrNoLesson)
	}
}
