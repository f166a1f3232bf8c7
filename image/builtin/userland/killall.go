package userland

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// hasName tells whether a process is the program called name: by its first argument, as pidof and killall compare.
func (t *task) hasName(name string) bool {
	if t.comm == name {
		return true
	}
	return len(t.args) > 0 && (t.args[0] == name || filepath.Base(strings.TrimPrefix(t.args[0], "-")) == name)
}

// runPidof prints the processes of a name, the newest first.
func runPidof(p *Process) int {
	opts, names, err := p.options("so:", nil)
	if err != nil {
		return p.Fail("%v", err)
	}
	omit, err := splitNumbers(opts.values('o'))
	if err != nil {
		return p.Fail("%v", err)
	}
	tasks, err := readTasks()
	if err != nil {
		return p.Fail("%v", err)
	}
	var found []string
	for _, t := range slices.Backward(tasks) {
		if slices.ContainsFunc(names, t.hasName) && t.pid != os.Getpid() && !slices.Contains(omit, t.pid) {
			found = append(found, strconv.Itoa(t.pid))
		}
	}
	if len(found) == 0 {
		return 1
	}
	if opts.has('s') {
		found = found[:1]
	}
	fmt.Fprintln(p.Stdout, strings.Join(found, " "))
	return 0
}

// runKillall sends a signal to all processes of a name.
func runKillall(p *Process) int {
	args, signal, err := takeSignal(p.Args)
	if err != nil {
		return p.Fail("%v", err)
	}
	opts, names, err := (&Process{Args: args}).options("qs:l", map[string]string{"quiet": "q", "signal": "s", "list": "l"})
	if err == nil && opts.has('s') {
		signal, err = parseSignal(opts.value('s'))
	}
	if err != nil {
		return p.Fail("%v", err)
	}
	if opts.has('l') {
		return p.listSignals(nil)
	}
	if len(names) == 0 {
		return p.Fail("usage: killall [-SIGNAL] NAME…")
	}
	tasks, err := readTasks()
	if err != nil {
		return p.Fail("%v", err)
	}
	code := 0
	for _, name := range names {
		found := false
		for _, t := range tasks {
			if !t.hasName(name) || t.pid == os.Getpid() {
				continue
			}
			found = true
			if err := syscall.Kill(t.pid, signal); err != nil {
				code = p.Fail("%s(%d): %s", name, t.pid, causeText(err))
			}
		}
		if !found && !opts.has('q') {
			code = p.Fail("%s: no process found", name)
		} else if !found {
			code = 1
		}
	}
	return code
}
