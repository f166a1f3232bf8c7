package container

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"sandbox/cgroup"
	"sandbox/kernel"
	"sandbox/kernel/capability"
)

// Annotations of config.json that say what the OCI specification has no field for.
const (
	annotationSeccomp = "sandbox.seccomp" // "default" (Docker's profile, compiled into this program), "unconfined", or absent: linux.seccomp
	annotationVolumes = "sandbox.volumes" // the names of the container's volumes
	annotationInit    = "sandbox.init"    // "true": PID 1 is a small init that starts the program and reaps
)

// makeSpec turns the record and the image's user into the OCI runtime specification's config.json: the only thing that
// the birth is planned from.
func makeSpec(r *Record, u user, h Host, own []MountOption) (*specs.Spec, error) {
	if uint64(u.uid) >= h.IDs || uint64(u.gid) >= h.IDs {
		return nil, kernel.Advise(fmt.Errorf("user %d:%d: an ordinary user has only one id to give, and that is the container's root", u.uid, u.gid),
			"leave -u out (or USER in the image), or run it as root")
	}
	caps, err := capabilities(r.HostConfig, u, h)
	if err != nil {
		return nil, err
	}
	devices, rules, err := devices(r.HostConfig, h)
	if err != nil {
		return nil, err
	}
	mounts, err := mounts(r, h, own)
	if err != nil {
		return nil, err
	}
	resources := r.HostConfig.limits()
	resources.Devices = rules
	if !h.CanMknod() {
		mounts, devices = append(mounts, deviceMounts(r.HostConfig, devices)...), nil
	}
	cwd := r.Config.WorkingDir
	if cwd == "" {
		cwd = "/"
	}
	return &specs.Spec{
		Version: specs.Version,
		Process: &specs.Process{
			Terminal: r.Config.Tty,
			User:     specs.User{UID: uint32(u.uid), GID: uint32(u.gid), AdditionalGids: u.groups},
			Args:     processArgs(r),
			Env:      environment(r.Config, u),
			Cwd:      path.Clean("/" + cwd), Capabilities: caps, Rlimits: rlimits(r.HostConfig.Ulimits), OOMScoreAdj: oomScore(r.HostConfig),
			NoNewPrivileges: slices.ContainsFunc(r.HostConfig.SecurityOpt, isNoNewPrivileges),
		},
		Root:        &specs.Root{Path: "rootfs", Readonly: r.HostConfig.ReadonlyRootfs},
		Hostname:    r.Config.Hostname,
		Domainname:  r.Config.Domainname,
		Mounts:      mounts,
		Annotations: annotations(r),
		Linux: &specs.Linux{
			Namespaces: namespaces(r.HostConfig, h), UIDMappings: oneID(h, h.UID), GIDMappings: oneID(h, h.GID),
			Devices: devices, Resources: resources,
			CgroupsPath: cgroupsPath(r), Sysctl: sysctls(r.HostConfig, h),
			MaskedPaths: r.HostConfig.MaskedPaths, ReadonlyPaths: r.HostConfig.ReadonlyPaths,
		},
	}, nil
}

// processArgs is what is executed: the container's command, or with --init the small init that starts it.
func processArgs(r *Record) []string {
	args := append([]string{r.Path}, r.Args...)
	if r.HostConfig.Init && r.Path != "" {
		args = append([]string{InitPath, "--"}, args...)
	}
	return args
}

// Docker's lists (moby, oci/defaults.go): what of /proc and /sys tells too much, and what changes the host.
var (
	defaultMasked = []string{
		"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug",
		"/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
	}
	defaultReadonly = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
)

// namespaces: all of them are new, but those that the user shares with the host or another container.
func namespaces(hc HostConfig, h Host) []specs.LinuxNamespace {
	list := []specs.LinuxNamespace{{Type: specs.MountNamespace}}
	other := ""
	add := func(kind specs.LinuxNamespaceType, mode string) {
		if mode == "host" {
			return
		}
		n := specs.LinuxNamespace{Type: kind}
		if joinedID(mode) != "" {
			n.Path, other = mode, mode
		}
		list = append(list, n)
	}
	add(specs.UTSNamespace, hc.UTSMode)
	add(specs.IPCNamespace, hc.IpcMode)
	add(specs.PIDNamespace, hc.PidMode)
	add(specs.NetworkNamespace, hc.NetworkMode)
	add(specs.CgroupNamespace, hc.CgroupnsMode)
	if h.Rootless() {
		add(specs.UserNamespace, other) // which owns those that are joined
	}
	return list
}

