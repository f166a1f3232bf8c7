package cgroup

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// Plan is what happens to one container's group in its life.
type Plan struct {
	Group Group
	// Create is for the parent, before the container is born: the directories, the limits and the device rules. It
	// may fail because another container's end has just removed the shared parent directory: see Vanished.
	Create []kernel.Step
	// Join is for the new process itself, before it unshares the cgroup namespace.
	Join []kernel.Step
	// Into is the directory that the process can be cloned into on v2 (clone3(2), CLONE_INTO_CGROUP, Linux 5.7), with
	// a descriptor of it: then Join is left out. "" on v1.
	Into string
	// Remove takes back what Create made, after a failure. When a container has ended, ask Host.Remove instead.
	Remove []kernel.Step
	// Mounts are what the container's /sys/fs/cgroup should be.
	Mounts []Mount
}

// Vanished tells whether Create has failed only because the shared parent directory went away between the plan and
// its performance, with the last container in it. The caller then plans again and performs the new plan, which makes
// the parent again and leaves out what the first attempt made. ENODEV is what mkdir says in a group that is going.
func Vanished(err error) bool { return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) }

// Plan makes the plan for a container. Where no groups can be made it is empty, as long as nothing is asked for that
// needs one: device rules do not, since only root can make device nodes in the first place. further controllers are joined
// without a limit: a group in which others are to be made wants "cpuset".
func (h Host) Plan(id string, r *specs.LinuxResources, further ...string) (Plan, error) {
	if r == nil {
		r = &specs.LinuxResources{}
	}
	wanted, err := h.limits(r)
	if err != nil {
		return Plan{}, err
	}
	if !h.Available() {
		if len(wanted) > 0 {
			return Plan{}, h.Unavailable()
		}
		return Plan{}, nil
	}
	if slices.ContainsFunc(wanted, func(l limit) bool { return l.controller == "cpuset" }) {
		further = append(further, "cpuset")
	}
	p := Plan{Group: h.Group(id, further...), Mounts: h.Mounts(further...)}
	if h.Mode == V2 {
		err = h.planV2(&p, wanted, r.Devices)
	} else {
		err = h.planV1(&p, wanted, r.Devices)
	}
	return p, err
}

// step is an effect of section 3.4, limits, or 3.5, how they are made.
func step(section string, e kernel.Effect, english, chinese string) kernel.Step {
	return kernel.Step{Effect: e, Section: section, Why: kernel.Why{EN: english, ZH: chinese}}
}

// makeDirectory plans the container's directory in one hierarchy and those above it, where they are not there yet. Another container may
// be making the shared parent at the same time, so that step may fail. prepare gives what each of those above needs first. A parent that
// the user has named stays when the container goes: it may hold more, and limits of its own.
func (p *Plan) makeDirectory(d directory, prepare func(dir string) []kernel.Step) {
	name := strings.Join(d.Controllers, ",")
	if name == "" {
		name = "v2"
	}
	group := d.group(p.Group.ID)
	p.Remove = append(p.Remove, removal(group, "an empty group can go", "组里没有进程了，可以删掉"))
	for _, dir := range d.levels() {
		if !exists(dir) {
			english, chinese := name+": the group of all containers", name+"：所有容器共同的上级组"
			if d.above != parentName {
				english, chinese = name+": --cgroup-parent, which stays when the container goes", name+"：--cgroup-parent 指定的上级组，容器没了它还在"
			}
			s := step("3.5", kernel.Mkdir{Path: dir, Mode: 0o755}, english, chinese)
			s.Optional = true
			p.Create = append(p.Create, s)
			if d.above == parentName {
				p.Remove = append(p.Remove, removal(dir, "it was the last container", "这是最后一个容器，上级组也不留"))
			}
		}
		p.Create = append(p.Create, prepare(dir)...)
	}
	if !exists(group) {
		p.Create = append(p.Create, step("3.5", kernel.Mkdir{Path: group, Mode: 0o755},
			name+": a group is made by making a directory", name+"：建一个目录，就是建一个 cgroup"))
	}
}

// removal is the rmdir of a group; it may fail, as there may be a process or another group in it.
func removal(dir, english, chinese string) kernel.Step {
	s := step("3.5", kernel.Remove{Path: dir, Dir: true}, english, chinese)
	s.Optional = true
	return s
}

// planV1 makes a directory in each hierarchy, and lets the new process write itself into each.
//
// Why the process does it itself: to move another process, the kernel must first be sure that nobody forks meanwhile,
// and waits 10 ms for that; a thread that moves itself through the file tasks needs no such lock, and takes 20 µs.
func (h Host) planV1(p *Plan, wanted []limit, rules []specs.LinuxDeviceCgroup) error {
	for _, d := range p.Group.dirs {
		p.makeDirectory(d, d.prepareV1)
		p.Join = append(p.Join, step("3.5", kernel.WriteFile{Path: path.Join(d.group(p.Group.ID), "tasks"), Data: "0"},
			strings.Join(d.Controllers, ",")+": the process joins by itself; 0 means whoever writes",
			strings.Join(d.Controllers, ",")+"：进程自己加入，0 代表写入者自己"))
	}
	if dir, ok := p.Group.dirOf("cpuset"); ok {
		p.Create = append(p.Create, fillCpuset(dir.group(p.Group.ID), dir.cpusetAbove(), wanted)...)
	}
	for _, l := range wanted {
		dir, ok := p.Group.dirOf(l.controller)
		if !ok {
			return missingController(l.controller, "v1")
		}
		p.Create = append(p.Create, l.step(dir.group(p.Group.ID)))
	}
	if dir, ok := p.Group.dirOf("devices"); ok {
		steps, err := deviceWrites(dir.group(p.Group.ID), rules)
		p.Create = append(p.Create, steps...)
		return err
	}
	return nil
}

