package container

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/cgroup"
	"sandbox/kernel"
	"sandbox/kernel/capability"
	"sandbox/kernel/early"
	"sandbox/kernel/rlimit"
)

// Rootfs is what the container's root directory is made of: layers that stay as they are, and a directory of its own
// that takes every change.
type Rootfs struct {
	LayerDir   string   // where the layers are
	Layers     []string // their names in it, lowest first
	Lowest     string   // the directory below them all, see makeMountPoints
	Upper      string
	Work       string
	MountPoint string
}

// Descriptors that the new process finds its standard streams under, when package early gives birth to it.
const (
	childStdin  = 20
	childStdout = 21
	childStderr = 22
	childPty    = 23 // the end of a socket pair through which it sends the master of its terminal
	childMaster = 30 // where it keeps that master meanwhile
)

// ends are the descriptors that the new process finds its standard streams under: the numbers above, or those that
// they happen to have in a monitor that gives birth again.
type ends struct{ stdin, stdout, stderr, pty, master, knock, door, await, waiting int }

// firstEnds are those of a first birth.
func firstEnds() ends {
	return ends{childStdin, childStdout, childStderr, childPty, childMaster, early.Knock, early.Door, early.Await, early.Waiting}
}

// birth is all that a container's first process is planned from.
type birth struct {
	spec   *specs.Spec
	rootfs Rootfs
	group  cgroup.Plan
	host   Host
	etc    string       // where the files of its own /etc are
	view   string       // where other images are mounted, to be looked into
	files  rlimit.Limit // on open files, where --ulimit says nothing
	self   string       // this program's file, which --init puts into the container
	ends   ends         // what its standard streams are made from
	rows   uint16       // of the terminal
	cols   uint16

	waits   bool            // for its network, see userland.go
	joined  []joined        // whose namespaces it uses
	volumes []bound         // what is brought in from outside
	made    map[string]bool // mount points that have been made in /dev, /proc and /sys
}

// Plan is the whole birth of a container, from clone to execve, as steps that the new process performs.
// Read it from top to bottom: this is what a container is.
func (b *birth) Plan() (kernel.Spawn, error) {
	filter, err := b.seccompFilter()
	if err != nil {
		return kernel.Spawn{}, err
	}
	spawn := kernel.Spawn{
		Namespaces: b.cloneFlags(), Section: "3.5", Process: "container", Hold: true,
		Why: kernel.Why{EN: "a new process in namespaces of its own: the container begins", ZH: "在一组新的 namespace 里生出一个进程：容器就此开始"},
	}
	b.planVolumes()
	for _, part := range [][]kernel.Step{
		b.mapUsers(),
		b.joinNamespaces(),
		b.sayThere(),
		b.joinCgroups(),
		b.adjustOOMScore(),
		b.newSession(),
		b.openShared(),
		b.mountRoot(),
		b.openVolumes(),
		b.pivot(),
		b.mountKernelFileSystems(),
		b.makeDevices(),
		b.attachVolumes(),
		b.leaveOldRoot(),
		b.attachStreams(),
		b.setSysctls(),
		b.hideProc(),
		b.setHostname(),
		b.enterWorkdir(),
		b.freezeRoot(),
		b.awaitNetwork(),
		b.limitResources(),
		b.confine(filter),
		b.dieWithMonitor(),
	} {
		spawn.Steps = append(spawn.Steps, part...)
	}
	if b.host.AtLeast(5, 7) {
		spawn.Group = b.group.Into
	}
	spawn.Programs = programs(b.spec.Process.Args, b.spec.Process.Env, becomesFirst)
	return spawn, nil
}

// cloneFlags: the namespaces that come with the clone. The cgroup namespace comes later: its root is the cgroup that
// the process is in when it is made. See join.go for those that another container has already.
func (b *birth) cloneFlags() uint64 {
	if b.joins(specs.UserNamespace) {
		return 0
	}
	return b.namespaces(func(n specs.LinuxNamespace) bool { return n.Path == "" })
}

// namespaces are the flags of the namespaces that are wanted, but for the cgroup namespace.
func (b *birth) namespaces(wanted func(specs.LinuxNamespace) bool) uint64 {
	var bits uint64
	for _, n := range b.spec.Linux.Namespaces {
		if wanted(n) {
			bits |= cloneFlag(n.Type)
		}
	}
	return bits
}

func cloneFlag(kind specs.LinuxNamespaceType) uint64 {
	switch kind {
	case specs.MountNamespace:
		return unix.CLONE_NEWNS
	case specs.UTSNamespace:
		return unix.CLONE_NEWUTS
	case specs.IPCNamespace:
		return unix.CLONE_NEWIPC
	case specs.PIDNamespace:
		return unix.CLONE_NEWPID
	case specs.NetworkNamespace:
		return unix.CLONE_NEWNET
	case specs.UserNamespace:
		return unix.CLONE_NEWUSER
	}
	return 0
}

