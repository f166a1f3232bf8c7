package course

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Run takes the learner through a lab ("3.5") or one of its sections ("3.5.2").
//
// On a terminal it waits before each step, and a lab that was left goes on where it was left. In a pipe it runs
// straight through and returns ErrStep if a step did not end as the lesson says; exercises are only shown there.
func (s *Session) Run(ctx context.Context, number string) error {
	lesson, err := s.load(number)
	if err != nil {
		return err
	}
	w := &walk{Session: s, lesson: lesson}
	if s.Terminal {
		stop := s.hearInterrupts()
		defer stop()
	}
	if _, section := splitNumber(number); section != "" {
		i := slices.IndexFunc(lesson.Sections, func(x *Section) bool { return x.Number == section })
		if i < 0 {
			return fmt.Errorf("lab %s has no section %s: it has %s", lesson.Number, section, sectionNumbers(lesson))
		}
		_, err := w.section(ctx, lesson.Sections[i])
		return w.end(err)
	}
	first, err := w.whereToBegin()
	if err != nil || first < 0 {
		return err
	}
	return w.end(w.from(ctx, first))
}

func sectionNumbers(lesson *Lesson) string {
	var list []string
	for _, s := range lesson.Sections {
		if s.Number != "" {
			list = append(list, s.Number)
		}
	}
	return strings.Join(list, ", ")
}

// walk is one way through a lesson.
type walk struct {
	*Session
	lesson *Lesson
	failed []string  // names of the steps that did not end as they should
	found  []Finding // the same for the lesson's author
	left   bool
	asked  bool // what to do with a step, and so told that letters want Enter
}

// whereToBegin asks a learner who has been here before. It returns -1 if they leave.
func (w *walk) whereToBegin() (int, error) {
	lab, err := w.recallLab(w.lesson.Number)
	if err != nil || !w.Terminal || lab.Next <= 0 || lab.Next >= len(w.lesson.Sections) {
		return 0, err
	}
	key, err := w.ask(fmt.Sprintf(sayAskResume.in(w.Lang), w.lesson.Sections[lab.Next].heading()), "", "a", "q")
	switch key {
	case "a":
		return 0, err
	case "q":
		return -1, err
	}
	return lab.Next, err
}

// from walks through the sections, beginning with one of them.
func (w *walk) from(ctx context.Context, first int) error {
	if first == 0 {
		w.heading(1, w.lesson.Number+" "+w.lesson.Title)
		w.show(w.lesson.Intro)
	}
	for i := first; i < len(w.lesson.Sections); {
		to, err := w.section(ctx, w.lesson.Sections[i])
		if err != nil {
			return err
		}
		switch to {
		case back:
			i = max(i-1, 0)
			continue
		case leave:
			w.left = true
			return nil
		}
		i++
		if !w.Terminal { // nobody has been learning
			continue
		}
		err = w.remember(w.lesson.Number, func(p *labProgress) {
			p.Next = i
			if i == len(w.lesson.Sections) {
				p.Next, p.Finished = 0, true
			}
		})
		if err != nil {
			return err
		}
	}
	w.say(sayDone, w.lesson.Number)
	if err := w.sayWhatIsOpen(ctx); err != nil {
		return err
	}
	w.sayWhatIsNext()
	return nil
}

// sayWhatIsOpen names the exercises that a learner at a terminal has passed over.
func (w *walk) sayWhatIsOpen(ctx context.Context) error {
	if !w.Terminal {
		return nil
	}
	lab, err := w.recallLab(w.lesson.Number)
	if err != nil {
		return err
	}
	var open []string
	for _, section := range w.lesson.exercises() {
		why, err := w.leftOut(ctx, w.lesson, section.Exercise)
		if err != nil {
			return err
		}
		if n := section.Exercise.Number; why == "" && !lab.solved(n) {
			open = append(open, strconv.Itoa(n))
		}
	}
	if len(open) > 0 {
		w.say(sayOpen, strings.Join(open, sayComma.in(w.Lang)), w.lesson.Number)
	}
	return nil
}

// sayWhatIsNext names the lab that comes after this one in the course.
func (w *walk) sayWhatIsNext() {
	chapters := Catalogue()
	i := slices.IndexFunc(chapters, func(c Chapter) bool { return c.Number == w.lesson.Number })
	if w.Terminal && i >= 0 && i+1 < len(chapters) {
		next := chapters[i+1]
		w.say(sayNext, next.Number, next.Title(w.Lang))
	}
}

// end turns what has happened on the way into the command's result. On a terminal, the learner has seen each step.
func (w *walk) end(err error) error {
	if err != nil {
		return err
	}
	if w.left {
		w.say(sayLeft, w.lesson.Number)
	}
	if len(w.failed) > 0 && !w.Terminal {
		return fmt.Errorf("%w: %s", ErrStep, strings.Join(w.failed, ", "))
	}
	return nil
}

func (s *Session) heading(level int, title string) {
	fmt.Fprintln(s.Out)
	s.show(strings.Repeat("#", level) + " " + title)
}
