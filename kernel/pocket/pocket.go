// Package pocket makes pocket hosts: a whole small machine for a lab or a test, in namespaces of its own.
//
// In a pocket host everything is private: processes, mounts, network, host name, IPC, cgroups, and for an ordinary user
// root itself (a user namespace). Its root directory shows the machine's files, and what is written there stays in memory
// and reaches nobody; /run, /tmp, /var and /root are its own. Inside, the ordinary commands run unchanged: `sandbox run` makes real
// containers, addresses are always the same, and nothing clashes with what else runs on the machine. When the first
// process ends, or is killed, the kernel takes all of it away.
//
//	machine ── sandbox lab 3.5 (waits) ── clone3(NEW…) ──► pocket: PID 1 sandbox-init ── sandbox lab 3.5 ── sh, sandbox run …
package pocket

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sandbox/cgroup"
	"sandbox/kernel"
	"sandbox/kernel/early"
)

// Places in a pocket host.
const (
	hostname = "pocket"
	binDir   = "/run/pocket/bin"  // the program, under the name sandbox
	diskDir  = "/run/pocket/disk" // a file that lies on a disk
	Variable = "SANDBOX_POCKET"   // names the pocket host one is in
	LabsDir  = "/run/pocket/labs" // labs that are not built in
	LabsFrom = LabsDir + ".from"  // a file with the name that their directory has on the machine
)

// Options say what runs in a pocket host.
type Options struct {
	Name   string   // of the pocket host, for those who join it; "" if nobody shall
	Title  string   // what those inside are told that it is, in Variable: the lab
	Args   []string // the command that runs in it: "sandbox", "lab", …
	Env    []string
	RunDir string   // where its mount point is, and its entry for those who join
	Store  string   // a directory of images to begin with: seen, not changed; "" for none
	Tools  string   // a directory of small commands in the pocket host, last on the PATH
	Labs   string   // a directory of the machine that is seen as LabsDir, not changed; "" for none
	Shared []string // directories of the machine that stay what they are, for writing too
}

// Run makes a pocket host, runs a command in it, and returns its exit code.
func Run(door *kernel.Door, o Options) (int, error) {
	groups := cgroup.Detect()
	id := newID()
	p := &plan{Options: o, rootless: os.Geteuid() != 0, root: path.Join(o.RunDir, "pocket")}
	if err := door.Do(kernel.MkdirAll(p.root, "3.5")...); err != nil {
		return 0, err
	}
	p.group = makeGroup(door, groups, id)
	steps, err := p.steps()
	if err != nil {
		return 0, err
	}
	defer func() {
		for range 500 { // the processes that the kernel has just killed leave their groups within a moment
			door.Do(kernel.Try(groups.Remove(id)...)...)
			if len(groups.Processes(id)) == 0 {
				break
			}
			time.Sleep(2 * time.Millisecond)
		}
		door.Do(kernel.Try(groups.Remove(id)...)...) // the parent, if another went at the same moment
	}()
	b, err := door.Spawn(kernel.Spawn{
		Namespaces: p.cloneFlags(), Section: "3.5", Process: "pocket", Steps: steps,
		Why: kernel.Why{EN: "a pocket host: a small machine of its own, for this lab only", ZH: "口袋主机：只给这个实验用的一台小机器"},
		Programs: kernel.In("3.5", kernel.Because(kernel.Execve{
			Path: binDir + "/sandbox", Argv: append([]string{early.InitName, "--"}, o.Args...), Env: p.environment(),
		}, "", "")),
	})
	if err == nil {
		err = b.Failure()
	}
	if err != nil {
		if b != nil && b.PID != 0 {
			unix.Wait4(b.PID, nil, 0, nil)
		}
		return 0, explain(err)
	}
	leave := register(door, o, b.PID)
	defer leave()
	return wait(door, b.PID, func() []kernel.Step { return groups.ThawBelow(id) })
}

