package lab

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"

	"sandbox/kernel"
	"sandbox/labs/command"
)

// narration is what a lesson shows of its commands' explanations: whatever is new. A container is born in some 150
// steps, and a lesson makes one after the other; what was explained under an earlier command is only counted, so that
// what is different this time can be seen. With --explain, outside a lesson, nothing is left out.
type narration struct {
	language string
	json     bool // --explain=json: all records, as they are

	chance *regexp.Regexp  // what is another each time
	ids    *regexp.Regexp  // and of that the part which is not a number
	seen   map[string]bool // steps of earlier commands, without what is chance
	now    []string        // and of this one
	known  int             // steps of earlier commands that have just come again
	last   kernel.Record   // what has just been told
	alike  []kernel.Record // steps right after it that have the same reason
	lines  *command.Explainer
}

func newNarration(env *command.Env) *narration {
	return &narration{
		language: env.Language(), json: env.Explain == "json", seen: map[string]bool{}, ids: regexp.MustCompile(`\b([0-9a-f]{64}|[0-9a-f]{12})\b`),
		chance: regexp.MustCompile(`\b([0-9a-f]{64}|[0-9a-f]{12}|([0-9a-f]{2}:){5}[0-9a-f]{2} type bridge|[0-9]+)\b|/names/[a-z]+_[a-z0-9]+`),
	}
}

// Tell takes in one record of the command that is running.
func (n *narration) Tell(out io.Writer, data []byte) {
	if n.json {
		fmt.Fprintf(out, "%s\n", data)
		return
	}
	var r kernel.Record
	if json.Unmarshal(data, &r) != nil || changedNothing(r) {
		return
	}
	shape := n.withoutChance(r)
	n.now = append(n.now, shape)
	switch {
	case n.seen[shape]:
		n.tellAlike(out)
		n.last = kernel.Record{}
		n.known++
	case n.known == 0 && sameReason(n.last, r):
		n.alike = append(n.alike, r)
	default:
		n.tellAlike(out)
		n.tellKnown(out)
		n.tellOne(out, r)
		n.last = r
	}
}

// End shows what was held back, and remembers the command's steps.
func (n *narration) End(out io.Writer) {
	n.tellAlike(out)
	n.tellKnown(out)
	for _, shape := range n.now {
		n.seen[shape] = true
	}
	n.now, n.last, n.lines = nil, kernel.Record{}, nil
}

func (n *narration) tellOne(out io.Writer, r kernel.Record) {
	if n.lines == nil { // one for each command: headings begin anew
		n.lines = &command.Explainer{Out: out, Language: n.language}
	}
	n.lines.Tell(r)
}

// tellAlike shows a few steps that have the reason of the one before, or counts many.
func (n *narration) tellAlike(out io.Writer) {
	const few = 2
	if len(n.alike) > few {
		n.tellCount(out, len(n.alike), kernel.Why{EN: "… %d more for the same reason", ZH: "…… 还有 %d 步，理由相同"})
		n.alike = nil
	}
	for _, r := range n.alike {
		n.tellOne(out, r)
	}
	n.alike = nil
}

func (n *narration) tellKnown(out io.Writer) {
	switch n.known {
	case 0:
	case 1:
		n.tellCount(out, 1, kernel.Why{EN: "… %d step as before", ZH: "…… %d 步，和前面一样"})
	default:
		n.tellCount(out, n.known, kernel.Why{EN: "… %d steps as before", ZH: "…… %d 步，和前面一样"})
	}
	n.known = 0
}

func (n *narration) tellCount(out io.Writer, count int, text kernel.Why) {
	fmt.Fprintf(out, "  "+text.In(n.language)+"\n", count)
}

// changedNothing: what was to be made was there already, or a directory of the PATH has not got the program.
func changedNothing(r kernel.Record) bool {
	return r.Errno == "EEXIST" || r.Call == "execve" && r.Errno == "ENOENT"
}

func sameReason(a, b kernel.Record) bool {
	return a.Why != "" && a.Why == b.Why && a.Call == b.Call && a.Process == b.Process
}

// withoutChance is a step without its ids, pids, descriptors, made-up names and bridges' MAC addresses, which are others each time. The number in a
// limit is no chance: 1024 shares for one container and 512 for the next are two things.
func (n *narration) withoutChance(r kernel.Record) string {
	if r.Section == "3.4" && r.Process == "client" && strings.HasPrefix(r.Line, "echo ") {
		return r.Process + " " + n.ids.ReplaceAllString(r.Line, "#")
	}
	return r.Process + " " + n.chance.ReplaceAllString(r.Line, "#")
}
