package userland

import (
	"slices"
	"sort"
	"strconv"
)

// seenNamespace is a namespace with the processes that are in it.
type seenNamespace struct {
	inode uint64
	kind  string
	count int
	first *task // the lowest pid
}

// runLsns lists the namespaces that the visible processes are in.
func runLsns(p *Process) int {
	opts, words, err := p.options("t:p:nrl", map[string]string{"type": "t", "task": "p", "noheadings": "n", "raw": "r", "list": "l"})
	if err != nil {
		return p.Fail("%v", err)
	}
	tasks, err := readTasks()
	if err != nil {
		return p.Fail("%v", err)
	}
	found := collectNamespaces(tasks, opts.values('t'))
	if opts.has('p') {
		pid, err := strconv.Atoi(opts.value('p'))
		if err != nil {
			return p.Fail("not a process number: %q", opts.value('p'))
		}
		found = slices.DeleteFunc(found, func(n seenNamespace) bool {
			inode, err := namespaceInode(pid, n.kind)
			return err != nil || inode != n.inode
		})
	}
	if len(words) > 0 {
		found = slices.DeleteFunc(found, func(n seenNamespace) bool { return !slices.Contains(words, strconv.FormatUint(n.inode, 10)) })
	}
	users := accounts{file: "/etc/passwd"}
	rows := [][]string{{"NS", "TYPE", "NPROCS", "PID", "USER", "COMMAND"}}
	if opts.has('n') {
		rows = nil
	}
	for _, n := range found {
		rows = append(rows, []string{
			strconv.FormatUint(n.inode, 10), n.kind, strconv.Itoa(n.count), strconv.Itoa(n.first.pid), users.name(n.first.uid), n.first.program(),
		})
	}
	printColumns(p.Stdout, rows, 0, 2, 3)
	return 0
}

// program is the command line, without the brackets that ps puts around a kernel thread.
func (t *task) program() string {
	if len(t.args) == 0 {
		return t.comm
	}
	return t.commandLine()
}

// collectNamespaces counts who is where, ordered by inode. Those of other users' processes stay hidden from a user.
func collectNamespaces(tasks []*task, kinds []string) []seenNamespace {
	index := map[uint64]*seenNamespace{}
	for _, t := range tasks {
		for _, kind := range namespaceKinds {
			if len(kinds) > 0 && !slices.Contains(kinds, kind.name) {
				continue
			}
			inode, err := namespaceInode(t.pid, kind.name)
			if err != nil {
				continue
			}
			if index[inode] == nil {
				index[inode] = &seenNamespace{inode: inode, kind: kind.name, first: t}
			}
			index[inode].count++
		}
	}
	found := make([]seenNamespace, 0, len(index))
	for _, n := range index {
		found = append(found, *n)
	}
	sort.Slice(found, func(i, j int) bool { return found[i].inode < found[j].inode })
	return found
}
