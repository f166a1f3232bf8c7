package container

import (
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// mountOptions are options of mount(8) as bits of mount(2); clearOptions take bits away.
var mountOptions = map[string]uintptr{
	"ro": unix.MS_RDONLY, "nosuid": unix.MS_NOSUID, "nodev": unix.MS_NODEV, "noexec": unix.MS_NOEXEC,
	"strictatime": unix.MS_STRICTATIME, "noatime": unix.MS_NOATIME, "relatime": unix.MS_RELATIME, "bind": unix.MS_BIND,
	"rbind": unix.MS_BIND | unix.MS_REC, "nodiratime": unix.MS_NODIRATIME, "sync": unix.MS_SYNCHRONOUS, "defaults": 0,
}

var clearOptions = map[string]uintptr{
	"rw": unix.MS_RDONLY, "suid": unix.MS_NOSUID, "dev": unix.MS_NODEV, "exec": unix.MS_NOEXEC, "atime": unix.MS_NOATIME, "async": unix.MS_SYNCHRONOUS,
}

var propagations = map[string]uintptr{
	"private": unix.MS_PRIVATE, "rprivate": unix.MS_PRIVATE | unix.MS_REC, "slave": unix.MS_SLAVE, "rslave": unix.MS_SLAVE | unix.MS_REC,
	"shared": unix.MS_SHARED, "rshared": unix.MS_SHARED | unix.MS_REC,
}

// parseOptions splits mount options into flags, propagation and what the file system reads itself.
func parseOptions(options []string) (flags, propagation uintptr, data string) {
	var rest []string
	for _, o := range options {
		if bits, ok := mountOptions[o]; ok {
			flags |= bits
		} else if bits, ok := clearOptions[o]; ok {
			flags &^= bits // --tmpfs /run:exec takes back what every tmpfs has
		} else if bits, ok := propagations[o]; ok {
			propagation = bits
		} else if o != "newinstance" { // since Linux 4.7 every devpts is one
			rest = append(rest, o)
		}
	}
	return flags, propagation, strings.Join(rest, ",")
}

// mountKernelFileSystems mounts what is not on any disk: /proc, /dev, /sys …
func (b *birth) mountKernelFileSystems() []kernel.Step {
	var steps []kernel.Step
	for _, m := range b.spec.Mounts {
		switch {
		case isVolume(m):
		case m.Type == "cgroup":
			steps = append(steps, b.mountCgroups(m)...)
		default:
			steps = append(steps, b.mountPointIn(m.Destination)...)
			b.covered(m.Destination)
			flags, _, data := parseOptions(m.Options)
			steps = append(steps, kernel.In(sectionOf(m), kernel.Because(
				kernel.Mount{Source: m.Source, Target: m.Destination, Type: m.Type, Flags: flags, Data: data}, whyMount[m.Type].EN, whyMount[m.Type].ZH))...)
		}
	}
	return steps
}

// mountPointIn makes the directory to mount on, if the image lacks it. What it has made in the kernel's own file systems
// it does not make again; elsewhere a symbolic link of the image's may lead anywhere.
func (b *birth) mountPointIn(dir string) []kernel.Step {
	var steps []kernel.Step
	for _, s := range kernel.MkdirAll(dir, "3.5") {
		path := s.Effect.(kernel.Mkdir).Path
		if b.made[path] {
			continue
		}
		if strings.HasPrefix(path, "/dev") || strings.HasPrefix(path, "/sys") || strings.HasPrefix(path, "/proc") {
			if b.made == nil {
				b.made = map[string]bool{}
			}
			b.made[path] = true
		}
		steps = append(steps, s)
	}
	return steps
}

// covered notes that something is mounted on dir: what had been made in it is out of sight.
func (b *birth) covered(dir string) {
	maps.DeleteFunc(b.made, func(path string, _ bool) bool { return strings.HasPrefix(path, dir+"/") })
}

func sectionOf(m specs.Mount) string {
	if m.Destination == "/proc" || strings.HasPrefix(m.Destination, "/dev") || strings.HasPrefix(m.Destination, "/sys") {
		return "3.5"
	}
	return "2.3"
}

var whyMount = map[string]kernel.Why{
	"proc":   {EN: "shows the processes of this PID namespace only", ZH: "只显示这个 PID namespace 里的进程"},
	"tmpfs":  {EN: "in memory, gone with the container", ZH: "在内存里，容器结束就消失"},
	"devpts": {EN: "terminals of its own, counted from 0", ZH: "自己的一套终端，从 0 开始编号"},
	"sysfs":  {EN: "shows the devices of this network namespace; read-only", ZH: "显示这个 network namespace 的设备，只读"},
	"mqueue": {EN: "POSIX message queues of this IPC namespace", ZH: "这个 IPC namespace 的 POSIX 消息队列"},
	"cgroup": {EN: "its own groups, to look at", ZH: "它自己的 cgroup，只能看"},
}

// mountCgroups shows the container its own groups: one file system on v2, one for each hierarchy on v1.
func (b *birth) mountCgroups(m specs.Mount) []kernel.Step {
	flags, _, _ := parseOptions(m.Options)
	var steps []kernel.Step
	for _, g := range b.group.Mounts {
		target := path.Join(m.Destination, g.Target)
		steps = append(steps, b.mountPointIn(target)...)
		b.covered(target)
		bits := flags
		if g.Type == "tmpfs" {
			bits &^= unix.MS_RDONLY
		}
		steps = append(steps, kernel.Try(kernel.In("3.5", kernel.Because(
			kernel.Mount{Source: g.Type, Target: target, Type: g.Type, Flags: bits, Data: g.Data}, whyMount["cgroup"].EN, whyMount["cgroup"].ZH))...)...)
	}
	if len(b.group.Mounts) > 1 && flags&unix.MS_RDONLY != 0 {
		steps = append(steps, kernel.Try(kernel.In("3.5", kernel.Because(
			kernel.Mount{Target: m.Destination, Flags: flags | unix.MS_REMOUNT | unix.MS_BIND}, "nothing can be added to it", "不能再往里添东西"))...)...)
	}
	return steps
}

// makeDevices fills /dev.
func (b *birth) makeDevices() []kernel.Step {
	var steps []kernel.Step
	if b.host.CanMknod() {
		for _, d := range append(ordinaryDevices, b.spec.Linux.Devices...) {
			if dir := path.Dir(d.Path); dir != "/dev" {
				steps = append(steps, kernel.MkdirAll(dir, "3.5")...)
			}
			steps = append(steps, kernel.Because(kernel.Mknod{Path: d.Path, Mode: nodeMode(d), Major: uint32(d.Major), Minor: uint32(d.Minor)},
				"a device is a name for a driver: the numbers say which", "设备文件只是驱动的名字，号码说明是哪一个"))
		}
	}
	for _, l := range [][2]string{
		{"/proc/self/fd", "/dev/fd"}, {"/proc/self/fd/0", "/dev/stdin"}, {"/proc/self/fd/1", "/dev/stdout"},
		{"/proc/self/fd/2", "/dev/stderr"}, {"pts/ptmx", "/dev/ptmx"},
	} {
		steps = append(steps, kernel.Because(kernel.Symlink{Target: l[0], Path: l[1]}, "", ""))
	}
	return kernel.In("3.5", steps...)
}

// hideProc covers what of /proc and /sys tells too much, and write-protects what would change the host.
func (b *birth) hideProc() []kernel.Step {
	var steps []kernel.Step
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	for _, p := range b.spec.Linux.MaskedPaths {
		info, err := os.Stat(p) // the container's /proc and /sys have the entries that ours have
		switch {
		case err != nil:
			continue
		case info.IsDir():
			steps = append(steps, kernel.Because(kernel.Mount{Source: "tmpfs", Target: p, Type: "tmpfs", Flags: flags | unix.MS_RDONLY}, "masked by an empty directory", "用空目录遮住"))
		default:
			steps = append(steps, kernel.Because(kernel.Mount{Source: "/dev/null", Target: p, Flags: unix.MS_BIND}, "masked: reads as empty", "遮住：读出来是空的"))
		}
	}
	for _, p := range b.spec.Linux.ReadonlyPaths {
		if _, err := os.Stat(p); err != nil {
			continue
		}
		steps = append(steps,
			kernel.Because(kernel.Mount{Source: p, Target: p, Flags: unix.MS_BIND | unix.MS_REC}, "", ""),
			kernel.Because(kernel.Mount{Target: p, Flags: flags | unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY}, "can be read, cannot be changed", "只能读，不能改"))
	}
	return kernel.In("3.5", steps...)
}

// setSysctls writes --sysctl: kernel parameters that belong to the container's own namespaces.
func (b *birth) setSysctls() []kernel.Step {
	var steps []kernel.Step
	for _, name := range slices.Sorted(maps.Keys(b.spec.Linux.Sysctl)) {
		file := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
		steps = append(steps, kernel.Because(kernel.WriteFile{Path: file, Data: b.spec.Linux.Sysctl[name]},
			"a parameter of this container's namespaces only", "只影响这个容器的 namespace"))
	}
	return kernel.In("3.5", steps...)
}
