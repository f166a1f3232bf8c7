package cgroup

import (
	"path"
	"strings"

	"sandbox/kernel"
)

// A new group of v1's cpuset has no processor and no memory node, and nobody can join it until it has some (ENOSPC).
// They must be a part of the parent's, so the shared parent is filled in first, with all that its own parent has.

// cpusetFiles are the two that must not be empty.
var cpusetFiles = []string{"cpuset.cpus", "cpuset.mems"}

// readCpuset gives the values of a group's two files.
func readCpuset(dir string) map[string]string {
	values := map[string]string{}
	for _, file := range cpusetFiles {
		values[file] = strings.Join(words(path.Join(dir, file)), "")
	}
	return values
}

// cpusetAbove is what a new group can have: what its parent has, or if that is not there yet, what the top has.
func (d directory) cpusetAbove() map[string]string {
	if values := readCpuset(d.parent()); values["cpuset.cpus"] != "" && values["cpuset.mems"] != "" {
		return values
	}
	return readCpuset(d.Path)
}

// fillCpuset writes the files that no limit will write.
func fillCpuset(dir string, values map[string]string, wanted []limit) []kernel.Step {
	var steps []kernel.Step
	for _, file := range cpusetFiles {
		asked := false
		for _, l := range wanted {
			asked = asked || l.file == file
		}
		if !asked {
			steps = append(steps, step("3.4", kernel.WriteFile{Path: path.Join(dir, file), Data: values[file]},
				"cpuset: a group starts with none, and cannot be joined so", "cpuset：新建的组是空的，填上才能加入"))
		}
	}
	return steps
}