// prepareV1 fills in the cpuset of a group above the container's.
func (d directory) prepareV1(dir string) []kernel.Step {
	if !d.has("cpuset") || len(readCpuset(dir)["cpuset.cpus"]) > 0 {
		return nil
	}
	return fillCpuset(dir, readCpuset(d.Path), nil)
}

// dirOf is the group's directory where a controller of v1 is.
func (g Group) dirOf(controller string) (directory, bool) {
	for _, d := range g.dirs {
		if d.has(controller) {
			return d, true
		}
	}
	return directory{}, false
}

// inUse are the controllers of v2 that every container gets; "hugetlb", "rdma", "misc" would cost something for nothing.
var inUse = []string{"cpu", "io", "memory", "pids", "cpuset"}

// planV2 makes one directory, after the controllers have been switched on in each group above it.
func (h Host) planV2(p *Plan, wanted []limit, rules []specs.LinuxDeviceCgroup) error {
	d := p.Group.dirs[0]
	if err := h.haveV2(wanted); err != nil {
		return err
	}
	available, _ := h.availableV2()
	use := slices.DeleteFunc(slices.Clone(inUse), func(c string) bool { return !slices.Contains(available, c) })
	p.Create = enable(h.Base, use)
	for _, dir := range d.levels() {
		if len(words(dir+"/cgroup.procs")) > 0 {
			return kernel.Advise(fmt.Errorf("%s holds processes itself: in cgroup v2 such a group can have no groups with limits in it", dir), "choose another --cgroup-parent, or move them: cat %s/cgroup.procs", dir)
		}
	}
	p.makeDirectory(d, func(dir string) []kernel.Step { return enable(dir, use) })
	group := d.group(p.Group.ID)
	for _, l := range wanted {
		p.Create = append(p.Create, l.step(group))
	}
	p.Into = group
	p.Join = []kernel.Step{step("3.5", kernel.WriteFile{Path: group + "/cgroup.procs", Data: "0"},
		"the process joins by itself; 0 means whoever writes", "进程自己加入，0 代表写入者自己")}
	if h.Delegated {
		return nil // only real root may load the program that judges; and only real root can make devices
	}
	steps, err := deviceProgramSteps(group, rules)
	p.Create = append(p.Create, steps...)
	return err
}

// haveV2 tells whether groups in Base have the controllers that limits need.
func (h Host) haveV2(wanted []limit) error {
	available, busy := h.availableV2()
	for _, l := range wanted {
		switch {
		case slices.Contains(available, l.controller):
		case busy:
			return kernel.Advise(fmt.Errorf("%s holds processes itself, so the controller %s cannot be switched on for groups in it", h.Base, l.controller),
				"move them: mkdir %[1]s/init; for p in $(cat %[1]s/cgroup.procs); do echo $p > %[1]s/init/cgroup.procs; done", h.Base)
		default:
			return missingController(l.controller, "v2")
		}
	}
	return nil
}

// availableV2 are the controllers that groups in Base can have. A group that holds processes can switch none on for
// the groups in it, unless it is the root of all (the one without cgroup.events): it is busy, as in a container that
// runs another inside, and those that are on already are all there are.
func (h Host) availableV2() (available []string, busy bool) {
	if exists(h.Base+"/cgroup.events") && len(words(h.Base+"/cgroup.procs")) > 0 {
		return words(h.Base + "/cgroup.subtree_control"), true
	}
	return words(h.Base + "/cgroup.controllers"), false
}

// enable switches controllers on for the groups under dir, those that are not yet.
func enable(dir string, use []string) []kernel.Step {
	on := words(path.Join(dir, "cgroup.subtree_control"))
	var switches []string
	for _, c := range use {
		if !slices.Contains(on, c) {
			switches = append(switches, "+"+c)
		}
	}
	if len(switches) == 0 {
		return nil
	}
	return []kernel.Step{step("3.5", kernel.WriteFile{Path: dir + "/cgroup.subtree_control", Data: strings.Join(switches, " ")},
		"v2: the groups below have these controllers", "v2：下一级的组才有这些控制器")}
}

// Processes are the pids that are in the container's group or in groups that it made inside.
func (h Host) Processes(id string) []int {
	var pids []int
	for _, d := range h.Group(id, "cpuset").dirs {
		pids = append(pids, processesIn(d.group(id))...)
	}
	slices.Sort(pids)
	return slices.Compact(pids)
}

// nlink is a directory's number of links: two of its own, and one for each directory in it. 0 if it is not there.
func nlink(dir string) int {
	var st unix.Stat_t
	if unix.Stat(dir, &st) != nil {
		return 0
	}
	return int(st.Nlink)
}
