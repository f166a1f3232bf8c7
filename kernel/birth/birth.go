// Package birth performs a list of raw system calls in a new process: that is how a container is born.
//
// The usual way to set up a container from Go is to start the same program a second time inside the new namespaces,
// because a Go program cannot fork: its runtime has threads, and only the calling one would survive. That second start
// costs milliseconds, needs a pipe and a protocol, and leaves a binary of the host inside the container.
//
// This package does without. What the new process has to do is known beforehand: mount this, pivot there, drop those
// capabilities, execute that. So the parent writes it down as a table of system calls, number and arguments, and a
// stub of a few dozen lines of assembly (spawn_*.s) does
//
//	clone3(CLONE_VM | CLONE_NEW…)        the child shares the parent's memory
//	  for each row of the table:         in the child, with no stack, no Go and no C
//	      syscall; store the result in the row
//	      failed, and the row does not say Ignore: exit
//	  … until a row is an execve that succeeds
//
// Because memory is shared the parent reads each row's result afterwards, and knows which step failed and with what
// errno. It learns that the child is done from the word that CLONE_CHILD_CLEARTID names: the kernel sets it to zero,
// and wakes whoever waits for it, when the child leaves the shared memory by execve or exit.
//
// What has to be minded, and where it is:
//   - Signals. The child has Go's signal handlers until it executes something, and must never run one: all signals are
//     blocked around the clone, CLONE_CLEAR_SIGHAND resets the handlers, and the last row before execve unblocks
//     (Table.Run, and Unblock).
//   - Memory. The table holds addresses, so it must neither move nor be collected: Load keeps it in one piece, outside
//     the heap when it is shared with another process.
//   - Descriptors. All that Go opens is close-on-exec; syscall.ForkLock is held for those that are not yet.
//   - Waiting. The parent is not suspended (no CLONE_VFORK): it may write the child's uid_map while a row waits.
//
// The package imports only syscall and unsafe, because the monitor runs it before the rest of the program has been
// initialised (see package early).
package birth

import (
	"runtime"
	"syscall"
	"unsafe"
)

// Row is one system call of the table. Its layout is known to the assembly.
type Row struct {
	Number uintptr    // the system call's number on this architecture
	Args   [6]uintptr // addresses point into the table's data
	From   uintptr    // if not 0: the address of the word that replaces Args[0], an earlier row's Result
	Flags  uintptr    // Ignore
	Result uintptr    // what the kernel returned; Pending until then
	Ticks  uintptr    // the processor's time stamp counter after the call (Row 0: see Header.Ticks)
}

const (
	// Ignore marks a row whose failure does not end the child: a mkdir of what may exist, an execve along $PATH.
	Ignore = 1
	// Cleanup marks a row that Here performs even when an earlier one failed: the close after a write.
	Cleanup = 2
	// Fork marks a clone: the rest of the table is for its child, and the process that has cloned it ends. A process
	// can be in another PID namespace only from its birth on, so who joins one has to be born once more.
	Fork = 4
	// Quiet marks a row that Here makes with all signals blocked: Go sends its threads signals to interrupt them, and
	// bpf(2) then gives up the check of a program, again and again.
	Quiet = 8
	// Pending is the Result of a row that the child has not come to (or that never returned: a successful execve).
	Pending = ^uintptr(0) >> 1
)

// CloneArgs is struct clone_args of clone3(2), version 2 (Linux 5.7).
type CloneArgs struct {
	Flags      uint64
	Pidfd      uint64
	ChildTID   uint64
	ParentTID  uint64
	ExitSignal uint64
	Stack      uint64
	StackSize  uint64
	TLS        uint64
	SetTID     uint64
	SetTIDSize uint64
	Cgroup     uint64
}

// Clone flags that package syscall does not name.
const (
	cloneVM           = 0x100
	cloneChildCleartd = 0x200000
	ClearSighand      = 0x100000000 // since Linux 5.5
	IntoCgroup        = 0x200000000 // since Linux 5.7
)

// Header is the beginning of a table: what both parent and child look at while it runs.
type Header struct {
	Clone  CloneArgs
	TID    uint32 // 1 while the child shares the memory, then 0: a futex
	Rows   uint32
	Resets uint32 // rows before the first: they reset signal handlers, for a clone that cannot
	Relocs uint32 // words that hold an offset into the table and become addresses when it is loaded
	Hold   int32  // index of the row that holds a child which could execute nothing; -1 without one
	Forked uint32 // the pid of a Fork row's child, in the PID namespace of the process that has cloned it
	Lacked uint32 // the errno of clone3(2) when clone(2) was used instead of it; else 0
	Failed uint32 // the errno when there is no child; else 0
	Size   uint64
	Ticks  uint64 // the time stamp counter just before the clone
	Nanos  uint64 // from there until the parent has seen the end of the table …
	Passed uint64 // … and the same in ticks: together they say how long a tick is
}

