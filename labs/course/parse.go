package course

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Parse reads a lesson. It takes the file apart by lines (headings and fenced blocks); the prose in between stays
// Markdown until it is shown. Errors name the file and the line.
func Parse(file, source, seed string) (*Lesson, error) {
	p := parse(file, source, seed)
	if len(p.found) > 0 {
		return nil, p.found[0]
	}
	return p.lesson, nil
}

// parse reads on after a mistake, so that an author is told of all of them.
func parse(file, source, seed string) *parser {
	if seed == "" {
		seed = PlainSeed
	}
	p := &parser{file: file, seed: seed, lesson: &Lesson{}}
	p.lines = strings.Split(strings.ReplaceAll(source, "\r\n", "\n"), "\n")
	for p.at < len(p.lines) {
		if err := p.next(); err != nil {
			p.find(p.start+1, err)
		}
	}
	p.flush()
	if err := p.noQuestion(); err != nil {
		p.find(len(p.lines), err)
	}
	p.finish()
	return p
}

type parser struct {
	file   string
	seed   string
	lesson *Lesson
	found  []Finding
	lines  []string
	at     int // the next line
	start  int // where the piece begins that is being read, for errors

	prose   []string // read and not yet put into a section
	proseAt int      // the line in which it begins
	section *Section // nil before the first one
	undo    *Step    // what a cleanup block would undo

	question *Question // read and waiting for its step

	lost map[*Section][]string // the kinds of blocks that could not be read; needs are the whole lesson's, under nil
}

// find notes what is wrong in a line.
func (p *parser) find(line int, err error) {
	p.found = append(p.found, asFinding(err, p.file, line))
}

// misses says whether a block of one of these kinds could not be read in a section. What then seems to be missing has only been
// written wrongly.
func (p *parser) misses(s *Section, kinds ...string) bool {
	return slices.ContainsFunc(p.lost[s], func(kind string) bool { return kind == "" || slices.Contains(kinds, kind) })
}

// broken says whether any block of a section could not be read.
func (p *parser) broken(s *Section) bool { return len(p.lost[s]) > 0 }

// lose notes that a block could not be read; kind is "" if not even that is known.
func (p *parser) lose(kind string) {
	if p.lost == nil {
		p.lost = map[*Section][]string{}
	}
	p.lost[p.section] = append(p.lost[p.section], kind)
	if kind == "need" && p.section != nil {
		p.lost[nil] = append(p.lost[nil], kind)
	}
}

// next reads one piece: a heading, a fenced block or a line of prose.
func (p *parser) next() error {
	p.start = p.at
	line := p.section.fill(p.lines[p.at])
	if mark, info, ok := openFence(line); ok {
		return p.fence(mark, info)
	}
	p.at++
	if title, ok := strings.CutPrefix(line, "# "); ok {
		if p.lesson.Title != "" {
			return errors.New("a second title: a lesson has one \"# \" heading")
		}
		p.lesson.Title, p.lesson.Line = strings.TrimSpace(title), p.start+1
		return nil
	}
	if strings.HasPrefix(line, "## ") {
		p.flush()
		err := p.noQuestion()
		title := p.lines[p.start][len("## "):] // the parameters were those of the section before
		p.section = &Section{Title: strings.TrimSpace(title), Line: p.start + 1}
		p.lesson.Sections = append(p.lesson.Sections, p.section)
		p.undo = nil
		return err
	}
	p.addProse(line)
	return nil
}

func (p *parser) addProse(lines ...string) {
	if strings.TrimSpace(strings.Join(p.prose, "")) == "" {
		p.prose, p.proseAt = nil, p.start+1
	}
	p.prose = append(p.prose, lines...)
}

// flush ends a stretch of prose and puts it where it belongs.
func (p *parser) flush() {
	// Empty lines around it go, but not what the first line is moved in by: it may be code.
	text := strings.TrimRight(strings.Join(p.prose, "\n"), " \t\n")
	for first, rest, more := strings.Cut(text, "\n"); more && strings.TrimSpace(first) == ""; first, rest, more = strings.Cut(text, "\n") {
		text = rest
	}
	p.prose = nil
	switch {
	case text == "":
	case p.section == nil:
		p.lesson.Intro = text
	case p.section.Exercise != nil && p.section.Exercise.Solution != nil:
		p.section.Exercise.Debrief = text
	default:
		p.section.Parts = append(p.section.Parts, Part{Text: text, Line: p.proseAt})
	}
}

func (p *parser) fence(mark, info string) error {
	end := p.at + 1
	for end < len(p.lines) && !closesFence(p.lines[end], mark) {
		end++
	}
	if end == len(p.lines) {
		p.at = end
		p.lose("")
		return errors.New("this block is never closed")
	}
	whole := slices.Clone(p.lines[p.at : end+1])
	for i := range whole {
		whole[i] = p.section.fill(whole[i])
	}
	p.at = end + 1
	f, isDirective, err := parseInfo(info)
	if err != nil {
		p.lose(f.kind)
		return err
	}
	if !isDirective {
		p.addProse(whole...)
		return nil
	}
	f.body, f.line = whole[1:len(whole)-1], p.start+1
	if err := p.directive(f); err != nil {
		p.lose(f.kind)
		return err
	}
	return nil
}

func (p *parser) directive(f fence) error {
	if f.kind == "need" {
		return p.need(f)
	}
	if p.section == nil {
		return fmt.Errorf("a %s block before the first \"## \" heading", f.kind)
	}
	switch f.kind {
	case "cleanup":
		return p.cleanup(f)
	case "seed":
		return p.seedBlock(f)
	}
	p.flush()
	switch f.kind {
	case "predict":
		if err := p.noQuestion(); err != nil {
			return err
		}
		return p.predict(f)
	case "console", "setup":
		return p.step(f)
	case "check":
		return p.check(f)
	case "hint":
		return p.hint(f)
	}
	return p.solution(f)
}

