package cgroup

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/kernel"
)

// Rewrite is one file of a running container's group that gets another value, and what puts the present one back.
type Rewrite struct{ Do, Back kernel.Step }

// Update is how a running container's limits become others: the files that change, in an order in which the kernel takes each of them.
// To be performed one by one; if one fails, Back of those before it in the opposite order.
func (h Host) Update(id string, old, new *specs.LinuxResources) ([]Rewrite, error) {
	if !h.Available() {
		return nil, h.Unavailable()
	}
	wanted, err := h.limits(h.explicit(old, new))
	if err != nil {
		return nil, err
	}
	before, _ := h.limits(old) // what cannot be had any more is written anew
	group := h.Group(id, "cpuset")
	var list []Rewrite
	var values []limit
	for _, l := range wanted {
		if slices.ContainsFunc(before, func(b limit) bool { return b.file == l.file && b.value == l.value }) {
			continue
		}
		values = append(values, l)
	}
	dirOf := func(l limit) (string, error) {
		if h.Mode == V2 {
			return group.dirs[0].group(id), nil
		}
		d, ok := group.dirOf(l.controller)
		if !ok {
			return "", missingController(l.controller, "v1")
		}
		return d.group(id), nil
	}
	joins := false
	for _, l := range values {
		dir, err := dirOf(l)
		if err != nil {
			return nil, err
		}
		if l.controller == "cpuset" && h.Mode != V2 && !exists(dir) && !joins {
			joins = true
			list = append(list, h.joinCpuset(group, id, values)...)
		}
		list = append(list, Rewrite{Do: l.step(dir), Back: l.back(dir)})
	}
	h.arrange(list)
	return list, h.checkUsed(list)
}

// explicit is new with a value for everything that old had and new has not: what a group has that was never limited.
func (h Host) explicit(old, new *specs.LinuxResources) *specs.LinuxResources {
	r := *new
	unlimited, shares, period, usual := int64(-1), uint64(1024), uint64(100_000), uint16(0)
	if o := old.Memory; o != nil {
		m := specs.LinuxMemory{}
		if r.Memory != nil {
			m = *r.Memory
		}
		for _, field := range []struct{ old, new **int64 }{{&o.Limit, &m.Limit}, {&o.Swap, &m.Swap}, {&o.Reservation, &m.Reservation}} {
			if *field.old != nil && *field.new == nil {
				*field.new = &unlimited
			}
		}
		r.Memory = &m
	}
	if o := old.CPU; o != nil {
		c := specs.LinuxCPU{}
		if r.CPU != nil {
			c = *r.CPU
		}
		if o.Shares != nil && c.Shares == nil {
			c.Shares = &shares
		}
		if (o.Quota != nil || o.Period != nil) && c.Quota == nil {
			c.Quota = &unlimited
		}
		if o.Period != nil && c.Period == nil {
			c.Period = &period
		}
		if o.Cpus != "" && c.Cpus == "" {
			c.Cpus = h.effective("cpuset.effective_cpus", "cpuset.cpus.effective")
		}
		if o.Mems != "" && c.Mems == "" {
			c.Mems = h.effective("cpuset.effective_mems", "cpuset.mems.effective")
		}
		r.CPU = &c
	}
	if old.Pids != nil && r.Pids == nil {
		r.Pids = &specs.LinuxPids{Limit: &unlimited}
	}
	if o := old.BlockIO; o != nil && o.Weight != nil && (r.BlockIO == nil || r.BlockIO.Weight == nil) {
		b := specs.LinuxBlockIO{}
		if r.BlockIO != nil {
			b = *r.BlockIO
		}
		b.Weight = &usual
		r.BlockIO = &b
	}
	return &r
}

