package userland

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTicks are the times of the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal.
type cpuTicks [8]uint64

func readCPU() (cpuTicks, error) {
	var ticks cpuTicks
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return ticks, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	for i, field := range strings.Fields(line) {
		if i >= 1 && i <= len(ticks) {
			ticks[i-1], _ = strconv.ParseUint(field, 10, 64)
		}
	}
	return ticks, nil
}

// shares are the percentages since an earlier reading, or since boot where there is none.
func (c cpuTicks) shares(before cpuTicks) [8]float64 {
	var shares [8]float64
	var total float64
	for i := range c {
		if c[i] > before[i] { // idle and iowait may run backwards
			shares[i] = float64(c[i] - before[i])
		}
		total += shares[i]
	}
	for i := range shares {
		shares[i] = shares[i] * 100 / max(total, 1)
	}
	return shares
}

// since is top's third line.
func (c cpuTicks) since(before cpuTicks) string {
	s := c.shares(before)
	return fmt.Sprintf("%%Cpu(s): %4.1f us, %4.1f sy, %4.1f ni, %4.1f id, %4.1f wa, %4.1f hi, %4.1f si, %4.1f st ", s[0], s[2], s[1], s[3], s[4], s[5], s[6], s[7])
}

func taskCounts(tasks []*task) string {
	counts := map[byte]int{}
	for _, t := range tasks {
		counts[t.state]++
	}
	stopped := counts['T'] + counts['t']
	sleeping := len(tasks) - counts['R'] - stopped - counts['Z']
	return fmt.Sprintf("Tasks: %3d total, %3d running, %3d sleeping, %3d stopped, %3d zombie", len(tasks), counts['R'], sleeping, stopped, counts['Z'])
}

func memoryLines(m meminfo) []string {
	mebi := func(kB uint64) float64 { return float64(kB) / 1024 }
	return []string{
		fmt.Sprintf("MiB Mem : %8.1f total, %8.1f free, %8.1f used, %8.1f buff/cache     ",
			mebi(m["MemTotal"]), mebi(m["MemFree"]), mebi(m.used()), mebi(m["Buffers"]+m.cached())),
		fmt.Sprintf("MiB Swap: %8.1f total, %8.1f free, %8.1f used. %8.1f avail Mem ",
			mebi(m["SwapTotal"]), mebi(m["SwapFree"]), mebi(m["SwapTotal"]-m["SwapFree"]), mebi(m["MemAvailable"])),
	}
}

// topRow is a process with its shares of the machine.
type topRow struct {
	*task
	cpu, memory float64
}

// measure works out the shares and puts the processes in order.
func (s *topState) measure(tasks []*task, now time.Duration, totalKB uint64) []topRow {
	rows := make([]topRow, 0, len(tasks))
	for _, t := range tasks {
		r := topRow{task: t}
		span, ticks := (now - s.at).Seconds(), t.userTicks+t.systemTicks
		before, known := s.tasks[t.pid]
		if !known {
			before = 0
			span = min(span, max(t.age(now).Seconds(), 1.0/clockTicks))
		}
		if span > 0 && ticks >= before {
			r.cpu = float64(ticks-before) / clockTicks * 100 / span
		}
		r.memory = float64(t.residentPages) * float64(os.Getpagesize()) / 1024 * 100 / float64(max(totalKB, 1))
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, s.compare)
	return rows
}

func (s *topState) compare(a, b topRow) int {
	order := 0.0
	switch s.sortBy {
	case 'P':
		order = b.cpu - a.cpu
	case 'M':
		order = b.memory - a.memory
	case 'T':
		order = float64(b.cpuTime() - a.cpuTime())
	case 'N':
		order = float64(b.pid - a.pid)
	}
	switch {
	case order < 0:
		return -1
	case order > 0:
		return 1
	}
	return a.pid - b.pid
}

func (s *topState) row(r topRow, pidWidth int) string {
	page := int64(os.Getpagesize() / 1024)
	priority := strconv.Itoa(r.priority)
	if r.policy == unix.SCHED_FIFO || r.policy == unix.SCHED_RR {
		priority = "rt"
	}
	hundredths := r.cpuTime().Milliseconds() / 10
	return fmt.Sprintf("%*d %-8s %3s %3d %7s %6s %6s %c %5.1f %5.1f %9s %s", pidWidth, r.pid, shortName(s.users.name(r.uid)), priority, r.nice,
		topMemory(int64(r.virtualBytes/1024), 7), topMemory(r.residentPages*page, 6), topMemory(r.sharedPages*page, 6), r.state, r.cpu, r.memory,
		fmt.Sprintf("%d:%02d.%02d", hundredths/6000, hundredths/100%60, hundredths%100), printable(r.comm))
}

// topMemory is a number of kilobytes, in larger units where it would not fit: 1.2g.
func topMemory(kB int64, width int) string {
	text := strconv.FormatInt(kB, 10)
	value := float64(kB)
	for _, unit := range []string{"m", "g", "t"} {
		if len(text) <= width {
			break
		}
		value /= 1024
		text = fmt.Sprintf("%.1f%s", value, unit)
	}
	return text
}

func (s *topState) remember(cpu cpuTicks, tasks []*task, now time.Duration) {
	s.cpu, s.at = cpu, now
	s.tasks = make(map[int]uint64, len(tasks))
	for _, t := range tasks {
		s.tasks[t.pid] = t.userTicks + t.systemTicks
	}
}
