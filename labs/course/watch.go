package course

import (
	"bytes"
	"context"
	"fmt"
	"io"
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
	screen, shown := s.Out, ""
	defer func() { s.Out = screen }()
	for {
		results, err := s.judge(ctx, lesson, e)
		if err != nil {
			return err
		}
		failed := failures(results)
		var page bytes.Buffer
		s.Out = &page
		s.show("## " + section.heading())
		for _, r := range results {
			s.showResult(r)
		}
		fmt.Fprintln(s.Out)
		s.Out = screen
		if len(failed) == 0 {
			s.showPage(page.String())
			s.say(sayAllPassed)
			fmt.Fprintln(s.Out)
			s.show(e.Debrief)
			return s.rememberLook(lesson, e, nil)
		}
		if page.String() != shown {
			shown = page.String()
			s.showPage(shown)
			s.say(sayWatching)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// showPage prints a page, on a terminal in the place of what was there.
func (s *Session) showPage(page string) {
	if s.Terminal {
		io.WriteString(s.Out, "\x1b[H\x1b[2J") // the cursor to the upper left corner, and the screen empty (ECMA-48)
	}
	io.WriteString(s.Out, page)
}
