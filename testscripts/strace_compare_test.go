package testscripts

import (
	"fmt"
	"slices"
	"strings"

	"sandbox/kernel"
)

// verdict of a comparison.
type verdict struct {
	explained int             // entries that were made
	missing   []string        // made, and not explained
	invented  []string        // explained, and not made
	unfound   []kernel.Record // those entries
}

// compare holds an explanation against the calls that were made. An entry accounts for the call, or the calls, that
// its effect consists of; those of one process in their order. What then is left of the calls that change something
// is missing from the explanation.
func compare(entries []kernel.Record, calls []*made) verdict {
	var v verdict
	reached := map[string]int{}
	for _, e := range entries {
		from := reached[e.Process]
		last := match(e, calls, from)
		if last < 0 {
			v.invented, v.unfound = append(v.invented, describe(e)+nearest(e, calls, from)), append(v.unfound, e)
			continue
		}
		v.explained++
		reached[e.Process] = last + 1
	}
	for i, m := range calls {
		if m.must && !m.explained && !madeAgain(m, calls[i+1:]) {
			v.missing = append(v.missing, m.String())
		}
	}
	return v
}

// madeAgain: a call that a signal interrupted (Go's scheduler sends them) is made again, by the kernel or by the door, until
// it has an outcome. That one is explained.
func madeAgain(m *made, later []*made) bool {
	if m.errno != "EINTR" && m.errno != "EAGAIN" && !strings.HasPrefix(m.errno, "ERESTART") {
		return false
	}
	return slices.ContainsFunc(later, func(l *made) bool {
		return l.explained && l.process == m.process && l.name == m.name && slices.Equal(l.args, m.args)
	})
}

func describe(e kernel.Record) string {
	return fmt.Sprintf("%s   (no. %d)", line(e.Process, e.Call, e.Args, e.Result, e.Errno), e.Seq)
}

// nearest shows the next call of that name, which is often the same with another argument.
func nearest(e kernel.Record, calls []*made, from int) string {
	for _, m := range calls[from:] {
		if m.role == e.Process && m.name == e.Call && !m.explained {
			return "\n        next of that name: " + m.String()
		}
	}
	return ""
}

// match finds what an entry tells of, marks it, and returns the index of its last call; -1 if it was not made.
func match(e kernel.Record, calls []*made, from int) int {
	if e.Call == "unlinkat" && strings.HasPrefix(e.Line, "rm -rf ") {
		return matchTree(e, calls, from)
	}
	if e.Call == "openat" && strings.HasPrefix(e.Line, "cp -a ") {
		return matchWritten(e, calls, from)
	}
	if e.Call == "sendto" && strings.HasPrefix(e.Args[0], "NFT_MSG_") {
		return matchRule(e, calls, from)
	}
	for i := from; i < len(calls); i++ {
		m := calls[i]
		if m.role == e.Process && !m.explained && (same(e, m) || failedToOpen(e, m)) {
			m.explained = true
			markParts(e, calls, i)
			return i
		}
	}
	return -1
}

// same tells whether an entry and a call agree in everything.
func same(e kernel.Record, m *made) bool {
	if e.Call == "sendto" && m.name == "sendto" {
		return sameMessage(e.Args, m.args)
	}
	return e.Call == m.name && strings.Join(e.Args, ", ") == strings.Join(m.args, ", ") && e.Errno == m.errno &&
		(e.Errno != "" || e.Result == m.result)
}

// failedToOpen: an entry "write" is an open and a write; when the file cannot be opened, that was it.
func failedToOpen(e kernel.Record, m *made) bool {
	return e.Call == "write" && e.Errno != "" && e.Errno == m.errno && m.name == "openat" &&
		len(m.args) == 3 && m.args[1] == e.Args[0] && m.args[2] == "O_WRONLY|O_CLOEXEC"
}

// markParts accounts for the first part of an effect that is told of by its last: a file that is replaced as a whole
// (renameat X.new → X) has been made under its other name before.
func markParts(e kernel.Record, calls []*made, at int) {
	if e.Call == "write" { // a file that is written over has been emptied when it was opened
		for i := at; i >= 0; i-- {
			if m := calls[i]; m.role == e.Process && m.name == "openat" && m.args[1] == e.Args[0] && m.args[2] == "O_WRONLY|O_TRUNC|O_CLOEXEC" {
				m.explained = true
				return
			}
		}
		return
	}
	if e.Call != "renameat" || e.Args[1] != strings.TrimSuffix(e.Args[3], `"`)+`.new"` {
		return
	}
	for i := at; i >= 0; i-- {
		m := calls[i]
		if m.role == e.Process && m.name == "openat" && m.args[1] == e.Args[1] && m.args[2] == "O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC" {
			m.explained = true
			return
		}
	}
}

// matchWritten: `cp -a` is one entry for all that is written at or below its path, in one go: up to the first call that
// changes something else.
func matchWritten(e kernel.Record, calls []*made, from int) int {
	root, last := unquote(e.Args[1]), -1
	for i := from; i < len(calls); i++ {
		m := calls[i]
		if m.role != e.Process || m.explained || !m.must {
			continue
		}
		if m.target != root && !strings.HasPrefix(m.target, root+"/") || m.name == "fchownat" || m.name == "fchmodat" && m.target == root {
			break
		}
		m.explained, last = true, i
	}
	return last
}

// matchTree: `rm -rf` is one entry for as many calls as there are things in the directory. All must be at or below
// its path, and the last of them is what the entry says became of it: the directory is gone, or the errno.
func matchTree(e kernel.Record, calls []*made, from int) int {
	root, last := unquote(e.Args[1]), -1
	var claimed []*made
	for i := from; i < len(calls); i++ {
		m := calls[i]
		within := m.target == root || strings.HasPrefix(m.target, root+"/")
		if m.role != e.Process || m.explained || !within || m.name != "unlinkat" && m.name != "fchmodat" {
			continue
		}
		claimed = append(claimed, m)
		if m.target == root && m.name == "unlinkat" && (m.errno == e.Errno || e.Errno == "" && m.errno == "ENOENT") {
			last = i
			if e.Errno == "" {
				break
			}
		}
	}
	if last >= 0 {
		for _, m := range claimed {
			m.explained = true
		}
	}
	return last
}
