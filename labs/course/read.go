package course

import (
	"fmt"
	"slices"
)

// Read prints a lesson ("3.5"), or one of its sections ("3.5.2"), to be read: text, commands, questions and the exercises'
// tasks. Nothing is run. Answers, hints and solutions are for those who try.
func (s *Session) Read(number string) error {
	lesson, err := s.load(number)
	if err != nil {
		return err
	}
	sections := lesson.Sections
	if _, wanted := splitNumber(number); wanted != "" {
		i := slices.IndexFunc(sections, func(x *Section) bool { return x.Number == wanted })
		if i < 0 {
			return fmt.Errorf("lab %s has no section %s: it has %s", lesson.Number, wanted, sectionNumbers(lesson))
		}
		sections = sections[i : i+1]
	} else {
		s.show("# " + lesson.Number + " " + lesson.Title)
		s.show(lesson.Intro)
	}
	for _, section := range sections {
		s.show("## " + section.heading())
		s.readSection(lesson, section)
	}
	return nil
}

func (s *Session) readSection(lesson *Lesson, section *Section) {
	for _, part := range section.Parts {
		switch {
		case part.Step == nil:
			s.show(part.Text)
		case section.Exercise == nil:
			s.readStep(lesson, part.Step)
		}
	}
	if e := section.Exercise; e != nil {
		s.show(tryExercise(lesson, e))
	}
}

// readStep shows a step's commands as they would be typed, after the question that is asked before it.
func (s *Session) readStep(lesson *Lesson, step *Step) {
	if step.Predict != nil {
		s.showQuestion(step.Predict)
	}
	for i, line := range step.Commands {
		s.showCommand(line)
		if typed := step.typedAt(i); len(typed) > 0 {
			s.showTyped(sayType, typed)
		}
	}
	if step.Need != "" {
		fmt.Fprint(s.Out, outputIndent)
		s.say(sayNeeds, s.inline(lesson.need(step.Need).Text))
	}
	fmt.Fprintln(s.Out)
}

// tryExercise says in Markdown how the learner gets at an exercise.
func tryExercise(lesson *Lesson, e *Exercise) string {
	return fmt.Sprintf(sayTryExercise.in(lesson.Lang), lesson.Number, lesson.Number, e.Number)
}
