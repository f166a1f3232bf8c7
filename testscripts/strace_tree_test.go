package testscripts

import (
	"slices"
	"strings"
)

// process is a process of sandbox in a trace, with all its threads.
type process struct {
	pid  int
	role string // client, monitor or container, as --explain calls them
	born int    // the line of a client's execve
	gone int    // the line of the execve from which on it is the container's own program; 0: never
}

// command is one command with --explain in a trace, and the processes that it has made:
//
//	client      executed `sandbox … --explain=json …`
//	monitor     cloned by the client, executed sandbox-monitor
//	container   cloned by the client (exec) or the monitor (run), until it has executed its program
//
// What that program does is nobody's: it is not followed. (Nor could it be: the pids that its calls return are those of
// its own namespace.)
type command struct {
	trace   *trace
	client  *process
	threads map[int]*process
	since   map[int]int // the line on which a thread was cloned: its number may have been another's before
}

// commandsOf finds the commands with --explain, in the order in which they were executed.
func commandsOf(t *trace) []*command {
	byThread := map[int][]traced{}
	for _, c := range t.calls {
		byThread[c.pid] = append(byThread[c.pid], c)
	}
	var list []*command
	for _, c := range t.calls {
		if c.name == "execve" && c.errno == "" && strings.Contains(c.args[1], `"--explain=json"`) {
			command := &command{trace: t, client: &process{pid: c.pid, role: "client", born: c.end}, threads: map[int]*process{}, since: map[int]int{}}
			command.follow(byThread, c.pid, command.client, c.end)
			list = append(list, command)
		}
	}
	return list
}

// follow takes a thread of a process into the command, and all threads and processes that it clones.
func (w *command) follow(byThread map[int][]traced, thread int, p *process, since int) {
	w.threads[thread], w.since[thread] = p, since
	for _, c := range byThread[thread] {
		switch {
		case c.errno != "" || c.end <= p.born || c.begin < since:
			continue
		case c.name == "execve" && c.args[1] == `["sandbox-monitor"]`:
			p.role = "monitor"
		case c.name == "execve":
			p.gone = c.end
			return
		case slices.Contains([]string{"clone", "clone3", "fork", "vfork"}, c.name):
			child := &process{role: "container"}
			child.pid, _ = number(c.result)
			if strings.Contains(strings.Join(c.args, ","), "CLONE_THREAD") {
				w.follow(byThread, child.pid, p, c.begin)
			} else {
				w.follow(byThread, child.pid, child, c.begin)
			}
		}
	}
}

// calls are those of the command's processes, in the order of the trace. With detached set those of its monitor end with
// the client: nobody hears of the rest.
func (w *command) calls(detached bool) []*made {
	var list []*made
	for i := range w.trace.calls {
		c := &w.trace.calls[i]
		p := w.threads[c.pid]
		switch {
		case p == nil, c.end <= p.born, c.begin < w.since[c.pid], p.gone != 0 && c.end > p.gone:
			continue
		case p.role == "monitor" && detached && c.end > w.trace.exits[w.client.pid]:
			continue
		}
		list = append(list, newMade(c, p))
	}
	return list
}
