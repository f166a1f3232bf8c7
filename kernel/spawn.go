package kernel

import (
	"cmp"
	"fmt"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"sandbox/kernel/birth"
)

// Spawn is the birth of a process: clone3(2) with new namespaces, the steps that the new process performs, and the
// programs that it tries to execute, in their order, until one of them can be.
type Spawn struct {
	Namespaces uint64 // CLONE_NEW…
	Section    string // what the clone is told under
	Why        Why
	Process    string // how the new process is called in the explanation
	Steps      []Step
	Programs   []Step // Execve, one for each place of $PATH
	Group      string // cgroup v2: the directory of the group it is cloned into; open where the table is run
	GroupFD    int    // … under this number; 0: the constant
	Hold       bool   // when none can be executed, wait to be looked at: see Birth.Held
}

// GroupFD is the descriptor that a table which clones into a cgroup finds the group's directory under.
const GroupFD = 18

func (s Spawn) groupFD() int {
	if s.GroupFD != 0 {
		return s.GroupFD
	}
	return GroupFD
}

// Birth is a Spawn compiled to a table, and afterwards what became of it.
type Birth struct {
	spawn Spawn
	steps []Step // Steps, the unblocking of signals, Programs
	first []int  // the first row of each step
	tells []int  // the row whose result is the step's
	image []byte
	table *birth.Table
	PID   int // in our PID namespace, once it has been cloned
}

// Compile turns the plan into a table of system calls.
func (s Spawn) Compile() *Birth {
	b := &Birth{spawn: s}
	c := &compiler{b: birth.NewBuilder()}
	c.b.Clone.Flags = s.Namespaces | birth.ClearSighand
	c.b.Clone.ExitSignal = uint64(unix.SIGCHLD)
	if s.Group != "" {
		c.b.Clone.Flags |= birth.IntoCgroup
		c.b.Clone.Cgroup = uint64(s.groupFD())
	}

	b.steps = append(b.steps, s.Steps...)
	b.steps = append(b.steps, Step{
		Effect: UnblockSignals{}, Section: s.Section,
		Why: Why{"signals were held back while the process was being made", "进程诞生期间信号一直被挡住，现在放行"},
	})
	b.steps = append(b.steps, s.Programs...)
	for i, step := range b.steps {
		_, program := step.Effect.(Execve)
		more := i < len(b.steps)-1 || s.Hold
		c.ignore = step.Optional || program && more
		rows := c.b.Rows()
		b.first = append(b.first, rows)
		c.answer = rows
		step.compile(c)
		b.tells = append(b.tells, c.answer)
		if o, ok := step.Effect.(opener); ok {
			o.handle().row = rows + 1
		}
	}
	b.first = append(b.first, c.b.Rows())
	if s.Hold {
		c.b.Hold()
	}
	b.image = c.b.Image()
	return b
}

// Image is the table, to be run by another process; View gives its results back.
func (b *Birth) Image() []byte { return b.image }

// View takes the results from memory that the other process ran the table in.
func (b *Birth) View(memory []byte, pid int) {
	b.table, b.PID = birth.View(memory), pid
}

// Run performs the birth from this process.
func (b *Birth) Run() syscall.Errno {
	b.table = birth.Load(b.image)
	pid, errno := b.table.Run()
	b.PID = pid
	return errno
}

// Held tells whether no program could be executed and the process waits, with its root file system, to be looked at.
// Whoever looked kills it.
func (b *Birth) Held() bool { return b.table.Held() }

// Forked is the pid of the process that a Fork step has made; 0 without one.
func (b *Birth) Forked() int { return b.table.Forked() }

// Executed tells whether a program was executed.
func (b *Birth) Executed() bool { return b.table.Executed() >= 0 }

// outcome of a step: its first error, or what the row that tells returned.
func (b *Birth) outcome(i int) (result int, errno syscall.Errno, done bool) {
	for row := b.first[i]; row < b.first[i+1]; row++ {
		value, e, finished := b.table.Outcome(row)
		if !finished {
			return 0, 0, row > b.first[i]
		}
		if row == b.tells[i] {
			result = int(value)
		}
		if _, fork := b.steps[i].Effect.(Fork); fork { // both of them have returned from it, and the row has the 0 of one
			result = b.table.Forked()
		}
		if e != 0 {
			return 0, e, true
		}
	}
	return result, 0, true
}

// Failure is the step at which the new process gave up, as an error; nil if it executed a program.
func (b *Birth) Failure() error {
	for i, step := range b.steps {
		_, errno, done := b.outcome(i)
		_, program := step.Effect.(Execve)
		switch {
		case !done && program && b.Executed():
			return nil
		case !done:
			return fmt.Errorf("the new process was killed before %s", step.Call().line())
		case errno != 0 && !step.Optional && (!program || i == len(b.steps)-1):
			return &CallError{Call: step.Call(), Errno: errno, Section: step.Section}
		}
	}
	return nil
}

// ProgramErrors are the errnos of the programs that were tried, in their order.
func (b *Birth) ProgramErrors() []syscall.Errno {
	var errnos []syscall.Errno
	for i := len(b.steps) - len(b.spawn.Programs); i < len(b.steps); i++ {
		if _, errno, done := b.outcome(i); done {
			errnos = append(errnos, errno)
		}
	}
	return errnos
}

