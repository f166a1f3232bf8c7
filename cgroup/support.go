package cgroup

import (
	"os"
	"path"
)

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
