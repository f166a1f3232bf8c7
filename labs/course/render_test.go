package course

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"

	"sandbox/labs/columns"
)

var update = flag.Bool("update", false, "write what the renderer prints to testdata/*.golden")

func TestRender(t *testing.T) {
	source, err := os.ReadFile("testdata/render.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		golden string
		width  int
		color  bool
	}{{"plain", 60, false}, {"narrow", 30, false}, {"color", 60, true}} {
		got := newRenderer(c.width, c.color).render(string(source))
		// Escape sequences are kept readable, so that a diff shows what has changed.
		got = strings.ReplaceAll(got, "\x1b", "␛")
		name := "testdata/render." + c.golden + ".golden"
		if *update {
			if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs; if it is meant to, run go test -update. Now:\n%s", name, got)
		}
	}
}

// A lesson that somebody else has written gives the terminal no orders.
func TestRenderIsOnlyText(t *testing.T) {
	got := newRenderer(60, false).render("red \x1b[31m, bell \a, 8-bit \u009b31m, `code \x1b]0;title\a`\n\n    code \x1b[2J\n\n&#27;[1m")
	if strings.ContainsAny(got, "\x1b\a\u009b") {
		t.Errorf("%q", got)
	}
}

func wrapped(text string, max int) []string {
	var lines []string
	for _, line := range wrap(cells(text, 0), max) {
		lines = append(lines, paintCells(line, false))
	}
	return lines
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		text string
		max  int
		want string // lines, joined with |
	}{
		{"", 5, ""},
		{"one two three", 7, "one two|three"},
		{"one two", 3, "one|two"},
		{"one  two", 3, "one|two"},
		{"unbreakable", 4, "unbr|eaka|ble"},
		{"at a/path/that goes on", 9, "at|a/path/|that goes|on"},
		{"a\nb", 9, "a|b"},
		{"容器技术", 4, "容器|技术"},
		{"容器技术", 5, "容器|技术"},      // half a character does not fit
		{"容器，技术", 4, "容|器，|技术"},   // a comma never begins a line
		{"看（里面）", 4, "看|（里|面）"},   // nor does a bracket end one
		{"用run命令", 4, "用|run|命令"}, // an English word stays whole
		{"e\u0301e\u0301 x", 2, "e\u0301e\u0301|x"},
	} {
		if got := strings.Join(wrapped(c.text, c.max), "|"); got != c.want {
			t.Errorf("wrap(%q, %d) = %q, want %q", c.text, c.max, got, c.want)
		}
	}
}

// Prose never runs over the edge, in any lesson and at any width that the renderer accepts.
func TestLessonsFitTheWidth(t *testing.T) {
	for _, number := range written(t) {
		for _, lang := range []Lang{English, Chinese} {
			lesson, err := Load(Lessons(), number, lang, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, width := range []int{40, 80} {
				r := newRenderer(width, false)
				for _, text := range lesson.prose() {
					for _, line := range strings.Split(r.render(text), "\n") {
						if columns.Of(line) > width && !strings.HasPrefix(line, "    ") {
							t.Errorf("%s.%s: %d columns at width %d: %s", number, lang, columns.Of(line), width, line)
						}
					}
				}
			}
		}
	}
}

// Markdown's stars are marks only where letters and spaces stand as it wants: in Chinese, **this。**is none.
func TestNoMarksAreLeft(t *testing.T) {
	r := newRenderer(80, true)
	for _, number := range written(t) {
		for _, lang := range []Lang{English, Chinese} {
			lesson, err := Load(Lessons(), number, lang, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, prose := range lesson.prose() {
				source := []byte(prose)
				ast.Walk(r.parser.Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
					if n.Kind() == ast.KindCodeSpan {
						return ast.WalkSkipChildren, nil
					}
					if words, ok := n.(*ast.Text); ok && entering && strings.Contains(string(words.Segment.Value(source)), "*") {
						t.Errorf("%s.%s: a star is left in %q", number, lang, words.Segment.Value(source))
					}
					return ast.WalkContinue, nil
				})
			}
		}
	}
}

func (l *Lesson) prose() []string {
	list := []string{l.Intro}
	for _, s := range l.Sections {
		for _, p := range s.Parts {
			list = append(list, p.Text)
			if p.Step != nil && p.Step.Predict != nil {
				list = append(append(list, p.Step.Predict.Text, p.Step.Predict.Because), p.Step.Predict.Options...)
			}
		}
		if s.Exercise != nil {
			list = append(list, s.Exercise.Debrief)
			for _, h := range s.Exercise.Hints {
				list = append(list, h.Text)
			}
		}
	}
	return list
}
