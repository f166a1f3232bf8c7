package chapter3

import (
	"fmt"
	"path"
	"strings"

	"sandbox/cgroup"
	"sandbox/kernel/container"
	"sandbox/labs/columns"
	"sandbox/labs/command"
)

// groupDrawing is the form that a group is shown in.
type groupDrawing struct {
	language string
	width    int // lines are cut there; 0: nowhere
	mode     cgroup.Mode
}

// sectionNames are the headings of controllers.
var sectionNames = map[string]string{"blkio": "block I/O", "io": "block I/O", "cgroup": "freezer"}

// group draws one container's group: under the heading of each controller with its directory, what is in use of what may be,
// and a line a file. If that is more lines than there is room for (0: any number), what is as usual is left out.
func (d groupDrawing) group(r *container.Record, files []cgroup.File, rows []*cgroupRow, before, now sample, room int) string {
	title := fmt.Sprintf("%s  %s  cgroup %s\n", r.PlainName(), r.Short(), d.mode)
	text := title + d.sections(files, rows, before, now, func(cgroup.File, *cgroupRow) bool { return true })
	if room == 0 || strings.Count(text, "\n") <= room {
		return text
	}
	hidden := 0
	text = d.sections(files, rows, before, now, func(f cgroup.File, row *cgroupRow) bool {
		show := f.Role == cgroup.InUse || f.Wanted != "" || f.Changed() || f.Name == "freezer.state" && f.Value != "THAWED"
		if !show {
			hidden++
		}
		return show
	})
	more := fmt.Sprintf(in(d.language, "  (and %d files more: --no-stream)", "  （还有 %d 个文件：--no-stream）"), hidden)
	return d.cut(strings.TrimSuffix(title, "\n")+more) + strings.ReplaceAll(text, "\n\n", "\n")
}

// sections draws those files that are to be shown.
func (d groupDrawing) sections(files []cgroup.File, rows []*cgroupRow, before, now sample, show func(cgroup.File, *cgroupRow) bool) string {
	var b strings.Builder
	cells := make([][]string, len(rows))
	for i, row := range rows {
		if show(files[i], row) {
			cells[i] = []string{row.File, oneLine(row), row.SetBy}
		}
	}
	widths := widthsOf(cells)
	last := ""
	for i, f := range files {
		if cells[i] == nil {
			continue
		}
		heading := f.Controller
		if name, ok := sectionNames[heading]; ok {
			heading = name
		}
		if dir := path.Dir(f.Path); dir+heading != last {
			fmt.Fprintln(&b, "\n"+d.cut(padded(heading, 9)+" "+dir))
			last = dir + heading
			if line := d.use(f.Controller, files, before, now); line != "" {
				fmt.Fprintln(&b, d.cut("  "+line))
			}
		}
		line := "  "
		for k, cell := range cells[i] {
			line += padded(cell, widths[k]) + "  "
		}
		fmt.Fprintln(&b, d.cut(line+rows[i].Meaning))
	}
	if d.mode == cgroup.V2 {
		fmt.Fprintln(&b, "\n"+d.cut(padded("devices", 9)+" "+in(d.language,
			"v2 has no file for them: a small program (eBPF) at the group judges, if root has made it: bpftool cgroup list",
			"v2 里没有文件：由挂在组上的一小段程序（eBPF）判断，由 root 建组时才有，用 bpftool cgroup list 查看")))
	}
	return b.String()
}

// widest is how wide a column of the table becomes at most.
const widest = 46

// oneLine is a file's value on one line, and what it means for people behind it.
func oneLine(row *cgroupRow) string {
	value := strings.ReplaceAll(strings.TrimSpace(row.Value), "\n", " · ")
	switch {
	case (strings.Contains(row.Value, "\n") || strings.Contains(row.Value, "=")) && row.Plain != "":
		return row.Plain
	case row.Plain != "":
		return value + " (" + row.Plain + ")"
	case value == "":
		return "-"
	}
	return columns.Cut(value, widest)
}

