package course

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Question is asked before a step is shown: what will it print? The step itself gives the answer.
type Question struct {
	Name    string
	Text    string
	Options []string
	Right   int    // the index of the option that is true
	Proof   string // a command that succeeds if that option is true of what the step has printed, which is in $OUTPUT
	Because string // Markdown, shown with the answer
	Line    int
}

// outputVariable holds what a step has printed, for the proof of an answer.
const outputVariable = "OUTPUT"

// predict reads a question: the proof, the question's text, the options ("- " or, the right one, "+ "), and why.
func (p *parser) predict(f fence) error {
	values, text, err := f.fields("right")
	if err != nil {
		return err
	}
	q := &Question{Name: f.attrs["name"], Proof: values["right"], Right: -1, Line: f.line}
	if q.Name == "" || q.Proof == "" {
		return errors.New("a predict block wants name= and a line \"right: COMMAND\", which proves the answer")
	}
	var ask, why []string
	for _, line := range strings.Split(text, "\n") {
		option, isOption := strings.CutPrefix(line, "- ")
		right, isRight := strings.CutPrefix(line, "+ ")
		switch last := len(q.Options) - 1; {
		case isOption && why == nil:
			q.Options = append(q.Options, strings.TrimSpace(option))
		case isRight && why == nil:
			if q.Right >= 0 {
				return errors.New("two options are marked with \"+\": one is to be right")
			}
			q.Right = len(q.Options)
			q.Options = append(q.Options, strings.TrimSpace(right))
		case last < 0:
			ask = append(ask, line)
		case strings.HasPrefix(line, "  ") && why == nil:
			q.Options[last] += " " + strings.TrimSpace(line)
		default:
			why = append(why, line)
		}
	}
	q.Text, q.Because = strings.TrimSpace(strings.Join(ask, "\n")), strings.TrimSpace(strings.Join(why, "\n"))
	switch {
	case q.Text == "":
		return errors.New("the predict block has no question before its options")
	case len(q.Options) < 2 || len(q.Options) > 4:
		return fmt.Errorf("the predict block has %d options: write two to four", len(q.Options))
	case q.Right < 0:
		return errors.New("no option is marked with \"+\" as the right one")
	}
	for _, s := range p.lesson.Sections {
		if slices.ContainsFunc(s.steps(), func(step *Step) bool { return step.Predict != nil && step.Predict.Name == q.Name }) {
			return fmt.Errorf("a second question named %q", q.Name)
		}
	}
	p.question = q
	return nil
}

// letter is what an option is chosen by.
func letter(option int) string { return string(rune('a' + option)) }

// showQuestion prints a question and its options.
func (s *Session) showQuestion(q *Question) {
	s.show(sayPredict.in(s.Lang) + q.Text)
	for i, option := range q.Options {
		before := outputIndent + letter(i) + ") "
		for _, line := range strings.Split(strings.TrimRight(s.markdown().render(option), "\n"), "\n") {
			fmt.Fprintln(s.Out, before+line)
			before = strings.Repeat(" ", len(before))
		}
	}
	fmt.Fprintln(s.Out)
}

// predict asks the question of a step before the step is shown. It returns the option that was chosen, or -1 where nobody
// could be asked or the learner would not say; or the key of something else that they want first: r, or q.
func (w *walk) predict(ctx context.Context, q *Question, canRepeat bool) (choice int, key string, err error) {
	w.forgetTyped()
	w.showQuestion(q)
	if !w.Terminal {
		return -1, "", nil
	}
	answers := []string{"", "r", "!", "q"}
	for i := range q.Options {
		answers = append(answers, letter(i))
	}
	for {
		key, err = w.ask(fmt.Sprintf(sayAskPredict.in(w.Lang), letter(len(q.Options)-1)), answers...)
		switch {
		case err != nil || key == "" || key == "q" || key == "r" && canRepeat:
			return -1, key, err
		case key == "r":
			w.say(sayNothingYet)
		case key == "!":
			if err := w.openShell(ctx, sayShell); err != nil {
				return -1, "", err
			}
			w.showQuestion(q)
		default:
			return int(key[0] - 'a'), "", nil
		}
	}
}

// reveal says which option was right, having proved it by what the step has printed.
func (w *walk) reveal(ctx context.Context, q *Question, choice int, output string) error {
	cmd := w.command(ctx, q.Proof)
	// The environment of a program has its limits, 128 kB for one string among them (execve(2)).
	const most = 64 << 10
	cmd.Env = append(cmd.Env, outputVariable+"="+strings.ToValidUTF8(strings.ReplaceAll(output[:min(len(output), most)], "\x00", ""), ""))
	status, err := w.wait(ctx, cmd)
	if err != nil {
		return err
	}
	if status != 0 {
		fmt.Fprint(w.Out, outputIndent+"✗ ")
		w.say(sayNotProved, letter(q.Right))
		w.adviseBack()
		fmt.Fprintln(w.Out)
		w.failed = append(w.failed, q.Name)
		w.find(q.Line, "the answer to %s is not proved: %s failed with $%s:\n%s", q.Name, q.Proof, outputVariable, output)
		return nil
	}
	switch choice {
	case -1:
	case q.Right:
		fmt.Fprint(w.Out, outputIndent+w.paint(green, "✓ "))
		w.say(sayPredicted)
	default:
		fmt.Fprint(w.Out, outputIndent+w.paint(red, "✗ "))
		w.say(sayMispredicted, letter(choice))
	}
	w.show(strings.TrimSpace(fmt.Sprintf(sayAnswer.in(w.Lang), letter(q.Right), q.Options[q.Right]) + "\n\n" + q.Because))
	if choice < 0 {
		return nil
	}
	return w.remember(w.lesson.Number, func(p *labProgress) {
		if p.Predicted == nil {
			p.Predicted = map[string]bool{}
		}
		if _, before := p.Predicted[q.Name]; !before { // the first answer counts: after it one knows
			p.Predicted[q.Name] = choice == q.Right
		}
	})
}
