package transcripts

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"sandbox/labs/course"
)

// What a lab promises of its exercises, with the real program, in each language: what an exercise begins with fails its
// checks and its solution passes them, as root and as an ordinary user; so does each other way that its author has
// foreseen, and each mistake gets the hint that was written for it.
//
// English exercises are proved as they are written, Chinese ones with parameters that a seed has drawn. The attempts, some
// four hundred, are the same in both languages (a test of package course sees to that): root makes the English ones, an ordinary user
// the Chinese ones.
func TestProve(t *testing.T) {
	for _, chapter := range course.Catalogue() {
		for lang, seed := range map[course.Lang]string{course.English: course.PlainSeed, course.Chinese: "other"} {
			lesson, err := course.Load(course.Lessons(), chapter.Number, lang, seed)
			if err != nil {
				continue // not written yet
			}
			attempts, err := lesson.Attempts(course.Lessons())
			if err != nil {
				t.Error(err)
			}
			name := chapter.Number + "." + string(lang)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for _, w := range everybody() {
					prove(t, w, lesson, seed, 0)
				}
			})
			if (lang == course.English) != (os.Geteuid() == 0) {
				continue
			}
			for i, a := range attempts {
				t.Run(fmt.Sprintf("%s/%d/%s%d", name, a.Exercise, a.Hint, i+1), func(t *testing.T) {
					t.Parallel()
					if said := prove(t, everybody()[0], lesson, seed, i+1); strings.Contains(said, "cannot be done here") || strings.Contains(said, "在这里做不了") {
						t.Skip("left out for this user on this machine: " + said)
					}
				})
			}
		}
	}
}

// prove proves one attempt of a lesson's author; the 0th is all of its solutions.
func prove(t *testing.T, w who, lesson *course.Lesson, seed string, attempt int) string {
	t.Helper()
	sandbox := world(t, w, w.store())
	out, err := sandbox("--lang="+string(lesson.Lang), "lab", "--seed="+seed, "prove", fmt.Sprintf("--attempt=%d", attempt), lesson.Number).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", w.name, err, out)
	}
	return string(out)
}
