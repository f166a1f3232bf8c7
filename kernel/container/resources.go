package container

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/cgroup"
	"sandbox/kernel"
)

// Resources is what of HostConfig limits a container: the part that `update` can change while it runs, and a little more,
// under Docker's names. Zero is "no limit" everywhere.
type Resources struct {
	CgroupParent      string
	CpuShares         int64 // relative to other containers; 1024 is what those have that were given none
	Memory            int64 // bytes
	NanoCpus          int64 // --cpus, in thousand millionths of a processor
	CpuPeriod         int64 // microseconds
	CpuQuota          int64 // microseconds in each period; -1: no limit
	CpusetCpus        string
	CpusetMems        string
	MemoryReservation int64  // bytes that are left to it when the machine is short of memory
	MemorySwap        int64  // bytes of memory and swap together; -1: no limit
	MemorySwappiness  *int64 // 0 … 100
	OomKillDisable    *bool
	PidsLimit         *int64 // processes and threads; 0 and -1: no limit

	DeviceCgroupRules []string

	BlkioWeight          uint16 // 10 … 1000
	BlkioWeightDevice    []WeightDevice
	BlkioDeviceReadBps   []ThrottleDevice
	BlkioDeviceWriteBps  []ThrottleDevice
	BlkioDeviceReadIOps  []ThrottleDevice
	BlkioDeviceWriteIOps []ThrottleDevice
}

// WeightDevice is a share of one disk. Path is how the user named the disk; the numbers are those of the whole disk.
type WeightDevice struct {
	Path         string
	Weight       uint16
	Major, Minor int64 `json:"-"`
}

// ThrottleDevice is a rate of one disk, in bytes or in operations a second.
type ThrottleDevice struct {
	Path         string
	Rate         uint64
	Major, Minor int64 `json:"-"`
}

// Bounds of Docker's and of the kernel's.
const (
	leastMemory   = 6 << 20 // Docker's: a container with less cannot even be born
	leastShares   = 2
	mostShares    = 262_144
	leastPeriod   = 1_000 // microseconds, kernel/sched/core.c
	mostPeriod    = 1_000_000
	leastQuota    = 1_000
	usualPeriod   = 100_000
	oneCPU        = 1_000_000_000
	leastNanoCpus = oneCPU / 100
)

// complete fills in what follows from what was given: memory and swap together are twice the memory, as Docker has it.
func (r *Resources) complete() {
	if r.Memory > 0 && r.MemorySwap == 0 {
		r.MemorySwap = 2 * r.Memory
	}
}

// check refuses what can be meant on no machine.
func (r *Resources) check() error {
	if err := r.checkMemory(); err != nil {
		return err
	}
	if err := r.checkCPU(); err != nil {
		return err
	}
	if err := r.checkBlockIO(); err != nil {
		return err
	}
	if p := r.PidsLimit; p != nil && *p < -1 {
		return outOfRange("pids-limit", *p)
	}
	return nil
}

func (r *Resources) checkMemory() error {
	switch {
	case r.Memory != 0 && r.Memory < leastMemory:
		return kernel.Advise(fmt.Errorf("-m: %d bytes are too little: the minimum memory limit is 6 MB", r.Memory), "-m 6m or more; 0 for no limit")
	case r.MemoryReservation != 0 && r.MemoryReservation < leastMemory:
		return kernel.Advise(fmt.Errorf("--memory-reservation: %d bytes are too little: the minimum is 6 MB", r.MemoryReservation), "--memory-reservation 6m or more; 0 for none")
	case r.MemorySwap < -1:
		return kernel.Advise(fmt.Errorf("invalid --memory-swap: %d", r.MemorySwap), "memory and swap together, as in -m 200m --memory-swap 300m; -1 for as much swap as there is")
	case r.MemorySwap > 0 && r.Memory == 0:
		return kernel.Advise(errors.New("--memory-swap is memory and swap together, so it needs the memory limit, too"), "-m 200m --memory-swap 300m")
	case r.MemorySwap > 0 && r.MemorySwap < r.Memory:
		return kernel.Advise(fmt.Errorf("--memory-swap (%d bytes) is memory and swap together: it cannot be less than -m (%d bytes)", r.MemorySwap, r.Memory),
			"--memory-swap %d for no swap, more for some, -1 for as much as there is", r.Memory)
	case r.Memory > 0 && r.MemoryReservation > r.Memory:
		return kernel.Advise(fmt.Errorf("--memory-reservation (%d bytes) cannot be more than -m (%d bytes)", r.MemoryReservation, r.Memory), "--memory-reservation %d or less", r.Memory)
	}
	if s := r.MemorySwappiness; s != nil && (*s < -1 || *s > 100) {
		return outOfRange("memory-swappiness", *s)
	}
	return nil
}

