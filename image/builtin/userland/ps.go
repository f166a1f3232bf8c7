package userland

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// psRequest is what a command line asks ps for: which processes, which columns, how arranged.
type psRequest struct {
	columns []shownColumn
	choose  func(t *task) bool
	sortBy  []string
	forest  bool
	headers bool
	width   int // of the terminal, 0 for no limit
}

// runPS lists processes. It understands the three dialects that procps does: ps -ef, ps aux, ps --ppid 1.
func runPS(p *Process) int {
	request, err := p.parsePS()
	if err != nil {
		return p.Fail("%v", err)
	}
	tasks, err := readTasks()
	if err != nil {
		return p.Fail("%v", err)
	}
	tasks = slices.DeleteFunc(tasks, func(t *task) bool { return !request.choose(t) })
	view := newPSView()
	if err := sortTasks(tasks, request.sortBy, view); err != nil {
		return p.Fail("%v", err)
	}
	if request.forest {
		tasks = view.arrangeForest(tasks)
	}
	out := bufio.NewWriter(p.Stdout)
	defer out.Flush()
	request.print(out, tasks, view)
	if len(tasks) == 0 {
		return 1
	}
	return 0
}

// print writes the table. A value that is too wide pushes the following ones to the right only until there is a gap to
// absorb it, so that one long number does not spoil the rest of its line.
func (r *psRequest) print(out io.Writer, tasks []*task, view *psView) {
	row := func(cell func(c shownColumn) string) {
		var line strings.Builder
		end := 0 // where the current column should end
		for i, c := range r.columns {
			if i > 0 {
				line.WriteByte(' ')
				end++
			}
			end += c.width
			text, room := cell(c), end-line.Len()
			last := i == len(r.columns)-1
			switch {
			case c.right:
				fmt.Fprintf(&line, "%*s", max(room, 0), text)
			case last:
				line.WriteString(text)
			case c.cut && len(text) > c.width:
				line.WriteString(text[:c.width])
			default:
				fmt.Fprintf(&line, "%-*s", max(room, 0), text)
			}
		}
		text := line.String()
		if r.width > 0 && len(text) > r.width {
			text = text[:r.width]
		}
		fmt.Fprintln(out, text)
	}
	if r.headers && slices.ContainsFunc(r.columns, func(c shownColumn) bool { return c.header != "" }) {
		row(func(c shownColumn) string { return c.header })
	}
	for _, t := range tasks {
		row(func(c shownColumn) string { return c.value(t, view) })
	}
}

// sortTasks orders by the keys of --sort: column names, descending with a minus in front.
func sortTasks(tasks []*task, keys []string, view *psView) error {
	for _, key := range slices.Backward(keys) {
		name := strings.TrimLeft(key, "+-")
		column, ok := findPSColumn(name)
		if !ok {
			return fmt.Errorf("unknown sort specifier %q", name)
		}
		slices.SortStableFunc(tasks, func(a, b *task) int {
			order := compareCells(column.value(a, view), column.value(b, view))
			if strings.HasPrefix(key, "-") {
				return -order
			}
			return order
		})
	}
	return nil
}

// compareCells compares as numbers what are numbers.
func compareCells(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	switch {
	case errX != nil || errY != nil:
		return strings.Compare(a, b)
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// psView is what the columns need to know besides the process.
type psView struct {
	boot        time.Duration // since boot
	now         time.Time
	pageKB      int64
	totalKB     uint64
	users       accounts
	groups      accounts
	treeMarkers map[int]string // what stands before a command in a forest, by pid
}

func newPSView() *psView {
	memory, _ := readMeminfo()
	return &psView{
		boot:    sinceBoot(),
		now:     time.Now(),
		pageKB:  int64(os.Getpagesize() / 1024),
		totalKB: memory["MemTotal"],
		users:   accounts{file: "/etc/passwd"},
		groups:  accounts{file: "/etc/group"},
	}
}

// started is the wall-clock time at which the process began.
func (v *psView) started(t *task) time.Time { return v.now.Add(-t.age(v.boot)) }

// cpuShare is the CPU time used, in percent of the process's age.
func (v *psView) cpuShare(t *task) float64 {
	age := t.age(v.boot).Seconds()
	if age <= 0 {
		return 0
	}
	return t.cpuTime().Seconds() * 100 / age
}

// arrangeForest puts children below their parents, and notes the branches to draw before their names.
func (v *psView) arrangeForest(tasks []*task) []*task {
	present := map[int]bool{}
	children := map[int][]*task{}
	for _, t := range tasks {
		present[t.pid] = true
	}
	for _, t := range tasks {
		parent := t.ppid
		if !present[parent] {
			parent = 0
		}
		children[parent] = append(children[parent], t)
	}
	v.treeMarkers = map[int]string{}
	var ordered []*task
	var visit func(parent int, indent string)
	visit = func(parent int, indent string) {
		for i, t := range children[parent] {
			ordered = append(ordered, t)
			below := indent
			if parent != 0 {
				v.treeMarkers[t.pid] = indent + ` \_ `
				below = indent + " |  "
				if i == len(children[parent])-1 {
					below = indent + "    "
				}
			}
			visit(t.pid, below)
		}
	}
	visit(0, "")
	return ordered
}