func (b *birth) has(kind specs.LinuxNamespaceType) bool {
	for _, n := range b.spec.Linux.Namespaces {
		if n.Type == kind {
			return true
		}
	}
	return false
}

// mapUsers makes an ordinary user root of the new user namespace, and of nothing else. The kernel lets a process map
// its own id without any privilege, once it has given up setgroups (user_namespaces(7)).
func (b *birth) mapUsers() []kernel.Step {
	if !b.has(specs.UserNamespace) || b.joins(specs.UserNamespace) {
		return nil
	}
	return kernel.In("3.5",
		kernel.Because(kernel.WriteFile{Path: "/proc/self/setgroups", Data: "deny"},
			"who maps a group must not be able to leave one", "要映射用户组，先得放弃改变附加组的权利"),
		kernel.Because(kernel.WriteFile{Path: "/proc/self/uid_map", Data: idMap(b.spec.Linux.UIDMappings)},
			"root inside is this ordinary user outside", "容器里的 root，在外面就是这个普通用户"),
		kernel.Because(kernel.WriteFile{Path: "/proc/self/gid_map", Data: idMap(b.spec.Linux.GIDMappings)},
			"the same for the group", "用户组也一样"),
	)
}

func (b *birth) joinCgroups() []kernel.Step {
	steps := b.group.Join
	if b.group.Into != "" && b.host.AtLeast(5, 7) {
		steps = nil // it is cloned into the group
	}
	if !b.has(specs.CgroupNamespace) {
		return steps
	}
	return append(steps, kernel.In("3.5", kernel.Because(kernel.Unshare{Flags: unix.CLONE_NEWCGROUP},
		"the group it is in now looks like the root of all groups", "从现在起，它所在的 cgroup 看起来就是根"))...)
}

// adjustOOMScore sets --oom-score-adj while the host's /proc can still be written.
func (b *birth) adjustOOMScore() []kernel.Step {
	if b.spec.Process.OOMScoreAdj == nil {
		return nil
	}
	return kernel.In("3.4", kernel.Because(kernel.WriteFile{Path: "/proc/self/oom_score_adj", Data: strconv.Itoa(*b.spec.Process.OOMScoreAdj)},
		"--oom-score-adj: how likely the OOM killer takes it when the machine has no memory left", "--oom-score-adj：整机内存耗尽时，它有多容易被 OOM killer 选中"))
}

func (b *birth) newSession() []kernel.Step {
	keyring := kernel.Because(kernel.SessionKeyring{Name: "_sandbox"},
		"keys of whoever started it stay out of reach", "启动者的密钥不会带进容器")
	keyring.Optional = true
	return kernel.In("3.5",
		kernel.Because(kernel.Setsid{}, "a session of its own: the terminal's Ctrl-C does not reach it directly", "自成一个会话，外面终端的 Ctrl-C 不会直接打到它"),
		keyring,
		kernel.Because(kernel.Umask{}, "modes are what the next steps say", "下面创建的文件，权限就按写的来"),
	)
}

// mountRoot stacks the layers.
func (b *birth) mountRoot() []kernel.Step {
	return kernel.In("2.3",
		kernel.Because(kernel.Mount{Target: "/", Flags: unix.MS_REC | unix.MS_PRIVATE},
			"from here on no mount is seen outside", "从这里开始，挂载操作外面都看不见"),
		kernel.Because(kernel.Chdir{Path: b.rootfs.LayerDir}, "short names for the layers: the option string must fit into a page", "用短名字写各层：挂载参数不能超过一页内存"),
		kernel.Because(kernel.Mount{Source: "overlay", Target: b.rootfs.MountPoint, Type: "overlay", Data: b.rootfs.options(b.host)},
			"image layers stay read-only; what is written lands in upperdir", "镜像层只读；写入的内容都落在 upperdir"),
		kernel.Because(kernel.Chdir{Path: b.rootfs.MountPoint}, "", ""),
	)
}

// options of the overlay mount: lowerdir lists the uppermost layer first. Two features that a kernel may have switched on
// by default would write into upperdir what only overlayfs can read back: directories that are elsewhere (redirect_dir)
// and files without content (metacopy). `commit` and `diff` read it.
func (r Rootfs) options(h Host) string {
	lower := make([]string, 0, len(r.Layers))
	for i := len(r.Layers) - 1; i >= 0; i-- {
		lower = append(lower, r.Layers[i])
	}
	if r.Lowest != "" {
		lower = append(lower, overlayEscape(r.Lowest))
	}
	data := "lowerdir=" + strings.Join(lower, ":") + ",upperdir=" + overlayEscape(r.Upper) + ",workdir=" + overlayEscape(r.Work)
	if h.Rootless() || h.Namespaced {
		return data + ",userxattr" // which switches both off
	}
	return data + ",redirect_dir=off,metacopy=off"
}

