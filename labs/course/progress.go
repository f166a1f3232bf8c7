package course

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// progress is what is remembered of a learner, in one file for all labs and both languages.
type progress struct {
	Labs map[string]*labProgress `json:"labs"`
}

// labProgress is how far one lab has been done.
type labProgress struct {
	Next     int    `json:"next"`               // sections done: the index of the one to go on with
	Finished bool   `json:"finished,omitempty"` // the last section has been reached once
	Solved   []bool `json:"solved,omitempty"`   // exercises that have passed their checks
}

func (p *labProgress) solved(exercise int) bool {
	return exercise <= len(p.Solved) && p.Solved[exercise-1]
}

func (p *labProgress) countSolved() int {
	n := 0
	for _, yes := range p.Solved {
		if yes {
			n++
		}
	}
	return n
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
	if p.Labs[number] == nil {
		return &labProgress{}, nil
	}
	return p.Labs[number], nil
}

// remember changes what is remembered of one lab. The file is read again each time, because the learner may have a
// second terminal open, and written whole: a temporary file, then a rename.
func (s *Session) remember(number string, change func(*labProgress)) error {
	if s.Progress == "" {
		return nil
	}
	p, err := s.recall()
	if err != nil {
		return err
	}
	if p.Labs[number] == nil {
		p.Labs[number] = &labProgress{}
	}
	change(p.Labs[number])
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