func (r *Resources) checkCPU() error {
	count := int64(runtime.NumCPU())
	switch {
	case r.CpuShares != 0 && (r.CpuShares < leastShares || r.CpuShares > mostShares):
		return outOfRange("cpu-shares", r.CpuShares)
	case r.NanoCpus != 0 && (r.CpuPeriod != 0 || r.CpuQuota != 0):
		return kernel.Advise(errors.New("--cpus is another way to say --cpu-period and --cpu-quota: they cannot be used together"), "--cpus 1.5, or: --cpu-period 100000 --cpu-quota 150000")
	case r.NanoCpus != 0 && (r.NanoCpus < leastNanoCpus || r.NanoCpus > count*oneCPU):
		return kernel.Advise(fmt.Errorf("--cpus %s: this machine has %d", strconv.FormatFloat(float64(r.NanoCpus)/oneCPU, 'f', -1, 64), count), "--cpus 0.01 to --cpus %d", count)
	case r.CpuPeriod != 0 && (r.CpuPeriod < leastPeriod || r.CpuPeriod > mostPeriod):
		return outOfRange("cpu-period", r.CpuPeriod)
	case r.CpuQuota != 0 && r.CpuQuota != -1 && r.CpuQuota < leastQuota:
		return outOfRange("cpu-quota", r.CpuQuota)
	}
	return nil
}

// limits are the resources as the OCI specification has them. What is zero is left out: a new group has no limit.
func (r *Resources) limits() *specs.LinuxResources {
	l := &specs.LinuxResources{}
	if r.Memory != 0 || r.MemorySwap != 0 || r.MemoryReservation != 0 || r.MemorySwappiness != nil || r.noOOMKiller() {
		l.Memory = &specs.LinuxMemory{Limit: unlessZero(r.Memory), Swap: unlessZero(r.MemorySwap), Reservation: unlessZero(r.MemoryReservation)}
		if s := r.MemorySwappiness; s != nil && *s >= 0 {
			value := uint64(*s)
			l.Memory.Swappiness = &value
		}
		if r.noOOMKiller() {
			l.Memory.DisableOOMKiller = r.OomKillDisable
		}
	}
	cpu := specs.LinuxCPU{Quota: unlessZero(r.CpuQuota), Cpus: r.CpusetCpus, Mems: r.CpusetMems}
	if r.CpuShares != 0 {
		shares := uint64(r.CpuShares)
		cpu.Shares = &shares
	}
	if r.CpuPeriod != 0 {
		period := uint64(r.CpuPeriod)
		cpu.Period = &period
	}
	if r.NanoCpus != 0 {
		period, quota := uint64(usualPeriod), r.NanoCpus*usualPeriod/oneCPU
		cpu.Period, cpu.Quota = &period, &quota
	}
	if cpu != (specs.LinuxCPU{}) {
		l.CPU = &cpu
	}
	if p := r.PidsLimit; p != nil && *p > 0 {
		l.Pids = &specs.LinuxPids{Limit: p}
	}
	l.BlockIO = r.blockIO()
	return l
}

func (r *Resources) noOOMKiller() bool { return r.OomKillDisable != nil && *r.OomKillDisable }

func unlessZero(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// checkResources completes the limits of a container that is to be made, and refuses those that cannot hold here.
func (e *Engine) checkResources(r *Record, warn func(string)) error {
	if err := checkOOMScore(r.HostConfig.OomScoreAdj, e.Host); err != nil {
		return err
	}
	if err := e.checkParent(r.HostConfig.CgroupParent); err != nil {
		return err
	}
	if err := e.checkDeviceRules(r.HostConfig); err != nil {
		return err
	}
	return e.settle(&r.HostConfig, warn)
}

// CheckLimits refuses limits that cannot hold here, before there is a container to have them. It completes them.
func (e *Engine) CheckLimits(hc *HostConfig, warn func(string)) error {
	if err := e.checkParent(hc.CgroupParent); err != nil {
		return err
	}
	return e.settle(hc, warn)
}

// settle does that for limits, of a new container or of one that is there.
func (e *Engine) settle(hc *HostConfig, warn func(string)) error {
	if warn == nil {
		warn = func(string) {}
	}
	if err := hc.Resources.check(); err != nil {
		return err
	}
	if err := hc.findDisks(e); err != nil {
		return err
	}
	byDefault := hc.Memory > 0 && hc.MemorySwap == 0
	hc.Resources.complete()
	if byDefault && e.Groups.Available() && !e.Groups.SwapCounted() { // as Docker does
		hc.MemorySwap = -1
		warn("this kernel does not count swap by container: memory is limited, swap is not")
	}
	if err := e.Groups.Check(hc.limits()); err != nil {
		return err
	}
	switch {
	case !byDefault && hc.MemorySwap > hc.Memory && !cgroup.HasSwap():
		warn("this machine has no swap now: --memory-swap is set, and makes no difference until there is some")
	case hc.noOOMKiller() && hc.Memory == 0:
		warn("--oom-kill-disable without -m: it can take all memory of the machine, and will not be killed for that")
	}
	return nil
}

// checkOOMScore refuses a value that the kernel does not know, or that this user may not set: to make a process less likely a
// victim than it is takes CAP_SYS_RESOURCE (proc(5), /proc/pid/oom_score_adj).
func checkOOMScore(wanted int, h Host) error {
	if wanted < -1000 || wanted > 1000 {
		return outOfRange("oom-score-adj", wanted)
	}
	if wanted == 0 {
		return nil
	}
	data, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		return kernel.Advise(fmt.Errorf("--oom-score-adj: %w", err), "mount -t proc proc /proc")
	}
	own, _ := strconv.Atoi(strings.TrimSpace(string(data)))
	if wanted < own && !h.mayLowerOOMScore() {
		return kernel.Advise(fmt.Errorf("--oom-score-adj %d: only root of the machine, with CAP_SYS_RESOURCE, may go below the %d that this process has", wanted, own),
			"--oom-score-adj %d or more", own)
	}
	return nil
}
