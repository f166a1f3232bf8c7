package userland

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// topState is what top remembers from one screen to the next: CPU shares are differences.
type topState struct {
	cpu    cpuTicks
	tasks  map[int]uint64 // ticks used, by pid
	at     time.Duration  // since boot
	sortBy rune           // the key that chose the order: P for CPU, M for memory, N for pid, T for time
	users  accounts
}

// runTop shows the busiest processes, again and again. Keys: q quits, space refreshes, P M N T choose the order.
func runTop(p *Process) int {
	opts, _, err := p.options("bn:d:p:", nil)
	if err != nil {
		return p.Fail("%v", err)
	}
	delay, rounds := 2*time.Second, -1
	if opts.has('d') {
		seconds, err := strconv.ParseFloat(opts.value('d'), 64)
		if err != nil || seconds <= 0 {
			return p.Fail("invalid delay %q", opts.value('d'))
		}
		delay = time.Duration(seconds * float64(time.Second))
	}
	if opts.has('n') {
		if rounds, err = strconv.Atoi(opts.value('n')); err != nil || rounds < 1 {
			return p.Fail("invalid number of rounds %q", opts.value('n'))
		}
	}
	pids, err := splitNumbers(opts.values('p'))
	if err != nil {
		return p.Fail("%v", err)
	}
	state := &topState{sortBy: 'P', users: accounts{file: "/etc/passwd"}}
	if opts.has('b') {
		return p.topBatch(state, pids, delay, rounds)
	}
	return p.topScreen(state, pids, delay, rounds)
}

// topBatch prints whole lists one after the other, for pipes and files.
func (p *Process) topBatch(state *topState, pids []int, delay time.Duration, rounds int) int {
	for i := 0; rounds < 0 || i < rounds; i++ {
		if i > 0 {
			fmt.Fprintln(p.Stdout)
			time.Sleep(delay)
		}
		lines, err := state.render(pids)
		if err != nil {
			return p.Fail("%v", err)
		}
		out := bufio.NewWriter(p.Stdout)
		for _, line := range lines {
			fmt.Fprintln(out, line)
		}
		if out.Flush() != nil {
			return 1
		}
	}
	return 0
}

// topScreen draws on the terminal until q or Ctrl-C.
func (p *Process) topScreen(state *topState, pids []int, delay time.Duration, rounds int) int {
	in, isFile := p.Stdin.(*os.File)
	_, _, isTerminal := terminalSize(p.Stdout)
	if !isFile || !isTerminal {
		return p.Fail("failed tty get: not on a terminal (top -b prints to a pipe)")
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGWINCH)
	defer signal.Stop(signals)
	restore, err := withoutEcho(int(in.Fd()))
	if err != nil {
		return p.Fail("failed tty get: %v", err)
	}
	defer restore()
	fmt.Fprint(p.Stdout, "\x1b[?25l\x1b[H\x1b[2J") // the cursor away, the screen cleared
	defer fmt.Fprint(p.Stdout, "\x1b[?25h\r\n")
	keys := make(chan byte)
	go readKeys(in, keys)
	for i := 0; rounds < 0 || i < rounds; i++ {
		if err := p.drawTop(state, pids); err != nil {
			return p.Fail("%v", err)
		}
		select {
		case <-time.After(delay):
		case s := <-signals:
			if s != unix.SIGWINCH {
				return 0
			}
		case key, open := <-keys:
			if !open || key == 'q' {
				return 0
			}
			if strings.ContainsRune("PMNT", rune(key)) {
				state.sortBy = rune(key)
			}
		}
	}
	return 0
}

// readKeys passes on keys one by one, and closes the channel where there is nobody left to press any.
func readKeys(in *os.File, keys chan<- byte) {
	defer close(keys)
	one := make([]byte, 1)
	for {
		if n, err := in.Read(one); n == 0 || err != nil {
			return
		}
		keys <- one[0]
	}
}

func (p *Process) drawTop(state *topState, pids []int) error {
	columns, rows, _ := terminalSize(p.Stdout)
	lines, err := state.render(pids)
	if err != nil {
		return err
	}
	var screen strings.Builder
	screen.WriteString("\x1b[H")
	for i, line := range lines[:min(len(lines), rows-1)] {
		if len(line) > columns {
			line = line[:columns]
		}
		if i == topHeaderLines-1 {
			line = fmt.Sprintf("\x1b[7m%-*s\x1b[m", columns, line) // the column names, reversed
		}
		screen.WriteString(line + "\x1b[K\r\n")
	}
	screen.WriteString("\x1b[J")
	_, err = fmt.Fprint(p.Stdout, screen.String())
	return err
}

// topHeaderLines is the number of lines before the first process.
const topHeaderLines = 7

// render makes the lines of one screen.
func (s *topState) render(pids []int) ([]string, error) {
	tasks, err := readTasks()
	if err != nil {
		return nil, err
	}
	uptime, err := uptimeLine(time.Now())
	if err != nil {
		return nil, err
	}
	memory, err := readMeminfo()
	if err != nil {
		return nil, err
	}
	cpu, err := readCPU()
	if err != nil {
		return nil, err
	}
	if len(pids) > 0 {
		tasks = slices.DeleteFunc(tasks, func(t *task) bool { return !slices.Contains(pids, t.pid) })
	}
	lines := []string{"top -" + uptime, taskCounts(tasks), cpu.since(s.cpu)}
	lines = append(lines, memoryLines(memory)...)
	width := pidWidth()
	lines = append(lines, "", fmt.Sprintf("%*s USER      PR  NI    VIRT    RES    SHR S  %%CPU  %%MEM     TIME+ COMMAND", width, "PID"))[:topHeaderLines]
	now := sinceBoot()
	rows := s.measure(tasks, now, memory["MemTotal"])
	for _, r := range rows {
		lines = append(lines, s.row(r, width))
	}
	s.remember(cpu, tasks, now)
	return lines, nil
}
