package container

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// reap waits for the end of a child.
func reap(pid int) unix.WaitStatus {
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(pid, &status, 0, nil)
		if !errors.Is(err, unix.EINTR) {
			return status
		}
	}
}

// exitCode of a process as a shell, and Docker, counts it.
func exitCode(status unix.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// removeGroups takes the container's cgroups away, and kills what is still in them: processes that outlived the first
// one because they share the host's PID namespace.
func (e *Engine) removeGroups(id string) {
	groups := e.groups(id)
	for range 500 {
		e.Door.Do(kernel.Try(groups.Remove(id)...)...)
		left := groups.Processes(id)
		if len(left) == 0 {
			break
		}
		if groups.Frozen(id) {
			e.thaw(id) // so that what is killed dies
		}
		for _, pid := range left {
			e.kill(pid, "left over in the container's cgroup", "容器的 cgroup 里剩下的进程")
		}
		time.Sleep(2 * time.Millisecond)
	}
	e.Door.Do(kernel.Try(groups.Remove(id)...)...) // the parent, if another container went at the same moment
}
