package course

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"sandbox/labs/columns"
)

// Report is what a learner hands in: how far they have come in which lab.
type Report struct {
	Learner   string      `json:"learner"`
	Seed      string      `json:"seed"`
	Time      time.Time   `json:"time"`
	Labs      []LabReport `json:"labs"`
	Signature string      `json:"signature"`
}

// LabReport is the part of a report that speaks of one lab.
type LabReport struct {
	Lab       string           `json:"lab"`
	Own       bool             `json:"own,omitempty"` // it is one of a directory
	Finished  bool             `json:"finished"`      // read to its end
	Exercises []ExerciseReport `json:"exercises"`
	Asked     int              `json:"asked,omitempty"`     // questions that were answered
	Predicted int              `json:"predicted,omitempty"` // and those that were answered right at once
}

// ExerciseReport is the part that speaks of one exercise.
type ExerciseReport struct {
	Exercise int        `json:"exercise"`
	Solved   *time.Time `json:"solved,omitempty"`
	Tries    int        `json:"tries,omitempty"`  // checks that did not pass
	Hints    int        `json:"hints,omitempty"`  // the highest level that was needed
	Failed   []string   `json:"failed,omitempty"` // checks that did not hold at the last look
}

// solved counts exercises.
func (l LabReport) solved() int {
	n := 0
	for _, e := range l.Exercises {
		if e.Solved != nil {
			n++
		}
	}
	return n
}

// sign returns what the signature is to be: one over everything else, keyed with the seed. Whoever changes a word of the
// report, or puts another name on it, would have to compute it anew. It is no proof against somebody who reads these lines
// and writes a program: for that, a teacher hands out the seeds, and compares.
func (r *Report) sign() (string, error) {
	unsigned := *r
	unsigned.Signature = ""
	data, err := json.Marshal(unsigned)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, []byte("report of a learner\x00"+r.Seed))
	mac.Write(data)
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// Genuine says whether a report is as it was when it was made.
func (r *Report) Genuine() bool {
	want, err := r.sign()
	return err == nil && hmac.Equal([]byte(want), []byte(r.Signature))
}

// Report puts together what is remembered of the learner.
func (s *Session) Report(learner string) (*Report, error) {
	known, err := s.recall()
	if err != nil {
		return nil, err
	}
	r := &Report{Learner: learner, Seed: s.Seed, Time: time.Now().UTC().Truncate(time.Second), Labs: []LabReport{}}
	for _, chapter := range Chapters(s.Lessons) { // not of a directory that is not given now
		number := chapter.Number
		lab := known.Labs[progressKey(s.Lessons, number)]
		lesson, err := s.load(number)
		if lab == nil || err != nil {
			continue
		}
		l := LabReport{Lab: number, Own: isOwn(s.Lessons, number), Finished: lab.Finished, Asked: len(lab.Predicted), Exercises: []ExerciseReport{}}
		for _, right := range lab.Predicted {
			if right {
				l.Predicted++
			}
		}
		for i := range lesson.exercises() {
			e := lab.exercise(i + 1)
			l.Exercises = append(l.Exercises, ExerciseReport{Exercise: i + 1, Solved: e.Solved, Tries: e.Tries, Hints: e.Hints, Failed: e.Failed})
		}
		r.Labs = append(r.Labs, l)
	}
	r.Signature, err = r.sign()
	return r, err
}

// ReadReport reads one that has been handed in.
func ReadReport(data []byte) (*Report, error) {
	r := &Report{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, err
	}
	if r.Signature == "" || r.Seed == "" {
		return nil, errors.New("it has no signature or no seed")
	}
	return r, nil
}

// ShowReport prints a report for reading.
func (s *Session) ShowReport(r *Report) {
	s.say(sayReportHead, r.Learner, r.Time.Local().Format("2006-01-02 15:04"), r.Seed)
	fmt.Fprintln(s.Out)
	if len(r.Labs) == 0 {
		s.say(sayReportEmpty)
	}
	for _, l := range r.Labs {
		mark := " "
		if l.Finished && l.solved() == len(l.Exercises) {
			mark = s.paint(green, "✓")
		}
		title := ""
		if c, err := FindLab(s.Lessons, l.Lab); err == nil {
			title = c.Title(s.Lang)
		}
		text := fmt.Sprintf(sayExercisesSolved.in(s.Lang), l.solved(), len(l.Exercises))
		if l.Asked > 0 {
			text += fmt.Sprintf(sayReportPredicted.in(s.Lang), l.Predicted, l.Asked)
		}
		fmt.Fprintf(s.Out, "%s %s  %s%s  %s\n", mark, l.Lab, title, strings.Repeat(" ", max(0, 28-columns.Of(title))), text)
		for _, e := range l.Exercises {
			switch {
			case e.Solved != nil:
				fmt.Fprint(s.Out, "       "+s.paint(green, "✓")+" ")
				s.say(sayReportSolved, e.Exercise, e.Solved.Local().Format("2006-01-02 15:04"), e.Tries, e.Hints)
			case e.Tries > 0:
				fmt.Fprint(s.Out, "       "+s.paint(red, "✗")+" ")
				s.say(sayReportStuck, e.Exercise, e.Tries, e.Hints, strings.Join(e.Failed, ", "))
			}
		}
	}
	fmt.Fprintln(s.Out)
	s.say(sayReportSigned, r.Signature[:16])
}
