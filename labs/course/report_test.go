package course

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
)

// handIn is a learner's report as it arrives at the teacher.
func handIn(t *testing.T, w *world, name string) *Report {
	t.Helper()
	r, err := w.Report(name)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ReadReport(data)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func seeded(t *testing.T, seed string) *world {
	t.Helper()
	w := newWorld(t, English).withLesson(twoExercises)
	if err := w.EnsureSeed(seed); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestReportAndGrade(t *testing.T) {
	ada, bob := seeded(t, "enigma"), seeded(t, "lorenz")
	ada.do(t, "echo right > $WORLD/value; touch $WORLD/made")
	check(t, ada, 1)
	check(t, ada, 2)
	ada.typing("", "", "").mustRun(t, "3.1")
	check(t, bob, 1)
	bob.do(t, "printf 'right\n\n' > $WORLD/value")
	check(t, bob, 1)
	for range 3 {
		if err := bob.Hint(context.Background(), "3.1", 1); err != nil {
			t.Fatal(err)
		}
	}
	reports := []*Report{handIn(t, bob, "bob"), handIn(t, ada, "ada")}
	grades, stuck := GradeAll(reports, map[string]string{"ada": "enigma", "bob": "lorenz"}, Lessons())
	if len(grades) != 2 || grades[0] != (Grade{Learner: "ada", Labs: 1, Solved: 2, Exercises: 2, Predicted: "0/0"}) {
		t.Errorf("ada's grade: %+v", grades)
	}
	if g := grades[1]; g.Labs != 0 || g.Solved != 0 || g.Tries != 2 || g.Stuck != "3.1/1 (lines)" || g.Note != "" {
		t.Errorf("bob's grade: %+v", g)
	}
	if len(stuck) != 1 || stuck[0].Exercise != "3.1/1" || strings.Join(stuck[0].Learners, " ") != "bob" {
		t.Errorf("stuck: %+v", stuck)
	}
	ada.out.Reset()
	ada.ShowReport(reports[1])
	mustContain(t, ada.out.String(), "Report of ada", "seed enigma", "exercises 2/2", "✓ exercise 2: solved", "Signature "+reports[1].Signature[:16])
	bob.out.Reset()
	bob.ShowReport(reports[0])
	mustContain(t, bob.out.String(), "✗ exercise 1: not yet (failed checks: 2,", "still wrong: lines")
}

// What a teacher should ask about stands in the note.
func TestGradeNotices(t *testing.T) {
	given := map[string]string{"ada": "enigma", "bob": "lorenz"}
	for _, c := range []struct {
		name, seed, as string
		edit           func(*Report)
		want           string
	}{
		{"genuine", "enigma", "ada", func(*Report) {}, ""},
		{"another name on it", "enigma", "ada", func(r *Report) { r.Learner = "bob" }, "EDITED"},
		{"more tries than there were", "enigma", "ada", func(r *Report) { r.Labs[0].Exercises[0].Tries = 0 }, "EDITED"},
		{"another seed", "mine", "ada", func(*Report) {}, "another seed than the one handed out"},
		{"somebody unknown", "enigma", "eve", func(*Report) {}, "no seed was handed out"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := seeded(t, c.seed)
			check(t, w, 1)
			r := handIn(t, w, c.as)
			c.edit(r)
			grades, _ := GradeAll([]*Report{r}, given, Lessons())
			if note := grades[0].Note; (c.want == "") != (note == "") || !strings.Contains(note, c.want) {
				t.Errorf("note %q, want %q", note, c.want)
			}
		})
	}
	a, b := handIn(t, seeded(t, "same"), "ada"), handIn(t, seeded(t, "same"), "bob")
	grades, _ := GradeAll([]*Report{a, b, a}, nil, Lessons()) // one who hands in twice has copied from nobody
	if grades[0].Note != "same seed as bob" || grades[2].Note != "same seed as ada" {
		t.Errorf("notes %q and %q", grades[0].Note, grades[2].Note)
	}
}

func TestReadReport(t *testing.T) {
	for _, data := range []string{"", "{", "[]", "{}", `{"seed":"x"}`, `{"signature":1}`} {
		if _, err := ReadReport([]byte(data)); err == nil {
			t.Errorf("%q is taken for a report", data)
		}
	}
}

// A seed stays until another is wanted, whatever else is forgotten.
func TestEnsureSeed(t *testing.T) {
	w := newWorld(t, English)
	ensure := func(wanted string) string {
		t.Helper()
		if err := w.EnsureSeed(wanted); err != nil {
			t.Fatal(err)
		}
		return w.Seed
	}
	first := ensure("")
	if first == "" || ensure("") != first {
		t.Errorf("a seed %q that does not stay", first)
	}
	if ensure("mine") != "mine" || ensure("") != "mine" {
		t.Error("the seed that was wanted does not stay")
	}
	if err := w.ForgetAll(); err != nil || ensure("") != "mine" {
		t.Errorf("the seed is forgotten: %v", err)
	}
}

// Two terminals, one file.
func TestProgressFromTwoTerminals(t *testing.T) {
	w := seeded(t, "x")
	done := make(chan error)
	const each = 25
	for _, n := range []int{1, 2} {
		go func() {
			var err error
			for range each {
				if e := w.rememberExercise("3.1", n, func(p *exerciseProgress) { p.Tries++ }); e != nil {
					err = e
				}
			}
			done <- err
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	lab, err := w.recallLab("3.1")
	if err != nil || lab.exercise(1).Tries != each || lab.exercise(2).Tries != each {
		t.Errorf("remembered %+v %+v, %v", lab.exercise(1), lab.exercise(2), err)
	}
}

func TestWatch(t *testing.T) {
	w := newWorld(t, English).withLesson("# 3.1 T\n" + exercise)
	w.Shell = []string{"/bin/sh", "-c", `if [ -e "$WORLD/looked" ]; then touch "$WORLD/made"; fi; : > "$WORLD/looked"; eval "$0"`}
	if err := w.Watch(context.Background(), "3.1", 1); err != nil {
		t.Fatal(err)
	}
	out := w.out.String()
	mustContain(t, out, "✗ the file is there\n\nWatching:", "✓ the file is there", "All of it is right.", "well done")
	if lab, err := w.recallLab("3.1"); err != nil || !lab.solved(1) {
		t.Errorf("not remembered as solved: %v", err)
	}
}