// makeGroup makes the pocket host's own control groups. Other pocket hosts come and go at the same time, and with the last of them their
// common parent: then it is planned anew. The zero value where none can be made: labs that need them say so.
func makeGroup(door *kernel.Door, groups cgroup.Host, id string) cgroup.Plan {
	for range 10 {
		// cpuset is for containers in it that are to run on some processors only.
		group, err := groups.Plan(id, nil, "cpuset")
		if err != nil {
			break
		}
		if door.Do(group.Create...) == nil {
			return group
		}
		door.Do(kernel.Try(groups.Remove(id)...)...)
	}
	return cgroup.Plan{}
}

// explain adds what most often is behind it when an ordinary user cannot make one.
func explain(err error) error {
	if os.Geteuid() != 0 && (errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOSPC)) {
		return kernel.Advise(fmt.Errorf("cannot make a pocket host: %w", err), "sandbox doctor   says what keeps this user from making user namespaces")
	}
	return fmt.Errorf("cannot make a pocket host: %w", err)
}

// wait waits for the first process. Ctrl-C is for those inside: the terminal sends it to them as well. thaw is what must be done
// before those inside can be killed.
func wait(door *kernel.Door, pid int, thaw func() []kernel.Step) (int, error) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGHUP)
	defer signal.Stop(signals)
	go func() {
		for s := range signals {
			if s == unix.SIGTERM || s == unix.SIGHUP {
				door.Do(thaw()...)
				door.Do(kernel.Step{Effect: kernel.Kill{PID: pid, Signal: unix.SIGKILL}, Section: "3.5", Optional: true,
					Why: kernel.Why{EN: "PID 1 of a namespace: all in it go with it", ZH: "namespace 的 1 号进程一死，里面的进程全部结束"}})
			}
		}
	}()
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(pid, &status, 0, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if status.Signaled() {
			return 128 + int(status.Signal()), err
		}
		return status.ExitStatus(), err
	}
}

// plan is a pocket host before it is made.
type plan struct {
	Options
	group    cgroup.Plan
	rootless bool
	root     string // where its root is put together
}

func (p *plan) cloneFlags() uint64 {
	var bits uint64 = unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWPID | unix.CLONE_NEWNET
	if p.rootless {
		bits |= unix.CLONE_NEWUSER
	}
	return bits
}

// environment of the first process: its own PATH first, and nothing that names a directory of the machine.
func (p *plan) environment() []string {
	env := slices.DeleteFunc(slices.Clone(p.Env), func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return slices.Contains([]string{"PATH", "HOME", "USER", "LOGNAME", "SANDBOX_ROOT", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "TMPDIR", "SANDBOX_LABS", Variable}, name)
	})
	return append(env, "PATH="+p.searchPath(),
		"HOME=/root", "USER=root", "LOGNAME=root", Variable+"="+cmp.Or(p.Title, "host"))
}

// searchPath is the learner's own, and for what this machine has not got the base image's small commands.
func (p *plan) searchPath() string {
	search := binDir + ":" + os.Getenv("PATH") + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	if p.Tools != "" {
		search += ":" + p.Tools
	}
	return search
}

// steps of its birth.
func (p *plan) steps() ([]kernel.Step, error) {
	root, err := p.buildRoot()
	if err != nil {
		return nil, err
	}
	program, err := p.program()
	if err != nil {
		return nil, err
	}
	var steps []kernel.Step
	for _, part := range [][]kernel.Step{
		p.mapUsers(), p.group.Join, p.newCgroupNamespace(), root, p.ownDirectories(), program, p.store(), p.labs(), p.disk(), p.shared(), p.pivot(),
	} {
		steps = append(steps, part...)
	}
	return steps, nil
}

func (p *plan) mapUsers() []kernel.Step {
	if !p.rootless {
		return nil
	}
	return kernel.In("3.5",
		kernel.Because(kernel.WriteFile{Path: "/proc/self/setgroups", Data: "deny"}, "", ""),
		kernel.Because(kernel.WriteFile{Path: "/proc/self/uid_map", Data: fmt.Sprintf("0 %d 1\n", os.Geteuid())}, "you are root in here, and nobody else outside", "在里面你是 root，在外面还是你自己"),
		kernel.Because(kernel.WriteFile{Path: "/proc/self/gid_map", Data: fmt.Sprintf("0 %d 1\n", os.Getegid())}, "", ""),
	)
}

