package cgroup

import (
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

// Usage is what the processes of a group use, those that have ended included.
type Usage struct {
	CPU         time.Duration // on all processors together, since the beginning
	Memory      int64         // bytes, without files' contents that could be dropped at once (inactive_file), as Docker counts
	MemoryLimit int64         // 0: none
	PIDs        int64         // threads count too
	Read, Write int64         // bytes from and to disks, since the beginning
}

// Usage reads the counters of a container's group; false if it has none.
func (h Host) Usage(id string) (Usage, bool) {
	if !h.Available() {
		return Usage{}, false
	}
	if h.Mode == V2 {
		return usageV2(h.Group(id).Directories()[0])
	}
	return h.usageV1(id)
}

// CPU is the processor time alone, the same as Usage has: one file instead of seven.
func (h Host) CPU(id string) (used time.Duration, ok bool) {
	if !h.Available() {
		return 0, false
	}
	if h.Mode == V2 {
		return cpuV2(h.Group(id).Directories()[0])
	}
	d, ok := h.Group(id).dirOf("cpuacct")
	if !ok {
		return 0, false
	}
	file := path.Join(d.group(id), "cpuacct.usage")
	return time.Duration(number(file)), exists(file)
}

func cpuV2(dir string) (used time.Duration, ok bool) {
	n, ok := counters(path.Join(dir, "cpu.stat"))["usage_usec"]
	return time.Duration(n) * time.Microsecond, ok
}

// usageV2: cpu.stat counts in microseconds (cgroup-v2.rst in the kernel's documentation).
func usageV2(dir string) (u Usage, ok bool) {
	if !exists(dir) {
		return u, false
	}
	u.CPU, _ = cpuV2(dir)
	u.Memory = max(0, number(path.Join(dir, "memory.current"))-counters(path.Join(dir, "memory.stat"))["inactive_file"])
	u.MemoryLimit = number(path.Join(dir, "memory.max"))
	u.PIDs = number(path.Join(dir, "pids.current"))
	if data, err := os.ReadFile(path.Join(dir, "io.stat")); err == nil { // 254:0 rbytes=1 wbytes=2 …
		for word := range strings.FieldsSeq(string(data)) {
			u.add(word, "rbytes=", "wbytes=")
		}
	}
	return u, true
}

// add counts a word of io.stat.
func (u *Usage) add(word, read, write string) {
	if value, ok := strings.CutPrefix(word, read); ok {
		n, _ := strconv.ParseInt(value, 10, 64)
		u.Read += n
	}
	if value, ok := strings.CutPrefix(word, write); ok {
		n, _ := strconv.ParseInt(value, 10, 64)
		u.Write += n
	}
}

// noLimitV1 and more is what memory.limit_in_bytes says where there is no limit: the largest number of pages.
const noLimitV1 = 1 << 62

// usageV1: cpuacct.usage counts in nanoseconds; the totals of memory.stat have the groups below in them.
func (h Host) usageV1(id string) (u Usage, ok bool) {
	g := h.Group(id)
	file := func(controller, name string) string {
		d, there := g.dirOf(controller)
		if !there {
			return ""
		}
		ok = ok || exists(d.group(id))
		return path.Join(d.group(id), name)
	}
	u.CPU = time.Duration(number(file("cpuacct", "cpuacct.usage")))
	u.Memory = max(0, number(file("memory", "memory.usage_in_bytes"))-counters(file("memory", "memory.stat"))["total_inactive_file"])
	if limit := number(file("memory", "memory.limit_in_bytes")); limit < noLimitV1 {
		u.MemoryLimit = limit
	}
	u.PIDs = number(file("pids", "pids.current"))
	data, err := os.ReadFile(file("blkio", "blkio.throttle.io_service_bytes"))
	if err != nil {
		return u, ok
	}
	for line := range strings.Lines(string(data)) { // 254:0 Read 4096
		if words := strings.Fields(line); len(words) == 3 {
			u.add(words[1]+" "+words[2], "Read ", "Write ")
		}
	}
	return u, ok
}
