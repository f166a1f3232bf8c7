package cgroup

import (
	"os"
	"path"
	"strconv"
	"strings"
)

// OutOfMemory is what the kernel's OOM killer has done in a container's group.
type OutOfMemory struct {
	Kills int64 // how many of its processes were killed
	Limit int64 // the limit in bytes that they met; 0: none of the group's own, the machine as a whole had no memory left
	Peak  int64 // the most that they have used together, in bytes; 0 where the kernel does not tell
}

// OutOfMemory reads it from the group's counters (memory.oom_control, v1; memory.events, v2), which go with the group: so
// after the container's end, and before Remove. The zero value if there is no such group.
func (h Host) OutOfMemory(id string) OutOfMemory {
	if !h.Available() {
		return OutOfMemory{}
	}
	var dir string
	events, limit, peak, met := "memory.events", "memory.max", "memory.peak", "oom"
	if h.Mode == V2 {
		dir = h.Group(id).Directories()[0]
	} else {
		d, ok := h.Group(id).dirOf("memory")
		if !ok {
			return OutOfMemory{}
		}
		dir = d.group(id)
		events, limit, peak, met = "memory.oom_control", "memory.limit_in_bytes", "memory.max_usage_in_bytes", ""
	}
	counts := counters(path.Join(dir, events))
	oom := OutOfMemory{Kills: counts["oom_kill"]}
	if oom.Kills == 0 {
		return OutOfMemory{}
	}
	hits := counts[met]
	if met == "" {
		hits = number(path.Join(dir, "memory.failcnt")) + swapHits(dir)
	}
	if hits > 0 {
		oom.Limit = number(path.Join(dir, limit))
	}
	oom.Peak = number(path.Join(dir, peak))
	return oom
}

// swapHits is whether a group of v1 met its limit of memory and swap together, which is met first where both limits are the
// same. Linux 6.18 has memory.memsw.failcnt and does not count in it; what was used most tells then. The kernel charges up to 64
// pages at once (MEMCG_CHARGE_BATCH, mm/memcontrol.c), so it may have stopped that much below.
func swapHits(dir string) int64 {
	hits := number(path.Join(dir, "memory.memsw.failcnt"))
	limit := number(path.Join(dir, "memory.memsw.limit_in_bytes"))
	if limit > 0 && number(path.Join(dir, "memory.memsw.max_usage_in_bytes")) >= limit-int64(64*os.Getpagesize()) {
		hits++
	}
	return hits
}

// OOMSource is where a group tells of the OOM killer while it runs.
type OOMSource struct {
	Counters string // the file with oom_kill: memory.events (v2), memory.oom_control (v1)
	Control  string // v1: cgroup.event_control, in which an eventfd is registered; "" on v2
}

// OOMSource finds it; false if the container has no group.
func (h Host) OOMSource(id string) (OOMSource, bool) {
	if !h.Available() {
		return OOMSource{}, false
	}
	if h.Mode == V2 {
		s := OOMSource{Counters: path.Join(h.Group(id).Directories()[0], "memory.events")}
		return s, exists(s.Counters)
	}
	d, ok := h.Group(id).dirOf("memory")
	if !ok {
		return OOMSource{}, false
	}
	s := OOMSource{path.Join(d.group(id), "memory.oom_control"), path.Join(d.group(id), "cgroup.event_control")}
	return s, exists(s.Control)
}

// Speaks tells whether there is anything to hear: on v1 the kernel tells of a group's own limit only, so not without one.
func (s OOMSource) Speaks() bool {
	return s.Control == "" || number(path.Join(path.Dir(s.Control), "memory.limit_in_bytes")) < noLimitV1
}

// Kills is how many processes were killed so far.
func (s OOMSource) Kills() int64 { return counters(s.Counters)["oom_kill"] }

// counters reads a file of lines with a name and a number.
func counters(file string) map[string]int64 {
	counts := map[string]int64{}
	data, err := os.ReadFile(file)
	if err != nil {
		return counts
	}
	for line := range strings.Lines(string(data)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		counts[name], _ = strconv.ParseInt(value, 10, 64)
	}
	return counts
}

// number reads a file with one number; 0 for "max", and where there is none.
func number(file string) int64 {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	return n
}

// Tell says it in a sentence; whole: the container's first process was among those killed.
func (o OutOfMemory) Tell(whole bool) string {
	who := "one of its processes was killed"
	if whole {
		who = "it was killed"
	}
	if o.Limit == 0 {
		return "out of memory: the machine had none left, and " + who
	}
	return "out of memory: it met its limit of " + mebibytes(o.Limit) + ", and " + who
}

func mebibytes(n int64) string {
	if n%(1<<20) == 0 {
		return strconv.FormatInt(n>>20, 10) + " MiB"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}