// newCgroupNamespace makes the group it has joined the root of all. On v2 the processes then move one down: a group that
// holds processes itself cannot switch controllers on for the containers' groups in it.
func (p *plan) newCgroupNamespace() []kernel.Step {
	steps := []kernel.Step{kernel.Because(kernel.Unshare{Flags: unix.CLONE_NEWCGROUP}, "", "")}
	if p.group.Into != "" {
		steps = append(steps, kernel.Try(
			kernel.Because(kernel.Mkdir{Path: p.group.Into + "/init", Mode: 0o755}, "", ""),
			kernel.Because(kernel.WriteFile{Path: p.group.Into + "/init/cgroup.procs", Data: "0"},
				"controllers can be switched on only where no process is", "组里没有进程，才能为下级组打开控制器"),
		)...)
	}
	return kernel.In("3.5", steps...)
}

// program puts this very program into it. Not as /proc/self/exe: that leads to a mount of the namespace it was started in,
// and a mount of another namespace cannot be bound.
func (p *plan) program() ([]kernel.Step, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return kernel.In("3.5",
		kernel.Because(kernel.Mkdir{Path: "run/pocket", Mode: 0o755}, "", ""),
		kernel.Because(kernel.Mkdir{Path: "run/pocket/bin", Mode: 0o755}, "", ""),
		kernel.Because(kernel.CreateFile{Path: "run/pocket/bin/sandbox", Mode: 0o755}, "", ""),
		kernel.Because(kernel.Mount{Source: self, Target: "run/pocket/bin/sandbox", Flags: unix.MS_BIND}, "", ""),
	), nil
}

func (p *plan) pivot() []kernel.Step {
	cwd, err := os.Getwd()
	if err != nil || under(cwd, private) && !under(cwd, p.Shared) {
		cwd = "/"
	}
	steps := []kernel.Step{
		kernel.Because(kernel.PivotRoot{New: ".", Old: "."}, "", ""),
		kernel.Because(kernel.Unmount{Target: ".", Flags: unix.MNT_DETACH}, "the machine is out of reach", "外面的机器够不着了"),
		kernel.Because(kernel.Sethostname{Name: hostname}, "", ""),
		kernel.Because(kernel.LinkUp{Name: "lo"}, "", ""),
		// A new network namespace takes over what the machine has (net.core.devconf_inherit_init_net): 1, where Docker has been.
		{Effect: kernel.WriteFile{Path: "/proc/sys/net/ipv4/ip_forward", Data: "0"}, Optional: true},
		kernel.Because(kernel.Chdir{Path: "/"}, "", ""),
		{Effect: kernel.Chdir{Path: cwd}, Optional: true},
		kernel.Because(kernel.Prctl{Option: unix.PR_SET_PDEATHSIG, Arg: uintptr(unix.SIGKILL)}, "if the one outside is killed, all of it ends", "外面的进程若被杀，这里全部随之结束"),
	}
	return kernel.In("3.5", steps...)
}

func inUserNamespace() bool {
	data, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && strings.Join(strings.Fields(string(data)), " ") != "0 0 4294967295"
}

func newID() string {
	data := make([]byte, 32)
	unix.Getrandom(data, 0)
	return fmt.Sprintf("%x", data)
}

// entry is where a pocket host is found by its name.
func entry(runDir, name string) string { return path.Join(runDir, "pockets", name) }

// register writes the entry, and returns what takes it away.
func register(door *kernel.Door, o Options, pid int) (leave func()) {
	if o.Name == "" {
		return func() {}
	}
	file := entry(o.RunDir, o.Name)
	door.Do(kernel.MkdirAll(path.Dir(file), "3.5")...)
	door.Do(kernel.Because(kernel.ReplaceFile{Path: file, Data: []byte(strconv.Itoa(pid)), Mode: 0o600}, "others find it by its name", "别人按名字找到它"))
	return func() {
		door.Do(kernel.Try(kernel.Because(kernel.Remove{Path: file}, "", ""))...)
	}
}