// sysctls are those that were asked for, and two that whoever has a network of their own gets, as with Docker: any user in it may
// listen at any port, and ping (where there are groups to name: the range ends in the last one of them).
func sysctls(hc HostConfig, h Host) map[string]string {
	if hc.NetworkMode == "host" || joinedID(hc.NetworkMode) != "" {
		return hc.Sysctls
	}
	all := map[string]string{"net.ipv4.ip_unprivileged_port_start": "0"}
	if !h.Rootless() && !h.Namespaced {
		all["net.ipv4.ping_group_range"] = "0 2147483647"
	}
	maps.Copy(all, hc.Sysctls)
	return all
}

// oneID maps root in the container to the ordinary user who starts it.
func oneID(h Host, id int) []specs.LinuxIDMapping {
	if !h.Rootless() {
		return nil
	}
	return []specs.LinuxIDMapping{{ContainerID: 0, HostID: uint32(id), Size: 1}}
}

func annotations(r *Record) map[string]string {
	hc := r.HostConfig
	a := map[string]string{annotationSeccomp: "default"}
	for _, opt := range hc.SecurityOpt {
		if value, ok := strings.CutPrefix(opt, "seccomp="); ok && value != "builtin" { // which is the default
			a[annotationSeccomp] = value
		}
	}
	if hc.Privileged {
		a[annotationSeccomp] = "unconfined"
	}
	if hc.Init {
		a[annotationInit] = "true"
	}
	if names, _ := r.volumeNames(); len(names) > 0 {
		a[annotationVolumes] = strings.Join(names, " ")
	}
	return a
}

// environment is the container's own part first: PATH, HOSTNAME, TERM and HOME can be overridden by -e.
func environment(c Config, u user) []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=" + c.Hostname}
	if c.Tty {
		env = append(env, "TERM=xterm")
	}
	for _, e := range c.Env {
		env = setEnv(env, e)
	}
	if !hasEnv(env, "HOME") {
		env = append(env, "HOME="+u.home)
	}
	return env
}

// linkedEnvironment puts the variables of links before those that the container has: they do not replace any.
func linkedEnvironment(variables, env []string) []string {
	if len(variables) == 0 {
		return env
	}
	for _, e := range env {
		variables = setEnv(variables, e)
	}
	return variables
}

// setEnv replaces a variable in its place, or appends it.
func setEnv(env []string, assignment string) []string {
	name, _, _ := strings.Cut(assignment, "=")
	for i, e := range env {
		if strings.HasPrefix(e, name+"=") {
			env[i] = assignment
			return env
		}
	}
	return append(env, assignment)
}

func hasEnv(env []string, name string) bool {
	return slices.ContainsFunc(env, func(e string) bool { return strings.HasPrefix(e, name+"=") })
}

// capabilities as Docker gives them: its default set, changed by --cap-add and --cap-drop, all with --privileged. Who is
// not root in the container holds none: what is in the bounding set can come back only with a set-uid program.
func capabilities(hc HostConfig, u user, h Host) (*specs.LinuxCapabilities, error) {
	set := capability.Default
	if hc.Privileged {
		set = capability.All
	}
	var dropped capability.Set // by their names
	for _, name := range hc.CapDrop {
		c, err := parseCapability(name)
		if err != nil {
			return nil, err
		}
		if set &^= c; c != capability.All {
			dropped |= c
		}
	}
	for _, name := range hc.CapAdd {
		c, err := parseCapability(name)
		if err != nil {
			return nil, err
		}
		if missing := c &^ h.Capabilities(); missing != 0 && c != capability.All {
			return nil, kernel.Advise(fmt.Errorf("--cap-add %s: sandbox itself does not have that capability here", name), "grep Cap /proc/self/status   shows what this user has")
		}
		if set |= c; c == capability.All { // all but those that are dropped
			set &^= dropped
		}
	}
	names := (set & h.Capabilities()).Names() // ALL is all there are to give
	caps := &specs.LinuxCapabilities{Bounding: names}
	if u.uid == 0 {
		caps.Effective, caps.Permitted = names, names
	}
	return caps, nil
}

// parseCapability reads a name, or says which one was probably meant.
func parseCapability(name string) (capability.Set, error) {
	set, err := capability.Parse(name)
	var unknown *capability.UnknownError
	if errors.As(err, &unknown) {
		cure := "a name of capabilities(7), with or without CAP_, or ALL"
		if unknown.Nearest != "" {
			cure = "did you mean " + unknown.Nearest + "?"
		}
		return 0, kernel.Advise(fmt.Errorf("unknown capability: %q", name), "%s", cure)
	}
	return set, err
}

func rlimits(ulimits []Ulimit) []specs.POSIXRlimit {
	var limits []specs.POSIXRlimit
	for _, u := range ulimits {
		limits = append(limits, specs.POSIXRlimit{
			Type: "RLIMIT_" + strings.ToUpper(u.Name), Soft: uint64(u.Soft), Hard: uint64(u.Hard),
		})
	}
	return limits
}

func oomScore(hc HostConfig) *int {
	if hc.OomScoreAdj == 0 {
		return nil
	}
	return &hc.OomScoreAdj
}

