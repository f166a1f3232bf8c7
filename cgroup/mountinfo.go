package cgroup

import (
	"slices"
	"strings"
)

// fromMountinfo finds control groups in unusual places. A line of /proc/self/mountinfo (proc_pid_mountinfo(5)):
//
//	36 31 0:33 / /cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
//	             mounted on                          type   source options
//
// The controllers of a tree are among its options.
func fromMountinfo(mounts string) Host {
	var h Host
	for line := range strings.Lines(mounts) {
		left, right, ok := strings.Cut(line, " - ")
		place, kind := strings.Fields(left), strings.Fields(right)
		if !ok || len(place) < 5 || len(kind) < 3 {
			continue
		}
		switch dir := unescape(place[4]); kind[0] {
		case "cgroup2":
			if h.Root == "" {
				h.Root = dir
			}
		case "cgroup":
			h.add(dir, strings.Split(kind[2], ","))
		}
	}
	switch {
	case len(h.Hierarchies) > 0 && h.Root != "":
		h.Mode = Hybrid
	case len(h.Hierarchies) > 0:
		h.Mode = V1
	case h.Root != "":
		h.Mode = V2
	}
	return h
}

// add takes a tree of v1, unless it has no controller (name=systemd) or was seen already.
func (h *Host) add(dir string, options []string) {
	names := slices.DeleteFunc(slices.Clone(controllers), func(c string) bool { return !slices.Contains(options, c) })
	seen := slices.ContainsFunc(h.Hierarchies, func(known Hierarchy) bool { return slices.Equal(known.Controllers, names) })
	if len(names) > 0 && !seen {
		h.Hierarchies = append(h.Hierarchies, Hierarchy{Controllers: names, Path: dir})
	}
}

// unescape undoes how mountinfo writes blanks and backslashes in a path.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}
