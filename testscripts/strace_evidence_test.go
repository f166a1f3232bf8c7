package testscripts

import (
	"fmt"
	"slices"
	"strings"

	"sandbox/kernel"
)

// evidence is what a trace has of an entry of the explanation that no call was found for: the calls that are like it, whose they
// were taken to be, and how their threads came and went. The trace itself is too long to be shown, and gone after the test.
func (w *command) evidence(e kernel.Record) string {
	var b strings.Builder
	most := 12 // lines of such calls
	for i := range w.trace.calls {
		c := &w.trace.calls[i]
		if c.name != e.Call || !mentions(c, e) || most == 0 {
			continue
		}
		most--
		fmt.Fprintf(&b, "\n        %s\n            %s", w.trace.line(c), w.owner(c))
	}
	for i := range w.trace.calls {
		if c := &w.trace.calls[i]; c.clones() && c.adopted {
			fmt.Fprintf(&b, "\n        without an outcome, taken to be %s's: %s", c.result, w.trace.line(c))
		}
	}
	return b.String()
}

// mentions tells whether a call has the strings of an entry: its paths.
func mentions(c *traced, e kernel.Record) bool {
	for _, arg := range e.Args {
		if strings.HasPrefix(arg, `"`) && !slices.ContainsFunc(c.args, func(a string) bool { return bare(a) == arg }) {
			return false
		}
	}
	return true
}

// owner tells whose a call was taken to be, and why.
func (w *command) owner(c *traced) string {
	if t, ours := w.threads[c.pid]; ours {
		return fmt.Sprintf("%s %d; this thread of it is on lines %d to %d, the process from line %d, until it executed another program on line %d",
			t.of.role, t.of.pid, t.since+1, t.until, t.of.born+1, t.of.gone+1)
	}
	says := "nobody's of this command"
	for i := range w.trace.calls {
		other := &w.trace.calls[i]
		if n, ok := number(other.result); ok && other.clones() && n == c.pid {
			says += "; it came of " + w.trace.line(other)
		}
	}
	for _, end := range w.trace.exits[c.pid] {
		says += fmt.Sprintf("; it ended on line %d", end+1)
	}
	return says
}

// line is a call as it is in the trace, with the lines on which it begins and ends.
func (t *trace) line(c *traced) string {
	text := fmt.Sprintf("%d to %d: %d %s(%s) = %s %s", c.begin+1, c.end+1, c.pid, c.name, strings.Join(c.args, ", "), c.result, c.errno)
	if len(text) > 400 {
		text = text[:400] + "…"
	}
	return text
}
