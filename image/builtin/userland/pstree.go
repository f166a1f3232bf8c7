package userland

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// runPstree draws who started whom. Single processes of the same name are folded together, 3*[sleep], unless their
// numbers are asked for with -p. Threads are left out.
func runPstree(p *Process) int {
	opts, words, err := p.options("pT", map[string]string{"show-pids": "p", "hide-threads": "T"})
	if err != nil {
		return p.Fail("%v", err)
	}
	tasks, err := readTasks()
	if err != nil {
		return p.Fail("%v", err)
	}
	root := tasks[0].pid // they are in order: this is pid 1
	if len(words) > 0 {
		if root, err = strconv.Atoi(words[0]); err != nil {
			return p.Fail("not a process number: %q", words[0])
		}
	}
	children := map[int][]*task{}
	slices.SortStableFunc(tasks, func(a, b *task) int { return strings.Compare(a.comm, b.comm) })
	for _, t := range tasks {
		children[t.ppid] = append(children[t.ppid], t)
	}
	for _, t := range tasks {
		if t.pid == root {
			fmt.Fprintln(p.Stdout, strings.Join(processTree(t, children, opts.has('p')), "\n"))
			return 0
		}
	}
	return p.Fail("no such process: %d", root)
}

// processTree is the drawing of a process and all below it, as lines.
func processTree(t *task, children map[int][]*task, pids bool) []string {
	label := printable(t.comm)
	if pids {
		label += fmt.Sprintf("(%d)", t.pid)
	}
	var below [][]string
	for _, child := range children[t.pid] {
		below = append(below, processTree(child, children, pids))
	}
	below = foldTwins(below)
	if len(below) == 0 {
		return []string{label}
	}
	var lines []string
	indent := strings.Repeat(" ", len(label))
	for i, block := range below {
		start, branch, beside := indent, " |-", " | "
		switch {
		case len(below) == 1:
			start, branch, beside = label, "---", "   "
		case i == 0:
			start, branch = label, "-+-"
		case i == len(below)-1:
			branch, beside = " `-", "   "
		}
		for j, line := range block {
			if j == 0 {
				lines = append(lines, start+branch+line)
			} else {
				lines = append(lines, indent+beside+line)
			}
		}
	}
	return lines
}

// foldTwins replaces equal leaves that stand side by side by one.
func foldTwins(blocks [][]string) [][]string {
	var folded [][]string
	for i := 0; i < len(blocks); {
		end := i + 1
		for len(blocks[i]) == 1 && end < len(blocks) && slices.Equal(blocks[i], blocks[end]) {
			end++
		}
		block := blocks[i]
		if end-i > 1 {
			block = []string{fmt.Sprintf("%d*[%s]", end-i, block[0])}
		}
		folded = append(folded, block)
		i = end
	}
	return folded
}
