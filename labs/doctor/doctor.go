// Package doctor finds out what this kernel and this user can do, for `sandbox doctor`: whatever a lab of the course
// needs is tried, and what is missing is named with the one thing that would help.
//
// A finding that can be tried is tried: in a child process, in namespaces of its own, where nothing that it mounts or
// changes outlives it. Only what cannot be tried without changing the machine is read from the kernel's own lists.
//
// What earlier crashes left behind is found by those who make it (containers, networks, groups); they hand it in as
// Leftovers, and the doctor lists it beside its findings.
package doctor

import (
	"errors"

	"sandbox/kernel"
)

// State is how well something works.
type State string

// The states: as it should be, not at all, or not in every respect.
const (
	OK      State = "ok"
	Missing State = "missing"
	Limited State = "limited"
)

// Finding is one thing that was looked at.
type Finding struct {
	Name    string     // "namespace net"
	Section string     // of the tutorial, that needs it first
	State   State      //
	Detail  kernel.Why // what was found, in one line
	Cure    kernel.Why // what would help, in one line; empty if nothing needs to
}

// Leftover is something that an earlier crash left behind.
type Leftover struct {
	Name   string // "control group 3f2a…"
	Detail kernel.Why
	Remove func() error
}

// check looks at one thing, or at several of a kind.
type check func(m Machine) []Finding

// checks in the order in which they are printed: what everything rests on comes first.
var checks = []check{
	kernelVersion, namespaces, userNamespace, moreIDs, procMount, overlay,
	groups, controllers, swap, blockWeights,
	seccomp, netfilter, legacyTables, links, userland, forwarding, terminal,
}

// Examine makes all findings about a machine.
func Examine(m Machine) []Finding {
	var list []Finding
	for _, c := range checks {
		list = append(list, c(m)...)
	}
	return list
}

// Clean removes what was left behind, each thing even if another cannot be removed.
func Clean(list []Leftover) error {
	var failed []error
	for _, l := range list {
		failed = append(failed, l.Remove())
	}
	return errors.Join(failed...)
}

// one is a check's only finding.
func one(f Finding) []Finding { return []Finding{f} }

// text is a line in both languages.
func text(english, chinese string) kernel.Why { return kernel.Why{EN: english, ZH: chinese} }

// same is a line that reads the same in every language: a value, a command.
func same(line string) kernel.Why { return kernel.Why{EN: line, ZH: line} }
