package cgroup

import (
	"path"
	"slices"
	"strings"
)

// Mount is one file system of the container's /sys/fs/cgroup. They are mounted in their order, after the process has
// joined its groups and unshared its cgroup namespace: then each shows the container's own group as its root.
type Mount struct {
	Type   string   // tmpfs, cgroup or cgroup2
	Target string   // relative to /sys/fs/cgroup; "" for that itself
	Data   string   // the options for mount(2): the names of the controllers
	Links  []string // symbolic links to Target beside it: cpu and cpuacct for cpu,cpuacct
}

// Mounts describes what a container should see: on v1 a tmpfs with a mount for each joined hierarchy, on v2 one
// mount. Nothing, where it has no groups of its own.
func (h Host) Mounts(further ...string) []Mount {
	if !h.Available() {
		return nil
	}
	if h.Mode == V2 {
		return []Mount{{Type: "cgroup2"}}
	}
	list := []Mount{{Type: "tmpfs", Data: "mode=755"}}
	for _, d := range h.Group("", further...).dirs {
		list = append(list, Mount{
			Type: "cgroup", Target: path.Base(d.Path), Data: strings.Join(d.Controllers, ","), Links: slices.Clone(d.Links),
		})
	}
	return list
}
