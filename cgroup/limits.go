package cgroup

import (
	"fmt"
	"path"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/kernel"
)

// limit is one value to be written to one file of a group.
type limit struct {
	controller  string
	file, value string
	why         kernel.Why
}

// step writes the limit into a group's directory.
func (l limit) step(dir string) kernel.Step {
	return kernel.Step{Effect: kernel.WriteFile{Path: path.Join(dir, l.file), Data: l.value}, Section: "3.4", Why: l.why}
}

// limits are the files to write for what a container may use, in the order in which the kernel takes them. What this
// version cannot limit yet is an error: a limit that is silently left out is worse than none.
func (h Host) limits(r *specs.LinuxResources) ([]limit, error) {
	if r.BlockIO != nil || r.Network != nil || len(r.HugepageLimits) > 0 || len(r.Rdma) > 0 || len(r.Unified) > 0 {
		return nil, fmt.Errorf("limits on block I/O, network priorities, huge pages, RDMA and raw cgroup files are not supported yet")
	}
	var list []limit
	add := func(controller, v1, v2, value string, english, chinese string) {
		file := v1
		if h.Mode == V2 {
			file = v2
		}
		list = append(list, limit{controller, file, value, kernel.Why{EN: english, ZH: chinese}})
	}
	if err := h.memoryLimits(r.Memory, add); err != nil {
		return nil, err
	}
	h.cpuLimits(r.CPU, add)
	if r.Pids != nil && r.Pids.Limit != nil && *r.Pids.Limit != 0 {
		add("pids", "pids.max", "pids.max", orMax(*r.Pids.Limit), "--pids-limit: processes and threads", "--pids-limit：进程和线程的个数")
	}
	return list, nil
}

// adder collects a limit: its controller, its file on v1 and on v2, its value and the reason.
type adder = func(controller, v1, v2, value, english, chinese string)

// memoryLimits in bytes. On v1 memory.memsw counts memory and swap together, as Docker's --memory-swap does, and must
// not be below the memory limit at any moment: so it comes second. v2 counts swap alone.
func (h Host) memoryLimits(m *specs.LinuxMemory, add adder) error {
	if m == nil {
		return nil
	}
	if m.KernelTCP != nil || m.Swappiness != nil || m.DisableOOMKiller != nil {
		return fmt.Errorf("kernel memory, swappiness and the OOM killer's switch are not supported yet")
	}
	if m.Limit != nil && *m.Limit != 0 {
		add("memory", "memory.limit_in_bytes", "memory.max", h.bytes(*m.Limit), "-m: memory, in bytes", "-m：内存上限，单位字节")
	}
	if m.Reservation != nil && *m.Reservation != 0 {
		add("memory", "memory.soft_limit_in_bytes", "memory.low", h.bytes(*m.Reservation),
			"--memory-reservation: what it keeps when memory is short", "--memory-reservation：内存紧张时尽量保留这么多")
	}
	if m.Swap == nil || *m.Swap == 0 {
		return nil
	}
	swap := *m.Swap
	if h.Mode == V2 && swap > 0 {
		if m.Limit == nil || *m.Limit <= 0 || *m.Limit > swap {
			return fmt.Errorf("--memory-swap is memory and swap together: it needs -m, and cannot be less")
		}
		swap -= *m.Limit
	}
	add("memory", "memory.memsw.limit_in_bytes", "memory.swap.max", h.bytes(swap), "--memory-swap", "--memory-swap：内存加 swap 的上限")
	return nil
}

// bytes writes an amount of memory; -1 is no limit.
func (h Host) bytes(n int64) string {
	if h.Mode == V2 {
		return orMax(n)
	}
	return strconv.FormatInt(n, 10)
}

func orMax(n int64) string {
	if n < 0 {
		return "max"
	}
	return strconv.FormatInt(n, 10)
}

// cpuLimits: shares are relative to other groups; quota and period, in microseconds, are a ceiling.
func (h Host) cpuLimits(c *specs.LinuxCPU, add adder) {
	if c == nil {
		return
	}
	if c.Shares != nil && *c.Shares != 0 {
		value := strconv.FormatUint(*c.Shares, 10)
		if h.Mode == V2 {
			value = strconv.FormatUint(weightOf(*c.Shares), 10)
		}
		add("cpu", "cpu.shares", "cpu.weight", value, "--cpu-shares: weight against other groups", "--cpu-shares：和别的组争用 CPU 时的权重")
	}
	h.cpuCeiling(c, add)
	if c.Cpus != "" {
		add("cpuset", "cpuset.cpus", "cpuset.cpus", c.Cpus, "--cpuset-cpus: on these processors only", "--cpuset-cpus：只能用这几个处理器")
	}
	if c.Mems != "" {
		add("cpuset", "cpuset.mems", "cpuset.mems", c.Mems, "--cpuset-mems: memory of these nodes only", "--cpuset-mems：只能用这几个节点的内存")
	}
}

// cpuCeiling is two files on v1 and one on v2. The period goes first: a quota is judged against it.
func (h Host) cpuCeiling(c *specs.LinuxCPU, add adder) {
	quota, period := int64(-1), uint64(100_000)
	if c.Quota != nil && *c.Quota != 0 {
		quota = *c.Quota
	}
	if c.Period != nil && *c.Period != 0 {
		period = *c.Period
	}
	switch {
	case quota < 0 && period == 100_000:
	case h.Mode == V2:
		add("cpu", "", "cpu.max", orMax(quota)+" "+strconv.FormatUint(period, 10),
			"--cpus: microseconds of processor time in each period", "--cpus：每个周期里最多用多少微秒 CPU")
	default:
		add("cpu", "cpu.cfs_period_us", "", strconv.FormatUint(period, 10), "--cpu-period: in microseconds", "--cpu-period：一个周期，单位微秒")
		add("cpu", "cpu.cfs_quota_us", "", strconv.FormatInt(quota, 10),
			"--cpus: microseconds of processor time in each period", "--cpus：每个周期里最多用多少微秒 CPU")
	}
}

// weightOf turns v1's shares (2 … 262144, usually 1024) into v2's weight (1 … 10000, usually 100), in the proportion
// that the OCI runtimes agreed on first: both ranges are laid over each other.
func weightOf(shares uint64) uint64 {
	shares = min(max(shares, 2), 262_144)
	return 1 + (shares-2)*9999/262_142
}

// missingController is a limit that the machine has no controller for.
func missingController(name, version string) error {
	cure := "boot a kernel that has it: `sandbox doctor` lists the controllers"
	if version == "v2" {
		cure = "have it delegated: systemctl edit user@.service, then [Service] Delegate=cpu cpuset io memory pids"
	}
	return kernel.Advise(fmt.Errorf("the controller %s, which this limit needs, is not available here (cgroup %s)", name, version), cure)
}
