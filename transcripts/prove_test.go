package transcripts

import (
	"testing"

	"sandbox/labs/course"
)

// Each exercise of each lab, in each language, as root and as an ordinary user: what it begins with fails its check, and
// its solution passes it.
func TestProve(t *testing.T) {
	for _, chapter := range course.Catalogue() {
		for _, lang := range []course.Lang{course.English, course.Chinese} {
			if _, err := course.Load(course.Lessons(), chapter.Number, lang); err != nil {
				continue // not written yet
			}
			t.Run(chapter.Number+"."+string(lang), func(t *testing.T) {
				t.Parallel()
				for _, w := range everybody() {
					sandbox := world(t, w, "")
					if out, err := sandbox("--lang="+string(lang), "lab", "prove", chapter.Number).CombinedOutput(); err != nil {
						t.Errorf("%s: %v\n%s", w.name, err, out)
					}
				}
			})
		}
	}
}
