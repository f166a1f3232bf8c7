package course

import (
	"context"
	"strings"
	"testing"
)

// imitated are the lessons that can do with the make-believe sandbox, which knows containers and no images. The exercises
// and hints of all lessons are proved with the real program, by package transcripts.
var imitated = []string{"3.1", "3.5"}

// Each exercise of the real lessons fails its checks unsolved and passes them with its solution.
func TestExercisesAreSound(t *testing.T) {
	for _, number := range imitated {
		for _, lang := range []Lang{English, Chinese} {
			t.Run(number+"."+string(lang), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, lang)
				if err := w.Prove(context.Background(), number); err != nil {
					t.Errorf("%v\n%s", err, w.out.String())
				}
				if w.has("witness") || w.has("green") {
					t.Error("the exercises leave containers behind")
				}
			})
		}
	}
}

// The hint depends on what is wrong, and other ways than the solution's are right too.
func TestHintsFitTheState(t *testing.T) {
	for _, c := range []struct {
		number   string
		exercise int
		did      string // by the learner
		want     string // in what check then prints
	}{
		{"3.1", 1, "true", "There is no container `clock` yet"},
		{"3.1", 1, "sandbox create --name clock base date", "Which half of `run` is missing"},
		{"3.1", 1, "sandbox run --name clock base date", "A single `date`"},
		{"3.1", 1, "sandbox run -d --name clock base sleep 1000", "no time in its log so far"},
		{"3.1", 1, "sandbox create --name clock base sh -c 'while :; do date; sleep 2; done'; sandbox start clock", "All of it is right"},
		{"3.1", 2, "true", "was it with `--rm`"},
		{"3.1", 2, "sandbox create --name verdict base", "A program that has not run"},
		{"3.1", 2, "sandbox run -d --name verdict base sleep 1000", "still runs"},
		{"3.1", 2, "sandbox run --name verdict base sh -c 'echo guilty; exit 42' || true", "with `-h`"},
		{"3.1", 2, "sandbox run --name verdict -h court base echo guilty", "`exit N` chooses it"},
		{"3.1", 2, "sandbox run --name verdict -h court base sh -c 'echo guilty; exit 42'; sandbox start verdict", "started more than once"},
		{"3.1", 3, "sandbox rm -f witness", "You have removed `witness`"},
		{"3.1", 3, "true", "What does a container keep"},
		{"3.1", 3, "sandbox start witness", "a second time"},
		{"3.1", 3, "sandbox create --name answer -h marigold base sleep 1000", "does not run"},
		{"3.1", 3, "sandbox run -d --name answer -h marigold base sleep 99", "All of it is right"},
		{"3.5", 1, "true", "two flags from this lab"},
		{"3.5", 1, "sandbox run --name tower base echo", "has its program ended"},
		{"3.5", 1, "sandbox run -d --name tower --network none base sleep 9", "are two things"},
		{"3.5", 1, "sandbox run -d --name tower -h lighthouse base sleep 9", "nothing but `lo`"},
		{"3.5", 2, "sandbox run -d --name twin base sleep 9", "in one word"},
		{"3.5", 3, "true", "can only be looked at from inside"},
		{"3.5", 3, "sandbox stop green; sandbox start green", "started again"},
		{"3.5", 3, "sandbox exec green ipcrm -m 0", "that was needed is gone"},
		{"3.5", 3, "sandbox exec green ipcrm -m 1", "All of it is right"},
	} {
		t.Run(c.number+" "+c.did, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, English)
			ctx := context.Background()
			if err := w.Prepare(ctx, c.number); err != nil {
				t.Fatal(err)
			}
			w.do(t, c.did)
			if _, err := w.Check(ctx, c.number, c.exercise); err != nil {
				t.Fatal(err)
			}
			// The hint may be broken into lines at any space.
			mustContain(t, strings.Join(strings.Fields(strings.ReplaceAll(w.out.String(), "│", "")), " "), c.want)
		})
	}
}
