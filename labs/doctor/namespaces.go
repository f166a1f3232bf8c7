package doctor

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// kernelVersion: clone3, pidfds, the mount API of descriptors and overlayfs as we use it came with or before 5.4.
func kernelVersion(m Machine) []Finding {
	f := Finding{Name: "kernel", Section: "1.2", State: OK, Detail: same("Linux " + m.Release)}
	if !m.newerThan(5, 4) {
		f.State, f.Cure = Missing, text("boot Linux 5.4 or newer", "换用 Linux 5.4 或更新的内核")
	}
	return one(f)
}

// namespaces tries a clone with each kind that a container has. (A user namespace is looked at by itself; time
// namespaces are of no use to a container.)
func namespaces(m Machine) []Finding {
	var list []Finding
	for _, n := range kernel.Namespaces {
		if n.Flag == unix.CLONE_NEWUSER || n.Flag == unix.CLONE_NEWTIME {
			continue
		}
		f := Finding{Name: "namespace " + n.File, Section: "3.5", State: OK, Detail: text("can be made", "可以创建")}
		if err := m.Try(n.Flag); err != nil {
			f.State, f.Detail = Missing, same(lastPart(err))
			f.Cure = m.whyNoNamespace(n.Flag, err)
		}
		list = append(list, f)
	}
	return list
}

// whyNoNamespace is the cure for a clone that failed.
func (m Machine) whyNoNamespace(kind uint64, err error) kernel.Why {
	switch {
	case errors.Is(err, unix.EINVAL):
		return text("boot a kernel that was built with this kind of namespace", "换用编译时带有这种 namespace 的内核")
	case errors.Is(err, unix.ENOSPC):
		return text("a limit is reached: raise the numbers in /proc/sys/user/max_*_namespaces", "到上限了：调大 /proc/sys/user/max_*_namespaces")
	case m.UID != 0 && kind != unix.CLONE_NEWUSER:
		return text("needs user namespaces: see below", "需要 user namespace，见下面")
	case m.filtered() || m.UID == 0:
		return text("an outer container forbids it: start that one with --security-opt seccomp=unconfined, or --privileged",
			"外层容器不允许：启动外层时加 --security-opt seccomp=unconfined 或 --privileged")
	}
	return text("a chroot or a security module forbids it: run it as root", "chroot 或安全模块不允许：用 root 运行")
}

// filtered tells whether a seccomp filter judges our own system calls, as in a container.
func (m Machine) filtered() bool {
	for line := range strings.Lines(m.read("/proc/self/status")) {
		if mode, ok := strings.CutPrefix(line, "Seccomp:"); ok {
			return strings.TrimSpace(mode) == "2"
		}
	}
	return false
}

// userNamespace tries what a container of an ordinary user needs: to be root in there, and to mount something. The
// clone alone proves little, as AppArmor lets it pass and then takes the rights away.
func userNamespace(m Machine) []Finding {
	f := Finding{Name: "namespace user", Section: "3.5", State: OK,
		Detail: text("can be made, and root in it may mount", "可以创建，里面的 root 可以挂载")}
	err := m.Try(unix.CLONE_NEWUSER|unix.CLONE_NEWNS, mountTmpfs)
	if err == nil {
		return one(f)
	}
	f.State = Missing
	if m.UID == 0 {
		f.State = Limited // root makes containers without
	}
	f.Detail, f.Cure = m.whyNoUserNamespace(err)
	return one(f)
}

// mountTmpfs gives the child, in its own mount namespace, an empty directory in memory at a place that is always there.
var mountTmpfs = kernel.Step{Effect: kernel.Mount{Source: "tmpfs", Target: "/proc", Type: "tmpfs"}, Section: "3.5"}

// whyNoUserNamespace looks at the switches that forbid them, one after the other.
func (m Machine) whyNoUserNamespace(err error) (detail, cure kernel.Why) {
	const sysctl = "/proc/sys/"
	switch {
	case m.read(sysctl+"user/max_user_namespaces") == "0":
		return text("forbidden by user.max_user_namespaces = 0", "被 user.max_user_namespaces = 0 禁止"),
			same("sysctl -w user.max_user_namespaces=15000")
	case m.read(sysctl+"kernel/unprivileged_userns_clone") == "0":
		return text("forbidden to ordinary users by kernel.unprivileged_userns_clone = 0", "被 kernel.unprivileged_userns_clone = 0 禁止普通用户使用"),
			same("sysctl -w kernel.unprivileged_userns_clone=1")
	case m.read(sysctl+"kernel/apparmor_restrict_unprivileged_userns") == "1":
		return text("AppArmor takes the rights away in it (apparmor_restrict_unprivileged_userns = 1)", "AppArmor 收走了里面的权限（apparmor_restrict_unprivileged_userns = 1）"),
			text("give sandbox an AppArmor profile with `userns,`, or: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
				"给 sandbox 写一个含 `userns,` 的 AppArmor 配置，或者：sysctl -w kernel.apparmor_restrict_unprivileged_userns=0")
	}
	return same(lastPart(err)), m.whyNoNamespace(unix.CLONE_NEWUSER, err)
}