// CloneCall is the clone3 in strace's notation.
func (b *Birth) CloneCall() Call {
	shown := b.spawn.Namespaces
	group := ""
	if b.spawn.Group != "" {
		shown |= birth.IntoCgroup
		group = fmt.Sprintf(", cgroup=%d", b.spawn.groupFD())
	}
	return Call{
		Name:       "clone3",
		Args:       []string{"{flags=" + cloneFlags(shown|birth.ClearSighand) + ", exit_signal=SIGCHLD, stack=NULL, stack_size=0" + group + "}"},
		Shell:      "clone3(" + namedCloneFlags(shown) + ")",
		ShowResult: true,
	}
}

// oldCloneCall is the clone(2) that is made where clone3 is not to be had.
func (b *Birth) oldCloneCall() Call {
	shown := b.spawn.Namespaces
	return Call{
		Name: "clone", Args: []string{"child_stack=NULL", "flags=" + cloneFlags(shown) + "|SIGCHLD"},
		Shell: "clone(" + namedCloneFlags(shown) + ")", ShowResult: true,
	}
}

// cloneFlags adds those that every birth has.
func cloneFlags(bits uint64) string {
	return namedCloneFlags(bits | unix.CLONE_VM | unix.CLONE_CHILD_CLEARTID)
}

func namedCloneFlags(bits uint64) string {
	names := append(namespaceFlags(), flag{unix.CLONE_VM, "CLONE_VM"}, flag{unix.CLONE_CHILD_CLEARTID, "CLONE_CHILD_CLEARTID"},
		flag{birth.ClearSighand, "CLONE_CLEAR_SIGHAND"}, flag{birth.IntoCgroup, "CLONE_INTO_CGROUP"})
	slices.SortFunc(names, func(a, b flag) int { return cmp.Compare(a.bits, b.bits) }) // as strace has them
	return flags(bits, names)
}

// TellBirth narrates a birth that has been run: the clone by process, then what the new process did.
func (d *Door) TellBirth(b *Birth, process string) {
	if d.Tell == nil {
		return
	}
	if !d.tellClone(b, process) {
		return
	}
	b.resolveHandles()
	for i, step := range b.steps {
		result, errno, done := b.outcome(i)
		_, program := step.Effect.(Execve)
		if !done && !(program && b.Executed()) {
			return
		}
		micros := 0.0
		for row := b.first[i]; row < b.first[i+1]; row++ {
			micros += b.table.Micros(row)
		}
		d.tell(b.spawn.Process, step, result, errno, micros)
		if !done {
			return
		}
	}
}

// noClone3 is said of a clone3 that is followed by a clone.
var noClone3 = Why{"this kernel, or a seccomp filter, does not let it through: clone(2) does the same in the old way", "内核太旧或被 seccomp 拦住：改用旧的 clone(2)，效果一样"}

// tellClone tells of the call, or the two, that the birth began with.
func (d *Door) tellClone(b *Birth, process string) (born bool) {
	lacked, failed := b.table.Cloned()
	step := Step{Effect: cloned{b.CloneCall()}, Section: b.spawn.Section, Why: b.spawn.Why}
	if lacked != 0 {
		first := step
		first.Why = noClone3
		d.tell(process, first, 0, lacked, 0)
		step.Effect = cloned{b.oldCloneCall()}
	}
	d.tell(process, step, b.PID, failed, 0)
	return failed == 0
}

// cloned is the call that begins a birth, for telling only: package birth makes it.
type cloned struct{ call Call }

// Call in strace's notation.
func (c cloned) Call() Call { return c.call }

func (cloned) compile(*compiler) { panic("kernel: a birth begins with its clone") }

// resolveHandles gives the handles the numbers that the child's open calls returned.
func (b *Birth) resolveHandles() {
	for i, step := range b.steps {
		if o, ok := step.Effect.(opener); ok {
			if result, errno, done := b.outcome(i); done && errno == 0 {
				o.handle().set(result)
			}
		}
	}
}

// Spawn performs a birth from this process and tells of it. The caller reaps Birth.PID.
func (d *Door) Spawn(s Spawn) (*Birth, error) {
	b := s.Compile()
	errno := b.Run()
	d.TellBirth(b, d.Process)
	if errno != 0 {
		return b, &CallError{Call: b.CloneCall(), Errno: errno, Section: s.Section}
	}
	return b, nil
}

// Fork is clone(2) within a Spawn's steps: the steps after it are performed by a new process, a sibling of the one that
// clones, which ends. Who has joined a PID namespace is not in it; only processes born afterwards are.
type Fork struct{}

const forkFlags = unix.CLONE_VM | unix.CLONE_VFORK | unix.CLONE_PARENT | unix.CLONE_PARENT_SETTID

// Call in strace's notation.
func (Fork) Call() Call {
	return Call{
		Name: "clone", Args: []string{"child_stack=NULL", "flags=CLONE_VM|CLONE_VFORK|CLONE_PARENT|CLONE_PARENT_SETTID|SIGCHLD"},
		Shell: "clone(CLONE_PARENT)", ShowResult: true,
	}
}

func (Fork) compile(c *compiler) {
	c.addFlags(birth.Fork, unix.SYS_CLONE, forkFlags|int(unix.SIGCHLD), 0, c.b.ForkedPID(), 0, 0)
}
