// Package limits holds the flags that limit a container, which `run`, `create`, `update` and `build` share. It reads them; what
// they mean is for package container (resources.go), and how they become files of a control group, for package cgroup.
package limits

import (
	"fmt"
	"math/big"

	"github.com/spf13/pflag"

	"sandbox/kernel"
	"sandbox/kernel/container"
)

// Options are the flags, under Docker's names.
type Options struct {
	memory, memorySwap, memoryReservation string
	swappiness                            int64
	oomKillDisable                        bool
	cpuShares, cpuPeriod, cpuQuota        int64
	cpus                                  string
	cpusetCpus, cpusetMems                string
	pidsLimit                             int64
	blkioWeight                           uint16
	cgroupParent                          string
	block                                 blockOptions

	flags *pflag.FlagSet
}

// AddBuild registers those of `build`.
func (o *Options) AddBuild(f *pflag.FlagSet) {
	o.addCommon(f)
	o.addParent(f)
}

func (o *Options) addParent(f *pflag.FlagSet) {
	f.StringVar(&o.cgroupParent, "cgroup-parent", "", "the control group that its own is made in: /jobs/night")
}

// addCommon registers those that all the commands have.
func (o *Options) addCommon(f *pflag.FlagSet) {
	o.flags = f
	f.StringVarP(&o.memory, "memory", "m", "", "the most memory it may use: 200m (units b, k, m, g)")
	f.StringVar(&o.memorySwap, "memory-swap", "", "memory and swap together; -1: as much swap as there is; the same as -m: none (default: twice the memory)")
	f.Int64VarP(&o.cpuShares, "cpu-shares", "c", 0, "its share when processors are short, relative to others (default 1024)")
	f.Int64Var(&o.cpuPeriod, "cpu-period", 0, "what --cpu-quota is measured in, in microseconds (default 100000)")
	f.Int64Var(&o.cpuQuota, "cpu-quota", 0, "the most processor time in each period, in microseconds")
	f.StringVar(&o.cpusetCpus, "cpuset-cpus", "", "only these processors: 0-2,4")
	f.StringVar(&o.cpusetMems, "cpuset-mems", "", "memory of these nodes only: 0,1")
}

// AddUpdate registers those that can be changed while a container runs.
func (o *Options) AddUpdate(f *pflag.FlagSet) {
	o.addCommon(f)
	f.StringVar(&o.memoryReservation, "memory-reservation", "", "how much memory it keeps when the machine is short of it")
	f.StringVar(&o.cpus, "cpus", "", "how many processors it may use: 1.5")
	f.Int64Var(&o.pidsLimit, "pids-limit", 0, "the most processes and threads; -1: no limit")
	f.Uint16Var(&o.blkioWeight, "blkio-weight", 0, "its share of disks that are busy, 10 to 1000 (needs the scheduler BFQ, or io.cost)")
}

// AddCreate registers all of them.
func (o *Options) AddCreate(f *pflag.FlagSet) {
	o.AddUpdate(f)
	o.addParent(f)
	f.Int64Var(&o.swappiness, "memory-swappiness", -1, "how readily its memory is swapped out: 0 to 100 (cgroup v1)")
	f.BoolVar(&o.oomKillDisable, "oom-kill-disable", false, "at the limit it waits instead of being killed (cgroup v1)")
	o.block.addFlags(f)
}

// Given tells whether any of those of `update` is there.
func (o *Options) Given() bool {
	given := false
	for _, name := range []string{
		"memory", "memory-swap", "cpu-shares", "cpu-period", "cpu-quota", "cpuset-cpus", "cpuset-mems", "memory-reservation", "cpus",
		"pids-limit", "blkio-weight",
	} {
		given = given || o.flags.Changed(name)
	}
	return given
}

// Apply puts what was given into r and leaves the rest of it as it is.
func (o *Options) Apply(r *container.Resources) error {
	if err := o.applyMemory(r); err != nil {
		return err
	}
	if o.flags.Changed("cpus") {
		n, err := nanoCpus(o.cpus)
		if err != nil {
			return err
		}
		r.NanoCpus = n
	}
	numbers := []struct {
		flag   string
		from   int64
		target *int64
	}{{"cpu-shares", o.cpuShares, &r.CpuShares}, {"cpu-period", o.cpuPeriod, &r.CpuPeriod}, {"cpu-quota", o.cpuQuota, &r.CpuQuota}}
	for _, n := range numbers {
		if o.flags.Changed(n.flag) {
			*n.target = n.from
		}
	}
	if o.flags.Changed("cgroup-parent") {
		r.CgroupParent = o.cgroupParent
	}
	if o.flags.Changed("cpuset-cpus") {
		r.CpusetCpus = o.cpusetCpus
	}
	if o.flags.Changed("cpuset-mems") {
		r.CpusetMems = o.cpusetMems
	}
	if o.flags.Changed("pids-limit") {
		r.PidsLimit = &o.pidsLimit
	}
	if o.flags.Changed("blkio-weight") {
		r.BlkioWeight = o.blkioWeight
	}
	return o.block.apply(r)
}

func (o *Options) applyMemory(r *container.Resources) (err error) {
	if o.flags.Changed("memory") {
		if r.Memory, err = size("--memory", o.memory); err != nil {
			return err
		}
	}
	if o.flags.Changed("memory-reservation") {
		if r.MemoryReservation, err = size("--memory-reservation", o.memoryReservation); err != nil {
			return err
		}
	}
	if o.flags.Changed("memory-swap") {
		if o.memorySwap == "-1" {
			r.MemorySwap = -1
		} else if r.MemorySwap, err = size("--memory-swap", o.memorySwap); err != nil {
			return err
		}
	}
	if o.flags.Changed("memory-swappiness") {
		r.MemorySwappiness = &o.swappiness
	}
	if o.flags.Changed("oom-kill-disable") {
		r.OomKillDisable = &o.oomKillDisable
	}
	return nil
}

// nanoCpus reads a number of processors exactly, as Docker does: 1.5, 0.25.
func nanoCpus(s string) (int64, error) {
	n, ok := new(big.Rat).SetString(s)
	if !ok {
		return 0, kernel.Advise(fmt.Errorf("invalid --cpus: %q is not a number", s), "a number of processors, as in: --cpus 1.5")
	}
	n.Mul(n, big.NewRat(1_000_000_000, 1))
	switch {
	case !n.IsInt():
		return 0, kernel.Advise(fmt.Errorf("invalid --cpus: %q has more than nine digits after the point", s), "--cpus 1.5")
	case n.Sign() < 0 || !n.Num().IsInt64():
		return 0, kernel.Advise(fmt.Errorf("invalid --cpus: %q", s), "--cpus 0.01 or more; 0 for no limit")
	}
	return n.Num().Int64(), nil
}
