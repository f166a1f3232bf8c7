package container

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
	"sandbox/kernel/rlimit"
)

// ExecRequest is what `exec` was asked for.
type ExecRequest struct {
	Args       []string
	Env        []string
	User       string
	WorkingDir string
	TTY        bool
	Stdin      bool
	Detach     bool
	Privileged bool
	DetachKeys []byte // with TTY and Stdin: what is typed to leave it running

	output int // a descriptor for standard output and error instead of ours: a health check's pipe
}

// Exec runs another program in a running container and returns its exit code. There is no monitor in between: the new
// process is our child, and has our streams (or a terminal of the container's).
//
// It is born like the container's first process, as a list of system calls, but with setns for what that one made anew.
func (e *Engine) Exec(r *Record, req ExecRequest) (int, error) {
	if r.State.Paused {
		return 0, kernel.Advise(fmt.Errorf("container %s is paused, unpause the container before exec", r.PlainName()), "sandbox unpause %s", r.PlainName())
	}
	pidfd, err := e.openRunning(r)
	if err != nil {
		return 0, err
	}
	defer unix.Close(pidfd)
	plan, err := e.planExec(r, req)
	if err != nil {
		return 0, err
	}
	var pair [2]int
	if req.TTY {
		pair, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return 0, err
		}
		defer unix.Close(pair[0])
	}
	spawn, err := plan.execSteps(pidfd, pair[0], req)
	if err != nil {
		return 0, err
	}
	pid, err := e.sendIn(r, pidfd, spawn)
	if err != nil {
		return 0, err
	}
	execID, command := newID(), strings.Join(req.Args, " ")
	e.Event(r.Event("exec_create: "+command, "execID", execID), r.Event("exec_start: "+command, "execID", execID))
	if req.Detach {
		return 0, e.leaveUnattended(r, pair[1], req)
	}
	code, err := e.waitExec(r, pid, pair[1], req)
	switch {
	case errors.Is(err, ErrDetached):
		e.Event(r.Event("exec_detach", "execID", execID))
	case err == nil:
		e.Event(r.Event("exec_die", "execID", execID, "exitCode", strconv.Itoa(code)))
	}
	return code, err
}

// openRunning makes sure that the container runs, and names its first process in a way that no other can be meant.
func (e *Engine) openRunning(r *Record) (pidfd int, err error) {
	switch {
	case !r.State.Running:
		return -1, e.notRunning(r)
	case r.State.Restarting:
		return -1, kernel.Advise(fmt.Errorf("container %s is down: its restart policy will bring it back", r.PlainName()), "sandbox logs %s   may say why it ends", r.PlainName())
	}
	pidfd, err = unix.PidfdOpen(r.State.Pid, 0)
	if err == nil && startTicks(r.State.Pid) != r.State.Born {
		unix.Close(pidfd)
		err = unix.ESRCH
	}
	if err != nil {
		return -1, justEnded(r)
	}
	return pidfd, nil
}

func justEnded(r *Record) error {
	return kernel.Advise(fmt.Errorf("container %s has just ended", r.PlainName()), "sandbox logs %s", r.PlainName())
}

// whileItExecutes calls enter again as long as that finds the container's first process without namespaces, and the process has not
// ended. When a thread other than the first calls execve(2), the kernel ends all the others, and the caller takes the first one's
// number over (de_thread in fs/exec.c). In between, setns answers with ESRCH, and /proc/PID/ns with ENOENT.
func whileItExecutes(r *Record, pidfd int, without unix.Errno, enter func() error) error {
	for {
		switch err := enter(); {
		case !errors.Is(err, without):
			return err
		case hasEnded(pidfd):
			return justEnded(r)
		}
		time.Sleep(time.Millisecond)
	}
}

// hasEnded tells whether a process is gone: its pidfd is readable then (pidfd_open(2)).
func hasEnded(pidfd int) bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, 0)
	return err == nil && n > 0
}

func (e *Engine) notRunning(r *Record) error {
	return kernel.Advise(fmt.Errorf("container %s is not running", r.PlainName()), "sandbox start %s", r.PlainName())
}