// overlayEscape protects what has a meaning in overlayfs' options.
func overlayEscape(path string) string {
	return strings.NewReplacer(`\`, `\\`, ",", `\,`, ":", `\:`).Replace(path)
}

func (b *birth) pivot() []kernel.Step {
	return kernel.In("3.5", kernel.Because(kernel.PivotRoot{New: ".", Old: "."},
		"the stack of layers becomes /; the host's root lies over it until it is unmounted", "叠好的各层成为 /；host 的根暂时盖在上面，稍后卸掉"))
}

// leaveOldRoot lets go of the host's root. Not before the kernel's file systems are mounted: in a user namespace the
// kernel allows a new /proc only to those who can see a whole one (mount_namespaces(7)).
func (b *birth) leaveOldRoot() []kernel.Step {
	return kernel.In("3.5",
		kernel.Because(kernel.Unmount{Target: ".", Flags: unix.MNT_DETACH}, "the host's files are out of reach now", "host 的文件从此够不着了"),
		kernel.Because(kernel.Chdir{Path: "/"}, "", ""),
	)
}

func (b *birth) setHostname() []kernel.Step {
	var steps []kernel.Step
	if b.has(specs.UTSNamespace) {
		steps = kernel.In("3.5", kernel.Because(kernel.Sethostname{Name: b.spec.Hostname}, "only this UTS namespace gets the name", "只有这个 UTS namespace 改了名字"))
		if b.spec.Domainname != "" {
			steps = append(steps, kernel.In("3.5", kernel.Because(kernel.Setdomainname{Name: b.spec.Domainname}, "", ""))...)
		}
	}
	if b.has(specs.NetworkNamespace) && !b.joins(specs.NetworkNamespace) { // else that has been done
		steps = append(steps, kernel.In("3.6", kernel.Because(kernel.LinkUp{Name: "lo"},
			"a new network namespace has only a loopback, and that is down", "新的 network namespace 里只有 lo，而且还没启用"))...)
	}
	return steps
}

// enterWorkdir makes the working directory if the image has none, as Docker does.
func (b *birth) enterWorkdir() []kernel.Step {
	cwd := b.spec.Process.Cwd
	steps := kernel.MkdirAll(cwd, "3.1")
	return append(steps, kernel.In("3.1", kernel.Because(kernel.Chdir{Path: cwd}, "where the program starts: WORKDIR, or -w", "程序从这里开始：WORKDIR 或 -w"))...)
}

// freezeRoot makes the root read-only: --read-only.
func (b *birth) freezeRoot() []kernel.Step {
	if !b.spec.Root.Readonly {
		return nil
	}
	return kernel.In("2.3", kernel.Because(kernel.Mount{Target: "/", Flags: unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY},
		"--read-only: not even the container's own layer can be written", "--read-only：连容器层也不能写"))
}

// limitResources sets --ulimit. The limit on open files is set in any case: Go has raised the monitor's.
func (b *birth) limitResources() []kernel.Step {
	files := kernel.Because(kernel.Prlimit{Resource: unix.RLIMIT_NOFILE, Soft: b.files.Soft, Hard: b.files.Hard},
		"what whoever started it has", "和启动者的限制一样")
	steps := kernel.In("3.4", files)
	if slices.ContainsFunc(b.spec.Process.Rlimits, func(l specs.POSIXRlimit) bool { return l.Type == "RLIMIT_NOFILE" }) {
		steps = nil
	}
	for _, l := range b.spec.Process.Rlimits {
		steps = append(steps, kernel.In("3.4", kernel.Because(kernel.Prlimit{Resource: resourceNumber(l.Type), Soft: l.Soft, Hard: l.Hard}, "--ulimit", "--ulimit"))...)
	}
	return steps
}

func resourceNumber(name string) int {
	for i, r := range kernel.Resources {
		if "RLIMIT_"+strings.ToUpper(r) == name {
			return i
		}
	}
	return -1
}

// confine loads the seccomp filter and gives up privileges. A filter may be loaded by who has CAP_SYS_ADMIN, so before
// the capabilities go; or by who has no_new_privs, so then it comes last and judges the fewest calls of our own.
func (b *birth) confine(filter []unix.SockFilter) []kernel.Step {
	if b.spec.Process.NoNewPrivileges {
		return append(b.becomeUser(), b.loadSeccomp(filter)...)
	}
	return append(b.loadSeccomp(filter), b.becomeUser()...)
}

// becomeUser gives up what root may do, down to what the container is allowed. The order matters: the bounding set can
// be changed only with CAP_SETPCAP, the groups only before the user, and the rest is set last.
func (b *birth) becomeUser() []kernel.Step {
	p := b.spec.Process
	var steps []kernel.Step
	bounding := capability.SetOf(p.Capabilities.Bounding)
	for i := range capability.Count {
		if bounding&(1<<i) == 0 {
			drop := kernel.Because(kernel.Prctl{Option: unix.PR_CAPBSET_DROP, Arg: uintptr(i)}, "no program in the container can ever get it", "容器里任何程序都再也得不到这项权能")
			drop.Optional = true // a capability that this kernel does not know
			steps = append(steps, drop)
		}
	}
	if !b.has(specs.UserNamespace) && !b.host.NoSetgroups {
		steps = append(steps, kernel.Because(kernel.Setgroups{Groups: groupIDs(p.User)}, "supplementary groups from the image's /etc/group", "附加组来自镜像的 /etc/group"))
	}
	if p.User.GID != 0 || p.User.UID != 0 {
		steps = append(steps,
			kernel.Because(kernel.Setresgid{GID: int(p.User.GID)}, "", ""),
			kernel.Because(kernel.Setresuid{UID: int(p.User.UID)}, "the program runs as this user: USER, or -u", "程序以这个用户运行：USER 或 -u"))
	}
	effective, permitted := capability.SetOf(p.Capabilities.Effective), capability.SetOf(p.Capabilities.Permitted)
	steps = append(steps, kernel.Because(kernel.Capset{Effective: effective, Permitted: permitted},
		"what is left of root's power", "root 的权力只剩下这些"))
	if p.NoNewPrivileges {
		steps = append(steps, kernel.Because(kernel.Prctl{Option: unix.PR_SET_NO_NEW_PRIVS, Arg: 1}, "set-uid programs give no privileges any more", "setuid 程序不再能提权"))
	}
	return kernel.In("3.5", append(steps, kernel.Because(kernel.Umask{Mask: 0o022}, "", ""))...)
}

// dieWithMonitor comes after all changes of identity: they clear it (prctl(2)).
func (b *birth) dieWithMonitor() []kernel.Step {
	return kernel.In("3.1", kernel.Because(kernel.Prctl{Option: unix.PR_SET_PDEATHSIG, Arg: uintptr(unix.SIGKILL)},
		"if the monitor is killed the container ends too: nobody would look after it", "监视进程若被杀，容器也随之结束，免得没人照看"),
		kernel.Because(kernel.Close{FD: kernel.FD(b.ends.door)}, "", ""),
		kernel.Because(kernel.Knock{FD: b.ends.knock}, "if it has been killed already nobody is at the other end of this pipe, and the container does not begin",
			"监视进程若已经被杀，这个管道的另一头就没有人了，容器也就不会开始"))
}

// groupIDs are the supplementary groups, the first of them the user's own as login(1) has it.
func groupIDs(u specs.User) []int {
	groups := []int{int(u.GID)}
	for _, g := range u.AdditionalGids {
		if g != u.GID {
			groups = append(groups, int(g))
		}
	}
	return groups
}

// Why a process executes a program: as the container's first process, or as another one beside it.
var (
	becomesFirst  = kernel.Why{EN: "PID 1 becomes the program; nothing of sandbox is left in the process", ZH: "1 号进程变成要运行的程序，进程里不再有 sandbox 的任何东西"}
	becomesBeside = kernel.Why{EN: "this process, not PID 1, becomes the program; nothing of sandbox is left in it", ZH: "变成要运行的程序的是这个进程，不是 1 号；进程里不再有 sandbox 的任何东西"}
)

// programs are the places where the command may be: itself if it has a slash, else each directory of $PATH, tried by
// execve in turn as execvp(3) does.
func programs(args, env []string, why kernel.Why) []kernel.Step {
	if strings.Contains(args[0], "/") {
		return []kernel.Step{{Effect: kernel.Execve{Path: args[0], Argv: args, Env: env}, Section: "3.1", Why: why}}
	}
	var list []kernel.Step
	for _, dir := range searchPath(env) {
		list = append(list, kernel.Step{Effect: kernel.Execve{Path: path.Join(dir, args[0]), Argv: args, Env: env}, Section: "3.1", Why: why})
	}
	return list
}

func searchPath(env []string) []string {
	for i := len(env) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(env[i], "PATH="); ok && value != "" {
			dirs := strings.Split(value, ":")
			for i, d := range dirs {
				if d == "" {
					dirs[i] = "."
				}
			}
			return dirs
		}
	}
	return []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}
}
