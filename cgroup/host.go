// Package cgroup plans a container's control groups: where they are made, how its first process joins them, which
// limits and device rules they hold, and how they go away. It performs nothing: it reads the machine and returns
// kernel.Steps, which the caller hands to the door.
//
// A control group is a directory of a file system that the kernel makes up. To make a group is mkdir, to set a limit
// is to write a file in it, to put a process into it is to write to one more file, and to take it away is rmdir.
//
// There are two versions (cgroups(7)), and a machine has one, the other, or both:
//
//	v1      each controller (memory, cpu, pids …) has a tree of its own      /sys/fs/cgroup/memory/sandbox/<id>
//	                                                                         /sys/fs/cgroup/pids/sandbox/<id> …
//	v2      one tree, in which controllers are switched on level by level    /sys/fs/cgroup/sandbox/<id>
//	hybrid  v1's trees do the work; v2's is there too, without controllers   /sys/fs/cgroup/unified
//
// A flag becomes one file (limits.go, blockio.go), on v1 and on v2 under different names, sometimes in another unit:
//
//	-m, --memory-swap       memory.limit_in_bytes, memory.memsw.limit_in_bytes (both together)    memory.max, memory.swap.max (swap alone)
//	--memory-reservation    memory.soft_limit_in_bytes                                            memory.low
//	-c                      cpu.shares, 2 … 262144                                                cpu.weight, 1 … 10000, along a curve: weightOf
//	--cpus, --cpu-quota     cpu.cfs_period_us, cpu.cfs_quota_us (microseconds)                    cpu.max (quota and period)
//	--cpuset-cpus, -mems    cpuset.cpus, cpuset.mems                                              the same
//	--pids-limit            pids.max                                                              the same
//	--device-write-bps …    blkio.throttle.write_bps_device (MAJOR:MINOR RATE)                    io.max (MAJOR:MINOR wbps=RATE)
//	--blkio-weight          blkio.bfq.weight, 1 … 1000                                            io.bfq.weight, or io.weight, 1 … 10000: ioWeightOf
//
// Check (support.go) refuses beforehand what the machine, or this user, cannot have; Update (update.go) is the same for a group in use.
//
// The way through this package: Detect says what the machine has and whether this user may make groups there;
// Host.Plan gives the steps for one container; Host.Remove, Host.Files, Host.Processes look after its group later;
// Host.Leftovers finds the groups of containers that are no more.
package cgroup

import (
	"errors"
	"path"
	"slices"
	"strings"

	"sandbox/kernel"
)

// Mode is which versions of control groups the machine has mounted.
type Mode int

// The modes, as systemd calls them: legacy, hybrid, unified.
const (
	None Mode = iota
	V1
	Hybrid
	V2
)

func (m Mode) String() string { return [...]string{"none", "v1", "hybrid", "v2"}[m] }

// Hierarchy is one tree of groups of v1, with the controllers that were mounted together in it.
type Hierarchy struct {
	Controllers []string
	Path        string   // where it is mounted
	Links       []string // other names that lead there, beside it: cpu and cpuacct for cpu,cpuacct
}

func (h Hierarchy) has(controller string) bool { return slices.Contains(h.Controllers, controller) }

// Host is what this machine and this user can do with control groups.
type Host struct {
	Mode        Mode
	Hierarchies []Hierarchy // v1 and hybrid
	Sys         string      // where sysfs is mounted
	Root        string      // v2: where the tree is mounted
	Base        string      // v2: the group under which ours are made: Root, or what was delegated to this user
	Delegated   bool        // v2: Base belongs to an ordinary user, or to root of a user namespace only
	Refusal     kernel.Why  // why no group can be made here, in one line; empty if it can
	Cure        kernel.Why  // what would help

	under string // the group that ours are made in: see Under
}

// parentName is the group that all of our groups are in, as Docker's are in "docker".
const parentName = "sandbox"

// Under is the same host, with a container's group made in another one than the usual: --cgroup-parent. It is a path below the top of
// each tree (on v2, of what was delegated); "" is the usual one.
func (h Host) Under(parent string) Host {
	h.under = strings.Trim(path.Clean("/"+parent), "/")
	return h
}

// parentPath is where the groups are made, below the top of a tree.
func (h Host) parentPath() string {
	if h.under == "" {
		return parentName
	}
	return h.under
}

// Available tells whether groups can be made here.
func (h Host) Available() bool { return h.Mode != None && h.Refusal.EN == "" }

// Unavailable is the reason why no groups can be made, as an error with its cure.
func (h Host) Unavailable() error { return kernel.Advise(errors.New(h.Refusal.EN), h.Cure.EN) }

// Group is the control group of one container: one directory on v2, one in each joined hierarchy on v1.
type Group struct {
	ID   string // 64 hexadecimal digits
	dirs []directory
}

// directory is a group's place in one hierarchy; on v2 there is one, with no Controllers named.
type directory struct {
	Hierarchy
	above string // the path of the groups above it, below the hierarchy's top
}

// parent is the group's parent in this hierarchy, which all containers share.
func (d directory) parent() string { return path.Join(d.Path, d.above) }

// group is the container's own directory in this hierarchy.
func (d directory) group(id string) string { return path.Join(d.parent(), id) }

// levels are the groups between the top and the container's own, the highest first.
func (d directory) levels() []string {
	var list []string
	dir := d.Path
	for name := range strings.SplitSeq(d.above, "/") {
		dir = path.Join(dir, name)
		list = append(list, dir)
	}
	return list
}

// joined are the controllers of v1 that every container is in: those that have limits or numbers which somebody may
// want, the rules for devices, and the freezer for `sandbox pause`. cpuset is joined only when it is asked for, as a
// group of it is of no use until it has been filled in.
var joined = []string{"memory", "cpu", "cpuacct", "blkio", "pids", "devices", "freezer"}

// Group is where a container's groups are; further controllers ("cpuset") are joined beside the usual ones.
func (h Host) Group(id string, further ...string) Group {
	g := Group{ID: id}
	if h.Mode == V2 {
		g.dirs = []directory{{Hierarchy{Path: h.Base}, h.parentPath()}}
		return g
	}
	for _, hierarchy := range h.Hierarchies {
		if slices.ContainsFunc(append(further, joined...), hierarchy.has) {
			g.dirs = append(g.dirs, directory{hierarchy, h.parentPath()})
		}
	}
	return g
}

// Directories are the group's directories, one for each hierarchy.
func (g Group) Directories() []string {
	var list []string
	for _, d := range g.dirs {
		list = append(list, d.group(g.ID))
	}
	return list
}
