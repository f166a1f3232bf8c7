package userland

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// runTaskset shows or sets on which CPUs a process may run: taskset -p 5, taskset -cp 0-1 5, taskset 1 COMMAND.
func runTaskset(p *Process) int {
	opts, words, err := p.options("+pc", map[string]string{"pid": "p", "cpu-list": "c"})
	if err != nil {
		return p.Fail("%v", err)
	}
	parse := parseMask
	if opts.has('c') {
		parse = parseCPUList
	}
	if !opts.has('p') {
		if len(words) < 2 {
			return p.Fail("usage: taskset [-c] MASK COMMAND…, or taskset [-c] -p [MASK] PID")
		}
		runtime.LockOSThread() // the mask is a thread's: the one that executes the program
		set, err := parse(words[0])
		if err == nil {
			err = unix.SchedSetaffinity(0, set)
		}
		if err != nil {
			return p.Fail("failed to set affinity to %s: %s", words[0], causeText(err))
		}
		return p.become(words[1:])
	}
	if len(words) == 0 || len(words) > 2 {
		return p.Fail("usage: taskset [-c] -p [MASK] PID")
	}
	pid, err := strconv.Atoi(words[len(words)-1])
	if err != nil {
		return p.Fail("invalid PID argument: '%s'", words[len(words)-1])
	}
	if code := p.showAffinity(pid, "current", opts.has('c')); code != 0 || len(words) == 1 {
		return code
	}
	set, err := parse(words[0])
	if err == nil {
		err = unix.SchedSetaffinity(pid, set)
	}
	if err != nil {
		return p.Fail("failed to set pid %d's affinity: %s", pid, causeText(err))
	}
	return p.showAffinity(pid, "new", opts.has('c'))
}

func (p *Process) showAffinity(pid int, which string, list bool) int {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(pid, &set); err != nil {
		return p.Fail("failed to get pid %d's affinity: %s", pid, causeText(err))
	}
	if list {
		fmt.Fprintf(p.Stdout, "pid %d's %s affinity list: %s\n", pid, which, formatCPUList(&set))
	} else {
		fmt.Fprintf(p.Stdout, "pid %d's %s affinity mask: %s\n", pid, which, formatMask(&set))
	}
	return 0
}

// maxCPUs is how many a CPUSet holds.
const maxCPUs = 1024

// parseMask reads a hexadecimal mask: bit N is CPU N.
func parseMask(text string) (*unix.CPUSet, error) {
	digits := strings.TrimPrefix(strings.ReplaceAll(text, ",", ""), "0x")
	set := &unix.CPUSet{}
	for i := range len(digits) {
		digit, err := strconv.ParseUint(digits[len(digits)-1-i:len(digits)-i], 16, 8)
		if err != nil {
			return nil, fmt.Errorf("invalid mask %q", text)
		}
		for bit := range 4 {
			if digit>>bit&1 == 1 {
				set.Set(4*i + bit)
			}
		}
	}
	return set, nil
}

// parseCPUList reads 0,2-3.
func parseCPUList(text string) (*unix.CPUSet, error) {
	set := &unix.CPUSet{}
	for part := range strings.SplitSeq(text, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		first, err := strconv.Atoi(from)
		last, errLast := strconv.Atoi(to)
		if err != nil || errLast != nil || first < 0 || last < first || last >= maxCPUs {
			return nil, fmt.Errorf("invalid CPU list %q", text)
		}
		for cpu := first; cpu <= last; cpu++ {
			set.Set(cpu)
		}
	}
	return set, nil
}

// formatCPUList writes 0-3,8. Two neighbours are 0,1.
func formatCPUList(set *unix.CPUSet) string {
	var parts []string
	for cpu := 0; cpu < maxCPUs; cpu++ {
		if !set.IsSet(cpu) {
			continue
		}
		last := cpu
		for last+1 < maxCPUs && set.IsSet(last+1) {
			last++
		}
		switch last - cpu {
		case 0:
			parts = append(parts, strconv.Itoa(cpu))
		case 1:
			parts = append(parts, strconv.Itoa(cpu), strconv.Itoa(last))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d", cpu, last))
		}
		cpu = last
	}
	return strings.Join(parts, ",")
}

func formatMask(set *unix.CPUSet) string {
	var digits strings.Builder
	for i := maxCPUs/4 - 1; i >= 0; i-- {
		digit := 0
		for bit := range 4 {
			if set.IsSet(4*i + bit) {
				digit |= 1 << bit
			}
		}
		if digit != 0 || digits.Len() > 0 || i == 0 {
			digits.WriteString(strconv.FormatInt(int64(digit), 16))
		}
	}
	return digits.String()
}
