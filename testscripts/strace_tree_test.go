package testscripts

import (
	"path"
	"slices"
	"strconv"
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
//	network     cloned by the monitor, until it has executed pasta or slirp4netns
//
// What that program does is nobody's: it is not followed. (Nor could it be: the pids that its calls return are those of
// its own namespace.)
type command struct {
	trace   *trace
	client  *process
	threads map[int]thread
}

// thread is a number in a trace, for as long as it is that of one thread: it may have been another's before, and may be
// given away again.
type thread struct {
	of           *process
	since, until int // lines: from the one on which it was cloned up to the one on which it ended
}

// commandsOf finds the commands with --explain, in the order in which they were executed.
func commandsOf(t *trace) []*command {
	t.adopt()
	byThread := map[int][]traced{}
	for _, c := range t.calls {
		byThread[c.pid] = append(byThread[c.pid], c)
	}
	var list []*command
	for _, c := range t.calls {
		if c.name == "execve" && c.errno == "" && strings.Contains(c.args[1], `"--explain=json"`) {
			command := &command{trace: t, client: &process{pid: c.pid, role: "client", born: c.end}, threads: map[int]thread{}}
			command.follow(byThread, c.pid, command.client, c.end)
			list = append(list, command)
		}
	}
	return list
}

// adopt completes the clones whose outcome strace has not seen: while a thread was on its way back from one, another thread
// of its process ended them all. The new thread may have run all the same. It is then the one that no other clone has returned.
func (t *trace) adopt() {
	known := map[int]bool{}
	for _, c := range t.calls {
		if n, ok := number(c.result); ok && c.clones() {
			known[n] = true
		}
	}
	var unseen []*traced // clones without an outcome, the last one last
	for i := range t.calls {
		c := &t.calls[i]
		if c.clones() && c.result == "?" && c.errno == "" {
			unseen = append(unseen, c)
		}
		if !known[c.pid] && len(unseen) > 0 && c.begin > unseen[len(unseen)-1].begin {
			unseen[len(unseen)-1].result, unseen[len(unseen)-1].adopted = strconv.Itoa(c.pid), true
			unseen = unseen[:len(unseen)-1]
		}
		known[c.pid] = true
	}
}

// clones tells whether the call makes a thread or a process.
func (c *traced) clones() bool {
	return slices.Contains([]string{"clone", "clone3", "fork", "vfork"}, c.name)
}

// follow takes a thread of a process into the command, and all threads and processes that it clones.
func (w *command) follow(byThread map[int][]traced, id int, p *process, since int) {
	until := w.trace.exit(id, since)
	w.threads[id] = thread{p, since, until}
	for _, c := range byThread[id] {
		switch {
		case c.errno != "" || c.end <= p.born || c.begin < since || c.begin > until:
			continue
		case c.name == "execve" && c.args[1] == `["sandbox-monitor"]`:
			p.role = "monitor"
		case c.name == "execve" || c.name == "execveat":
			if name := path.Base(unquote(c.args[0])); name == "pasta" || name == "slirp4netns" {
				p.role = "network"
			}
			p.gone = c.end
			return
		case c.clones():
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
		t := w.threads[c.pid]
		p := t.of
		switch {
		case p == nil, c.end <= p.born, c.begin < t.since, c.begin > t.until, p.gone != 0 && c.end > p.gone:
			continue
		case p.role == "monitor" && detached && c.end > w.trace.exit(w.client.pid, w.client.born):
			continue
		}
		list = append(list, newMade(c, p))
	}
	return list
}
