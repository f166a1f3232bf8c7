package userland

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// task is one process as /proc/PID/stat, status and cmdline tell of it: see proc(5). It is what ps, top, pgrep and their
// like print and choose from.
type task struct {
	pid, ppid, pgrp, session int
	comm                     string // the file name that was executed, cut to 15 bytes by the kernel
	state                    byte   // R running, S sleeping, D waiting for the disk, T stopped, Z zombie, I idle kernel thread
	tty                      int    // device number of the controlling terminal, 0 for none
	foreground               int    // the terminal's foreground process group, -1 for none
	flags                    uint64
	userTicks, systemTicks   uint64 // time on a CPU, in clock ticks
	priority, nice, threads  int
	startTicks               uint64 // ticks from boot to the start
	virtualBytes             uint64
	residentPages            int64
	sharedPages              int64
	processor, policy        int
	uid, gid                 int // effective
	realUID, realGID         int
	lockedKB                 int
	args                     []string // empty for kernel threads and zombies
}

// clockTicks is USER_HZ, in which the kernel counts CPU time in /proc. It is 100 on all of Go's Linux platforms.
const clockTicks = 100

// readTasks reads every process that is visible in /proc, by ascending pid. Those that end meanwhile are left out.
func readTasks() ([]*task, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var tasks []*task
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if t, err := readTask(pid); err == nil {
			tasks = append(tasks, t)
		}
	}
	if len(tasks) == 0 {
		return nil, fmt.Errorf("no process to be seen: is /proc mounted? (mount -t proc proc /proc)")
	}
	sort.Slice(tasks, func(i, j int) bool { return tasks[i].pid < tasks[j].pid })
	return tasks, nil
}

func readTask(pid int) (*task, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return nil, err
	}
	t, err := parseStat(string(stat))
	if err != nil {
		return nil, err
	}
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return nil, err
	}
	t.takeStatus(string(status))
	if statm, err := os.ReadFile(dir + "/statm"); err == nil {
		if fields := strings.Fields(string(statm)); len(fields) > 2 {
			t.sharedPages, _ = strconv.ParseInt(fields[2], 10, 64)
		}
	}
	cmdline, _ := os.ReadFile(dir + "/cmdline")
	if line := strings.TrimRight(string(cmdline), "\x00"); line != "" {
		t.args = strings.Split(line, "\x00")
	}
	return t, nil
}

// parseStat takes apart a line of /proc/PID/stat. The name stands in parentheses and may contain spaces and parentheses
// itself, so the last one counts.
func parseStat(line string) (*task, error) {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return nil, fmt.Errorf("unexpected form of stat: %q", line)
	}
	fields := strings.Fields(line[end+1:])
	if len(fields) < 39 {
		return nil, fmt.Errorf("stat has only %d fields", len(fields))
	}
	number := func(field int) int { // numbered as in proc_pid_stat(5): the state is 3
		n, _ := strconv.Atoi(fields[field-3])
		return n
	}
	t := &task{
		comm:  line[open+1 : end],
		state: fields[0][0],
		ppid:  number(4), pgrp: number(5), session: number(6), tty: number(7), foreground: number(8),
		flags:     uint64(number(9)),
		userTicks: uint64(number(14)), systemTicks: uint64(number(15)),
		priority: number(18), nice: number(19), threads: number(20),
		startTicks:    uint64(number(22)),
		virtualBytes:  uint64(number(23)),
		residentPages: int64(number(24)),
		processor:     number(39), policy: number(41),
	}
	t.pid, _ = strconv.Atoi(strings.TrimSpace(line[:open]))
	return t, nil
}

// takeStatus adds what /proc/PID/status alone knows.
func (t *task) takeStatus(status string) {
	for line := range strings.Lines(status) {
		key, value, _ := strings.Cut(line, ":")
		fields := strings.Fields(value)
		switch {
		case key == "Uid" && len(fields) > 1:
			t.realUID, _ = strconv.Atoi(fields[0])
			t.uid, _ = strconv.Atoi(fields[1])
		case key == "Gid" && len(fields) > 1:
			t.realGID, _ = strconv.Atoi(fields[0])
			t.gid, _ = strconv.Atoi(fields[1])
		case key == "VmLck" && len(fields) > 0:
			t.lockedKB, _ = strconv.Atoi(fields[0])
		}
	}
}

// commandLine is what was typed, or the name in brackets where that is not known, as for kernel threads.
func (t *task) commandLine() string {
	switch {
	case t.state == 'Z':
		return "[" + t.comm + "] <defunct>"
	case len(t.args) == 0:
		return "[" + t.comm + "]"
	}
	return printable(strings.Join(t.args, " "))
}

// printable keeps a hostile command line from moving the reader's cursor.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}

// terminal is the name ps prints for the controlling terminal: pts/0, tty1, or ? for none.
func (t *task) terminal() string {
	if t.tty == 0 {
		return "?"
	}
	major, minor := unix.Major(uint64(t.tty)), unix.Minor(uint64(t.tty))
	switch {
	case major >= 136 && major <= 143: // the pseudo terminals
		return fmt.Sprintf("pts/%d", (major-136)*256+minor)
	case major == 4 && minor < 64:
		return fmt.Sprintf("tty%d", minor)
	case major == 4:
		return fmt.Sprintf("ttyS%d", minor-64)
	case major == 229:
		return fmt.Sprintf("hvc%d", minor)
	}
	return fmt.Sprintf("%d,%d", major, minor)
}

// stateFlags is the state with what BSD's ps adds to it: < high priority, N low, L locked memory, s leads its session,
// l has threads, + belongs to the terminal's foreground.
func (t *task) stateFlags() string {
	s := string(t.state)
	if t.nice < 0 {
		s += "<"
	}
	if t.nice > 0 {
		s += "N"
	}
	if t.lockedKB > 0 {
		s += "L"
	}
	if t.session == t.pid {
		s += "s"
	}
	if t.threads > 1 {
		s += "l"
	}
	if t.foreground == t.pgrp {
		s += "+"
	}
	return s
}

// cpuTime is what the process has used of all CPUs.
func (t *task) cpuTime() time.Duration {
	return ticksToDuration(t.userTicks + t.systemTicks)
}

func ticksToDuration(ticks uint64) time.Duration {
	return time.Duration(ticks) * (time.Second / clockTicks)
}

// sinceBoot is the clock that startTicks is measured on. It may differ from /proc/uptime in a time namespace.
func sinceBoot() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return 0
	}
	return time.Duration(now.Nano())
}

// age is how long ago the process started, given the time since boot.
func (t *task) age(boot time.Duration) time.Duration {
	return max(0, boot-ticksToDuration(t.startTicks))
}

// pidWidth is how many digits the largest pid can have.
func pidWidth() int {
	limit, err := readNumber("/proc/sys/kernel/pid_max")
	if err != nil {
		return 5
	}
	return max(5, len(strconv.Itoa(limit-1)))
}

// readNumber reads a file of /proc or /sys that holds one number.
func readNumber(path string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}