// planExec changes the container's specification into that of the new process.
func (e *Engine) planExec(r *Record, req ExecRequest) (*birth, error) {
	spec, err := e.loadSpec(r.ID)
	if err != nil {
		return nil, err
	}
	p := spec.Process
	u := user{uid: int(p.User.UID), gid: int(p.User.GID), groups: p.User.AdditionalGids}
	if req.User != "" {
		if u, err = lookupUser(req.User, e.etcReader(r, e.Paths.upper(r.ID))); err != nil {
			return nil, err
		}
		if !hasEnv(r.Config.Env, "HOME") { // the image's, or -e's, is for everybody
			p.Env = setEnv(p.Env, "HOME="+u.home)
		}
	}
	hc := r.HostConfig
	hc.Privileged = req.Privileged || hc.Privileged
	if p.Capabilities, err = capabilities(hc, u, e.Host); err != nil {
		return nil, err
	}
	if hc.Privileged {
		spec.Annotations[annotationSeccomp] = "unconfined"
	}
	p.Args, p.Terminal = req.Args, req.TTY
	p.User = specs.User{UID: uint32(u.uid), GID: uint32(u.gid), AdditionalGids: u.groups}
	if variables, err := e.linkVariables(r); err == nil { // whom it is linked to may have ended since
		p.Env = linkedEnvironment(variables, p.Env)
	}
	if req.TTY {
		p.Env = setEnv(p.Env, "TERM=xterm")
	}
	for _, assignment := range req.Env {
		p.Env = setEnv(p.Env, assignment)
	}
	if req.WorkingDir != "" {
		p.Cwd = req.WorkingDir
	}
	group, err := e.groups(r.ID).Plan(r.ID, groupsOnly(spec.Linux.Resources))
	if err != nil {
		return nil, err
	}
	return &birth{files: rlimit.OpenFiles, spec: spec, group: group, host: e.Host}, nil
}

// groupsOnly is what of a container's limits decides which groups it is in; the limits hold for the groups, whoever joins.
func groupsOnly(r *specs.LinuxResources) *specs.LinuxResources {
	if r == nil || r.CPU == nil {
		return nil
	}
	return &specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: r.CPU.Cpus, Mems: r.CPU.Mems}}
}

// execSteps is the birth of the new process.
func (b *birth) execSteps(pidfd, ptySocket int, req ExecRequest) (kernel.Spawn, error) {
	filter, err := b.seccompFilter()
	if err != nil {
		return kernel.Spawn{}, err
	}
	enter := kernel.In("3.2",
		kernel.Because(kernel.Setns{FD: kernel.FD(pidfd), Flags: b.joinFlags()}, "into the namespaces of the container's first process", "进入容器 1 号进程所在的各个 namespace"),
		kernel.Because(kernel.Fork{}, "only a process born after that is in the PID namespace", "PID namespace 只对此后出生的进程生效"),
		kernel.Because(kernel.Setsid{}, "", ""),
		kernel.Because(kernel.Umask{}, "", ""),
	)
	spawn := kernel.Spawn{
		Section: "3.2", Process: "container", Hold: true,
		Why: kernel.Why{EN: "a process that will go into the container", ZH: "生出一个将要进入容器的进程"},
	}
	for _, part := range [][]kernel.Step{
		b.group.Join, enter, b.execStreams(ptySocket, req), b.changeWorkdir(), b.limitResources(), b.confine(filter),
	} {
		spawn.Steps = append(spawn.Steps, part...)
	}
	spawn.Programs = programs(b.spec.Process.Args, b.spec.Process.Env, becomesBeside)
	return spawn, nil
}

// joinFlags are the namespaces that the container does not share with us.
func (b *birth) joinFlags() uint64 {
	bits := b.namespaces(func(specs.LinuxNamespace) bool { return true })
	if b.has(specs.CgroupNamespace) {
		bits |= unix.CLONE_NEWCGROUP
	}
	return bits
}

