package cgroup

import (
	"os"
	"path"
	"strings"
)

// File is one file of a container's group, with what is in it now.
type File struct {
	Controller string // "memory"; on v2 too, where the file's name begins with it
	Path       string
	Value      string // without the newline at its end; several lines where the file has several
}

// filesV1 are the files that matter, by controller: what limits, and what is used.
var filesV1 = map[string][]string{
	"memory":  {"memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.soft_limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.failcnt"},
	"cpu":     {"cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us", "cpu.stat"},
	"cpuacct": {"cpuacct.usage"},
	"blkio":   {"blkio.weight", "blkio.bfq.weight", "blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device", "blkio.throttle.read_iops_device", "blkio.throttle.write_iops_device"},
	"pids":    {"pids.max", "pids.current"},
	"devices": {"devices.list"},
	"freezer": {"freezer.state"},
	"cpuset":  {"cpuset.cpus", "cpuset.mems"},
}

// filesV2 are the same for v2, in one directory.
var filesV2 = []string{
	"memory.max", "memory.swap.max", "memory.low", "memory.current", "memory.peak", "memory.events",
	"cpu.weight", "cpu.max", "cpu.stat", "io.weight", "io.max", "io.stat", "pids.max", "pids.current",
	"cpuset.cpus", "cpuset.mems", "cgroup.controllers", "cgroup.freeze", "cgroup.events",
}

// Files reads the files of a container's group that matter, ordered by controller. Those that this kernel does not
// have (blkio.weight needs a scheduler with weights, memory.memsw a kernel that counts swap) are left out.
func (h Host) Files(id string) []File {
	var list []File
	read := func(controller, file string) {
		if data, err := os.ReadFile(file); err == nil {
			list = append(list, File{controller, file, strings.TrimSuffix(string(data), "\n")})
		}
	}
	for _, d := range h.Group(id, "cpuset").dirs {
		for _, controller := range d.Controllers {
			for _, name := range filesV1[controller] {
				read(controller, path.Join(d.group(id), name))
			}
		}
		if h.Mode == V2 {
			for _, name := range filesV2 {
				controller, _, _ := strings.Cut(name, ".")
				read(controller, path.Join(d.group(id), name))
			}
		}
	}
	return list
}
