package userland

import (
	"fmt"
	"strconv"
)

// runFree prints how memory is used. In a container it is the whole machine's memory: /proc/meminfo knows no cgroups.
func runFree(p *Process) int {
	opts, _, err := p.options("bkmghtw", map[string]string{
		"bytes": "b", "kibi": "k", "mebi": "m", "gibi": "g", "human": "h", "total": "t", "wide": "w",
	})
	if err != nil {
		return p.Fail("%v", err)
	}
	m, err := readMeminfo()
	if err != nil {
		return p.Fail("%v", err)
	}
	show := freeUnit(opts.last("bkmgh"))
	wide := opts.has('w')
	if wide {
		fmt.Fprintf(p.Stdout, "%20s %11s %11s %11s %11s %11s %11s\n", "total", "used", "free", "shared", "buffers", "cache", "available")
		fmt.Fprintf(p.Stdout, "%-8s %11s %11s %11s %11s %11s %11s %11s\n", "Mem:", show(m["MemTotal"]), show(m.used()), show(m["MemFree"]),
			show(m["Shmem"]), show(m["Buffers"]), show(m.cached()), show(m["MemAvailable"]))
	} else {
		fmt.Fprintf(p.Stdout, "%20s %11s %11s %11s %11s %11s\n", "total", "used", "free", "shared", "buff/cache", "available")
		fmt.Fprintf(p.Stdout, "%-8s %11s %11s %11s %11s %11s %11s\n", "Mem:", show(m["MemTotal"]), show(m.used()), show(m["MemFree"]),
			show(m["Shmem"]), show(m["Buffers"]+m.cached()), show(m["MemAvailable"]))
	}
	swapUsed := m["SwapTotal"] - m["SwapFree"]
	fmt.Fprintf(p.Stdout, "%-8s %11s %11s %11s\n", "Swap:", show(m["SwapTotal"]), show(swapUsed), show(m["SwapFree"]))
	if opts.has('t') {
		fmt.Fprintf(p.Stdout, "%-8s %11s %11s %11s\n", "Total:", show(m["MemTotal"]+m["SwapTotal"]), show(m.used()+swapUsed), show(m["MemFree"]+m["SwapFree"]))
	}
	return 0
}

// freeUnit makes the function that prints kilobytes in the unit asked for.
func freeUnit(flag rune) func(kB uint64) string {
	switch flag {
	case 'b':
		return func(kB uint64) string { return strconv.FormatUint(kB*1024, 10) }
	case 'm':
		return func(kB uint64) string { return strconv.FormatUint(kB/1024, 10) }
	case 'g':
		return func(kB uint64) string { return strconv.FormatUint(kB/1024/1024, 10) }
	case 'h':
		return humanMemory
	}
	return func(kB uint64) string { return strconv.FormatUint(kB, 10) }
}

// humanMemory uses at most three digits: 8.7Mi, 313Mi, 23Gi.
func humanMemory(kB uint64) string {
	if kB == 0 {
		return "0B"
	}
	value := float64(kB)
	for _, unit := range []string{"Ki", "Mi", "Gi", "Ti"} {
		switch {
		case value < 9.95 && unit != "Ki":
			return fmt.Sprintf("%.1f%s", value, unit)
		case value < 1000 || unit == "Ti":
			return fmt.Sprintf("%d%s", int(value), unit)
		}
		value /= 1024
	}
	return ""
}
