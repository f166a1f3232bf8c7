package build

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestTwoBuildsAtOnce: builds of the same and of different things get on with each other in one store and one cache.
func TestTwoBuildsAtOnce(t *testing.T) {
	w := newWorld(t)
	w.Note = nil
	w.file("f", "1")
	var wait sync.WaitGroup
	for i := range 6 {
		wait.Go(func() {
			var out bytes.Buffer
			o := w.Options
			o.Out = &out
			o.Text = []byte(lines("FROM base", "RUN write /a 1", "COPY f /", fmt.Sprint("ENV N=", i%2), "RUN --mount=type=cache,target=/c write /b 2"))
			img, err := Build(context.Background(), o)
			if err != nil {
				t.Errorf("%v\n%s", err, out.String())
				return
			}
			if got := w.content(img, "a") + w.content(img, "b") + w.content(img, "f"); got != "121" || img.Config.Env[1] != fmt.Sprint("N=", i%2) {
				t.Errorf("%q, %v", got, img.Config.Env)
			}
		})
	}
	wait.Wait()
	if w.runner.open != 0 {
		t.Errorf("%d containers are left", w.runner.open)
	}
}

// TestMuchOutput: the output of a stage whose turn has not come is kept only up to a limit.
func TestMuchOutput(t *testing.T) {
	var out bytes.Buffer
	c := &console{out: &out}
	first, second := c.section(), c.section()
	line := strings.Repeat("x", 1<<16)
	for range 100 {
		second.printf("%s", line)
	}
	first.printf("first\n")
	first.finish()
	second.printf("last\n")
	second.finish()
	text := out.String()
	if len(text) > maxKept+1000 || !strings.HasPrefix(text, "first\nxxx") || !strings.HasSuffix(text, "bytes of output were too many to keep]\nlast\n") {
		t.Errorf("%d bytes, ending in %q", len(text), text[len(text)-100:])
	}
}
