package userland

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// namespaceKind is one of the ways in which a process can have its own view of the machine: see namespaces(7).
type namespaceKind struct {
	name   string // of the file in /proc/PID/ns
	letter rune   // the flag of unshare and nsenter
	long   string
	flag   int
}

// namespaceKinds in the order in which nsenter joins them: the user namespace first, because it gives the privileges for
// the others, and the mount namespace last, because it takes the other files out of sight.
var namespaceKinds = []namespaceKind{
	{"user", 'U', "user", unix.CLONE_NEWUSER},
	{"cgroup", 'C', "cgroup", unix.CLONE_NEWCGROUP},
	{"ipc", 'i', "ipc", unix.CLONE_NEWIPC},
	{"uts", 'u', "uts", unix.CLONE_NEWUTS},
	{"net", 'n', "net", unix.CLONE_NEWNET},
	{"pid", 'p', "pid", unix.CLONE_NEWPID},
	{"time", 'T', "time", unix.CLONE_NEWTIME},
	{"mnt", 'm', "mount", unix.CLONE_NEWNS},
}

// namespaceInode is the number by which a namespace is known: the one in "net:[4026531840]".
func namespaceInode(pid int, kind string) (uint64, error) {
	var stat unix.Stat_t
	if err := unix.Stat(fmt.Sprintf("/proc/%d/ns/%s", pid, kind), &stat); err != nil {
		return 0, err
	}
	return stat.Ino, nil
}
