// Floor is the least that a container can cost: it clones the same namespaces, mounts an overlay and /proc, pivots, and
// executes. Nothing is looked up, limited, masked, dropped, logged or remembered. The benchmark measures against it.
//
//	floor LAYER DIR PROGRAM    DIR: an empty directory for the overlay
package main

import (
	"fmt"
	"os"
	"syscall"

	"sandbox/kernel/birth"
)

const (
	namespaces = syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET
	newCgroup  = 0x02000000
	sigchld    = 17
	mntDetach  = 2
)

func main() {
	layer, dir, program := os.Args[1], os.Args[2], os.Args[3]
	for _, d := range []string{"/upper", "/work", "/root"} {
		syscall.Mkdir(dir+d, 0o755)
	}
	b := birth.NewBuilder()
	b.Clone.Flags = namespaces | newCgroup | birth.ClearSighand
	b.Clone.ExitSignal = sigchld
	options := "lowerdir=" + layer + ",upperdir=" + dir + "/upper,workdir=" + dir + "/work"
	b.Add(syscall.SYS_MOUNT, 0, 0, b.String("/"), 0, syscall.MS_REC|syscall.MS_PRIVATE, 0)
	b.Add(syscall.SYS_MOUNT, 0, b.String("overlay"), b.String(dir+"/root"), b.String("overlay"), 0, b.String(options))
	b.Add(syscall.SYS_CHDIR, 0, b.String(dir+"/root"))
	b.Add(syscall.SYS_MOUNT, 0, b.String("proc"), b.String("proc"), b.String("proc"), 0, 0)
	b.Add(syscall.SYS_PIVOT_ROOT, 0, b.String("."), b.String("."))
	b.Add(syscall.SYS_UMOUNT2, 0, b.String("."), mntDetach)
	b.Add(syscall.SYS_CHDIR, 0, b.String("/"))
	b.Add(syscall.SYS_RT_SIGPROCMASK, 0, 2, b.Words(0), 0, 8)
	b.Add(syscall.SYS_EXECVE, 0, b.String(program), b.Strings([]string{program}), b.Strings(nil))
	table := birth.Load(b.Image())
	pid, errno := table.Run()
	if errno != 0 {
		fmt.Fprintln(os.Stderr, "clone3:", errno)
		os.Exit(1)
	}
	if failed := table.Failed(); failed >= 0 {
		_, errno, _ := table.Outcome(failed)
		fmt.Fprintln(os.Stderr, "step", failed, errno)
	}
	var status syscall.WaitStatus
	syscall.Wait4(pid, &status, 0, nil)
	os.Exit(status.ExitStatus())
}
