package userland

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// psColumn is a column that ps can show: the names it goes by in -o, and how a process's value is found.
type psColumn struct {
	names  string // separated by spaces
	header string
	width  int // 0: as wide as the largest pid
	right  bool
	cut    bool // cut a longer value where another column follows
	value  func(t *task, v *psView) string
}

// shownColumn is a column as it was asked for: -o pid=ID renames it.
type shownColumn struct{ psColumn }

// psColumns is the table of all columns. Functions that print a number are right-aligned, as in procps.
var psColumns = []psColumn{
	{names: "pid tgid", header: "PID", right: true, value: func(t *task, _ *psView) string { return strconv.Itoa(t.pid) }},
	{names: "ppid", header: "PPID", right: true, value: func(t *task, _ *psView) string { return strconv.Itoa(t.ppid) }},
	{names: "pgid pgrp", header: "PGID", right: true, value: func(t *task, _ *psView) string { return strconv.Itoa(t.pgrp) }},
	{names: "sid sess session", header: "SID", right: true, value: func(t *task, _ *psView) string { return strconv.Itoa(t.session) }},
	{names: "tpgid", header: "TPGID", right: true, value: func(t *task, _ *psView) string { return strconv.Itoa(t.foreground) }},
	{names: "user euser uname", header: "USER", width: 8, value: func(t *task, v *psView) string { return shortName(v.users.name(t.uid)) }},
	{names: "ruser", header: "RUSER", width: 8, value: func(t *task, v *psView) string { return shortName(v.users.name(t.realUID)) }},
	{names: "uid_name", header: "UID", width: 8, value: func(t *task, v *psView) string { return shortName(v.users.name(t.uid)) }},
	{names: "group egroup", header: "GROUP", width: 8, value: func(t *task, v *psView) string { return shortName(v.groups.name(t.gid)) }},
	{names: "uid euid", header: "UID", width: 5, right: true, value: func(t *task, _ *psView) string { return strconv.Itoa(t.uid) }},
	{names: "ruid", header: "RUID", width: 5, right: true, value: func(t *task, _ *psView) string { return strconv.Itoa(t.realUID) }},
	{names: "gid egid", header: "GID", width: 5, right: true, value: func(t *task, _ *psView) string { return strconv.Itoa(t.gid) }},
	{names: "comm ucomm ucmd", header: "COMMAND", width: 15, cut: true, value: func(t *task, v *psView) string { return v.treeMarkers[t.pid] + t.shortCommand() }},
	{names: "cmd_short", header: "CMD", width: 15, cut: true, value: func(t *task, v *psView) string { return v.treeMarkers[t.pid] + t.shortCommand() }},
	{names: "args command", header: "COMMAND", width: 27, cut: true, value: func(t *task, v *psView) string { return v.treeMarkers[t.pid] + t.commandLine() }},
	{names: "cmd", header: "CMD", width: 27, cut: true, value: func(t *task, v *psView) string { return v.treeMarkers[t.pid] + t.commandLine() }},
	{names: "stat", header: "STAT", width: 4, value: func(t *task, _ *psView) string { return t.stateFlags() }},
	{names: "s state", header: "S", width: 1, value: func(t *task, _ *psView) string { return string(t.state) }},
	{names: "f flags flag", header: "F", width: 1, right: true, value: func(t *task, _ *psView) string { return fmt.Sprintf("%o", t.flags>>6&7) }},
	{names: "tty tname tt", header: "TTY", width: 8, value: func(t *task, _ *psView) string { return t.terminal() }},
	{names: "time cputime", header: "TIME", width: 8, right: true, value: func(t *task, _ *psView) string { return longTime(t.cpuTime()) }},
	{names: "bsdtime", header: "TIME", width: 6, right: true, value: func(t *task, _ *psView) string { return minuteTime(t.cpuTime()) }},
	{names: "etime", header: "ELAPSED", width: 11, right: true, value: func(t *task, v *psView) string { return elapsedTime(t.age(v.boot)) }},
	{names: "etimes", header: "ELAPSED", width: 7, right: true, value: func(t *task, v *psView) string { return strconv.Itoa(int(t.age(v.boot).Seconds())) }},
	{names: "stime", header: "STIME", width: 5, value: func(t *task, v *psView) string { return startTime(v.started(t), v.now) }},
	{names: "start_time bsdstart", header: "START", width: 5, value: func(t *task, v *psView) string { return startTime(v.started(t), v.now) }},
	{names: "start", header: "STARTED", width: 8, right: true, value: func(t *task, v *psView) string { return v.started(t).Format("15:04:05") }},
	{names: "lstart", header: "STARTED", width: 24, right: true, value: func(t *task, v *psView) string { return v.started(t).Format(time.ANSIC) }},
	{names: "c", header: "C", width: 2, right: true, value: func(t *task, v *psView) string { return strconv.Itoa(min(99, int(v.cpuShare(t)))) }},
	{names: "pcpu %cpu", header: "%CPU", width: 4, right: true, value: func(t *task, v *psView) string { return percent(v.cpuShare(t)) }},
	{names: "pmem %mem", header: "%MEM", width: 4, right: true, value: func(t *task, v *psView) string { return percent(v.memoryShare(t)) }},
	{names: "vsz vsize", header: "VSZ", width: 6, right: true, value: func(t *task, _ *psView) string { return strconv.FormatUint(t.virtualBytes/1024, 10) }},
	{names: "rss rssize rsz", header: "RSS", width: 5, right: true, value: func(t *task, v *psView) string { return strconv.FormatInt(t.residentPages*v.pageKB, 10) }},
	{names: "sz", header: "SZ", width: 5, right: true, value: func(t *task, v *psView) string { return v.pages(t) }},
	{names: "addr_sz", header: "ADDR SZ", width: 7, right: true, value: func(t *task, v *psView) string { return fmt.Sprintf("- %5s", v.pages(t)) }},
	{names: "pri", header: "PRI", width: 3, right: true, value: func(t *task, _ *psView) string { return strconv.Itoa(39 - t.priority) }},
	{names: "opri", header: "PRI", width: 3, right: true, value: func(t *task, _ *psView) string { return strconv.Itoa(60 + t.priority) }},
	{names: "priority", header: "PRI", width: 3, right: true, value: func(t *task, _ *psView) string { return strconv.Itoa(t.priority) }},
	{names: "ni nice", header: "NI", width: 3, right: true, value: func(t *task, _ *psView) string { return t.niceness() }},
	{names: "nlwp thcount", header: "NLWP", width: 4, right: true, value: func(t *task, _ *psView) string { return strconv.Itoa(t.threads) }},
	{names: "psr", header: "PSR", width: 3, right: true, value: func(t *task, _ *psView) string { return strconv.Itoa(t.processor) }},
	{names: "wchan", header: "WCHAN", width: 6, cut: true, value: func(t *task, _ *psView) string { return t.waitsIn() }},
	{names: "cgroup", header: "CGROUP", width: 27, cut: true, value: func(t *task, _ *psView) string { return t.cgroups() }},
	{names: "pidns", header: "PIDNS", width: 10, right: true, value: func(t *task, _ *psView) string { return t.namespace("pid") }},
	{names: "netns", header: "NETNS", width: 10, right: true, value: func(t *task, _ *psView) string { return t.namespace("net") }},
	{names: "mntns", header: "MNTNS", width: 10, right: true, value: func(t *task, _ *psView) string { return t.namespace("mnt") }},
	{names: "utsns", header: "UTSNS", width: 10, right: true, value: func(t *task, _ *psView) string { return t.namespace("uts") }},
	{names: "ipcns", header: "IPCNS", width: 10, right: true, value: func(t *task, _ *psView) string { return t.namespace("ipc") }},
	{names: "userns", header: "USERNS", width: 10, right: true, value: func(t *task, _ *psView) string { return t.namespace("user") }},
	{names: "cgroupns", header: "CGROUPNS", width: 10, right: true, value: func(t *task, _ *psView) string { return t.namespace("cgroup") }},
}

