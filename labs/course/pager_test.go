package course

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
)

// long is a lesson with a text of many lines, and a step after it.
func long(step string) string {
	var b strings.Builder
	b.WriteString("# 3.1 T\n## 3.1.1 One\n")
	for i := range 40 {
		fmt.Fprintf(&b, "- line %d\n", i+1)
	}
	return b.String() + "\n```console step=a\n$ " + step + "\n```\nAfter it.\n"
}

// A text that is longer than the screen waits at its end, for Enter or another key; the prompt goes away again.
func TestLongTextWaits(t *testing.T) {
	l := newLearner(t, long("echo done"), "HEIGHT=24")
	l.sees(t, "line 14\n  [Enter or space goes on")
	mustNotContain(t, l.shown.String(), "line 17\r")
	l.types(t, "\n")
	l.sees(t, "line 34\n  [Enter or space goes on")
	mustNotContain(t, terminalText(l.shown.String()), "line 40\n")
	l.types(t, " ")
	l.sees(t, "[Enter runs it")
	mustNotContain(t, terminalText(l.shown.String()), "space goes on")
	if l.mode(t) != l.before {
		t.Error("the terminal's mode is not what it was")
	}
	l.types(t, "\n")
	l.sees(t, "After it.")
	l.sees(t, "[Enter goes on")
	l.types(t, "\n")
	l.sees(t, "the end: <nil>")
}

// What a step has printed is on the screen, too: the text after it does not push it off unread.
func TestTextAfterLongOutputWaits(t *testing.T) {
	l := newLearner(t, "# 3.1 T\n## 3.1.1 One\n```console step=a\n$ seq 30\n```\nAfter it.\n", "HEIGHT=24")
	l.sees(t, "[Enter runs it")
	l.types(t, "\n")
	l.sees(t, "30\n\n  [Enter or space goes on")
	mustNotContain(t, l.shown.String(), "After it.")
	l.types(t, " ")
	l.sees(t, "After it.")
}

// Leaving in the middle of a text leaves the lesson: no step is run.
func TestLeaveLongText(t *testing.T) {
	for _, key := range []string{"q", "\x03", "\x04"} {
		l := newLearner(t, long("echo never"), "HEIGHT=24")
		l.sees(t, "space goes on")
		l.types(t, key)
		l.sees(t, "Left. ")
		l.sees(t, "the end: <nil>")
		mustNotContain(t, l.shown.String(), "line 40", "never")
		if l.mode(t) != l.before {
			t.Error("the terminal's mode is not what it was")
		}
	}
}

// Lines wider than the terminal take several of its rows.
func TestRows(t *testing.T) {
	s := &Session{Width: 10}
	for line, want := range map[string]int{"\n": 1, "1234567890\n": 1, "12345678901\n": 2, "\x1b[1m1234567890\x1b[0m\n": 1, "容器容器容\n": 1, "容器容器容器\n": 2} {
		if got := s.rows(line); got != want {
			t.Errorf("%q takes %d rows, want %d", line, got, want)
		}
	}
}

// read is what `sandbox lab read` does.
func (s *Session) read(ctx context.Context, number string) error {
	var text bytes.Buffer
	reader := *s
	reader.Out, reader.Terminal = &text, false
	if err := reader.Read(number); err != nil {
		return err
	}
	return s.Page(ctx, text.String())
}

// A whole lesson is read by the learner's pager; by our own where that is not there; and without any where it fits.
func TestReadOnTerminal(t *testing.T) {
	l := newLearner(t, long("echo done"), "HEIGHT=24", "READ=yes", "PAGER=sed s/line/zeile/")
	l.sees(t, "zeile 40\n")
	l.sees(t, "the end: <nil>")

	l = newLearner(t, long("echo done"), "HEIGHT=24", "READ=yes", "PAGER=no-such-pager")
	l.sees(t, "line 14\n  [Enter or space goes on")
	l.types(t, "q")
	l.sees(t, "the end: <nil>")
	mustNotContain(t, l.shown.String(), "line 40")

	l = newLearner(t, long("echo done"), "HEIGHT=100", "READ=yes", "PAGER=sed s/line/zeile/")
	l.sees(t, "line 40\n")
	l.sees(t, "the end: <nil>")
}

// Reading shows what there is to read and to type; nothing is run, and nothing is given away.
func TestRead(t *testing.T) {
	for _, lang := range []Lang{English, Chinese} {
		w := newWorld(t, lang).withLesson(`# 3.1 T
Intro.

## 3.1.1 One
Prose.
` + "```need name=n\ntest: false\nno n here\n```\n```predict name=p\nright: true\nWhat comes?\n- this\n+ that\nbecause\n```\n" +
			"```console step=a need=n\n$ touch $WORLD/run\n```\n```cleanup\nundo\n```\nBetween.\n" +
			"```console step=b tty=yes\n$ cat\n< word\n```\n## 3.1.2 Two\nMore.\n" + exercise)
		if err := w.Read("3.1"); err != nil {
			t.Fatal(err)
		}
		text := w.out.String()
		mustContain(t, text, "3.1 T\n═", "Intro.", "What comes?", "a) this", "b) that", "  $ touch $WORLD/run\n", "no n here", "Between.", "  $ cat\n", "word ↵", "More.", "do it", "sandbox lab check 3.1 1")
		mustNotContain(t, text, "because", "undo", "make it", "touch $WORLD/made", "well done", "\x1b")
		if w.has("run") {
			t.Error("a step has been run")
		}
		w.out.Reset()
		if err := w.Read("3.1.2"); err != nil {
			t.Fatal(err)
		}
		if got := w.out.String(); strings.Contains(got, "Prose") || !strings.Contains(got, "More.") {
			t.Errorf("one section: %s", got)
		}
		if err := w.Read("3.1.9"); err == nil {
			t.Error("a section that is not there")
		}
	}
}
