package cgroup

import (
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/kernel"
)

// File is one file of a container's group, with what is in it now.
type File struct {
	Controller string // "memory"; on v2 too, where the file's name begins with it
	Path       string // where people find it: on v1 by the controller's own name, …/cpu rather than …/cpu,cpuacct
	Value      string // without the newline at its end; several lines where the file has several
	Wanted     string // what the container's flags have written there; "" if they have not
	About
}

// About is what is known of a file of some name.
type About struct {
	Name    string
	Unit    Unit
	Role    Role
	Usual   string   // what a new group has, where that is known
	Flags   []string // of `run` that set it
	Meaning kernel.Why
}

// Unit is what a file's number counts.
type Unit int

// The units. Where the kernel knows no limit it says "max" (v2), or a number that is too large or negative (v1).
const (
	Plain        Unit = iota // no unit, or no number
	Bytes                    // of memory
	Microseconds             // of processor time
	Nanoseconds
)

// Role is whether a file sets something or counts it.
type Role int

// The roles. InUse and Ceiling are the two of a controller that belong together.
const (
	Setting Role = iota
	Ceiling
	Counter
	InUse
)

// NoLimit tells whether the value is a limit that limits nothing.
func (f File) NoLimit() bool {
	if f.Role != Ceiling && f.Role != Setting {
		return false
	}
	first, _, _ := strings.Cut(f.Value, " ")
	n, err := strconv.ParseInt(first, 10, 64)
	return first == "max" || first == "-1" || f.Unit == Bytes && err == nil && n >= noLimitV1
}

// Changed tells whether somebody else has written the file: it holds neither what the flags say nor what a new group has.
func (f File) Changed() bool {
	value, wanted := strings.TrimPrefix(strings.TrimSpace(f.Value), "default "), f.Wanted
	switch {
	case f.Role != Ceiling && f.Role != Setting:
		return false
	case f.Controller == "cpuset" && wanted != "":
		is, err1 := parseList(value)
		want, err2 := parseList(wanted)
		return err1 != nil || err2 != nil || !slices.Equal(is, want)
	case wanted == "" && f.Usual == "":
		return f.Role == Ceiling && f.Unit == Bytes && !f.NoLimit()
	case wanted == "":
		return value != f.Usual
	case value == wanted || strings.Contains(wanted, ":") || f.NoLimit() && wanted == "-1":
		return false // what is written by disk reads otherwise
	}
	is, err1 := strconv.ParseInt(value, 10, 64)
	want, err2 := strconv.ParseInt(wanted, 10, 64)
	wholePages := is <= want && want-is < int64(os.Getpagesize()) // which the kernel rounds to
	return err1 != nil || err2 != nil || f.Unit != Bytes || !wholePages
}

// usual are values of a new group.
var usual = map[string]string{
	"cpu.shares": "1024", "cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "-1", "cpu.weight": "100", "cpu.max": "max 100000",
	"pids.max": "max", "memory.max": "max", "memory.low": "0",
}

func about(name string, unit Unit, role Role, english, chinese string, flags ...string) About {
	return About{Name: name, Unit: unit, Role: role, Usual: usual[name], Flags: flags, Meaning: kernel.Why{EN: english, ZH: chinese}}
}

