// Package kernel is the one door to Linux: every change that sandbox makes to the machine goes through it.
//
// A change is a value, an Effect: Mount{…}, PivotRoot{…}, WriteFile{…}. The value knows how it is written in strace's
// notation (Call), and how it is compiled to raw system calls (rows of a birth.Table). There are two ways to perform it:
//
//   - Door.Do performs it here, on the calling thread, and tells of it.
//   - Door.Spawn compiles a list of steps into one table, which a new process works through; Door tells of each step
//     afterwards, from the results that the child left in the table.
//
// Because the same value gives the rows, the explanation and the error message, the three cannot disagree: an
// explanation line is printed by the code that made the change, with the arguments that it made it with.
//
// A Step is an effect with its reason: why it is done, in the learner's words, and the section of the tutorial that
// teaches it. Those who plan return steps and perform nothing (package container plans a birth, package cgroup limits);
// so a test can compare a plan with what is expected, line by line, without any privilege.
package kernel

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"sandbox/kernel/birth"
)

// Effect is one change to the machine that the kernel can see.
type Effect interface {
	// Call writes the effect as strace does; descriptors that it uses are known once it has been performed.
	Call() Call
	// compile adds the effect's system calls to a table. The effect's result is that of its first row, or of the one
	// that it names as the compiler's answer.
	compile(c *compiler)
}

// Why is a reason in one line, in each of the course's languages.
type Why struct{ EN, ZH string }

// In returns the reason in a language ("zh", or English).
func (w Why) In(language string) string {
	if language == "zh" && w.ZH != "" {
		return w.ZH
	}
	return w.EN
}

// Step is an effect with its reason.
type Step struct {
	Effect
	Section  string // of the tutorial: "3.5"
	Why      Why
	Optional bool // go on when it fails
}

// Record is what is told of one step that was performed.
type Record struct {
	Seq     int      `json:"seq"`
	Section string   `json:"section"`
	Process string   `json:"process"` // client, monitor or container
	Call    string   `json:"call"`    // the system call's name, as strace writes it; "" for what is none: an HTTP request, say
	Args    []string `json:"args"`
	Result  int      `json:"result"`
	Errno   string   `json:"errno,omitempty"`
	Line    string   `json:"line"` // what the text form shows
	Why     string   `json:"why"`
	Micros  float64  `json:"us"`
}

// Doer performs steps in their order, up to the first that fails and is not optional. Door is the real one;
// Recorder, for tests, only writes them down.
type Doer interface {
	Do(steps ...Step) error
}

// Door performs effects and tells of them.
type Door struct {
	Process  string       // who we are: client, monitor
	Language string       // of the reasons: "zh" or "en"
	Tell     func(Record) // nil: nobody listens, and telling costs nothing

	order sync.Mutex // what is told has the order in which it was done, whichever goroutine does it
}

// Do performs steps in this process: one after the other, and rules of the firewall that follow each other at once.
func (d *Door) Do(steps ...Step) error {
	for len(steps) > 0 {
		if n := rulesAtOnce(steps); n > 0 {
			if err := d.doRules(steps[:n]); err != nil {
				return err
			}
			steps = steps[n:]
			continue
		}
		s := steps[0]
		if errno := d.perform(s); errno != 0 && !s.Optional {
			return &CallError{Call: s.Call(), Errno: errno, Section: s.Section}
		}
		steps = steps[1:]
	}
	return nil
}

// perform performs one step, and tells of it if anybody listens.
func (d *Door) perform(s Step) syscall.Errno {
	if d.Tell == nil {
		_, errno := performHere(s.Effect)
		return errno
	}
	d.order.Lock()
	defer d.order.Unlock()
	start := time.Now()
	result, errno := performHere(s.Effect)
	d.tell(d.Process, s, result, errno, float64(time.Since(start).Nanoseconds())/1000)
	return errno
}

// Note tells of something that is no change: an HTTP request, a decision of the build cache, what a name leads to.
func (d *Door) Note(section, line string, why Why) {
	if d.Tell == nil {
		return
	}
	d.order.Lock()
	defer d.order.Unlock()
	d.Tell(Record{Section: section, Process: d.Process, Line: line, Why: why.In(d.Language)})
}

// performHere compiles one effect into a table of its own and walks along its rows.
func performHere(e Effect) (result int, errno syscall.Errno) {
	if e, ok := e.(interface{ performInGo() (int, error) }); ok {
		result, err := e.performInGo()
		if err != nil && !errors.As(err, &errno) {
			errno = syscall.EIO
		}
		return result, errno
	}
	c := &compiler{b: birth.NewBuilder()}
	e.compile(c)
	table := birth.Load(c.b.Image())
	errno = table.Here()
	answer, _, _ := table.Outcome(c.answer)
	if e, ok := e.(opener); ok && errno == 0 {
		e.handle().set(int(answer))
	}
	return int(answer), errno
}

// notExecuted is said of an execve(2) that failed.
var notExecuted = Why{"not here: each directory of $PATH is tried in turn", "这里没有：按 $PATH 的顺序逐个目录去试"}

// tell makes the record of one step and hands it on.
func (d *Door) tell(process string, s Step, result int, errno syscall.Errno, micros float64) {
	call := s.Call()
	r := Record{
		Section: s.Section, Process: process, Call: call.Name, Args: call.Args, Result: result,
		Line: call.line(), Why: s.Why.In(d.Language), Micros: micros,
	}
	if errno != 0 {
		r.Result, r.Errno = -1, ErrnoName(errno)
		r.Line += " = -1 " + r.Errno
		if _, program := s.Effect.(Execve); program { // its reason speaks of what it did not become
			r.Why = notExecuted.In(d.Language)
		}
	} else if call.ShowResult {
		r.Line += fmt.Sprintf(" = %d", result)
	}
	d.Tell(r)
}

// CallError is a step that failed: the whole call and its errno.
type CallError struct {
	Call    Call
	Errno   syscall.Errno
	Section string // of the tutorial
}

func (e *CallError) Error() string { return e.Call.line() + ": " + e.Errno.Error() }

// Unwrap gives the errno, for errors.Is.
func (e *CallError) Unwrap() error { return e.Errno }

// Recorder is a Doer for tests: it performs nothing and writes down each step as --explain would show it.
type Recorder struct{ Lines []string }

// Do writes the steps down.
func (r *Recorder) Do(steps ...Step) error {
	for _, s := range steps {
		r.Lines = append(r.Lines, "["+s.Section+"] "+s.Call().line())
	}
	return nil
}
