package course

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Watch looks at exercise n of a lab once a second and shows what has changed, until everything holds. On a terminal it
// keeps to one screen.
func (s *Session) Watch(ctx context.Context, number string, n int) error {
	lesson, section, err := s.findExercise(number, n)
	if err != nil {
		return err
	}
	e := section.Exercise
	if ready, err := s.ready(ctx, lesson, section); !ready {
		return err
	}
	shown := ""
	for {
		results, err := s.judge(ctx, lesson, e)
		if err != nil {
			return err
		}
		failed := failures(results)
		page := s.watchPage(section, results)
		if len(failed) == 0 {
			s.showPage(page)
			s.say(sayAllPassed)
			fmt.Fprintln(s.Out)
			s.show(e.Debrief)
			return s.rememberLook(lesson, e, nil)
		}
		if page != shown {
			shown = page
			s.showPage(page)
			s.say(sayWatching)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// watchPage is what there is to see of an exercise. Where it is more than a screen, it leaves out what was expected and found.
func (s *Session) watchPage(section *Section, results []result) string {
	screen, height := s.Out, s.Height
	defer func() { s.Out, s.Height = screen, height }()
	s.Height = 0 // nobody sees the page yet, and so nobody can be asked to turn it
	draw := func(results []result) string {
		var page bytes.Buffer
		s.Out = &page
		s.show("## " + section.heading())
		for _, r := range results {
			s.showResult(r)
		}
		fmt.Fprintln(s.Out)
		return page.String()
	}
	const below = 2 // the line that says how to end it, and the cursor's
	page := draw(results)
	rows := below
	for line := range strings.Lines(page) {
		rows += s.rows(line)
	}
	if !s.Terminal || height <= 0 || rows <= height {
		return page
	}
	short := slices.Clone(results)
	for i, r := range short {
		short[i].check = Check{Text: r.check.Text}
	}
	return draw(short)
}

// showPage prints a page, on a terminal in the place of what was there.
func (s *Session) showPage(page string) {
	if s.Terminal {
		io.WriteString(s.Out, "\x1b[H\x1b[2J") // the cursor to the upper left corner, and the screen empty (ECMA-48)
	}
	io.WriteString(s.Out, page)
	s.shown = strings.Count(page, "\n")
}