// filesV1 are the files that matter, by controller: what limits, and what is used. Their meaning is that of the kernel's
// documentation, admin-guide/cgroup-v1.
var filesV1 = map[string][]About{
	"memory": {
		about("memory.limit_in_bytes", Bytes, Ceiling, "the most memory; beyond it the OOM killer comes", "内存上限；超出就由 OOM killer 杀进程", "-m"),
		about("memory.memsw.limit_in_bytes", Bytes, Setting, "the most of memory and swap together", "内存加 swap 的上限", "--memory-swap"),
		about("memory.soft_limit_in_bytes", Bytes, Setting, "what is left to it when memory is short", "内存紧张时尽量给它留这么多", "--memory-reservation"),
		about("memory.swappiness", Plain, Setting, "how readily it is swapped out, 0 to 100", "多愿意换出到 swap，0 到 100", "--memory-swappiness"),
		about("memory.usage_in_bytes", Bytes, InUse, "in use now, the cache of files included", "现在用了多少，含文件缓存"),
		about("memory.max_usage_in_bytes", Bytes, Counter, "the most that was ever in use", "用得最多的时候"),
		about("memory.failcnt", Plain, Counter, "how often it met its limit", "碰到上限多少次"),
		about("memory.oom_control", Plain, Counter, "is the OOM killer off, and how often has it killed", "OOM killer 是否关闭、杀过几次", "--oom-kill-disable"),
	},
	"cpu": {
		about("cpu.shares", Plain, Setting, "its weight against other groups when processors are short", "CPU 不够分时，和别的组相比的权重", "--cpu-shares"),
		about("cpu.cfs_period_us", Microseconds, Setting, "a period, in which the quota is measured", "一个周期，配额按它计算", "--cpu-period", "--cpus"),
		about("cpu.cfs_quota_us", Microseconds, Ceiling, "the most processor time in each period", "每个周期里最多用多少 CPU 时间", "--cpu-quota", "--cpus"),
		about("cpu.stat", Plain, Counter, "in how many periods it met its quota, and waited", "多少个周期里用完了配额、停下来等"),
	},
	"cpuacct": {about("cpuacct.usage", Nanoseconds, InUse, "processor time so far, of all processors", "到现在用掉的 CPU 时间，所有处理器合计")},
	"blkio": {
		about("blkio.weight", Plain, Setting, "its share of disks that are busy", "磁盘繁忙时占多大份额", "--blkio-weight"),
		about("blkio.bfq.weight", Plain, Setting, "its share of disks that are busy (BFQ)", "磁盘繁忙时占多大份额(BFQ)", "--blkio-weight"),
		about("blkio.bfq.weight_device", Plain, Setting, "its share of single disks", "在某块磁盘上占多大份额", "--blkio-weight-device"),
		about("blkio.throttle.read_bps_device", Plain, Ceiling, "the most bytes a second read from a disk", "每秒最多从磁盘读多少字节", "--device-read-bps"),
		about("blkio.throttle.write_bps_device", Plain, Ceiling, "the most bytes a second written to a disk", "每秒最多往磁盘写多少字节", "--device-write-bps"),
		about("blkio.throttle.read_iops_device", Plain, Ceiling, "the most reads a second", "每秒最多读多少次", "--device-read-iops"),
		about("blkio.throttle.write_iops_device", Plain, Ceiling, "the most writes a second", "每秒最多写多少次", "--device-write-iops"),
		about("blkio.throttle.io_service_bytes", Plain, InUse, "bytes read and written so far, by disk", "到现在每块磁盘读写了多少字节"),
	},
	"pids": {
		about("pids.max", Plain, Ceiling, "the most processes and threads", "进程和线程最多几个", "--pids-limit"),
		about("pids.current", Plain, InUse, "processes and threads now", "现在有几个进程和线程"),
	},
	"devices": {about("devices.list", Plain, Setting, "devices that may be used: kind, major:minor, read write make", "可以用的设备：类型、主次设备号、读写建", "--device", "--device-cgroup-rule", "--privileged")},
	"freezer": {about("freezer.state", Plain, Setting, "THAWED: it runs; FROZEN: paused", "THAWED 在运行，FROZEN 已暂停", "sandbox pause")},
	"cpuset": {
		about("cpuset.cpus", Plain, Setting, "the processors that it may use", "可以用哪几个处理器", "--cpuset-cpus"),
		about("cpuset.mems", Plain, Setting, "the memory nodes that it may use", "可以用哪几个内存节点", "--cpuset-mems"),
	},
}

