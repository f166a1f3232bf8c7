package chapter3

import (
	"slices"
	"strings"
	"testing"
)

// TestDiagram: every state that a container can be in and every way between them is in the picture, and the current state,
// no other, is marked.
func TestDiagram(t *testing.T) {
	states := []string{"created", "running", "paused", "restarting", "exited"}
	for _, current := range states {
		picture := strings.Join(drawStates(current), "\n")
		if strings.Count(picture, "●") != 1 || !strings.Contains(picture, "● "+current) || strings.Count(picture, "╔") != 1 {
			t.Errorf("%s is not the one that is marked:\n%s", current, picture)
		}
		for _, name := range append(states, "gone") {
			if !strings.Contains(picture, name) {
				t.Errorf("no %s:\n%s", name, picture)
			}
		}
		if len(waysFrom(current)) == 0 {
			t.Errorf("no way out of %s", current)
		}
	}
	picture := strings.Join(drawStates(""), "\n")
	for _, w := range ways {
		if !slices.Contains(append(states, "gone"), w.to) {
			t.Errorf("%+v leads to no state", w)
		}
		for word := range strings.FieldsFuncSeq(w.how, func(r rune) bool { return r == ',' }) {
			if word = strings.TrimSpace(word); !strings.Contains(word, " ") && !strings.Contains(picture, word) {
				t.Errorf("%s is not in the picture:\n%s", word, picture)
			}
		}
	}
	const want = `   create
     │
┌────▼─────┐           ╔═══════════════════╗                ┌───────────┐
│ created  ├── start ─►║     ● running     ╟──── pause ────►│  paused   │
│          │           ║                   ║◄── unpause ────┤           │
└────┬─────┘           ╚═╤═══▲══════════╤═▲╝                └───────────┘
     │       ends, stop, │   │ start,   │ └── the wait is over ───┐
     │              kill │   │ restart  │                         │
     │            ┌──────▼───┴─┐        │                   ┌─────┴──────┐
     │            │   exited   │        └─ ends, --restart ►│ restarting │
     │            │            │◄────────── stop ───────────┤            │
     │            └──────┬─────┘                            └────────────┘
     │                   ▼ rm
     └────── rm ──────►gone`
	if got := strings.Join(drawStates("running"), "\n"); got != want {
		t.Errorf("%s", got)
	}
}
