package course

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Grade is one learner's row in the table of a class.
type Grade struct {
	Learner   string `json:"learner"`
	Labs      int    `json:"labs"`      // done: read to the end, all exercises solved
	Solved    int    `json:"solved"`    // exercises
	Exercises int    `json:"exercises"` // of the labs that were begun
	Tries     int    `json:"tries"`
	LastHints int    `json:"lastHints"` // exercises that needed the last hint
	Predicted string `json:"predicted"`
	Stuck     string `json:"stuck,omitempty"` // the exercise that has been tried most often, in vain
	Note      string `json:"note,omitempty"`  // what a teacher should ask about
}

// Stuck is an exercise at which learners are stuck.
type Stuck struct {
	Exercise string // "3.5/2"
	Learners []string
	Failed   []string // checks that did not hold, the most frequent first
}

// GradeAll makes the table of a class, and the list of exercises at which most are stuck. given has the seeds that a teacher
// has handed out, by the learners' names; nil if they have not. labs are those that the teacher knows under their numbers.
func GradeAll(reports []*Report, given map[string]string, labs fs.FS) ([]Grade, []Stuck) {
	owners := map[string][]string{}
	for _, r := range reports {
		if !slices.Contains(owners[r.Seed], r.Learner) {
			owners[r.Seed] = append(owners[r.Seed], r.Learner)
		}
	}
	var grades []Grade
	var stuck []Stuck
	for _, r := range reports {
		g := Grade{Learner: r.Learner}
		g.notes(r, owners, given, labs)
		asked, predicted, most := 0, 0, 0
		for _, l := range r.Labs {
			if l.Finished && l.solved() == len(l.Exercises) {
				g.Labs++
			}
			g.Solved += l.solved()
			g.Exercises += len(l.Exercises)
			asked += l.Asked
			predicted += l.Predicted
			for _, e := range l.Exercises {
				g.Tries += e.Tries
				if e.Hints == HintLevels {
					g.LastHints++
				}
				if e.Solved != nil || e.Tries == 0 {
					continue
				}
				name := fmt.Sprintf("%s/%d", l.Lab, e.Exercise)
				if e.Tries > most {
					most, g.Stuck = e.Tries, fmt.Sprintf("%s (%s)", name, strings.Join(e.Failed, ", "))
				}
				i := slices.IndexFunc(stuck, func(s Stuck) bool { return s.Exercise == name })
				if i < 0 {
					i = len(stuck)
					stuck = append(stuck, Stuck{Exercise: name})
				}
				stuck[i].Learners = append(stuck[i].Learners, r.Learner)
				stuck[i].Failed = append(stuck[i].Failed, e.Failed...)
			}
		}
		g.Predicted = fmt.Sprintf("%d/%d", predicted, asked)
		grades = append(grades, g)
	}
	slices.SortStableFunc(grades, func(a, b Grade) int { return strings.Compare(a.Learner, b.Learner) })
	for i := range stuck {
		stuck[i].Failed = byFrequency(stuck[i].Failed)
	}
	slices.SortStableFunc(stuck, func(a, b Stuck) int { return len(b.Learners) - len(a.Learners) })
	return grades, stuck
}

// notes says what a teacher should ask about.
func (g *Grade) notes(r *Report, owners map[string][]string, given map[string]string, labs fs.FS) {
	var notes []string
	if !r.Genuine() {
		notes = append(notes, "EDITED: the signature does not fit")
	}
	if others := slices.DeleteFunc(slices.Clone(owners[r.Seed]), func(name string) bool { return name == r.Learner }); len(others) > 0 {
		notes = append(notes, "same seed as "+strings.Join(others, ", "))
	}
	if given != nil {
		switch seed, known := given[r.Learner]; {
		case !known:
			notes = append(notes, "no seed was handed out to this name")
		case seed != r.Seed:
			notes = append(notes, "another seed than the one handed out")
		}
	}
	for _, l := range r.Labs {
		_, err := FindChapter(l.Lab)
		switch own := isOwn(labs, l.Lab); {
		case err != nil || l.Own == own: // the number is nobody else's, or it is the same lab
		case own:
			notes = append(notes, l.Lab+" is the built-in one, not that of --labs")
		default:
			notes = append(notes, l.Lab+" is not the built-in one but one of a directory")
		}
	}
	g.Note = strings.Join(notes, "; ")
}

// byFrequency returns each word once, the most frequent first.
func byFrequency(words []string) []string {
	count := map[string]int{}
	var list []string
	for _, w := range words {
		if count[w]++; count[w] == 1 {
			list = append(list, w)
		}
	}
	slices.SortStableFunc(list, func(a, b string) int { return cmp.Compare(count[b], count[a]) })
	return list
}