// Table is a list of system calls, laid out in memory and ready to run.
type Table struct {
	header *Header
	rows   []Row
	memory []byte
}

// spawn is clone3 or clone, and in the child the walk along the rows. It returns the child's pid, or -errno.
//
//go:noescape
func spawn(number uintptr, args [5]uintptr, rows *Row, count uintptr) uintptr

// ticks reads the processor's time stamp counter, as the child does after each row.
func ticks() uint64

// Load turns the image of a table, made by Builder.Image, into one that can run: offsets become addresses.
// The memory must not move afterwards; a table is loaded once.
func Load(memory []byte) *Table {
	t := View(memory)
	base := uintptr(unsafe.Pointer(&memory[0]))
	relocs := unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(memory[t.relocsAt():]))), t.header.Relocs)
	for _, offset := range relocs {
		*(*uintptr)(unsafe.Pointer(&memory[offset])) += base
	}
	return t
}

// View looks at a table that another process has loaded and runs, to read its results.
func View(memory []byte) *Table {
	h := (*Header)(unsafe.Pointer(&memory[0]))
	rows := unsafe.Slice((*Row)(unsafe.Pointer(&memory[unsafe.Sizeof(*h)])), h.Resets+h.Rows)[h.Resets:]
	return &Table{header: h, rows: rows, memory: memory}
}

func (t *Table) relocsAt() uintptr {
	return uintptr(t.header.Size) - 4*uintptr(t.header.Relocs)
}

// Run clones a process and lets it work through the table. It returns when the child has executed a program, has
// ended, or is held (see Held); err tells only whether it could be cloned. The caller reaps pid.
func (t *Table) Run() (pid int, err syscall.Errno) {
	h := t.header
	h.Clone.Flags |= cloneVM | cloneChildCleartd
	h.Clone.ChildTID = uint64(uintptr(unsafe.Pointer(&h.TID)))
	h.TID = 1

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	syscall.ForkLock.Lock()
	before := blockSignals()
	started := nanotime()
	h.Ticks = ticks()
	result := spawn(sysClone3, [5]uintptr{uintptr(unsafe.Pointer(&h.Clone)), unsafe.Sizeof(h.Clone)}, &t.rows[0], uintptr(len(t.rows)))
	if lacksClone3(result) && t.knowsOldWay() {
		h.Lacked = uint32(-int(result))
		result = t.spawnOldWay()
	}
	restoreSignals(before)
	syscall.ForkLock.Unlock()

	if int(result) < 0 {
		h.Failed = uint32(-int(result))
		return 0, syscall.Errno(h.Failed)
	}
	t.wait()
	h.Nanos, h.Passed = nanotime()-started, ticks()-h.Ticks
	runtime.KeepAlive(t.memory)
	return int(result), 0
}

// Here performs the table on the calling thread, in this process: no clone, the same rows. It stops at the first row
// that fails and is not to be ignored, and returns its errno.
//
// The calls are raw: Go's scheduler is not told of them. It would take the processor away from a thread whose call lasts
// longer than 20 µs, as a mkdir does, and wake another thread for nothing, a hundred times in a container's start.
func (t *Table) Here() (failed syscall.Errno) {
	for i := range t.rows {
		r := &t.rows[i]
		if failed != 0 && r.Flags&Cleanup == 0 {
			continue
		}
		if r.From != 0 {
			r.Args[0] = t.word(r.From)
		}
		if errno := r.perform(); errno != 0 && failed == 0 && r.Flags&Ignore == 0 {
			failed = errno
		}
	}
	runtime.KeepAlive(t.memory)
	return failed
}

// perform makes the call and keeps its result. One that a signal has kept from being done at all is made again.
func (r *Row) perform() (errno syscall.Errno) {
	if r.Flags&Quiet != 0 {
		runtime.LockOSThread() // the mask is the thread's
		defer runtime.UnlockOSThread()
		defer restoreSignals(blockSignals())
	}
	for {
		r.Result, _, errno = syscall.RawSyscall6(r.Number, r.Args[0], r.Args[1], r.Args[2], r.Args[3], r.Args[4], r.Args[5])
		if errno == 0 {
			return 0
		}
		r.Result = -uintptr(errno)
		if errno != syscall.EINTR {
			return errno
		}
	}
}

// sysClone3 has the same number on all architectures.
const sysClone3 = 435