func (p *parser) need(f fence) error {
	values, text, err := f.fields("test")
	if err != nil {
		return err
	}
	n := Need{Name: f.attrs["name"], Test: values["test"], Text: text, Line: f.line}
	if n.Name == "" || n.Test == "" {
		return errors.New("a need wants name= and a line \"test: COMMAND\"")
	}
	if p.lesson.need(n.Name).Name != "" {
		return fmt.Errorf("a second need named %q", n.Name)
	}
	p.lesson.Needs = append(p.lesson.Needs, n)
	return nil
}

func (p *parser) step(f fence) error {
	if e := p.section.Exercise; e != nil {
		return fmt.Errorf("a %s block after the checks of an exercise", f.kind)
	}
	step := &Step{Name: f.attrs["step"], Need: f.attrs["need"], Setup: f.kind == "setup", Line: f.line, Predict: p.question}
	if step.Setup {
		if err := p.noQuestion(); err != nil {
			return err
		}
	}
	p.question = nil // it has its step
	var err error
	if step.Commands, step.Typed, err = f.session(); err != nil {
		return err
	}
	if step.Predict != nil && step.Typed != nil && strings.Contains(step.Predict.Proof, outputVariable) {
		return fmt.Errorf("the question %q stands before a step with a terminal, of which nobody knows what it prints: prove it by the state, not by $%s",
			step.Predict.Name, outputVariable)
	}
	if step.Exit, err = parseExpect(f.attrs["expect"]); err != nil {
		return err
	}
	for _, s := range p.lesson.Sections {
		for _, part := range s.Parts {
			if part.Step != nil && step.Name != "" && part.Step.Name == step.Name {
				return fmt.Errorf("a second step named %q (the first is in line %d)", step.Name, part.Step.Line)
			}
		}
	}
	p.section.Parts = append(p.section.Parts, Part{Step: step, Line: f.line})
	p.undo = step
	return nil
}

// parseExpect reads expect=exit:3 and expect=failure; nothing means exit status 0.
func parseExpect(expect string) (int, error) {
	switch {
	case expect == "":
		return 0, nil
	case expect == "failure":
		return AnyFailure, nil
	case strings.HasPrefix(expect, "exit:"):
		status, err := strconv.Atoi(strings.TrimPrefix(expect, "exit:"))
		if err == nil && status >= 0 && status <= 255 {
			return status, nil
		}
	}
	return 0, fmt.Errorf("expect=%s: write exit:N with N from 0 to 255, or failure", expect)
}

func (p *parser) cleanup(f fence) error {
	if p.undo == nil {
		return errors.New("a cleanup block follows the step, setup or solution that it undoes; there is none before it")
	}
	commands, err := f.commands()
	p.undo.Cleanup = append(p.undo.Cleanup, commands...)
	return err
}

// noQuestion: a question belongs to the step right after it.
func (p *parser) noQuestion() error {
	q := p.question
	p.question = nil
	if q != nil {
		return fmt.Errorf("the question %q (line %d) is not followed by a step", q.Name, q.Line)
	}
	return nil
}

// exercise returns the section's exercise; the first check makes a section one.
func (p *parser) exercise() *Exercise {
	if p.section.Exercise == nil {
		p.section.Exercise = &Exercise{Number: len(p.lesson.exercises()) + 1}
	}
	return p.section.Exercise
}

func (p *parser) check(f fence) error {
	values, text, err := f.fields("test show want")
	if err != nil {
		return err
	}
	c := Check{
		Name: f.attrs["name"], Need: f.attrs["need"], Line: f.line, Text: text,
		Test: values["test"], Show: values["show"], Want: values["want"],
	}
	if c.Name == "" {
		return errors.New("a check wants name=")
	}
	if c.Test == "" && (c.Show == "" || c.Want == "") {
		return errors.New("a check wants \"test: COMMAND\", or \"show: COMMAND\" and \"want: OUTPUT\"")
	}
	e := p.exercise()
	if slices.ContainsFunc(e.Checks, func(other Check) bool { return other.Name == c.Name }) {
		return fmt.Errorf("a second check named %q in this exercise", c.Name)
	}
	e.Checks = append(e.Checks, c)
	return nil
}

func (p *parser) hint(f fence) error {
	values, text, err := f.fields("when")
	if err != nil {
		return err
	}
	h := Hint{Name: f.attrs["name"], Level: 1, Failed: f.attrs["failed"], When: values["when"], Text: text, Line: f.line}
	if level := f.attrs["level"]; level != "" {
		if h.Level, err = strconv.Atoi(level); err != nil || h.Level < 1 || h.Level > HintLevels {
			return fmt.Errorf("level=%s: a hint's level is 1 to %d", level, HintLevels)
		}
	}
	e := p.exercise()
	if h.Name != "" && e.hint(h.Name) >= 0 {
		return fmt.Errorf("a second hint named %q in this exercise", h.Name)
	}
	if n := len(e.Hints); n > 0 && e.Hints[n-1].Level > h.Level {
		return fmt.Errorf("a hint of level %d after one of level %d: they go from 1 to %d", h.Level, e.Hints[n-1].Level, HintLevels)
	}
	e.Hints = append(e.Hints, h)
	return nil
}

func (p *parser) solution(f fence) error {
	commands, err := f.commands()
	if err != nil {
		return err
	}
	e := p.exercise()
	if e.Solution != nil {
		return errors.New("a second solution in this exercise")
	}
	e.Solution = &Step{Commands: commands, Line: f.line}
	p.undo = e.Solution
	return nil
}
