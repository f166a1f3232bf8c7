package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/kernel"
)

// Check refuses limits that cannot hold on this machine, for this user, before anything is made: each with what is missing and what
// would help. What the kernel would take and not keep (weights that nothing weighs) is refused, too.
func (h Host) Check(r *specs.LinuxResources) error {
	wanted, err := h.limits(r)
	if err != nil || len(wanted) == 0 {
		return err
	}
	if !h.Available() {
		return kernel.Advise(fmt.Errorf("a limit (%s) needs a control group: %s", wanted[0].flag(), h.Refusal.EN), "%s", h.Cure.EN)
	}
	if h.Mode == V2 {
		err = h.haveV2(wanted)
	} else {
		err = h.haveV1(wanted)
	}
	if err == nil {
		err = h.checkSwap(r.Memory)
	}
	if err == nil && r.CPU != nil {
		err = h.checkCpuset(r.CPU)
	}
	return err
}

// flag is the flag that set the limit, which its reason begins with.
func (l limit) flag() string {
	end := strings.IndexAny(l.why.EN, ": ")
	return l.why.EN[:max(end, 0)]
}

// haveV1 tells whether the hierarchies, and the files that not every kernel has, are there.
func (h Host) haveV1(wanted []limit) error {
	group := h.Group("", "cpuset")
	for _, l := range wanted {
		d, ok := group.dirOf(l.controller)
		if !ok {
			return missingController(l.controller, "v1")
		}
		if strings.HasPrefix(l.file, "cpu.cfs_") && !exists(path.Join(d.Path, l.file)) {
			return kernel.Advise(fmt.Errorf("%s: this kernel cannot limit processor time", l.flag()), "boot one with CONFIG_CFS_BANDWIDTH; --cpu-shares and --cpuset-cpus work without")
		}
		if strings.HasPrefix(l.file, "blkio.throttle.") && !exists(path.Join(d.Path, l.file)) {
			return kernel.Advise(fmt.Errorf("%s: this kernel cannot limit the rate of disks", l.flag()), "boot one with CONFIG_BLK_DEV_THROTTLING")
		}
	}
	return nil
}

// checkSwap: swap can be limited only where it is counted.
func (h Host) checkSwap(m *specs.LinuxMemory) error {
	if m == nil || m.Swap == nil || *m.Swap <= 0 || h.SwapCounted() {
		return nil
	}
	return kernel.Advise(errors.New("--memory-swap: this kernel does not count swap by container"),
		"leave it out: then memory is limited and swap is not; or boot with swapaccount=1 (and cgroup_enable=memory)")
}

// checkCpuset: only processors and memory nodes that are there, and ours to give.
func (h Host) checkCpuset(c *specs.LinuxCPU) error {
	for _, part := range []struct{ flag, what, wanted, v1, v2 string }{
		{"--cpuset-cpus", "processors", c.Cpus, "cpuset.effective_cpus", "cpuset.cpus.effective"},
		{"--cpuset-mems", "memory nodes", c.Mems, "cpuset.effective_mems", "cpuset.mems.effective"},
	} {
		if part.wanted == "" {
			continue
		}
		wanted, err := parseList(part.wanted)
		if err != nil {
			return kernel.Advise(fmt.Errorf("invalid %s: %q: %w", part.flag, part.wanted, err), "numbers and ranges, as in: %s 0-2,4", part.flag)
		}
		text := h.effective(part.v1, part.v2)
		there, err := parseList(text)
		if err != nil || len(there) == 0 {
			continue // the kernel will say
		}
		for _, n := range wanted {
			if !slices.Contains(there, n) {
				return kernel.Advise(fmt.Errorf("%s %s: the %s that there are, are %s", part.flag, part.wanted, part.what, text), "%s %s, or some of them", part.flag, text)
			}
		}
	}
	return nil
}

// effective is what groups of ours can have of a cpuset; "" if it cannot be read.
func (h Host) effective(v1, v2 string) string {
	if h.Mode == V2 {
		return strings.Join(words(path.Join(h.Base, v2)), "")
	}
	d, ok := h.Group("", "cpuset").dirOf("cpuset")
	if !ok {
		return ""
	}
	return strings.Join(words(path.Join(d.Path, v1)), "")
}

// mostListed is more than any kernel counts of processors or memory nodes.
const mostListed = 1 << 16

// parseList reads numbers as cpuset(7) writes them: 0-2,4.
func parseList(s string) ([]int, error) {
	var list []int
	for part := range strings.SplitSeq(strings.TrimSpace(s), ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		switch {
		case err1 != nil || err2 != nil || from < 0:
			return nil, fmt.Errorf("%q is no number and no range", part)
		case to < from:
			return nil, fmt.Errorf("the range %q ends before it begins", part)
		case to >= mostListed:
			return nil, fmt.Errorf("%d is beyond what any machine has", to)
		}
		for n := from; n <= to; n++ {
			list = append(list, n)
		}
	}
	return list, nil
}

// Lacking are the limits that nobody can have on this machine, in the words of Docker's warnings: "swap limit".
func (h Host) Lacking() []string {
	var list []string
	lacks := func(name string, controller, v1 string) {
		l := limit{controller: controller, file: v1}
		if h.Mode == V2 && h.haveV2([]limit{l}) != nil || h.Mode != V2 && h.haveV1([]limit{l}) != nil {
			list = append(list, name)
		}
	}
	lacks("memory limit", "memory", "")
	if len(list) == 0 && !h.SwapCounted() {
		list = append(list, "swap limit")
	}
	lacks("cpu shares", "cpu", "")
	lacks("cpu cfs quota", "cpu", "cpu.cfs_quota_us")
	lacks("cpuset", "cpuset", "")
	lacks("pids limit", "pids", "")
	io := "blkio"
	if h.Mode == V2 {
		io = "io"
	}
	lacks("blkio throttle", io, "blkio.throttle.write_bps_device")
	return list
}

// HasSwap tells whether the machine has any swap at this moment.
func HasSwap() bool {
	data, err := os.ReadFile("/proc/swaps")
	return err == nil && strings.Count(string(data), "\n") > 1
}

// SwapCounted tells whether the kernel counts swap by group. A kernel that was started with swapaccount=0, or has no swap at all
// compiled in, does not, and has no file for it.
func (h Host) SwapCounted() bool {
	if h.Mode != V2 {
		d, ok := h.Group("").dirOf("memory")
		return ok && exists(path.Join(d.Path, "memory.memsw.limit_in_bytes"))
	}
	if known, counted := h.fileBelow("memory.max", "memory.swap.max"); known {
		return counted
	}
	return exists("/proc/swaps")
}

// fileBelow looks, on v2, for a group that has one file, and tells whether it has another, too. The tree's root has no limits, so its
// files say nothing of what its groups can have; but a machine without any group is rare.
func (h Host) fileBelow(sign, wanted string) (known, there bool) {
	dirs := []string{h.Base}
	entries, _ := os.ReadDir(h.Base)
	for _, e := range entries {
		if e.IsDir() {
			dirs = append(dirs, path.Join(h.Base, e.Name()))
		}
	}
	for _, dir := range dirs {
		if exists(path.Join(dir, sign)) {
			return true, exists(path.Join(dir, wanted))
		}
	}
	return false, false
}
