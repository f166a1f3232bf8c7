package userland

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

const statLine = "4711 (a) (b c) S 1 4711 4700 34817 4712 4194560 1 2 3 4 250 150 0 0 20 5 3 0 90000 10485760 256 18446744073709551615 " +
	"1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0"

func TestParseStat(t *testing.T) {
	task, err := parseStat(statLine)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "comm", task.comm, "a) (b c") // as hostile as a name can be
	check(t, "pid, ppid, session, tty", fmt.Sprintln(task.pid, task.ppid, task.session, task.terminal()), "4711 1 4700 pts/1\n")
	check(t, "CPU time", task.cpuTime(), 4*time.Second)
	check(t, "flags", task.stateFlags(), "SNl")
	if _, err := parseStat("4711 nonsense"); err == nil {
		t.Error("a line without a name was accepted")
	}
}

// exampleView is a Monday noon, an hour and a half after boot.
func exampleView() *psView {
	return &psView{
		boot: 90 * time.Minute, now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), pageKB: 4, totalKB: 1 << 20,
		users: accounts{names: map[int]string{0: "root", 101: "systemd-network"}}, groups: accounts{names: map[int]string{}},
	}
}

func exampleTasks() []*task {
	return []*task{
		{pid: 1, comm: "sh", args: []string{"sh", "-c", "while :"}, state: 'S', session: 1, userTicks: 12000, startTicks: 100, residentPages: 300, virtualBytes: 4 << 20},
		{pid: 7, ppid: 1, comm: "sleep", args: []string{"sleep", "1"}, state: 'S', uid: 101, tty: 34816, startTicks: 500000, virtualBytes: 1 << 30},
		{pid: 8, ppid: 1, comm: "gone", state: 'Z', startTicks: 500000},
	}
}

func printedPS(t *testing.T, args ...string) string {
	t.Helper()
	request, err := (&Process{Args: append([]string{"ps"}, args...), Stdout: &bytes.Buffer{}}).parsePS()
	if err != nil {
		t.Fatal(err)
	}
	for i := range request.columns { // as on a machine with pids up to 32767, whatever this one has
		if request.columns[i].width == pidWidth() && request.columns[i].right && strings.HasSuffix(request.columns[i].header, "PID") {
			request.columns[i].width = 5
		}
	}
	view, tasks := exampleView(), exampleTasks()
	if request.forest {
		tasks = view.arrangeForest(tasks)
	}
	var out bytes.Buffer
	request.print(&out, tasks, view)
	return out.String()
}

func TestPSLayouts(t *testing.T) {
	check(t, "ps -ef", printedPS(t, "-ef"), ""+
		"UID        PID  PPID  C STIME TTY          TIME CMD\n"+
		"root         1     0  2 10:30 ?        00:02:00 sh -c while :\n"+
		"systemd+     7     1  0 11:53 pts/0    00:00:00 sleep 1\n"+
		"root         8     1  0 11:53 ?        00:00:00 [gone] <defunct>\n")
	check(t, "ps aux", printedPS(t, "aux"), ""+
		"USER       PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n"+
		"root         1  2.2  0.1   4096  1200 ?        Ss+  10:30   2:00 sh -c while :\n"+
		"systemd+     7  0.0  0.0 1048576    0 pts/0    S+   11:53   0:00 sleep 1\n"+
		"root         8  0.0  0.0      0     0 ?        Z+   11:53   0:00 [gone] <defunct>\n")
	check(t, "ps axf", printedPS(t, "axf"), ""+
		"  PID TTY      STAT   TIME COMMAND\n"+
		"    1 ?        Ss+    2:00 sh -c while :\n"+
		"    7 pts/0    S+     0:00  \\_ sleep 1\n"+
		"    8 ?        Z+     0:00  \\_ [gone] <defunct>\n")
	check(t, "ps -eo", printedPS(t, "-eo", "pid=,comm=NAME,ppid"), ""+
		"      NAME             PPID\n"+
		"    1 sh                  0\n"+
		"    7 sleep               1\n"+
		"    8 gone <defunct>      1\n")
}

