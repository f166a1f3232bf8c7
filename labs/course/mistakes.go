package course

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// Attempt is something that a learner may do in an exercise, as the author has foreseen it: a mistake, which is to bring
// the hint that was written for it, or another right way. They stand in a file beside the lesson, NUMBER.mistakes.md,
// for both languages.
type Attempt struct {
	Exercise int
	Script   string // empty: nothing has been done yet
	Hint     string // the name of a hint of level 1; empty if this is right
	Line     int
}

// Attempts reads what the author of a lesson has foreseen, in the order of the file, with the parameters that the lesson
// has drawn. There may be no such file.
func (l *Lesson) Attempts(labs fs.FS) ([]Attempt, error) {
	list, found, err := l.attempts(labs)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the mistakes: %w", err)
	}
	if len(found) > 0 {
		return nil, found[0]
	}
	return list, nil
}

func mistakesFile(number string) string { return number + ".mistakes.md" }

// attempts reads on after a block that is none.
func (l *Lesson) attempts(labs fs.FS) (list []Attempt, found []Finding, err error) {
	file := mistakesFile(l.Number)
	source, err := readSource(labs, file)
	if err != nil {
		return nil, nil, err
	}
	lines := strings.Split(source, "\n")
	for i := 0; i < len(lines); i++ {
		mark, info, ok := openFence(lines[i])
		if !ok {
			continue
		}
		begin := i
		for i++; i < len(lines) && !closesFence(lines[i], mark); i++ {
		}
		if i == len(lines) {
			found = append(found, Finding{file, begin + 1, "this block is never closed"})
			break
		}
		a, err := l.attempt(info, strings.Join(lines[begin+1:i], "\n"))
		if err != nil {
			found = append(found, asFinding(err, file, begin+1))
			continue
		}
		a.Line = begin + 1
		list = append(list, a)
	}
	return list, found, nil
}

var errNoAttempt = errors.New("a block here is \"mistake exercise=N hint=NAME\" or \"way exercise=N\"")

// attempt reads one block: "mistake exercise=1 hint=unborn" or "way exercise=1".
func (l *Lesson) attempt(info, body string) (Attempt, error) {
	words := strings.Fields(info)
	attrs := map[string]string{}
	for _, word := range words[min(1, len(words)):] {
		key, value, _ := strings.Cut(word, "=")
		attrs[key] = value
	}
	var a Attempt
	if len(words) == 0 || words[0] != "way" && words[0] != "mistake" {
		return a, errNoAttempt
	}
	a.Exercise, _ = strconv.Atoi(attrs["exercise"])
	a.Hint = attrs["hint"]
	exercises := l.exercises()
	if a.Exercise < 1 || a.Exercise > len(exercises) {
		return a, fmt.Errorf("exercise=%s: the lesson has exercises 1 to %d", attrs["exercise"], len(exercises))
	}
	section := exercises[a.Exercise-1]
	a.Script = strings.TrimSpace(section.fill(body))
	switch {
	case words[0] == "way" && len(attrs) == 1:
		if a.Script == "" {
			return a, errors.New("a way that does nothing cannot be right")
		}
	case words[0] == "mistake" && len(attrs) == 2:
		if i := section.Exercise.hint(a.Hint); a.Hint == "" || i < 0 || section.Exercise.Hints[i].Level != 1 {
			return a, fmt.Errorf("exercise %d has no hint of level 1 with name=%s", a.Exercise, a.Hint)
		}
	default:
		return a, errNoAttempt
	}
	return a, nil
}

// ProveAttempt sets an exercise up, does what the author has foreseen (the n-th of the file, from 1) and sees whether the
// hint is the one that was written for it. It wants a world of its own, in which nothing has been done.
func (s *Session) ProveAttempt(ctx context.Context, number string, n int) error {
	lesson, err := s.load(number)
	if err != nil {
		return err
	}
	attempts, err := lesson.Attempts(s.Lessons)
	if err != nil {
		return err
	}
	if n < 1 || n > len(attempts) {
		return fmt.Errorf("lab %s has %d foreseen attempts: there is no number %d", lesson.Number, len(attempts), n)
	}
	a := attempts[n-1]
	section := lesson.exercises()[a.Exercise-1]
	e := section.Exercise
	if ready, err := s.ready(ctx, lesson, section); !ready {
		return err
	}
	said := ""
	if a.Script != "" {
		stdout, stderr, err := s.capture(ctx, a.Script)
		if err != nil {
			return err
		}
		said = stdout + "\n" + stderr
	}
	results, err := s.judge(ctx, lesson, e)
	if err != nil {
		return err
	}
	failed := failures(results)
	got := ""
	if len(failed) > 0 {
		fits, err := s.fitting(ctx, e, 1, failed)
		if err != nil {
			return err
		}
		got = e.Hints[fits].Name
	}
	if got == a.Hint {
		return nil
	}
	for _, r := range results {
		s.showResult(r)
	}
	text := fmt.Sprintf("exercise %d, after\n%s\n%s\n", a.Exercise, a.Script, said)
	switch {
	case a.Hint == "":
		text += fmt.Sprintf("the checks do not pass, and the hint is %q", got)
	case len(failed) == 0:
		text += fmt.Sprintf("the checks pass; the hint was to be %q", a.Hint)
	default:
		text += fmt.Sprintf("the hint is %q; it was to be %q", got, a.Hint)
	}
	return Finding{mistakesFile(lesson.Number), a.Line, text}
}
