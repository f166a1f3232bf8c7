package container

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/cgroup"
	"sandbox/kernel"
	"sandbox/kernel/early"
	"sandbox/kernel/rlimit"
)

// Monitor is a monitor process that waits for its order, or has it.
type Monitor struct {
	pid     int
	control *os.File
	door    *kernel.Door // the client's
	End     *End         // how the container ended, once Attach has returned

	window      windowTeller
	detached    atomic.Bool          // the user has typed the detach keys
	interrupted atomic.Bool          // … or pressed Ctrl-C several times
	lost        func() (*End, error) // finds out how it ended when the monitor is gone without a word; nil: nobody can
}

// SpawnMonitor starts a monitor before it is known what for: it gets ready on another processor while the container's
// directory is made. Without an order it ends by itself when the control socket is closed.
func (e *Engine) SpawnMonitor() (*Monitor, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(pair[1])
	null := &kernel.Handle{}
	steps := []kernel.Step{
		kernel.Because(kernel.Setsid{}, "the monitor outlives the terminal", "终端关了，监视进程还在"),
		kernel.Because(kernel.Open{Path: "/dev/null", Flags: unix.O_RDWR, As: null}, "", ""),
		kernel.Because(kernel.Dup{From: kernel.FD(pair[1]), To: early.Control}, "through this socket it talks with the client", "它通过这个套接字和客户端说话"),
	}
	for fd := range 3 {
		steps = append(steps, kernel.Because(kernel.Dup{From: null.FD(), To: fd}, "", ""))
	}
	steps = append(steps,
		kernel.Because(kernel.CloseFrom{FD: early.Control + 1}, "nothing else of yours is left open in it", "其他打开的文件一概不带进去"),
		kernel.Because(kernel.Chdir{Path: "/"}, "", ""),
	)
	steps[len(steps)-2].Optional = true
	b, err := e.Door.Spawn(kernel.Spawn{
		Section: "3.1", Process: "monitor", Steps: kernel.In("3.1", steps...),
		Why: kernel.Why{EN: "there is no daemon: one small process looks after this container", ZH: "没有守护进程：每个容器由一个小小的监视进程照看"},
		Programs: kernel.In("3.1", kernel.Because(kernel.Execve{Path: "/proc/self/exe", Argv: []string{early.MonitorName}, Env: append(monitorEnv(), "SANDBOX_LANG="+e.Door.Language)},
			"this same program, in its monitor's role", "还是这个程序，只是换了监视进程的角色")),
	})
	if err == nil {
		err = b.Failure()
	}
	if err != nil {
		unix.Close(pair[0])
		return nil, err
	}
	return &Monitor{pid: b.PID, control: os.NewFile(uintptr(pair[0]), "monitor"), door: e.Door}, nil
}