func isNoNewPrivileges(opt string) bool {
	return opt == "no-new-privileges" || opt == "no-new-privileges=true"
}

// mounts of the container, own being those that it was asked for; parents before what lies in them.
func mounts(r *Record, h Host, own []MountOption) ([]specs.Mount, error) {
	hc := r.HostConfig
	sysOptions := []string{"nosuid", "noexec", "nodev", "ro"}
	if hc.Privileged {
		sysOptions = sysOptions[:3]
	}
	list := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: ptsOptions(h)},
		{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: sysOptions},
		{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: sysOptions},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{
			"nosuid", "noexec", "nodev", "mode=1777", fmt.Sprintf("size=%d", hc.ShmSize)}},
	}
	if hc.IpcMode == "host" {
		list = slices.DeleteFunc(list, func(m specs.Mount) bool { return m.Destination == "/dev/mqueue" || m.Destination == "/dev/shm" })
		list = append(list, hostIPC()...)
	}
	if joinedID(hc.IpcMode) != "" { // the other container's is used, see openSharedMemory
		list = slices.DeleteFunc(list, func(m specs.Mount) bool { return m.Destination == "/dev/shm" })
	}
	if hc.NetworkMode == "host" && (h.Rootless() || h.Namespaced) {
		// sysfs shows a network namespace, and only who owns that may mount one.
		list[3] = specs.Mount{Destination: "/sys", Type: "bind", Source: "/sys", Options: append([]string{"rbind"}, sysOptions...)}
	}
	if hc.CgroupnsMode == "host" && h.Rootless() { // the same with control groups and a cgroup namespace
		list = slices.DeleteFunc(list, func(m specs.Mount) bool { return m.Type == "cgroup" })
		if entries, _ := os.ReadDir("/sys/fs/cgroup"); len(entries) > 0 {
			list = append(list, specs.Mount{Destination: "/sys/fs/cgroup", Type: "bind", Source: "/sys/fs/cgroup", Options: append([]string{"rbind"}, sysOptions...)})
		}
	}
	if hc.PidMode == "host" && h.Rootless() { // the same with proc and a PID namespace
		list[0] = specs.Mount{Destination: "/proc", Type: "bind", Source: "/proc", Options: append([]string{"rbind"}, list[0].Options...)}
	}
	volumes, err := volumeMounts(own, h)
	if err != nil {
		return nil, err
	}
	for _, v := range volumes {
		list = slices.DeleteFunc(list, func(m specs.Mount) bool { return m.Destination == v.Destination })
	}
	return append(list, volumes...), nil
}

// hostIPC are the file systems through which the host's IPC namespace is used, where the host has them mounted.
func hostIPC() []specs.Mount {
	var list []specs.Mount
	for _, dir := range []string{"/dev/mqueue", "/dev/shm"} {
		if _, err := os.Stat(dir); err == nil {
			list = append(list, specs.Mount{Destination: dir, Type: "bind", Source: dir, Options: []string{"rbind"}})
		}
	}
	return list
}

// ptsOptions gives terminals to the group tty (5), where there is more than one group.
func ptsOptions(h Host) []string {
	options := []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}
	if !h.Rootless() && !h.Namespaced {
		options = append(options, "gid=5")
	}
	return options
}

// deviceMounts are the devices as bind mounts, for who may not make device nodes.
func deviceMounts(hc HostConfig, devices []specs.LinuxDevice) []specs.Mount {
	var list []specs.Mount
	for i, d := range devices {
		source := d.Path
		if !hc.Privileged {
			source = hc.Devices[i].PathOnHost
		}
		list = append(list, specs.Mount{Destination: d.Path, Type: "bind", Source: source, Options: []string{"bind"}})
	}
	return list
}

// devices that --device and --privileged add to those that every container has, and the cgroup's rules for them.
func devices(hc HostConfig, h Host) ([]specs.LinuxDevice, []specs.LinuxDeviceCgroup, error) {
	if hc.Privileged {
		return hostDevices(), cgroup.AllDevices, nil
	}
	rules := slices.Clone(cgroup.DefaultDevices)
	var list []specs.LinuxDevice
	for _, d := range hc.Devices {
		device, err := deviceAt(d.PathOnHost)
		if err != nil {
			return nil, nil, err
		}
		device.Path = d.PathInContainer
		list = append(list, device)
		rules = append(rules, specs.LinuxDeviceCgroup{
			Allow: true, Type: device.Type, Major: &device.Major, Minor: &device.Minor, Access: d.CgroupPermissions,
		})
	}
	for _, s := range hc.DeviceCgroupRules {
		rule, err := parseDeviceRule(s)
		if err != nil {
			return nil, nil, err
		}
		rules = append(rules, rule)
	}
	return list, rules, nil
}