func TestPSTimes(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	check(t, "start today", startTime(now.Add(-time.Hour), now), "11:00")
	check(t, "start yesterday", startTime(now.Add(-24*time.Hour), now), "Mar01")
	check(t, "start last year", startTime(now.AddDate(-1, 0, 0), now), "2025")
	check(t, "two days", longTime(49*time.Hour+time.Second), "2-01:00:01")
	check(t, "elapsed", elapsedTime(65*time.Second), "01:05")
	check(t, "minutes", minuteTime(601*time.Second), "10:01")
}

func TestPSRefusesUnknownColumn(t *testing.T) {
	mustRefuse(t, "ps: unknown format specifier \"nonsense\"\n", 1, "ps", "-o", "pid,nonsense")
}

func TestPSFindsItself(t *testing.T) {
	self := strconv.Itoa(os.Getpid())
	stdout, _, code := call(t, "", "ps", "-p", self, "-o", "pid=")
	check(t, "exit code", code, 0)
	check(t, "output", strings.TrimSpace(stdout), self)
}

func TestProcessTree(t *testing.T) {
	children := map[int][]*task{
		1: {{pid: 2, comm: "nginx"}, {pid: 5, comm: "sleep"}, {pid: 6, comm: "sleep"}},
		2: {{pid: 3, comm: "worker"}, {pid: 4, comm: "worker"}},
	}
	check(t, "tree", strings.Join(processTree(&task{pid: 1, comm: "sh"}, children, false), "\n"), ""+
		"sh-+-nginx---2*[worker]\n"+
		"   `-2*[sleep]")
	check(t, "tree with pids", strings.Join(processTree(&task{pid: 1, comm: "sh"}, children, true), "\n"), ""+
		"sh(1)-+-nginx(2)-+-worker(3)\n"+
		"      |          `-worker(4)\n"+
		"      |-sleep(5)\n"+
		"      `-sleep(6)")
}

func TestSignals(t *testing.T) {
	for text, want := range map[string]int{"9": 9, "KILL": 9, "sigterm": 15, "0": 0} {
		signal, err := parseSignal(text)
		if err != nil || int(signal) != want {
			t.Errorf("parseSignal(%q) = %d, %v, want %d", text, int(signal), err, want)
		}
	}
	if _, err := parseSignal("SIGNONSENSE"); err == nil {
		t.Error("SIGNONSENSE is a signal")
	}
	mustPrint(t, "KILL\n", "kill", "-l", "137")
	mustPrint(t, "15\n", "kill", "-l", "TERM")
	mustPrint(t, "", "kill", "-0", strconv.Itoa(os.Getpid()))
	args, signal, err := takeSignal([]string{"pkill", "-HUP", "-f", "nginx"})
	check(t, "pkill -HUP -f nginx", fmt.Sprint(args, int(signal), err), "[pkill -f nginx] 1 <nil>")
}

func TestTopRows(t *testing.T) {
	state := &topState{sortBy: 'P', users: accounts{names: map[int]string{0: "root"}}, tasks: map[int]uint64{1: 11900}, at: 88 * time.Minute}
	rows := state.measure(exampleTasks()[:1], 90*time.Minute, 1<<20)
	check(t, "row", state.row(rows[0], 5), "    1 root       0   0    4096   "+fmt.Sprintf("%4d", 300*os.Getpagesize()/1024)+"      0 S   0.8   0.1   2:00.00 sh")
	check(t, "CPU line", cpuTicks{50, 0, 25, 125}.since(cpuTicks{0, 0, 0, 0}), "%Cpu(s): 25.0 us, 12.5 sy,  0.0 ni, 62.5 id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st ")
}

func TestFree(t *testing.T) {
	m := parseMeminfo("MemTotal:       24684084 kB\nMemFree: 24387064 kB\nMemAvailable: 24363268 kB\nCached: 100 kB\nSReclaimable: 11 kB\n")
	check(t, "used", m.used(), 320816)
	check(t, "cached", m.cached(), 111)
	for kB, want := range map[uint64]string{0: "0B", 8872: "8.7Mi", 320816: "313Mi", 24684084: "23Gi", 512: "512Ki"} {
		check(t, "human", humanMemory(kB), want)
	}
}

func TestUptimeWords(t *testing.T) {
	check(t, "minutes", spokenUptime(38*60), "38 min")
	check(t, "hours", spokenUptime(2*3600+5*60), " 2:05")
	check(t, "days", spokenUptime(3*86400+3600), "3 days,  1:00")
}
