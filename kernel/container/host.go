package container

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel/capability"
)

// Host is what of this machine and user decides how a container can be made.
type Host struct {
	UID, GID    int
	Namespaced  bool // we are in a user namespace already (a pocket host): root here is not root of the machine
	NoSetgroups bool // … and its groups may not be changed, because an ordinary user made it
	Major       int  // of the kernel's version
	Minor       int
	IDs         uint64         // how many users we can give to a container: 0 to IDs-1
	Held        capability.Set // the capabilities that we have, and can leave a container
}

// ThisHost looks at the machine: a few cheap system calls.
func ThisHost() Host {
	h := Host{UID: os.Geteuid(), GID: os.Getegid()}
	if ids, err := os.ReadFile("/proc/self/uid_map"); err == nil {
		h.Namespaced = !bytes.Equal(bytes.Join(bytes.Fields(ids), []byte(" ")), []byte("0 0 4294967295"))
		h.IDs = firstIDs(ids)
	}
	if h.Rootless() {
		h.IDs = 1
	}
	if h.Namespaced {
		deny, _ := os.ReadFile("/proc/self/setgroups")
		h.NoSetgroups = strings.TrimSpace(string(deny)) == "deny"
	}
	h.Held = heldCapabilities()
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &h.Major, &h.Minor)
	}
	return h
}

// firstIDs is how many ids from 0 on a uid_map has: its lines are first inside, first outside, how many.
func firstIDs(ids []byte) uint64 {
	var inside, outside, count uint64
	if n, _ := fmt.Sscan(string(ids), &inside, &outside, &count); n == 3 && inside == 0 {
		return count
	}
	return 1
}

// heldCapabilities asks capget(2): root of a machine that is itself a container has not all of them.
func heldCapabilities() capability.Set {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&header, &data[0]) != nil {
		return capability.All
	}
	return capability.Set(data[1].Effective)<<32 | capability.Set(data[0].Effective)
}

// Capabilities are those that a container's root can have at most: all in a user namespace of its own, else ours.
func (h Host) Capabilities() capability.Set {
	if h.Rootless() {
		return capability.All
	}
	return h.Held
}

// Rootless tells whether the container needs a user namespace of its own to be made at all.
func (h Host) Rootless() bool { return h.UID != 0 }

// CanMknod tells whether devices can be made; else they are bound from the host's /dev.
func (h Host) CanMknod() bool { return h.UID == 0 && !h.Namespaced }

// AtLeast compares the kernel's version.
func (h Host) AtLeast(major, minor int) bool {
	return h.Major > major || h.Major == major && h.Minor >= minor
}

// bootID tells one boot of the machine from another.
func bootID() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id))
}

// mayLowerOOMScore tells whether a process can be made a less likely victim of the OOM killer.
func (h Host) mayLowerOOMScore() bool {
	resource, _ := capability.Parse("SYS_RESOURCE")
	return !h.Rootless() && !h.Namespaced && h.Held&resource != 0
}
