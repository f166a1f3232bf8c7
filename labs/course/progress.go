package course

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// progress is what is remembered of a learner, in one file for all labs and both languages.
type progress struct {
	Seed string                  `json:"seed,omitempty"`
	Labs map[string]*labProgress `json:"labs"` // by progressKey
}

// labProgress is how far one lab has been done.
type labProgress struct {
	Next      int                 `json:"next"`                // sections done: the index of the one to go on with
	Finished  bool                `json:"finished,omitempty"`  // the last section has been reached once
	Exercises []*exerciseProgress `json:"exercises,omitempty"` // in their order
	Predicted map[string]bool     `json:"predicted,omitempty"` // questions, and whether the first answer was right
}

// exerciseProgress is what has become of one exercise.
type exerciseProgress struct {
	Solved    *time.Time `json:"solved,omitempty"`    // first time that all checks passed
	Tries     int        `json:"tries,omitempty"`     // checks before that, which did not
	Failed    []string   `json:"failed,omitempty"`    // what did not hold at the last look
	Hints     int        `json:"hints,omitempty"`     // the highest level that was needed
	Situation int        `json:"situation,omitempty"` // the number of the hint of level 1 that fitted last
	Level     int        `json:"level,omitempty"`     // and how far it has been asked about
}

// exercise is what is remembered of exercise n, which may be nothing.
func (p *labProgress) exercise(n int) *exerciseProgress {
	if p == nil || n > len(p.Exercises) {
		return &exerciseProgress{}
	}
	return p.Exercises[n-1]
}

func (p *labProgress) solved(n int) bool { return p.exercise(n).Solved != nil }

func (p *labProgress) countSolved() int {
	count := 0
	for _, e := range p.Exercises {
		if e.Solved != nil {
			count++
		}
	}
	return count
}

// rememberExercise changes what is remembered of one exercise.
func (s *Session) rememberExercise(number string, n int, change func(*exerciseProgress)) error {
	return s.remember(number, func(p *labProgress) {
		for len(p.Exercises) < n {
			p.Exercises = append(p.Exercises, &exerciseProgress{})
		}
		change(p.Exercises[n-1])
	})
}

// rememberLook remembers how a check has ended.
func (s *Session) rememberLook(lesson *Lesson, e *Exercise, failed []string) error {
	return s.rememberExercise(lesson.Number, e.Number, func(p *exerciseProgress) {
		p.Failed = failed
		switch {
		case p.Solved != nil: // whatever is done later, it has been solved
		case len(failed) == 0:
			now := time.Now().UTC().Truncate(time.Second)
			p.Solved = &now
		default:
			p.Tries++
		}
	})
}

// EnsureSeed gives the learner a seed: the one that is asked for, or the one of the last time, or a new one.
func (s *Session) EnsureSeed(wanted string) error {
	known, err := s.recall()
	if err != nil {
		return err
	}
	if s.Seed = known.Seed; wanted != "" {
		s.Seed = wanted
	}
	if s.Seed == "" {
		s.Seed = strings.ToLower(rand.Text()[:8])
	}
	if s.Seed == known.Seed {
		return nil
	}
	err = s.change(func(p *progress) { p.Seed = s.Seed })
	if err != nil && wanted == "" {
		s.Seed = PlainSeed // one that cannot be kept would draw something else next time
		return nil
	}
	return err
}

// recall reads the file. One that is not there, or that cannot be read as JSON, is a new beginning: what is lost is
// little, and a learner cannot be asked to repair it.
func (s *Session) recall() (*progress, error) {
	p := &progress{}
	if s.Progress != "" {
		data, err := os.ReadFile(s.Progress)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read progress: %w", err)
		}
		if err == nil && json.Unmarshal(data, p) != nil {
			p = &progress{}
		}
	}
	if p.Labs == nil {
		p.Labs = map[string]*labProgress{}
	}
	return p, nil
}

// recallLab returns what is remembered of one lab, which may be nothing.
func (s *Session) recallLab(number string) (*labProgress, error) {
	p, err := s.recall()
	if err != nil {
		return nil, err
	}
	if lab := p.Labs[progressKey(s.Lessons, number)]; lab != nil {
		return lab, nil
	}
	return &labProgress{}, nil
}

// remember changes what is remembered of one lab.
func (s *Session) remember(number string, change func(*labProgress)) error {
	key := progressKey(s.Lessons, number)
	return s.change(func(p *progress) {
		if p.Labs[key] == nil {
			p.Labs[key] = &labProgress{}
		}
		change(p.Labs[key])
	})
}

// change changes the file. It is read again each time, under a lock, because the learner may have a second terminal open,
// and written whole: a temporary file, then a rename.
func (s *Session) change(change func(*progress)) error {
	if s.Progress == "" {
		change(&progress{Labs: map[string]*labProgress{}}) // nobody will read it, but the change may look at it
		return nil
	}
	dir := filepath.Dir(s.Progress)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write progress: %w", err)
	}
	lock, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("write progress: %w", err)
	}
	defer lock.Close() // which unlocks
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("write progress: %w", err)
	}
	p, err := s.recall()
	if err != nil {
		return err
	}
	change(p)
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("write progress: %w", err)
	}
	if err := writeWhole(s.Progress, append(data, '\n')); err != nil {
		return fmt.Errorf("write progress: %w", err)
	}
	return nil
}

func writeWhole(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // in vain after the rename
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
