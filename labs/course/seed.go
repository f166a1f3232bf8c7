package course

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// PlainSeed draws each parameter's first value: lessons are read, and compared with their transcripts, as they were written.
const PlainSeed = "0"

// Param is a parameter of an exercise: a name, a size, an address that another learner has another of. In the section it
// is written @name@.
type Param struct {
	Name   string
	Values []string // to choose from
	Low    int      // or, without Values, a number from Low to High
	High   int
	Value  string // what the seed has drawn
	used   bool
	line   int
}

// draw chooses the parameter's value. Who has the same seed has the same value, on whatever machine and in either
// language; where says which exercise of which lab it is for.
func (p *Param) draw(seed, where string) {
	chance := uint64(0)
	if seed != PlainSeed {
		sum := sha256.Sum256([]byte(seed + "\x00" + where + "\x00" + p.Name))
		chance = binary.BigEndian.Uint64(sum[:8])
	}
	if len(p.Values) > 0 {
		p.Value = p.Values[chance%uint64(len(p.Values))]
		return
	}
	p.Value = strconv.Itoa(p.Low + int(chance%uint64(p.High-p.Low+1)))
}

// parseParam reads "name: one two three" or "size: 4100..9900".
func parseParam(line string) (*Param, error) {
	name, text, ok := strings.Cut(line, ":")
	values := strings.Fields(text)
	if !ok || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789") != "" || name == "" || len(values) == 0 {
		return nil, fmt.Errorf("%q is not of the form \"name: value value …\" or \"name: 1..9\"", line)
	}
	p := &Param{Name: name, Values: values}
	if low, high, ok := strings.Cut(values[0], ".."); ok && len(values) == 1 {
		var err error
		p.Values = nil
		if p.Low, err = strconv.Atoi(low); err == nil {
			p.High, err = strconv.Atoi(high)
		}
		if err != nil || p.Low >= p.High {
			return nil, fmt.Errorf("%q is no range: write the smaller number, two dots, the larger one", values[0])
		}
		return p, nil
	}
	if len(values) < 3 {
		return nil, fmt.Errorf("%q has %d values: with fewer than three, neighbours have the same too often", name, len(values))
	}
	return p, nil
}

// seedBlock draws an exercise's parameters; the lines after it are read with their values in place.
func (p *parser) seedBlock(f fence) error {
	if len(p.section.Parts) > 0 || p.section.Exercise != nil || len(p.section.Params) > 0 || strings.TrimSpace(strings.Join(p.prose, "")) != "" {
		return fmt.Errorf("a seed block is the first thing in an exercise's section, and there is one at most")
	}
	number, _, _ := strings.Cut(p.lesson.Title, " ")
	where := fmt.Sprintf("%s/%d", number, len(p.lesson.exercises())+1)
	for i, line := range f.body {
		if strings.TrimSpace(line) == "" {
			continue
		}
		param, err := parseParam(line)
		if err != nil {
			return err
		}
		if p.section.param(param.Name) != nil {
			return fmt.Errorf("a second parameter named %q", param.Name)
		}
		param.line = f.line + 1 + i
		param.draw(p.seed, where)
		p.section.Params = append(p.section.Params, param)
	}
	return nil
}

func (s *Section) param(name string) *Param {
	for _, p := range s.Params {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// fill puts the values of parameters into a line.
func (s *Section) fill(line string) string {
	if s == nil {
		return line
	}
	for _, p := range s.Params {
		if mark := "@" + p.Name + "@"; strings.Contains(line, mark) {
			line = strings.ReplaceAll(line, mark, p.Value)
			p.used = true
		}
	}
	return line
}