func (b *birth) execStreams(ptySocket int, req ExecRequest) []kernel.Step {
	if req.TTY {
		size := SizeOf(os.Stdin)
		socket := kernel.In("3.2", kernel.Because(kernel.Dup{From: kernel.FD(ptySocket), To: childPty, Cloexec: true}, "", ""))
		return append(socket, terminalSteps(firstEnds(), size.Rows, size.Columns)...)
	}
	null := &kernel.Handle{}
	if req.Stdin && !req.Detach {
		return nil
	}
	steps := []kernel.Step{kernel.Because(kernel.Open{Path: "/dev/null", Flags: unix.O_RDWR, As: null}, "no -i: it has nothing to read", "没有 -i：没有输入可读")}
	for fd := range 3 {
		switch {
		case fd > 0 && req.output != 0:
			steps = append(steps, kernel.Because(kernel.Dup{From: kernel.FD(req.output), To: fd}, "what it prints is kept", "它的输出会留着"))
		case fd == 0 || req.Detach:
			steps = append(steps, kernel.Because(kernel.Dup{From: null.FD(), To: fd}, "", ""))
		}
	}
	return kernel.In("3.2", steps...)
}

func (b *birth) changeWorkdir() []kernel.Step {
	return kernel.In("3.2", kernel.Because(kernel.Chdir{Path: b.spec.Process.Cwd}, "", ""))
}

// sendIn lets a process be born that goes into the container and becomes the program there.
func (e *Engine) sendIn(r *Record, pidfd int, spawn kernel.Spawn) (pid int, err error) {
	err = whileItExecutes(r, pidfd, unix.ESRCH, func() error {
		b, err := e.Door.Spawn(spawn)
		if err != nil {
			return err
		}
		pid = b.Forked()
		return e.checkExec(r, spawn, b)
	})
	return pid, err
}

// checkExec reaps the process that only went in, and says why the program could not be executed if it was not.
func (e *Engine) checkExec(r *Record, spawn kernel.Spawn, b *kernel.Birth) error {
	failure := b.Failure()
	if failure != nil && b.Held() {
		failure = e.explainExec(r, spawn, b)
		e.kill(b.Forked(), "it waited to be looked at", "它停在那里等人查看")
	}
	unix.Wait4(b.PID, nil, 0, nil)
	if failure == nil {
		return nil
	}
	if b.Forked() != 0 {
		unix.Wait4(b.Forked(), nil, 0, nil)
	}
	var call *kernel.CallError
	if errors.As(failure, &call) && strings.HasPrefix(call.Call.Name, "chdir") {
		return &kernel.Advice{Cause: failure, Cure: "name a directory that is in the container with -w", Code: exitNotFound}
	}
	return failure
}

// leaveUnattended lets go of a process that nobody waits for. A terminal that it has must be held by somebody.
func (e *Engine) leaveUnattended(r *Record, ptySocket int, req ExecRequest) error {
	if !req.TTY {
		return nil
	}
	terminal := receiveTerminal(ptySocket)
	if terminal == nil {
		return nil
	}
	defer terminal.Close()
	return e.leaveTerminal(r, terminal)
}

// waitExec carries the terminal, if there is one, and waits for the process's end. When the user leaves (ErrDetached) the
// terminal goes to the monitor, and the process lives on.
func (e *Engine) waitExec(r *Record, pid, ptySocket int, req ExecRequest) (int, error) {
	var terminal *os.File
	if req.TTY {
		terminal = receiveTerminal(ptySocket)
	}
	if terminal == nil {
		defer ignoreInterrupts()()
		return exitCode(reap(pid)), nil
	}
	c := e.carryTerminal(terminal, req)
	defer c.restore()
	ended := make(chan unix.WaitStatus, 1)
	go func() { ended <- reap(pid) }()
	select {
	case status := <-ended:
		<-c.shown
		return exitCode(status), nil
	case <-c.left:
	}
	if err := e.leaveTerminal(r, terminal); err != nil {
		return 0, err
	}
	return 0, ErrDetached
}

// ignoreInterrupts: a Ctrl-C on our terminal ends the client of an exec without one; Docker leaves the process running,
// so do we.
func ignoreInterrupts() (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT)
	go func() {
		if _, ok := <-signals; ok {
			os.Exit(130)
		}
	}()
	return func() { signal.Stop(signals); close(signals) }
}
