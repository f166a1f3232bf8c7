package container

import (
	"fmt"
	"slices"

	"sandbox/cgroup"
	"sandbox/kernel"
)

// GroupFiles reads the files of a running container's control group, each with what the container's flags have written there.
func (e *Engine) GroupFiles(r *Record) ([]cgroup.File, error) {
	if !r.State.Running || r.State.Pid == 0 {
		return nil, kernel.Advise(fmt.Errorf("container %s does not run, and a control group goes with its last process", r.PlainName()), "sandbox start %s", r.PlainName())
	}
	if !e.Groups.Available() {
		return nil, e.Groups.Unavailable()
	}
	resources := r.HostConfig.Resources
	resources.findDisks(e) // one that is gone by now has no limit either
	files := e.groups(r.ID).Files(r.ID, resources.limits())
	if len(files) == 0 {
		return nil, kernel.Advise(fmt.Errorf("container %s has no control group: it was started where none could be made", r.PlainName()), "sandbox restart %s", r.PlainName())
	}
	return files, nil
}

// GroupTree is the groups in one parent.
type GroupTree struct {
	Parent string // its directory
	Nodes  []cgroup.Node
}

// GroupTrees are the groups of all containers, those of other state directories included: first in the usual parent, then in those
// that --cgroup-parent has named.
func (e *Engine) GroupTrees(list []*Record) ([]GroupTree, error) {
	if !e.Groups.Available() {
		return nil, e.Groups.Unavailable()
	}
	trees := []GroupTree{{}}
	trees[0].Parent, trees[0].Nodes = e.Groups.Tree(e.Groups.IDs())
	for _, r := range list {
		if r.HostConfig.CgroupParent == "" || r.State.Pid == 0 {
			continue
		}
		parent, nodes := e.groups(r.ID).Tree([]string{r.ID})
		i := slices.IndexFunc(trees, func(t GroupTree) bool { return t.Parent == parent })
		if i < 0 {
			i, trees = len(trees), append(trees, GroupTree{Parent: parent})
		}
		trees[i].Nodes = append(trees[i].Nodes, nodes...)
	}
	return trees, nil
}
