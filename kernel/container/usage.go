package container

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/cgroup"
)

// Usage is what a container uses of the machine.
type Usage struct {
	cgroup.Usage
	Received, Sent int64 // bytes over its interfaces, the loopback left out
	Added          bool  // it has no control group: what its present processes use was added up
}

// Usage reads the container's counters; zeros for one that does not run. Its memory limit is never more than the machine's memory.
func (e *Engine) Usage(r *Record) Usage {
	var u Usage
	if r.State.Pid == 0 {
		return u
	}
	var ok bool
	if u.Usage, ok = e.groups(r.ID).Usage(r.ID); !ok {
		pids, _ := e.Processes(r) // none, if it has just ended
		u.Usage, u.Added = addUp(pids), true
	}
	if memory := machineMemory(); u.MemoryLimit == 0 || u.MemoryLimit > memory {
		u.MemoryLimit = memory
	}
	if r.HostConfig.NetworkMode != "host" { // that would be the host's traffic
		u.Received, u.Sent = traffic(r.State.Pid)
	}
	return u
}

// CPUUsage is of a container's Usage the processor time and nothing else: for who will look again, and wants the difference.
func (e *Engine) CPUUsage(r *Record) (u Usage) {
	if r.State.Pid == 0 {
		return u
	}
	var ok bool
	if u.CPU, ok = e.groups(r.ID).CPU(r.ID); !ok {
		pids, _ := e.Processes(r)
		u.CPU, u.Added = addUp(pids).CPU, true
	}
	return u
}

func machineMemory() int64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	return int64(info.Totalram) * int64(info.Unit)
}

// traffic adds up the interfaces of a process's network namespace: /proc/PID/net/dev.
func traffic(pid int) (received, sent int64) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(data)) {
		name, counters, ok := strings.Cut(line, ":")
		fields := strings.Fields(counters)
		if !ok || strings.TrimSpace(name) == "lo" || len(fields) < 9 {
			continue
		}
		in, _ := strconv.ParseInt(fields[0], 10, 64)
		out, _ := strconv.ParseInt(fields[8], 10, 64)
		received, sent = received+in, sent+out
	}
	return received, sent
}

// addUp is for a container without a control group, as an ordinary user's may be: what its processes use. Memory that they
// share counts for each of them.
func addUp(pids []int) (u cgroup.Usage) {
	for _, pid := range pids {
		addProcess(&u, pid)
	}
	return u
}

// Fields of /proc/PID/stat (proc(5)), counted after the name, which may contain anything.
const (
	statUserTicks    = 14 - 3
	statSystemTicks  = 15 - 3
	statChildUser    = 16 - 3
	statChildSystem  = 17 - 3
	statThreads      = 20 - 3
	statResident     = 24 - 3
	ticksPerSecond   = 100
	leastFieldsOfAll = statResident + 1
)

func addProcess(u *cgroup.Usage, pid int) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return
	}
	text := string(data)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < leastFieldsOfAll {
		return
	}
	field := func(i int) int64 { n, _ := strconv.ParseInt(fields[i], 10, 64); return n }
	ticks := field(statUserTicks) + field(statSystemTicks) + field(statChildUser) + field(statChildSystem)
	u.CPU += time.Duration(ticks) * time.Second / ticksPerSecond
	u.PIDs += field(statThreads)
	u.Memory += field(statResident) * int64(os.Getpagesize())
	io, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return
	}
	for line := range strings.Lines(string(io)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		n, _ := strconv.ParseInt(value, 10, 64)
		switch name {
		case "read_bytes":
			u.Read += n
		case "write_bytes":
			u.Write += n
		}
	}
}
