package container

import (
	"os"
	"strconv"

	"sandbox/kernel"
)

// Processes lists the pids, as we see them, of all that runs in a container: of its control group, or, where it has none,
// of its PID namespace. One that shares somebody's namespace and has no group is known by its first process only.
func (e *Engine) Processes(r *Record) ([]int, error) {
	if !r.State.Running {
		return nil, e.notRunning(r)
	}
	if pids := e.groups(r.ID).Processes(r.ID); len(pids) > 0 || r.State.Pid == 0 {
		return pids, nil
	}
	if r.HostConfig.sharesPIDs() {
		return []int{r.State.Pid}, nil
	}
	namespace, err := pidNamespace(r.State.Pid)
	if err != nil {
		return nil, kernel.Advise(err, "sandbox ps   shows whether it still runs")
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if other, err := pidNamespace(pid); err == nil && other == namespace {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// pidNamespace names the PID namespace that a process is in: "pid:[4026531836]".
func pidNamespace(pid int) (string, error) {
	return os.Readlink("/proc/" + strconv.Itoa(pid) + "/ns/pid")
}