// lacksClone3: a kernel before 5.5 does not know CLONE_CLEAR_SIGHAND (EINVAL), and Docker's seccomp profile hides clone3
// (ENOSYS), because a filter cannot look at flags that are in memory.
func lacksClone3(result uintptr) bool {
	errno := syscall.Errno(-int(result))
	return int(result) < 0 && (errno == syscall.ENOSYS || errno == syscall.EINVAL)
}

// knowsOldWay: clone(2) cannot put the child into a cgroup.
func (t *Table) knowsOldWay() bool {
	return t.header.Clone.Flags&IntoCgroup == 0 && t.header.Resets != 0
}

// spawnOldWay is clone(2), and signal handlers that the child resets itself, one by one, in the rows before the first.
func (t *Table) spawnOldWay() uintptr {
	h := t.header
	flags := uintptr(h.Clone.Flags&^ClearSighand | h.Clone.ExitSignal)
	args := [5]uintptr{flags, 0, 0, uintptr(h.Clone.ChildTID), 0}
	if runtime.GOARCH == "arm64" {
		args[3], args[4] = args[4], args[3] // there the thread's storage comes before the child's id
	}
	first := (*Row)(unsafe.Pointer(uintptr(unsafe.Pointer(&t.rows[0])) - uintptr(h.Resets)*unsafe.Sizeof(Row{})))
	return spawn(syscall.SYS_CLONE, args, first, uintptr(len(t.rows))+uintptr(h.Resets))
}

// wait sleeps until the child has left the shared memory, or is held at its end.
func (t *Table) wait() {
	const futexWait = 0
	word := &t.header.TID
	for loadWord(word) != 0 && !t.Held() {
		syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait, 1, 0, 0, 0)
	}
}

// Held tells whether the child could not execute its program and waits to be looked at (and killed).
func (t *Table) Held() bool {
	return t.header.Hold >= 0 && loadResult(&t.rows[t.header.Hold].Result) != Pending
}

// Cloned tells how the child was made: by clone(2) if lacked is not 0, which is why clone3(2) could not; and why not at
// all if failed is not 0.
func (t *Table) Cloned() (lacked, failed syscall.Errno) {
	return syscall.Errno(t.header.Lacked), syscall.Errno(t.header.Failed)
}

// Forked is the pid of the child of a row marked Fork; 0 if there is none.
func (t *Table) Forked() int { return int(loadWord(&t.header.Forked)) }

// Rest is what follows the table in the memory it was loaded from.
func (t *Table) Rest() []byte { return t.memory[t.header.Size:] }

// Len is the number of rows.
func (t *Table) Len() int { return len(t.rows) }

// Outcome of one row: what it returned or the errno it failed with. done is false if the child never came to it, or
// never returned from it.
func (t *Table) Outcome(i int) (result uintptr, errno syscall.Errno, done bool) {
	r := t.rows[i].Result
	switch {
	case r == Pending:
		return 0, 0, false
	case int(r) < 0 && int(r) > -4096:
		return 0, syscall.Errno(-int(r)), true
	}
	return r, 0, true
}

// Failed is the row at which the child gave up, or -1.
func (t *Table) Failed() int {
	for i := range t.rows {
		_, errno, done := t.Outcome(i)
		if !done {
			return -1
		}
		if errno != 0 && t.rows[i].Flags&Ignore == 0 {
			return i
		}
	}
	return -1
}

// Executed is the row whose execve succeeded, or -1: the first one that never returned.
func (t *Table) Executed() int {
	if loadWord(&t.header.TID) != 0 || t.Held() || t.Failed() >= 0 {
		return -1
	}
	for i := range t.rows {
		if _, _, done := t.Outcome(i); !done && executes(t.rows[i].Number) {
			return i
		}
	}
	return -1
}

// executes: execve(2), or execveat(2), which package syscall does not name on all architectures.
func executes(number uintptr) bool {
	execveat := uintptr(322)
	if runtime.GOARCH == "arm64" {
		execveat = 281
	}
	return number == syscall.SYS_EXECVE || number == execveat
}

// Micros is the time that row i took, in microseconds: from the end of the row before it to its own end.
func (t *Table) Micros(i int) float64 {
	from := t.header.Ticks
	if i > 0 {
		from = uint64(t.rows[i-1].Ticks)
	}
	if t.header.Passed == 0 || uint64(t.rows[i].Ticks) < from {
		return 0
	}
	return float64(uint64(t.rows[i].Ticks)-from) * float64(t.header.Nanos) / float64(t.header.Passed) / 1000
}

// word reads the word at an address inside the table.
func (t *Table) word(address uintptr) uintptr {
	offset := address - uintptr(unsafe.Pointer(&t.memory[0]))
	return *(*uintptr)(unsafe.Pointer(&t.memory[offset]))
}
