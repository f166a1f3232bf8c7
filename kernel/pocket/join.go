package pocket

import (
	"fmt"
	"os"
	"path"
	"strconv"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// Find is the first process of a pocket host that runs under this name; 0 if there is none.
func Find(runDir, name string) int {
	data, err := os.ReadFile(entry(runDir, name))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(string(data))
	if err != nil || !isPocket(pid) {
		return 0
	}
	return pid
}

// isPocket makes sure that the process is still the one that was registered: the first of another PID namespace,
// under our program's name.
func isPocket(pid int) bool {
	ours, err1 := os.Readlink("/proc/self/ns/pid")
	its, err2 := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid))
	args, err3 := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err1 == nil && err2 == nil && err3 == nil && ours != its && len(args) > 12 && string(args[:12]) == "sandbox-init"
}

// Join runs sandbox, with the arguments o.Args, in a pocket host that exists, and returns its exit code.
func Join(door *kernel.Door, pid int, o Options) (int, error) {
	pidfd := &kernel.Handle{}
	if err := door.Do(kernel.Because(kernel.PidfdOpen{PID: pid, As: pidfd}, "", "")); err != nil {
		return 0, err
	}
	defer unix.Close(pidfd.Number())
	p := &plan{Options: o, rootless: os.Geteuid() != 0}
	steps := kernel.In("3.5",
		kernel.Because(kernel.Setns{FD: kernel.FD(pidfd.Number()), Flags: p.cloneFlags() | unix.CLONE_NEWCGROUP}, "into the pocket host", "进入口袋主机"),
		kernel.Because(kernel.Fork{}, "", ""),
		kernel.Step{Effect: kernel.Chdir{Path: "/"}},
	)
	b, err := door.Spawn(kernel.Spawn{
		Section: "3.5", Process: "pocket", Steps: steps,
		Programs: kernel.In("3.5", kernel.Because(kernel.Execve{Path: path.Join(binDir, "sandbox"), Argv: o.Args, Env: p.environment()}, "", "")),
	})
	if err == nil {
		err = b.Failure()
	}
	if b != nil && b.PID != 0 {
		unix.Wait4(b.PID, nil, 0, nil)
	}
	if err != nil {
		return 0, fmt.Errorf("cannot enter the pocket host: %w", err)
	}
	return wait(door, b.Forked(), func() []kernel.Step { return nil })
}