// filesV2 are the same for v2, in one directory: admin-guide/cgroup-v2 of the kernel's documentation.
var filesV2 = []About{
	about("memory.max", Bytes, Ceiling, "the most memory; beyond it the OOM killer comes", "内存上限；超出就由 OOM killer 杀进程", "-m"),
	about("memory.swap.max", Bytes, Setting, "the most swap, without memory", "swap 上限，不含内存", "--memory-swap"),
	about("memory.low", Bytes, Setting, "what is left to it when memory is short", "内存紧张时尽量给它留这么多", "--memory-reservation"),
	about("memory.current", Bytes, InUse, "in use now, the cache of files included", "现在用了多少，含文件缓存"),
	about("memory.swap.current", Bytes, Counter, "swap in use now", "现在用了多少 swap"),
	about("memory.peak", Bytes, Counter, "the most that was ever in use (since Linux 5.19)", "用得最多的时候（Linux 5.19 起）"),
	about("memory.events", Plain, Counter, "how often it met a limit, and how often the OOM killer killed", "碰到各种上限多少次、OOM killer 杀过几次"),
	about("cpu.weight", Plain, Setting, "its weight against other groups when processors are short", "CPU 不够分时，和别的组相比的权重", "--cpu-shares"),
	about("cpu.max", Plain, Ceiling, "the most processor time in each period: quota and period, in microseconds", "每个周期里最多用多少 CPU 时间：配额和周期，单位微秒", "--cpus", "--cpu-quota", "--cpu-period"),
	about("cpu.stat", Plain, InUse, "processor time so far, and in how many periods it met its quota", "到现在用掉的 CPU 时间，多少个周期里用完了配额"),
	about("cpuset.cpus", Plain, Setting, "the processors that it may use; empty: those of the group above", "可以用哪几个处理器；空着就和上一级一样", "--cpuset-cpus"),
	about("cpuset.cpus.effective", Plain, Counter, "the processors that it really has", "实际能用哪几个处理器"),
	about("cpuset.mems", Plain, Setting, "the memory nodes that it may use", "可以用哪几个内存节点", "--cpuset-mems"),
	about("io.weight", Plain, Setting, "its share of disks that are busy (io.cost)", "磁盘繁忙时占多大份额（io.cost）", "--blkio-weight"),
	about("io.bfq.weight", Plain, Setting, "its share of disks that are busy (BFQ)", "磁盘繁忙时占多大份额(BFQ)", "--blkio-weight"),
	about("io.max", Plain, Ceiling, "the most bytes and operations a second, by disk", "每块磁盘每秒最多多少字节、多少次", "--device-read-bps", "--device-write-bps", "--device-read-iops", "--device-write-iops"),
	about("io.stat", Plain, InUse, "bytes and operations so far, by disk", "到现在每块磁盘读写了多少字节、多少次"),
	about("pids.max", Plain, Ceiling, "the most processes and threads", "进程和线程最多几个", "--pids-limit"),
	about("pids.current", Plain, InUse, "processes and threads now", "现在有几个进程和线程"),
	about("cgroup.controllers", Plain, Counter, "the controllers that this group has", "这个组有哪些控制器"),
	about("cgroup.freeze", Plain, Setting, "0: it runs; 1: paused", "0 在运行，1 已暂停", "sandbox pause"),
	about("cgroup.events", Plain, Counter, "is there a process in it, and is it frozen", "组里有没有进程、是否冻结"),
}

// order is the order in which controllers are shown.
var order = []string{"memory", "cpu", "cpuacct", "cpuset", "blkio", "pids", "freezer", "devices"}

// Files reads the files of a container's group that matter, ordered by controller. Those that this kernel does not
// have (blkio.weight needs a scheduler with weights, memory.memsw a kernel that counts swap) are left out. r is what was asked
// for; it may be nil.
func (h Host) Files(id string, r *specs.LinuxResources) []File {
	var list []File
	wanted := h.wanted(r)
	read := func(controller, dir string, known []About) {
		for _, a := range known {
			if data, err := os.ReadFile(path.Join(dir, a.Name)); err == nil {
				list = append(list, File{controller, path.Join(dir, a.Name), strings.TrimSuffix(string(data), "\n"), wanted[a.Name], a})
			}
		}
	}
	g := h.Group(id, "cpuset")
	if h.Mode == V2 {
		for _, a := range filesV2 {
			controller, _, _ := strings.Cut(a.Name, ".")
			read(controller, g.dirs[0].group(id), []About{a})
		}
		return list
	}
	for _, controller := range order {
		if d, ok := g.dirOf(controller); ok {
			if slices.Contains(d.Links, controller) {
				d.Path = path.Join(path.Dir(d.Path), controller)
			}
			read(controller, d.group(id), filesV1[controller])
		}
	}
	return list
}

// wanted is what the limits write, by file; in several lines where a file is written several times.
func (h Host) wanted(r *specs.LinuxResources) map[string]string {
	values := map[string]string{}
	if r == nil {
		return values
	}
	limits, err := h.limits(r)
	if err != nil {
		return values
	}
	for _, l := range limits {
		values[l.file] = strings.TrimPrefix(values[l.file]+"\n"+l.value, "\n")
	}
	return values
}
