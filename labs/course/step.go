package course

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/labs/columns"
)

// pause shows the step that comes next and waits for the learner to say what to do with it. Where nobody can be asked,
// and for what prepares a section, the answer is always to go on.
func (w *walk) pause(ctx context.Context, next *Step, canRepeat bool) (key string, err error) {
	if w.away {
		w.away = false
		return "q", nil
	}
	question := sayAskOn
	if next != nil {
		w.showStep(next)
		question = sayAsk
		if !w.asked {
			question = sayAskFirst
		}
	}
	if !w.Terminal || (next != nil && next.Setup) {
		return "", nil
	}
	w.asked = w.asked || next != nil
	for {
		key, err = w.ask(question.in(w.Lang), "", "s", "b", "r", "!", "q")
		switch {
		case err != nil:
			return "", err
		case key == "!":
			if err := w.openShell(ctx, sayShell); err != nil {
				return "", err
			}
		case key == "r" && !canRepeat:
			w.say(sayNothingYet)
		default:
			return key, nil
		}
		if next != nil {
			w.showStep(next)
		}
	}
}

// showStep shows the first command of a step; runStep shows the others when their turn comes.
func (w *walk) showStep(step *Step) {
	w.showCommand(step.Commands[0])
}

// perform runs a step and says so if it did not end as the lesson promises. If the step had a question, choice is the
// learner's answer, or -1.
func (w *walk) perform(ctx context.Context, step *Step, choice int) error {
	var heard strings.Builder
	if step.Predict != nil {
		w.heard = &heard
		defer func() { w.heard = nil }()
	}
	status, err := w.runStep(ctx, step)
	if err != nil {
		return err
	}
	// At a terminal it is the learner's typing that decides how such a command ends, and they have seen it.
	typed := step.typedAt(len(step.Commands)-1) != nil && w.terminal() != nil
	if !step.met(status) && !typed {
		fmt.Fprint(w.Out, outputIndent+"✗ ")
		w.say(sayWrongExit, status, step.expected(w.Lang))
		w.failed = append(w.failed, step.label())
		w.find(step.Line, "%s ended with exit status %d; the lesson expects %s", step.label(), status, step.expected(English))
		w.adviseBack()
	}
	fmt.Fprintln(w.Out)
	if step.Predict != nil && step.met(status) { // one that was interrupted proves nothing
		w.heard = nil // the proof is not part of what it proves
		return w.reveal(ctx, step.Predict, choice, strings.TrimSpace(heard.String()))
	}
	return nil
}

// adviseBack tells a learner at a terminal what to do about a step that did not end as it should.
func (w *walk) adviseBack() {
	if w.Terminal {
		fmt.Fprint(w.Out, outputIndent+"  → ")
		w.say(sayGoBack)
	}
}

// expected is the exit status that the lesson promises.
func (s *Step) expected(lang Lang) string {
	if s.Exit == AnyFailure {
		return sayAnyFailure.in(lang)
	}
	return fmt.Sprintf(sayExit.in(lang), s.Exit)
}

// leaveOut shows a step that cannot be run here, and says why. There is nothing to ask the learner about it.
func (w *walk) leaveOut(step *Step) {
	w.showStep(step)
	fmt.Fprint(w.Out, outputIndent)
	w.say(sayStepSkipped, w.inline(w.lesson.need(step.Need).Text))
	fmt.Fprintln(w.Out)
}

// given says whether what a step needs is there.
func (w *walk) given(ctx context.Context, step *Step) (bool, error) {
	if step == nil || step.Need == "" {
		return true, nil
	}
	return w.succeeds(ctx, w.lesson.need(step.Need).Test)
}

// label names a step in a message; setups have no name of their own.
func (s *Step) label() string {
	if s.Name != "" {
		return s.Name
	}
	return fmt.Sprintf("setup (line %d)", s.Line)
}

// ask prints a question and reads lines until one is among the answers. The end of the input is "q", and so is Ctrl-C.
func (s *Session) ask(question string, answers ...string) (string, error) {
	for {
		if s.shown = 0; s.away {
			s.away = false
			return "q", nil
		}
		ahead := s.typedAhead()
		folded := s.folded(outputIndent + "[" + question + "] ")
		fmt.Fprint(s.Out, s.paint(dim, folded))
		line, err := s.answer()
		switch {
		case ahead: // the terminal has shown it before the question
			fmt.Fprintln(s.Out, line)
		case line == "" && err == nil:
			s.takeBack(1 + strings.Count(folded, "\n"))
		}
		if errors.Is(err, io.EOF) {
			fmt.Fprintln(s.Out)
			return "q", nil
		}
		if err != nil {
			return "", fmt.Errorf("read the answer: %w", err)
		}
		key := strings.ToLower(strings.TrimSpace(line))
		if key == "！" { // what a Chinese input method gives
			key = "!"
		}
		if slices.Contains(answers, key) {
			return key, nil
		}
		s.say(sayNoSuchKey, key)
	}
}

// takeBack removes from a terminal the last rows of what has been printed: a question that was answered with Enter alone says
// nothing any more.
func (s *Session) takeBack(rows int) {
	if s.terminal() != nil {
		fmt.Fprint(s.Out, strings.Repeat("\x1b[A\x1b[2K", rows)+"\r")
	}
}

// typedAhead says whether the learner has typed a line already, before they were asked.
func (s *Session) typedAhead() bool {
	terminal := s.terminal()
	if terminal == nil {
		return false
	}
	n, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCINQ)
	return err == nil && n > 0
}

// folded breaks a question that is wider than the terminal between two of its answers.
func (s *Session) folded(question string) string {
	const between = " ·"
	var b strings.Builder
	room := s.width()
	for i, answer := range strings.SplitAfter(question, between) {
		if i > 0 && columns.Of(answer) > room {
			answer = outputIndent + " " + strings.TrimLeft(answer, " ")
			b.WriteString("\n")
			room = s.width()
		}
		b.WriteString(answer)
		room -= columns.Of(answer)
	}
	return b.String()
}

// answer reads a line; on a terminal, Ctrl-C ends it as the end of the input does (see hearInterrupts).
func (s *Session) answer() (string, error) {
	if !s.Terminal {
		return readLine(s.In)
	}
	type answer struct {
		line string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		line, err := readLine(s.In)
		answers <- answer{line, err}
	}()
	select {
	case a := <-answers:
		return a.line, a.err
	case <-s.interrupts: // whoever still reads is left behind: the lesson is over
		return "", io.EOF
	}
}

// readLine reads byte by byte: what comes after the line belongs to whoever reads next, which may be a shell.
func readLine(r io.Reader) (string, error) {
	var line []byte
	var b [1]byte
	for {
		n, err := r.Read(b[:])
		if n == 1 && b[0] == '\n' {
			return string(line), nil
		}
		line = append(line, b[:n]...)
		if err != nil {
			if len(line) > 0 && errors.Is(err, io.EOF) {
				return string(line), nil
			}
			return "", err
		}
	}
}