// back is the step that restores what the limit's file has now.
func (l limit) back(dir string) kernel.Step {
	data, _ := os.ReadFile(path.Join(dir, l.file))
	value, _, _ := strings.Cut(string(data), "\n")
	value = strings.TrimPrefix(value, "default ") // of io.weight and its like, whose other lines are single disks
	if value == "" {
		value = "\n" // an empty cpuset of v2: a write of nothing would not reach the kernel
	}
	return step("3.4", kernel.WriteFile{Path: path.Join(dir, l.file), Data: value}, "what it was: not all of the new limits could be had", "改回原值：新的限制没能全部设上")
}

// joinCpuset is for a container of v1 that was in no group of this controller: all its processes move into one.
func (h Host) joinCpuset(group Group, id string, wanted []limit) []Rewrite {
	d, _ := group.dirOf("cpuset")
	var p Plan
	p.Group = group
	p.makeDirectory(d, d.prepareV1)
	p.Create = append(p.Create, fillCpuset(d.group(id), d.cpusetAbove(), nil)...)
	var list []Rewrite
	for _, s := range p.Create {
		list = append(list, Rewrite{Do: s})
	}
	for _, pid := range h.Processes(id) {
		move := func(dir, english, chinese string) kernel.Step {
			return step("3.5", kernel.WriteFile{Path: path.Join(dir, "cgroup.procs"), Data: strconv.Itoa(pid)}, english, chinese)
		}
		list = append(list, Rewrite{
			Do:   move(d.group(id), "cpuset: it was in no group of this controller", "cpuset：此前它不在这个控制器的任何组里"),
			Back: move(d.Path, "back to where it was", "回到原来的地方"),
		})
	}
	return list
}

// arrange puts the files into an order that the kernel accepts at each moment. On v1 memory and swap together must never be less than
// memory alone, and processor time in a period is judged as soon as one of the two is written, against what the group above has.
func (h Host) arrange(list []Rewrite) {
	at := func(name string) int {
		return slices.IndexFunc(list, func(r Rewrite) bool {
			w, ok := r.Do.Effect.(kernel.WriteFile)
			return ok && path.Base(w.Path) == name
		})
	}
	swap := func(i, j int) { list[i], list[j] = list[j], list[i] }
	data := func(i int) int64 {
		n, _ := strconv.ParseInt(list[i].Do.Effect.(kernel.WriteFile).Data, 10, 64)
		return n
	}
	if memory, both := at("memory.limit_in_bytes"), at("memory.memsw.limit_in_bytes"); memory >= 0 && both > memory {
		now := number(list[both].Do.Effect.(kernel.WriteFile).Path)
		if data(memory) < 0 || data(memory) > now {
			swap(memory, both)
		}
	}
	if period, quota := at("cpu.cfs_period_us"), at("cpu.cfs_quota_us"); period >= 0 && quota > period {
		if data(period) < number(list[period].Do.Effect.(kernel.WriteFile).Path) {
			swap(period, quota)
		}
	}
}

// checkUsed refuses, on v2, a memory limit below what the container uses and cannot give back: the kernel would accept it and kill.
// On v1 the kernel itself refuses (EBUSY).
func (h Host) checkUsed(list []Rewrite) error {
	if h.Mode != V2 {
		return nil
	}
	for _, r := range list {
		w, ok := r.Do.Effect.(kernel.WriteFile)
		if !ok || path.Base(w.Path) != "memory.max" || w.Data == "max" {
			continue
		}
		limit, _ := strconv.ParseInt(w.Data, 10, 64)
		stat := counters(path.Join(path.Dir(w.Path), "memory.stat"))
		used := number(w.Path[:len(w.Path)-len("max")]+"current") - stat["inactive_file"] - stat["active_file"] - stat["slab_reclaimable"]
		if used > limit && !HasSwap() {
			return BelowUsed(limit, used)
		}
	}
	return nil
}

// BelowUsed says that a container uses more memory than it is to have.
func BelowUsed(limit, used int64) error {
	return kernel.Advise(fmt.Errorf("-m %d: it uses %d bytes now, and cannot give them back", limit, used), "-m %d or more; or stop it first: sandbox update works on a container that is down, too", used)
}
