package cgroup

import (
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"sandbox/kernel"
)

// Remove takes a container's groups away: those that it made inside first, then its own, then the shared parent if
// it was the last in there. A group with a process in it stays (EBUSY). Two containers that go at the same moment may
// each take the other for alive: who asks a second time, afterwards, finds the parent empty.
func (h Host) Remove(id string) []kernel.Step {
	if !h.Available() {
		return nil
	}
	var steps []kernel.Step
	for _, d := range h.Group(id, "cpuset").dirs {
		own := d.group(id)
		others := 2 // links of a directory without directories in it
		if exists(own) {
			others++
		}
		for _, inner := range groupsIn(own) {
			steps = append(steps, removal(inner, "a group that the container made inside", "容器在里面自己建的组"))
		}
		if exists(own) {
			steps = append(steps, removal(own, "an empty group can go", "组里没有进程了，可以删掉"))
		}
		if d.above == parentName && nlink(d.parent()) == others { // also one whose maker was killed before it made its own group in there
			steps = append(steps, removal(d.parent(), "it was the last container", "这是最后一个容器，上级组也不留"))
		}
	}
	return steps
}

// groupsIn are the groups below a group, the deepest first, as rmdir needs them.
func groupsIn(dir string) []string {
	if nlink(dir) <= 2 {
		return nil
	}
	var list []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			inner := path.Join(dir, e.Name())
			list = append(append(list, groupsIn(inner)...), inner)
		}
	}
	return list
}

// processesIn are the pids in a group and in those below it.
func processesIn(dir string) []int {
	var pids []int
	for _, group := range append(groupsIn(dir), dir) {
		for _, word := range words(path.Join(group, "cgroup.procs")) {
			if pid, err := strconv.Atoi(word); err == nil && pid > 0 {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// IDs are the containers that have a group, of this state directory or another.
func (h Host) IDs() []string {
	if !h.Available() {
		return nil
	}
	var ids []string
	entries, _ := os.ReadDir(h.Group("").dirs[0].parent())
	for _, e := range entries {
		if e.IsDir() && isID(e.Name()) {
			ids = append(ids, e.Name())
		}
	}
	return ids
}

// Made tells whether a container has a group.
func (h Host) Made(id string) bool { return h.Available() && exists(h.Group(id).dirs[0].group(id)) }

// settled is how old a group must be to be called a leftover: a container of another state directory (--root), which
// alive knows nothing of, may have made it just now and not have joined it yet.
const settled = 10 * time.Second

// Leftovers are the ids of containers that are no more and whose groups are still there, with nothing running in
// them. What to do about one: Remove.
func (h Host) Leftovers(alive func(id string) bool) []string {
	var ids []string
	for _, d := range h.Group("", "cpuset").dirs {
		entries, _ := os.ReadDir(d.parent())
		for _, e := range entries {
			if !e.IsDir() || !isID(e.Name()) || slices.Contains(ids, e.Name()) || alive(e.Name()) {
				continue
			}
			info, err := e.Info()
			if err == nil && time.Since(info.ModTime()) > settled && len(h.Processes(e.Name())) == 0 {
				ids = append(ids, e.Name())
			}
		}
	}
	slices.Sort(ids)
	return ids
}

func isID(name string) bool {
	return len(name) == 64 && strings.Trim(name, "0123456789abcdef") == ""
}

// words are what stands in a small file, separated by blanks or newlines; nil if it cannot be read.
func words(file string) []string {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	return strings.Fields(string(data))
}
