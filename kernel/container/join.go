package container

import (
	"errors"
	"fmt"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
	"sandbox/kernel/early"
)

// A container may use namespaces of another one: --pid, --ipc and --network container:NAME. Then it is cloned without its
// own of that kind, and its first process enters the other's with setns(2) before it does anything else. In
// config.json such a namespace has the mode as its path, with the other's ID: which process that is, each start finds
// out anew.
//
// An ordinary user's containers each have a user namespace, which owns the rest. Whoever enters one of another's
// namespaces has to be in its user namespace, too, and must not have left it by the clone: so there everything that is
// new comes after that, by unshare(2).

// joined is a namespace, or several, of another container's first process.
type joined struct {
	flags uint64
	pidfd int  // here
	fd    int  // the number that the new process finds it under
	fresh bool // it is a network namespace that was made for this container
}

// joinedID is the other container in a mode: its ID in "container:ID". "" for modes that name none.
func joinedID(mode string) string {
	id, _ := strings.CutPrefix(mode, "container:")
	if id == mode {
		return ""
	}
	return id
}

// sharesPIDs tells whether there are other processes in the container's PID namespace than its own.
func (hc HostConfig) sharesPIDs() bool { return hc.PidMode == "host" || joinedID(hc.PidMode) != "" }

// resolveJoins finds the containers whose namespaces are to be used, and puts their IDs into the modes.
func (e *Engine) resolveJoins(r *Record) error {
	hc := &r.HostConfig
	user := ""
	for _, mode := range []*string{&hc.PidMode, &hc.IpcMode, &hc.NetworkMode} {
		name := joinedID(*mode)
		if name == "" {
			continue
		}
		other, err := e.Get(name)
		if err != nil {
			return err
		}
		theirs := map[*string]string{&hc.PidMode: other.HostConfig.PidMode, &hc.IpcMode: other.HostConfig.IpcMode, &hc.NetworkMode: other.HostConfig.NetworkMode}[mode]
		switch {
		case theirs == "host":
			*mode = theirs
			continue
		case mode == &hc.IpcMode && theirs == "private":
			return kernel.Advise(fmt.Errorf("container %s does not share its IPC namespace", other.PlainName()), "start it with --ipc shareable")
		case mode == &hc.NetworkMode: // they are one machine in the network, and have one name
			r.Config.Hostname, r.Config.Domainname = other.Config.Hostname, other.Config.Domainname
		}
		if e.Host.Rootless() && user != "" && user != other.ID {
			return kernel.Advise(errors.New("it would share namespaces of two containers: an ordinary user's containers have a user namespace each, and nobody can be in two"),
				"name the same container, or run it as root")
		}
		*mode, user = "container:"+other.ID, other.ID
	}
	return nil
}

// alone is the specification with all namespaces new, for those who only want to see the container's files.
func alone(spec *specs.Spec) *specs.Spec {
	for i := range spec.Linux.Namespaces {
		spec.Linux.Namespaces[i].Path = ""
	}
	return spec
}

// openJoined opens the processes whose namespaces are used. The new process finds them under the numbers that package
// early puts them under, or, in a monitor that gives birth again, under those that they have.
func (e *Engine) openJoined(spec *specs.Spec, renumbered bool) (list []joined, err error) {
	var ids []string
	for _, n := range spec.Linux.Namespaces {
		id := joinedID(n.Path)
		if id == "" {
			continue
		}
		if len(ids) > 0 && ids[len(ids)-1] == id {
			list[len(list)-1].flags |= cloneFlag(n.Type)
			continue
		}
		pidfd, err := e.openOther(id)
		if err != nil {
			closeJoined(list)
			return nil, err
		}
		j := joined{flags: cloneFlag(n.Type), pidfd: pidfd, fd: pidfd}
		if renumbered {
			j.fd = early.Joined + len(list)
		}
		ids, list = append(ids, id), append(list, j)
	}
	return list, nil
}

func (e *Engine) openOther(id string) (pidfd int, err error) {
	other, err := e.Get(id)
	if err == nil {
		pidfd, err = e.openRunning(other)
	}
	if err != nil {
		return -1, kernel.Advise(fmt.Errorf("it shares a namespace of another container: %w", err), "start that one first: sandbox start %.12s", id)
	}
	return pidfd, nil
}

func closeJoined(list []joined) {
	for _, j := range list {
		unix.Close(j.pidfd)
	}
}

// joinNamespaces enters them.
func (b *birth) joinNamespaces() []kernel.Step {
	if len(b.joined) == 0 {
		return nil
	}
	var steps []kernel.Step
	for _, j := range b.joined {
		why := kernel.Why{EN: "it uses namespaces of another container's first process", ZH: "使用另一个容器 1 号进程的 namespace"}
		if j.fresh {
			why = kernel.Why{EN: "the network namespace that was made for it, with its interfaces in it", ZH: "进入为它准备好的网络 namespace，网卡已经在里面"}
		}
		steps = append(steps, kernel.Step{Effect: kernel.Setns{FD: kernel.FD(j.fd), Flags: j.flags}, Why: why})
	}
	own := b.namespaces(func(n specs.LinuxNamespace) bool { return n.Path == "" })
	if b.joins(specs.UserNamespace) {
		steps = append(steps, kernel.Because(kernel.Unshare{Flags: own}, "and has the others for itself", "其余的 namespace 归自己所有"))
	}
	if b.joins(specs.PIDNamespace) || b.joins(specs.UserNamespace) && b.has(specs.PIDNamespace) {
		steps = append(steps, kernel.Because(kernel.Fork{}, "only a process born after that is in the PID namespace", "PID namespace 只对此后出生的进程生效"))
	}
	return kernel.In("3.5", steps...)
}

// joins tells whether a namespace is another container's.
func (b *birth) joins(kind specs.LinuxNamespaceType) bool {
	for _, n := range b.spec.Linux.Namespaces {
		if n.Type == kind {
			return n.Path != ""
		}
	}
	return false
}

// openSharedMemory takes hold of the other container's /dev/shm: POSIX's shared memory is files there, which the IPC
// namespace knows nothing of. It is in the other's mount namespace, and can be cloned by whoever is in that.
func (b *birth) openSharedMemory(other joined) bound {
	own, shm := &kernel.Handle{}, &kernel.Handle{}
	return bound{
		mount: specs.Mount{Destination: "/dev/shm"}, handle: shm, dir: true, shared: true,
		open: kernel.In("3.5",
			kernel.Because(kernel.Open{Path: "/proc/self/ns/mnt", Flags: unix.O_RDONLY | unix.O_CLOEXEC, As: own}, "the way back", "记住回来的路"),
			kernel.Because(kernel.Setns{FD: kernel.FD(other.fd), Flags: unix.CLONE_NEWNS}, "where the other container's mounts are seen …", "到能看见另一个容器挂载的地方……"),
			kernel.Because(kernel.OpenTree{Path: "/dev/shm", As: shm}, "… its shared memory is taken hold of …", "……拿到它的共享内存……"),
			kernel.Because(kernel.Setns{FD: own.FD(), Flags: unix.CLONE_NEWNS}, "… and back", "……再回来"),
		),
	}
}