// monitorEnv is what a monitor needs to know of its environment.
func monitorEnv() []string {
	var env []string
	for _, name := range []string{"PATH", "SANDBOX_ROOT", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "HOME", "GOCOVERDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// Abandon lets go of a monitor that will not be needed.
func (m *Monitor) Abandon() {
	m.control.Close()
	unix.Wait4(m.pid, nil, 0, nil)
}

// start is a container's birth as it was planned from its record and its config.json, by the client or, when it comes
// again, by its monitor.
type start struct {
	spec   *specs.Spec
	group  cgroup.Plan
	spawn  kernel.Spawn
	joined []joined // to be closed when it is over
	net    sockets  // for the monitor
	waits  bool     // for a network that a program carries
}

// planStart plans it. What it is planned from is on disk, but for the ends of its streams and the size of its terminal.
func (e *Engine) planStart(r *Record, ends ends, size Window) (*start, error) {
	spec, err := e.loadSpec(r.ID)
	if err != nil {
		return nil, err
	}
	group, err := e.groups(r.ID).Plan(r.ID, spec.Linux.Resources)
	if err != nil {
		return nil, err
	}
	others, err := e.openJoined(spec, ends == firstEnds())
	if err != nil {
		return nil, err
	}
	plan := &birth{
		joined: others, files: rlimit.OpenFiles, spec: spec, group: group, host: e.Host, view: e.Paths.view(), ends: ends, rows: size.Rows, cols: size.Columns,
		rootfs: e.rootfsOf(r), etc: e.etcDir(r),
	}
	s := &start{spec: spec, group: group, joined: others}
	if plan.self, err = os.Executable(); err == nil {
		s.net, err = e.enterNetworks(r, plan, ends == firstEnds())
		s.joined, s.waits = plan.joined, plan.waits
	}
	if err == nil {
		if s.spawn, err = plan.Plan(); err != nil {
			s.net.close()
			e.leaveNetworks(r)
		}
	}
	if err != nil {
		closeJoined(s.joined)
	}
	return s, err
}

// Start gives birth to a container's first process through a monitor. The lock goes over to the monitor, or is released.
func (e *Engine) Start(m *Monitor, r *Record, lock *os.File, size Window) error {
	defer lock.Close()
	m.window.told = size
	s, err := e.planStart(r, firstEnds(), size)
	if err != nil {
		return err
	}
	defer closeJoined(s.joined)
	defer s.net.close()
	if err := e.makeGroups(r.ID, s); err != nil {
		e.leaveNetworks(r)
		return err
	}
	e.forget(r.ID)
	err = e.giveBirth(m, r, lock, s)
	if err != nil {
		e.removeGroups(r.ID)
		e.leaveNetworks(r)
		e.noteFailure(r.ID, err)
	}
	return err
}

// noteFailure writes down why a container could not be started. One that `run` has just made has no record, and goes.
func (e *Engine) noteFailure(id string, failure error) {
	e.change(id, false, func(r *Record) error {
		r.State.End = failedEnd(failure)
		r.State.ExitCode, r.State.Error = r.State.End.ExitCode, r.State.End.Note
		return nil
	})
}

// makeGroups makes the cgroups, and plans them anew if the common parent went away meanwhile with another container.
func (e *Engine) makeGroups(id string, s *start) error {
	err := e.Door.Do(s.group.Create...)
	for try := 0; try < 5 && cgroup.Vanished(err); try++ {
		if s.group, err = e.groups(id).Plan(id, s.spec.Linux.Resources); err != nil {
			return err
		}
		err = e.Door.Do(s.group.Create...)
	}
	if err != nil {
		e.removeGroups(id)
	}
	return err
}

// giveBirth hands the plan and the record over to the monitor, and reads what came of it from the memory that both share.
func (e *Engine) giveBirth(m *Monitor, r *Record, lock *os.File, s *start) error {
	spawn := s.spawn
	b := spawn.Compile()
	record, err := json.Marshal(r)
	if err != nil {
		return err
	}
	memory, fd, err := shareMemory(append(b.Image(), record...))
	if err != nil {
		return err
	}
	defer unix.Munmap(memory)
	defer unix.Close(fd)
	streams, err := openStreams(r)
	if err != nil {
		return err
	}
	fds := append([]int{fd, int(lock.Fd())}, streams.fds...)
	order := early.Order{Targets: append([]byte{early.Memory, early.Lock}, streams.targets...), Dir: e.Paths.dir(r.ID)}
	if spawn.Group != "" {
		group, err := unix.Open(spawn.Group, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(group)
		fds, order.Targets = append(fds, group), append(order.Targets, kernel.GroupFD)
	}
	for _, j := range s.joined {
		fds, order.Targets = append(fds, j.pidfd), append(order.Targets, byte(j.fd))
	}
	for target, socket := range s.net.numbered() {
		fds, order.Targets = append(fds, socket), append(order.Targets, target)
	}
	if e.Door.Tell != nil {
		order.Tell = 't'
	}
	err = unix.Sendmsg(int(m.control.Fd()), order.Encode(), unix.UnixRights(fds...), nil, 0)
	streams.close()
	lock.Close()
	if err != nil {
		return fmt.Errorf("the monitor does not answer: %w", err)
	}
	var answer [8]byte
	if _, err := io.ReadFull(m.control, answer[:]); err != nil {
		return fmt.Errorf("the monitor has died: %w", err)
	}
	pid, errno := int(binary.NativeEndian.Uint32(answer[:])), unix.Errno(binary.NativeEndian.Uint32(answer[4:]))
	b.View(memory, pid)
	e.Door.TellBirth(b, "monitor")
	if errno != 0 {
		return &kernel.CallError{Call: b.CloneCall(), Errno: errno, Section: "3.5"}
	}
	if failure := b.Failure(); failure != nil {
		if b.Held() {
			failure = e.explainExec(r, spawn, b)
			e.kill(cmp.Or(b.Forked(), pid), "it waited to be looked at", "它停在那里等人查看")
		}
		if s.waits {
			failure = m.failureOf(failure, e.Door.Tell)
		}
		m.Abandon()
		return adviseFlag(failure)
	}
	return nil
}

// failureOf asks the monitor, which was to make the network meanwhile, why a birth has failed; if it does not know, it was for the
// reason that the birth itself gives.
func (m *Monitor) failureOf(failure error, tell func(kernel.Record)) error {
	var buffer []byte
	for {
		kind, content, grown, err := readFrame(m.control, buffer)
		if err != nil {
			return failure
		}
		buffer = grown
		var r kernel.Record
		switch {
		case kind == frameTell && tell != nil && json.Unmarshal(content, &r) == nil:
			tell(r)
		case kind == frameFailed:
			cause, cure, _ := strings.Cut(string(content), "\x00")
			failure = kernel.Advise(errors.New(cause), "%s", cure)
		}
	}
}

// shareMemory puts bytes into a memfd and maps it.
func shareMemory(image []byte) (memory []byte, fd int, err error) {
	fd, err = unix.MemfdCreate("birth", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, -1, err
	}
	if err = unix.Ftruncate(fd, int64(len(image))); err == nil {
		memory, err = unix.Mmap(fd, 0, len(image), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err != nil {
		unix.Close(fd)
		return nil, -1, err
	}
	copy(memory, image)
	return memory, fd, nil
}

// streams are the descriptors of a container's standard streams, and the numbers that they get in the monitor.
type streams struct {
	fds     []int
	targets []byte
}

// Numbers of the monitor's ends.
const (
	monitorStdin  = 40
	monitorStdout = 41
	monitorStderr = 42
	monitorPty    = 43
)

// outputPipe is how much of its output a container can be ahead of its monitor: four times as much as pipes usually hold, since
// each time that one of them waits for the other costs more than the copying. (An ordinary user may have 64 MiB in pipes.)
const outputPipe = 256 << 10

// openStreams makes three pipes, or the socket pair through which a terminal's master comes out of the container. An attended one has
// one pipe for both outputs.
func openStreams(r *Record) (s streams, err error) {
	c := r.Config
	if r.Userland != nil {
		if s, err = openWaiting(); err != nil {
			return s, err
		}
	}
	add := func(fd int, target byte) {
		s.fds, s.targets = append(s.fds, fd), append(s.targets, target)
	}
	var pair [2]int
	if c.Tty {
		pair, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			s.close()
			return s, err
		}
		add(pair[0], childPty)
		add(pair[1], monitorPty)
		return s, nil
	}
	for _, pipe := range []struct{ read, write byte }{{childStdin, monitorStdin}, {monitorStdout, childStdout}, {monitorStderr, childStderr}} {
		if pipe.read == childStdin && !c.OpenStdin {
			null, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if err != nil {
				s.close()
				return s, err
			}
			add(null, childStdin)
			continue
		}
		if pipe.write == childStderr && r.Attended {
			same, err := unix.FcntlInt(uintptr(pair[1]), unix.F_DUPFD_CLOEXEC, 0)
			if err != nil {
				s.close()
				return s, err
			}
			add(same, childStderr)
			continue
		}
		if err := unix.Pipe2(pair[:], unix.O_CLOEXEC); err != nil {
			s.close()
			return s, err
		}
		if pipe.write == childStdout {
			unix.FcntlInt(uintptr(pair[1]), unix.F_SETPIPE_SZ, outputPipe) // a wish: it works as well with less
		}
		add(pair[0], pipe.read)
		add(pair[1], pipe.write)
	}
	return s, nil
}

func (s streams) close() {
	for _, fd := range s.fds {
		unix.Close(fd)
	}
}

// loadSpec reads the config.json that the container is born from.
func (e *Engine) loadSpec(id string) (*specs.Spec, error) {
	data, err := os.ReadFile(e.Paths.spec(id))
	if err != nil {
		return nil, err
	}
	spec, err := decodeConfig(data)
	if err != nil {
		return nil, kernel.Advise(fmt.Errorf("%s is damaged: %w", e.Paths.spec(id), err),
			"sandbox commit %.12s IMAGE   keeps what it has written: make another container from that", id)
	}
	if spec.Process == nil || len(spec.Process.Args) == 0 || spec.Process.Args[0] == "" {
		return nil, kernel.Advise(errors.New("no command specified"), "the image has no CMD: add one, as in: sandbox run IMAGE COMMAND")
	}
	if err := checkSysctls(spec.Linux.Sysctl); err != nil {
		return nil, err
	}
	return spec, nil
}

// checkSysctls refuses kernel parameters that are not the container's own to change.
func checkSysctls(sysctls map[string]string) error {
	for name := range sysctls {
		if !strings.HasPrefix(name, "net.") && !strings.HasPrefix(name, "kernel.msg") && !strings.HasPrefix(name, "kernel.shm") &&
			name != "kernel.sem" && !strings.HasPrefix(name, "fs.mqueue.") || strings.Contains(name, "/") || strings.Contains(name, "..") {
			return kernel.Advise(fmt.Errorf("sysctl %q is not in a namespace: it would change the host", name),
				"only net.*, kernel.msg*, kernel.sem, kernel.shm* and fs.mqueue.* belong to a container")
		}
	}
	return nil
}

// Window is a terminal's size in characters.
type Window struct{ Rows, Columns uint16 }
