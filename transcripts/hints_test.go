package transcripts

import (
	"strings"
	"testing"
)

// mistake is something that a learner has done in a lab's shell, and what `lab check` should then say.
type mistake struct {
	number   string
	exercise string
	did      string // "" for nothing yet
	want     string // a piece of the hint in English, or of the praise
}

const praise = "All of it is right"

// The hint depends on what is wrong, and other ways than the solution's are right too. Package course
// tests more of those of 3.1 and 3.5, without a real container.
func TestHints(t *testing.T) {
	for _, m := range mistakes() {
		name := m.number + "/" + m.exercise + "/" + m.want
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shell := world(t, everybody()[0], "")("--lang=en", "lab", "shell", m.number)
			shell.Env = append(shell.Env, "SHELL=/bin/sh")
			// What the learner did must not be what checking prints.
			shell.Stdin = strings.NewReader("{\n" + m.did + "\n:\n} >/tmp/did 2>&1 </dev/null\nsandbox lab check " + m.number + " " + m.exercise + "\ncat /tmp/did >&2\n")
			var said, did strings.Builder
			shell.Stdout, shell.Stderr = &said, &did
			if err := shell.Run(); err != nil {
				t.Fatalf("%v\n%s%s", err, said.String(), did.String())
			}
			// A hint may be broken into lines at any space.
			text := strings.Join(strings.Fields(strings.ReplaceAll(said.String(), "│", "")), " ")
			if _, why, left := strings.Cut(text, "This exercise cannot be done here: "); left {
				t.Skip("left out for this user on this machine: " + why)
			}
			if !strings.Contains(text, m.want) {
				t.Errorf("after\n%s\nthis is missing: %s\n%s\nwhat the commands printed:\n%s", m.did, m.want, said.String(), did.String())
			}
		})
	}
}

// mistakes is a table, in the order of the course.
func mistakes() []mistake {
	return mistakesInOperations()
}
