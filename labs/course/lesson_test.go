package course

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestLanguagesHoldTogether(t *testing.T) {
	for _, number := range written(t) {
		var both []*parser
		for _, lang := range []Lang{English, Chinese} {
			p, err := examine(Lessons(), number, lang, "")
			if err != nil {
				t.Fatal(err)
			}
			both = append(both, p)
		}
		for _, f := range differences(both[1], both[0]) {
			t.Error(f)
		}
	}
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