// lastPart is an error without the call that it came from, which is long: "clone3: operation not permitted".
func lastPart(err error) string {
	var call *kernel.CallError
	if errors.As(err, &call) {
		return fmt.Sprintf("%s: %s", call.Call.Name, call.Errno.Error())
	}
	return err.Error()
}

// moreIDs: an ordinary user is root in a container of hers, and nobody else, unless newuidmap may map more for her.
func moreIDs(m Machine) []Finding {
	f := Finding{Name: "more than one user id", Section: "3.5", State: OK, Detail: text("root may use any", "root 可以用任何 id")}
	if m.UID == 0 {
		if ids := strings.Fields(m.read("/proc/self/uid_map")); len(ids) == 3 && ids[2] == "1" {
			f.State, f.Detail = Limited, text("this root is the only user of its user namespace", "这个 root 是它的 user namespace 里唯一的用户")
			f.Cure = text("run it outside this user namespace", "到这个 user namespace 外面运行")
		}
		return one(f)
	}
	for _, program := range []string{"newuidmap", "newgidmap"} {
		if _, err := m.LookPath(program); err != nil {
			f.State = Limited
			f.Detail = text(program+" is not installed: a container of yours has one user, root", "没有安装 "+program+"：你的容器里只有 root 一个用户")
			f.Cure = text("install the package uidmap (shadow-utils)", "安装 uidmap（shadow-utils）软件包")
			return one(f)
		}
	}
	for _, file := range []string{"/etc/subuid", "/etc/subgid"} {
		if !m.ownsRange(file) {
			f.State = Limited
			f.Detail = text(m.User+" has no ids in "+file, m.User+" 在 "+file+" 里没有 id")
			f.Cure = same("usermod --add-subuids 100000-165535 --add-subgids 100000-165535 " + m.User)
			return one(f)
		}
	}
	f.Detail = text("newuidmap, newgidmap, /etc/subuid and /etc/subgid are there", "newuidmap、newgidmap、/etc/subuid、/etc/subgid 都有")
	return one(f)
}

// ownsRange looks for a line that begins with the user's name or number.
func (m Machine) ownsRange(file string) bool {
	for line := range strings.Lines(m.read(file)) {
		name, _, _ := strings.Cut(line, ":")
		if name == m.User || name == fmt.Sprint(m.UID) {
			return true
		}
	}
	return false
}

// procMount: a container mounts /proc of its own PID namespace, which an outer container may forbid.
func procMount(m Machine) []Finding {
	f := Finding{Name: "a /proc of its own", Section: "3.5", State: OK, Detail: text("can be mounted", "可以挂载")}
	proc := kernel.Step{Effect: kernel.Mount{Source: "proc", Target: "/proc", Type: "proc"}, Section: "3.5"}
	if err := m.Try(unix.CLONE_NEWPID|unix.CLONE_NEWNS, private, proc); err != nil {
		f.State, f.Detail = Missing, same(lastPart(err))
		f.Cure = text("an outer container hides parts of /proc: start it with --security-opt systempaths=unconfined, or --privileged",
			"外层容器遮住了 /proc 的一部分：启动外层时加 --security-opt systempaths=unconfined 或 --privileged")
	}
	return one(f)
}

// private keeps mounts of the child from reaching anybody else.
var private = kernel.Step{Effect: kernel.Mount{Target: "/", Flags: unix.MS_REC | unix.MS_PRIVATE}, Section: "3.5"}

// overlay mounts two directories over each other, in memory. In a user namespace that is possible since Linux 5.11.
func overlay(m Machine) []Finding {
	f := Finding{Name: "overlayfs", Section: "2.3", State: OK, Detail: text("mounts", "可以挂载")}
	steps := []kernel.Step{private, mountTmpfs}
	for _, dir := range []string{"lower", "upper", "work", "merged"} {
		steps = append(steps, kernel.Step{Effect: kernel.Mkdir{Path: "/proc/" + dir, Mode: 0o755}, Section: "2.3"})
	}
	steps = append(steps, kernel.Step{Section: "2.3", Effect: kernel.Mount{
		Source: "overlay", Target: "/proc/merged", Type: "overlay", Data: "lowerdir=/proc/lower,upperdir=/proc/upper,workdir=/proc/work"}})
	err := m.Try(unix.CLONE_NEWNS, steps...)
	if err == nil {
		return one(f)
	}
	f.State, f.Detail = Missing, same(lastPart(err))
	switch {
	case errors.Is(err, unix.ENODEV):
		f.Cure = same("modprobe overlay")
	case m.UID != 0 && !m.newerThan(5, 11):
		f.Cure = text("an ordinary user needs Linux 5.11: boot that, or run as root", "普通用户需要 Linux 5.11：换内核，或用 root 运行")
	default:
		f.Cure = text("needs what the mount namespace needs: see above", "和 mount namespace 一样的条件，见上面")
	}
	return one(f)
}
