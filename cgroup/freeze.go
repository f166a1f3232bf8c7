package cgroup

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sandbox/kernel"
)

// Freeze is what stops all processes of a container where they are: FROZEN in freezer.state (v1, cgroup-v1/freezer-subsystem
// in the kernel's documentation), 1 in cgroup.freeze (v2, since Linux 5.2). It fails where the container has no group.
func (h Host) Freeze(id string) ([]kernel.Step, error) {
	return h.freezer(id, "FROZEN", "1", "all its processes stand still, without noticing", "让它的所有进程原地停住，进程自己毫无察觉")
}

// Thaw lets them go on.
func (h Host) Thaw(id string) ([]kernel.Step, error) {
	return h.freezer(id, "THAWED", "0", "and go on as if nothing had been", "继续运行，好像什么都没发生过")
}

func (h Host) freezer(id, v1, v2, english, chinese string) ([]kernel.Step, error) {
	if !h.Available() {
		return nil, h.Unavailable()
	}
	file, value := h.freezerFile(id), v1
	if strings.HasSuffix(file, "cgroup.freeze") {
		value = v2
	}
	if file == "" || !exists(file) {
		return nil, errors.New("this kernel cannot freeze a control group")
	}
	return []kernel.Step{step("3.3.2", kernel.WriteFile{Path: file, Data: value}, english, chinese)}, nil
}

func (h Host) freezerFile(id string) string {
	g := h.Group(id)
	if h.Mode == V2 {
		return filepath.Join(g.Directories()[0], "cgroup.freeze")
	}
	if d, ok := g.dirOf("freezer"); ok {
		return filepath.Join(d.group(id), "freezer.state")
	}
	return ""
}

// ThawBelow lets the processes go on of all groups below a container's or a pocket host's; with "" those of all containers.
// Before they are ended, v1 needs it: a process that stands still there dies of SIGKILL only when it may go on, and whoever
// waits for the end of its PID namespace waits for ever. v2 ends them where they stand.
func (h Host) ThawBelow(id string) []kernel.Step {
	d, ok := h.Group(id).dirOf("freezer")
	if !ok || !h.Available() {
		return nil
	}
	var steps []kernel.Step
	for _, dir := range groupsIn(d.group(id)) {
		file := filepath.Join(dir, "freezer.state")
		if state, err := os.ReadFile(file); err == nil && strings.HasPrefix(string(state), "FR") {
			steps = append(steps, kernel.Try(step("3.3.2", kernel.WriteFile{Path: file, Data: "THAWED"}, "only then can it end", "解冻了才能结束"))...)
		}
	}
	return steps
}

// Frozen tells whether somebody has told a container to stand still.
func (h Host) Frozen(id string) bool {
	if !h.Available() {
		return false
	}
	state, err := os.ReadFile(h.freezerFile(id))
	return err == nil && (strings.HasPrefix(string(state), "FR") || strings.HasPrefix(string(state), "1"))
}

// WaitFrozen returns when all processes stand still, which takes them as long as a system call that cannot be
// interrupted; or false when that takes too long.
func (h Host) WaitFrozen(id string, patience time.Duration) bool {
	file, frozen := h.freezerFile(id), "FROZEN"
	if h.Mode == V2 {
		file, frozen = filepath.Join(filepath.Dir(file), "cgroup.events"), "frozen 1"
	}
	for until := time.Now().Add(patience); time.Now().Before(until); {
		state, err := os.ReadFile(file)
		if err != nil || strings.Contains(string(state), frozen) {
			return err == nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	return false
}
