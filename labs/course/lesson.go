// Package course reads, shows, runs and checks the lessons of the course.
//
// A lesson is one Markdown file a language. Most of it is prose. Some of its fenced blocks are more: a step is a
// command that is really run in front of the learner, an exercise has checks that look at the state of the machine.
// README.md in labs/ is the manual for people who write lessons.
//
// The way through the package:
//
//	3.5.en.md ──Parse──▶ Lesson ──Session.Run──▶ prose by way of renderer, steps by way of shell
//	                            └─Session.Check─▶ shell again, then ✓ and ✗ and the hint that fits
//
// The package knows nothing of containers. Every command line goes to a shell that the caller names (Session.Shell);
// the caller has put that shell into the world in which the lesson is to take place.
package course

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

// Lesson is one chapter of the course in one language.
type Lesson struct {
	Number   string // "3.5"
	Lang     Lang
	Title    string
	Intro    string // Markdown before the first section
	Sections []*Section
	Needs    []Need
	Line     int // of the title
}

// Section is a part of a lesson under a heading of the second level: either numbered reading with steps, or an exercise.
type Section struct {
	Number   string // "3.5.2", empty for an exercise
	Title    string
	Parts    []Part
	Params   []*Param  // of an exercise
	Exercise *Exercise // nil in a numbered section
	Line     int
}

// Part is a stretch of prose (Markdown) or a step: exactly one of the two.
type Part struct {
	Text string
	Step *Step
	Line int
}

// Step is a piece of shell that is run as part of a lesson.
type Step struct {
	Name     string
	Commands []string   // each is run by a shell of its own
	Typed    [][]string // what is typed at each command, where one needs a terminal; nil: none does
	Exit     int        // the status that the last command must end with, or AnyFailure
	Need     string     // name of the Need without which the step is left out
	Setup    bool       // prepares a section: run without asking
	Predict  *Question
	Cleanup  []string // undoes the step
	Line     int
}

// AnyFailure stands in Step.Exit for "any status but 0": programs differ in the number with which they fail.
const AnyFailure = -1

// met says whether the last command's exit status is the one that the lesson promises.
func (s *Step) met(status int) bool {
	if s.Exit == AnyFailure {
		return status != 0
	}
	return status == s.Exit
}

// steps returns what a section runs, in order.
func (s *Section) steps() []*Step {
	var list []*Step
	for _, part := range s.Parts {
		if part.Step != nil {
			list = append(list, part.Step)
		}
	}
	return list
}

// Exercise is a task with the means to judge it.
type Exercise struct {
	Number   int // from 1, within the lesson
	Checks   []Check
	Hints    []Hint
	Solution *Step
	Debrief  string // Markdown, shown when the checks have passed
}

// Check is one condition on the state of the machine. With Test it holds if that command succeeds; without, if Show
// prints Want.
type Check struct {
	Name string
	Text string // what must be so
	Test string
	Show string // prints what is found
	Want string // what should be found
	Need string
	Line int
}

// Hint is what helps in one particular situation: the check Failed fails (or any, if that is empty) and When succeeds.
// Level 1 fits what is wrong; who asks again gets level 2, which says where to look, and level 3, which all but does it.
type Hint struct {
	Name   string
	Level  int
	Failed string
	When   string
	Text   string
	Line   int
}

func (h Hint) conditional() bool { return h.Failed != "" || h.When != "" }

// Need is something that not every machine can give. Steps and checks that name it are left out where Test fails, and
// Text says so in one line.
type Need struct {
	Name string
	Test string
	Text string
	Line int
}

// need finds a need of the lesson by its name; the parser has seen to it that it is there.
func (l *Lesson) need(name string) Need {
	for _, n := range l.Needs {
		if n.Name == name {
			return n
		}
	}
	return Need{}
}

// exercises returns the sections that are exercises, in order.
func (l *Lesson) exercises() []*Section {
	var list []*Section
	for _, s := range l.Sections {
		if s.Exercise != nil {
			list = append(list, s)
		}
	}
	return list
}

//go:embed lessons/*.md
var lessons embed.FS

// Lessons returns the lessons that are built into the program, as files named NUMBER.LANG.md.
func Lessons() fs.FS {
	sub, err := fs.Sub(lessons, "lessons")
	if err != nil {
		panic(err) // the directory is embedded: this cannot happen
	}
	return sub
}

// ErrNoLesson is returned by Load for a chapter whose lesson is not written.
var ErrNoLesson = errors.New("this lab has not been written yet")

// Load reads a lesson from a library, by its lab's number ("3.5").
// The seed draws the parameters of its exercises; an empty one is PlainSeed.
func Load(labs fs.FS, number string, lang Lang, seed string) (*Lesson, error) {
	p, err := examine(labs, number, lang, seed)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("lab %s: %w", number, ErrNoLesson)
	}
	if err != nil {
		return nil, fmt.Errorf("read lesson %s: %w", number, err)
	}
	if len(p.found) > 0 {
		return nil, p.found[0]
	}
	return p.lesson, nil
}

// examine reads a lesson as far as it can be read.
func examine(labs fs.FS, number string, lang Lang, seed string) (*parser, error) {
	name := fileName(number, lang)
	source, err := readSource(labs, name)
	if err != nil {
		return nil, err
	}
	p := parse(name, source, seed)
	p.lesson.Number, p.lesson.Lang = number, lang
	p.checkNumbers()
	return p, nil
}