func findPSColumn(name string) (shownColumn, bool) {
	for _, c := range psColumns {
		for alias := range strings.SplitSeq(c.names, " ") {
			if alias != name {
				continue
			}
			if c.width == 0 {
				c.width = pidWidth()
			}
			c.width = max(c.width, len(c.header))
			return shownColumn{c}, true
		}
	}
	return shownColumn{}, false
}

// shortName fits a user's name into eight places, as procps does: systemd-network is systemd+.
func shortName(name string) string {
	if len(name) > 8 {
		return name[:7] + "+"
	}
	return name
}

func (t *task) shortCommand() string {
	if t.state == 'Z' {
		return printable(t.comm) + " <defunct>"
	}
	return printable(t.comm)
}

// niceness is "-" for real-time processes, which have none.
func (t *task) niceness() string {
	if t.policy == unix.SCHED_FIFO || t.policy == unix.SCHED_RR {
		return "-"
	}
	return strconv.Itoa(t.nice)
}

// longTime is 00:01:02, with days before it where there are any.
func longTime(d time.Duration) string {
	s := int(d.Seconds())
	text := fmt.Sprintf("%02d:%02d:%02d", s/3600%24, s/60%60, s%60)
	if days := s / 86400; days > 0 {
		return fmt.Sprintf("%d-%s", days, text)
	}
	return text
}

// minuteTime is 1:02, however many minutes.
func minuteTime(d time.Duration) string {
	s := int(d.Seconds())
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// elapsedTime leaves out the hours where there are none: 01:02.
func elapsedTime(d time.Duration) string {
	if d < time.Hour {
		return longTime(d)[3:]
	}
	return longTime(d)
}

// startTime is the hour for today, the day for this year, else the year.
func startTime(start, now time.Time) string {
	switch {
	case start.Year() != now.Year():
		return start.Format("2006")
	case start.YearDay() != now.YearDay():
		return start.Format("Jan02")
	}
	return start.Format("15:04")
}

// percent fits a share into four places.
func percent(share float64) string {
	if share > 99.9 {
		return strconv.Itoa(int(share))
	}
	return fmt.Sprintf("%.1f", float64(int(share*10))/10)
}

func (v *psView) memoryShare(t *task) float64 {
	if v.totalKB == 0 {
		return 0
	}
	return float64(t.residentPages*v.pageKB) * 100 / float64(v.totalKB)
}

func (v *psView) pages(t *task) string {
	return strconv.FormatUint(t.virtualBytes/1024/uint64(v.pageKB), 10)
}

// waitsIn is the kernel function the process sleeps in, "-" when it runs or the kernel does not tell.
func (t *task) waitsIn() string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/wchan", t.pid))
	if err != nil || len(name) == 0 || string(name) == "0" {
		return "-"
	}
	return string(name)
}

func (t *task) cgroups() string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", t.pid))
	if err != nil || len(text) == 0 {
		return "-"
	}
	return strings.Join(strings.Split(strings.TrimSpace(string(text)), "\n"), ",")
}

// namespace is the inode number that names one of the process's namespaces.
func (t *task) namespace(kind string) string {
	inode, err := namespaceInode(t.pid, kind)
	if err != nil {
		return "-"
	}
	return strconv.FormatUint(inode, 10)
}