// use draws what a controller's group uses now, beside what it may.
func (d groupDrawing) use(controller string, files []cgroup.File, before, now sample) string {
	u := now.usage
	switch controller {
	case "memory":
		used, limit := amounts(files, "memory")
		if limit == 0 {
			return fmt.Sprintf("%s %s", command.BinarySize(used), in(d.language, "in use; no limit of its own", "已用，没有自己的上限"))
		}
		return fmt.Sprintf("%s %s / %s", gauge(float64(used)/float64(limit)), command.BinarySize(used), command.BinarySize(limit))
	case "pids":
		used, limit := amounts(files, "pids")
		if limit == 0 {
			return ""
		}
		return fmt.Sprintf("%s %d / %d", gauge(float64(used)/float64(limit)), used, limit)
	case "cpu":
		passed := now.at.Sub(before.at)
		if before.at.IsZero() || passed <= 0 || u.CPU < before.usage.CPU {
			return ""
		}
		share := float64(u.CPU-before.usage.CPU) / float64(passed)
		if may := cpuCeiling(files); may > 0 {
			return fmt.Sprintf("%s %.2f / %.4g CPU", gauge(share/may), share, may)
		}
		return fmt.Sprintf("%.2f CPU", share)
	}
	return ""
}

// amounts are a controller's usage and its ceiling; 0 if there is none.
func amounts(files []cgroup.File, controller string) (used, limit int64) {
	for _, f := range files {
		switch {
		case f.Controller != controller:
		case f.Role == cgroup.InUse:
			fmt.Sscan(f.Value, &used)
		case f.Role == cgroup.Ceiling && !f.NoLimit():
			fmt.Sscan(f.Value, &limit)
		}
	}
	return used, limit
}

// cpuCeiling is how many processors' time the group may use; 0: no limit.
func cpuCeiling(files []cgroup.File) float64 {
	var quota, period float64
	for _, f := range files {
		switch f.Name {
		case "cpu.cfs_quota_us":
			fmt.Sscan(f.Value, &quota)
		case "cpu.cfs_period_us":
			fmt.Sscan(f.Value, &period)
		case "cpu.max":
			fmt.Sscan(f.Value, &quota, &period) // "max" leaves both at zero
		}
	}
	if quota <= 0 || period <= 0 {
		return 0
	}
	return quota / period
}

// gaugeWidth is how many columns a gauge has.
const gaugeWidth = 20

// gauge is a bar in a frame: how full.
func gauge(share float64) string {
	n := int(min(max(share, 0), 1)*gaugeWidth*8 + 0.5)
	return "▕" + padded(strings.Repeat("█", n/8)+eighths[n%8], gaugeWidth) + "▏"
}

// drawTree draws the groups of all containers, one in the other.
func drawTree(parent string, nodes []cgroup.Node, names map[string]string, mode cgroup.Mode, language string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  cgroup %s\n", parent, mode)
	if len(nodes) == 0 {
		fmt.Fprintln(&b, in(language, "no container runs: the group is made with the first one", "没有在运行的容器：启动第一个容器时才建这个组"))
		return b.String()
	}
	var lines [][]string
	collect(&lines, nodes, "", names, language)
	widths := widthsOf(lines)
	for _, line := range lines {
		text := ""
		for i, cell := range line {
			text += padded(cell, widths[i]) + "  "
		}
		fmt.Fprintln(&b, strings.TrimRight(text, " "))
	}
	return b.String()
}

func collect(lines *[][]string, nodes []cgroup.Node, indent string, names map[string]string, language string) {
	for i, n := range nodes {
		branch, below := "├─ ", "│  "
		if i == len(nodes)-1 {
			branch, below = "└─ ", "   "
		}
		name := n.ID
		if len(n.ID) == 64 { // a container's, not one made inside
			owner := names[n.ID]
			if owner == "" {
				owner = in(language, "(of another --root)", "（属于别的 --root）")
			}
			name = n.ID[:12] + " " + owner
		}
		fill := ""
		if n.Usage.MemoryLimit > 0 {
			fill = gauge(float64(n.Usage.Memory) / float64(n.Usage.MemoryLimit))
		}
		*lines = append(*lines, []string{
			indent + branch + name, fill, ofLimit(n.Usage),
			fmt.Sprintf(in(language, "%d processes and threads", "%d 个进程和线程"), n.Usage.PIDs),
		})
		collect(lines, n.Inner, indent+below, names, language)
	}
}

func widthsOf(lines [][]string) []int {
	var widths []int
	for _, line := range lines {
		for i, cell := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columns.Of(cell))
		}
	}
	return widths
}

func padded(s string, width int) string { return s + strings.Repeat(" ", max(0, width-columns.Of(s))) }

func (d groupDrawing) cut(s string) string {
	s = strings.TrimRight(s, " ")
	if d.width == 0 {
		return s
	}
	return columns.Cut(s, d.width)
}
