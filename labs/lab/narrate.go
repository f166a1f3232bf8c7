package lab

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"

	"sandbox/kernel"
	"sandbox/labs/command"
)

// narration is what a lesson shows of its commands' explanations: whatever is new. A container is born in some 150
// steps, and a lesson makes one after the other; what was explained under an earlier command is only counted, so that
// what is different this time can be seen. With --explain, outside a lesson, nothing is left out.
type narration struct {
	language string
	json     bool // --explain=json: all records, as they are

	numbers *regexp.Regexp
	seen    map[string]bool // steps of earlier commands, without their numbers
	now     []string        // and of this one
	known   int             // steps of earlier commands that have just come again
	alike   []kernel.Record // steps in a row with one reason
	lines   *command.Explainer
}

func newNarration(env *command.Env) *narration {
	return &narration{
		language: env.Language(), json: env.Explain == "json", seen: map[string]bool{},
		numbers: regexp.MustCompile(`\b([0-9a-f]{64}|[0-9a-f]{12}|[0-9]+)\b`),
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
	shape := n.withoutNumbers(r)
	n.now = append(n.now, shape)
	if n.seen[shape] {
		n.tellAlike(out)
		n.known++
		return
	}
	n.tellKnown(out)
	if len(n.alike) > 0 && !sameReason(n.alike[0], r) {
		n.tellAlike(out)
	}
	n.alike = append(n.alike, r)
}

// End shows what was held back, and remembers the command's steps.
func (n *narration) End(out io.Writer) {
	n.tellAlike(out)
	n.tellKnown(out)
	for _, shape := range n.now {
		n.seen[shape] = true
	}
	n.now, n.lines = nil, nil
}

// tellAlike shows some steps with one reason, or the first of many.
func (n *narration) tellAlike(out io.Writer) {
	const few = 3
	if n.lines == nil {
		n.lines = &command.Explainer{Out: out, Language: n.language}
	}
	list := n.alike
	n.alike = nil
	if len(list) <= few {
		for _, r := range list {
			n.lines.Tell(r)
		}
		return
	}
	n.lines.Tell(list[0])
	n.tellCount(out, len(list)-1, kernel.Why{EN: "… %d more for the same reason", ZH: "…… 还有 %d 步，理由相同"})
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

// changedNothing: what was to be made was there already.
func changedNothing(r kernel.Record) bool { return r.Errno == "EEXIST" }

func sameReason(a, b kernel.Record) bool {
	return a.Why != "" && a.Why == b.Why && a.Call == b.Call && a.Process == b.Process
}

// withoutNumbers is a step without its ids, pids and descriptors, which are others each time.
func (n *narration) withoutNumbers(r kernel.Record) string {
	return r.Process + " " + n.numbers.ReplaceAllString(r.Line, "#")
}
