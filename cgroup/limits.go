package cgroup

import (
	"errors"
	"fmt"
	"math"
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
	if r.Network != nil || len(r.HugepageLimits) > 0 || len(r.Rdma) > 0 || len(r.Unified) > 0 {
		return nil, fmt.Errorf("limits on network priorities, huge pages, RDMA and raw cgroup files are not supported yet")
	}
	var list []limit
	add := func(controller, v1, v2, value string, english, chinese string) {
		file := v1
		if h.Mode == V2 {
			file = v2
			if controller == "blkio" {
				controller = "io"
			}
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
	if err := h.blockLimits(r.BlockIO, add); err != nil {
		return nil, err
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
	if m.KernelTCP != nil {
		return fmt.Errorf("limits on kernel memory are not supported: the kernel has given them up")
	}
	if m.Limit != nil && *m.Limit != 0 {
		add("memory", "memory.limit_in_bytes", "memory.max", h.bytes(*m.Limit), "-m: memory, in bytes", "-m：内存上限，单位字节")
	}
	if m.Reservation != nil && *m.Reservation != 0 {
		least := h.bytes(*m.Reservation)
		if h.Mode == V2 {
			least = strconv.FormatInt(max(0, *m.Reservation), 10) // what is kept for it: none, not all
		}
		add("memory", "memory.soft_limit_in_bytes", "memory.low", least,
			"--memory-reservation: what it keeps when memory is short", "--memory-reservation：内存紧张时尽量保留这么多")
	}
	if err := h.swapLimit(m, add); err != nil {
		return err
	}
	return h.memoryHabits(m, add)
}

// swapLimit is --memory-swap: on v1 of memory and swap together, on v2 of swap alone.
func (h Host) swapLimit(m *specs.LinuxMemory, add adder) error {
	if m.Swap == nil || *m.Swap == 0 || *m.Swap < 0 && !h.SwapCounted() {
		return nil // a new group has no limit
	}
	swap := *m.Swap
	if h.Mode == V2 && swap > 0 {
		if m.Limit == nil || *m.Limit <= 0 || *m.Limit > swap {
			return fmt.Errorf("--memory-swap is memory and swap together: it needs -m, and cannot be less")
		}
		swap -= *m.Limit
	}
	english, chinese := "--memory-swap: memory and swap together", "--memory-swap：内存加 swap 的上限"
	if h.Mode == V2 {
		english, chinese = "--memory-swap less -m: v2 counts swap alone", "--memory-swap 减去 -m：v2 里 swap 单独计数"
	}
	add("memory", "memory.memsw.limit_in_bytes", "memory.swap.max", h.bytes(swap), english, chinese)
	return nil
}

// memoryHabits are what v1 alone can set: when it swaps, and what becomes of a group that meets its limit.
func (h Host) memoryHabits(m *specs.LinuxMemory, add adder) error {
	if m.Swappiness != nil {
		if h.Mode == V2 {
			return kernel.Advise(errors.New("--memory-swappiness: cgroup v2 has no swappiness of a group's own"),
				"leave it out; for the whole machine: sysctl vm.swappiness=%d", *m.Swappiness)
		}
		add("memory", "memory.swappiness", "", strconv.FormatUint(*m.Swappiness, 10),
			"--memory-swappiness: how readily it is swapped out, 0 to 100", "--memory-swappiness：多愿意换出到 swap，0 到 100")
	}
	if m.DisableOOMKiller != nil && *m.DisableOOMKiller {
		if h.Mode == V2 {
			return kernel.Advise(errors.New("--oom-kill-disable: in cgroup v2 the OOM killer cannot be switched off for a group"),
				"leave it out; --memory-reservation slows a container down before it meets its limit, --oom-score-adj -1000 spares it when the whole machine is short")
		}
		add("memory", "memory.oom_control", "", "1", "--oom-kill-disable: at its limit it waits for memory instead of being killed", "--oom-kill-disable：到上限就停下等内存，不杀进程")
	}
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
		english, chinese := "--cpu-shares: weight against other groups", "--cpu-shares：和别的组争用 CPU 时的权重"
		if h.Mode == V2 {
			english = "--cpu-shares " + value + " as a weight of v2, converted as runc and crun do: 2 is 1, 1024 is 100, 262144 is 10000, between them a curve"
			chinese = "--cpu-shares " + value + " 换算成 v2 的权重，算法和 runc、crun 相同：2 对 1，1024 对 100，262144 对 10000，中间是曲线"
			value = strconv.FormatUint(weightOf(*c.Shares), 10)
		}
		add("cpu", "cpu.shares", "cpu.weight", value, english, chinese)
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
	if (c.Quota == nil || *c.Quota == 0) && (c.Period == nil || *c.Period == 0) {
		return
	}
	quota, period := int64(-1), uint64(100_000)
	if c.Quota != nil && *c.Quota != 0 {
		quota = *c.Quota
	}
	if c.Period != nil && *c.Period != 0 {
		period = *c.Period
	}
	switch h.Mode {
	case V2:
		add("cpu", "", "cpu.max", orMax(quota)+" "+strconv.FormatUint(period, 10),
			"--cpus: microseconds of processor time in each period", "--cpus：每个周期里最多用多少微秒 CPU")
	default:
		add("cpu", "cpu.cfs_period_us", "", strconv.FormatUint(period, 10), "--cpu-period: in microseconds", "--cpu-period：一个周期，单位微秒")
		add("cpu", "cpu.cfs_quota_us", "", strconv.FormatInt(quota, 10),
			"--cpus: microseconds of processor time in each period", "--cpus：每个周期里最多用多少微秒 CPU")
	}
}

// weightOf turns v1's shares (2 … 262144, usually 1024) into v2's weight (1 … 10000, usually 100) as runc (since 1.3.2) and crun (since
// 1.23) do: a curve through the least, the usual and the most. The straight line that they had before made 1024 shares 39, so that who
// was given what is usual got less than who was given nothing. The price is that proportions are not kept: 512 becomes 59, not 50.
func weightOf(shares uint64) uint64 {
	switch {
	case shares <= 2:
		return 1
	case shares >= 262_144:
		return 10_000
	}
	l := math.Log2(float64(shares))
	return uint64(math.Ceil(math.Pow(10, (l*l+125*l)/612-7.0/34)))
}

// missingController is a limit that the machine has no controller for.
func missingController(name, version string) error {
	cure := "boot a kernel that has it: `sandbox doctor` lists the controllers"
	if version == "v2" {
		cure = "have it delegated: systemctl edit user@.service, then [Service] Delegate=cpu cpuset io memory pids"
	}
	return kernel.Advise(fmt.Errorf("the controller %s, which this limit needs, is not available here (cgroup %s)", name, version), cure)
}
