package testscripts

import (
	"slices"
	"strings"
)

// process is a process of the trace, with all its threads.
type process struct {
	pid    int
	parent *process // who cloned it; a CLONE_PARENT child too
	role   string   // client, monitor or container, as --explain calls them; "" for what is not sandbox
	order  int      // the command that it belongs to: 1 for the first that was traced with --explain
	gone   int      // the line of the execve from which on it is the container's own program; 0: never
}

// tree finds the processes of a trace, and which of them belong to which command with --explain:
//
//	client      executed `sandbox … --explain=json …`
//	monitor     cloned by a client, executed sandbox-monitor
//	container   cloned by a client (exec) or a monitor (run), until it has executed its program
//
// What descends from that program is nobody's.
type tree struct {
	trace     *trace
	processes map[int]*process // by thread
	clients   []*process       // in the order in which they were executed
}

func newTree(t *trace) *tree {
	w := &tree{trace: t, processes: map[int]*process{}}
	parents := w.parents()
	var find func(pid int) *process
	find = func(pid int) *process {
		if p := w.processes[pid]; p != nil {
			return p
		}
		p := &process{pid: pid}
		w.processes[pid] = p
		if c, ok := parents[pid]; ok {
			p.parent = find(c.pid)
			if strings.Contains(strings.Join(c.args, ","), "CLONE_THREAD") {
				w.processes[pid] = p.parent
			}
		}
		return w.processes[pid]
	}
	for _, c := range t.calls {
		find(c.pid)
	}
	w.findClients()
	for _, p := range w.processes {
		w.assign(p)
	}
	return w
}

// parents tells for each thread which call has made it.
func (w *tree) parents() map[int]traced {
	parents := map[int]traced{}
	for _, c := range w.trace.calls {
		if n, ok := number(c.result); ok && c.errno == "" && slices.Contains([]string{"clone", "clone3", "vfork", "fork"}, c.name) {
			parents[n] = c
		}
	}
	return parents
}

// findClients goes by what was executed.
func (w *tree) findClients() {
	for _, c := range w.trace.calls {
		if c.name != "execve" || c.errno != "" {
			continue
		}
		switch p := w.processes[c.pid]; {
		case strings.Contains(c.args[1], `"--explain=json"`):
			w.clients = append(w.clients, p)
			p.role, p.order = "client", len(w.clients)
		case c.args[1] == `["sandbox-monitor"]`:
			p.role = "monitor"
		case p.gone == 0:
			p.gone = c.end
		}
	}
}

// assign gives a process its command and its role.
func (w *tree) assign(p *process) {
	if p.order != 0 || p.parent == nil {
		return
	}
	w.assign(p.parent)
	if p.parent.order == 0 || p.parent.role == "container" && p.parent.gone != 0 {
		p.role = ""
		return
	}
	p.order = p.parent.order
	if p.role == "" {
		p.role = "container"
	}
}

// callsOf are the calls of one command, each with its role. With detached set those of its monitor end with the client:
// nobody hears of the rest.
func (w *tree) callsOf(order int, detached bool) []*made {
	client := w.clients[order-1]
	begun := false
	var list []*made
	for i := range w.trace.calls {
		c := &w.trace.calls[i]
		p := w.processes[c.pid]
		switch {
		case p.order != order, p.role == "container" && p.gone != 0 && c.end > p.gone:
			continue
		case p.role == "monitor" && detached && c.end > w.trace.exits[client.pid]:
			continue
		case !begun && p == client:
			begun = c.name == "execve" && c.errno == ""
			continue // the execve of the client is that of who called it
		}
		list = append(list, newMade(c, p))
	}
	return list
}
