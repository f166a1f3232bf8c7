// Package capability names the privileges that root's power is divided into (capabilities(7)).
package capability

import (
	"strconv"
	"strings"
)

// Set is a set of capabilities: bit N is capability N.
type Set uint64

// names in the order of their numbers, as linux/capability.h has them (Linux 5.9 and newer: 41).
var names = [...]string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
	"CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
	"CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
	"CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
	"CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
	"CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
}

// Count is how many capabilities there are.
const Count = len(names)

// Name of capability n: CAP_CHOWN.
func Name(n int) string {
	if n < 0 || n >= Count {
		return "CAP_UNKNOWN"
	}
	return names[n]
}

// Default is what Docker leaves a container's root (moby, oci/caps/defaults.go): 14 of the 41.
const Default Set = 0xa80425fb

// All there are.
const All Set = 1<<Count - 1

// Parse reads a capability's name as people write it: NET_ADMIN, CAP_NET_ADMIN, net_admin; ALL is all of them. The error is
// an *UnknownError.
func Parse(name string) (Set, error) {
	upper := strings.ToUpper(name)
	if upper == "ALL" || upper == "CAP_ALL" {
		return All, nil
	}
	for i, n := range names {
		if n == upper || n[len("CAP_"):] == upper {
			return 1 << i, nil
		}
	}
	return 0, &UnknownError{Name: name, Nearest: nearest(upper)}
}

// UnknownError is a name that is no capability's. Nearest is what was probably meant, without CAP_; "" if nothing comes near.
type UnknownError struct{ Name, Nearest string }

func (e *UnknownError) Error() string {
	text := "unknown capability " + strconv.Quote(e.Name)
	if e.Nearest == "" {
		return text + ": capabilities(7) lists them"
	}
	return text + ": did you mean " + e.Nearest + "?"
}

// Names of the capabilities in the set, in the order of their numbers.
func (s Set) Names() []string {
	list := []string{}
	for i, n := range names {
		if s>>i&1 == 1 {
			list = append(list, n)
		}
	}
	return list
}

// String writes the set as people do: CAP_CHOWN,CAP_KILL; ALL; none.
func (s Set) String() string {
	switch s {
	case All:
		return "ALL"
	case 0:
		return "none"
	}
	return strings.Join(s.Names(), ",")
}

// SetOf is the set of names; those that are unknown do not count.
func SetOf(list []string) Set {
	var set Set
	for _, name := range list {
		c, _ := Parse(name)
		set |= c
	}
	return set
}
