// Package hog is one worker of the program stress: a process that does nothing but use one thing up.
//
// A worker is this program, started again under a name that begins with "stress-". It begins early, as package early
// describes, and never gets as far as the rest of the program: so it starts within a millisecond, and its own memory beside
// what it was told to fill is a few hundred pages. Hence no fmt, os or time here: syscall and strconv will do.
//
// Its arguments are numbers; Order has them. It ends by the signal of its alarm clock, SIGALRM, when its time is over, which
// is how the one who started it knows that all went well.
package hog

import (
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"sandbox/kernel/early"
)

// Names under which the program is a worker.
const (
	CPU    = "stress-cpu"
	IO     = "stress-io"
	Memory = "stress-vm"
	Disk   = "stress-hdd"
)

// Order is what a worker is to do.
type Order struct {
	Timeout int64 // seconds; 0: for ever
	Backoff int64 // microseconds to wait before the work begins, so that the others can be started meanwhile
	Level   int64 // of messages: Errors …
	DryRun  int64 // 1: do nothing
	Bytes   int64 // to fill, in memory or on disk
	Stride  int64 // memory: from one byte that is touched to the next
	Hang    int64 // memory: seconds to keep it; 0: for ever; -1: not at all
	Keep    int64 // memory: 1: the same memory again and again
}

// Levels of messages; each has those before it.
const (
	Errors = iota
	Warnings
	Information
	Debugging
)

// fields are in the order of the arguments.
func (o *Order) fields() []*int64 {
	return []*int64{&o.Timeout, &o.Backoff, &o.Level, &o.DryRun, &o.Bytes, &o.Stride, &o.Hang, &o.Keep}
}

// Arguments are the worker's, its name first.
func (o Order) Arguments(name string) []string {
	args := []string{name}
	for _, field := range o.fields() {
		args = append(args, strconv.FormatInt(*field, 10))
	}
	return args
}

// read is the reverse of Arguments.
func read(args []string) (o Order, ok bool) {
	fields := o.fields()
	if len(args) != len(fields)+1 {
		return o, false
	}
	for i, field := range fields {
		n, err := strconv.ParseInt(args[i+1], 10, 64)
		if err != nil {
			return o, false
		}
		*field = n
	}
	return o, true
}

func init() {
	name := early.Name()
	work, ok := map[string]func(Order) int{CPU: useProcessor, IO: useSync, Memory: useMemory, Disk: useDisk}[name]
	if !ok {
		return
	}
	order, ok := read(early.Args())
	if !ok {
		say(2, "FAIL", name+" is a worker of stress, which starts it")
		syscall.Exit(1)
	}
	level = order.Level
	runtime.LockOSThread() // the alarm clock and the name are this thread's
	setName(name)
	takeSignals()
	volunteer()
	setAlarm(order.Timeout)
	sleep(order.Backoff)
	if order.DryRun != 0 {
		syscall.Exit(0)
	}
	syscall.Exit(work(order))
}

// Environment keeps Go's runtime out of the way: no collector, which has nothing to collect, no second processor, and no
// signals every 10 ms that ask a loop to make way for others.
var Environment = []string{"GOGC=off", "GOMAXPROCS=1", "GODEBUG=asyncpreemptoff=1"}

// setName is what ps, top and the kernel's report of a process that it killed show.
func setName(name string) {
	text := append([]byte(name), 0)
	syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_NAME, uintptr(unsafe.Pointer(&text[0])), 0)
}

// takeSignals lets signals end the worker, as they end any C program: Go's runtime would pass over SIGALRM, and print stacks on
// SIGQUIT.
func takeSignals() {
	var defaultAction [4]uint64 // struct sigaction of the kernel: SIG_DFL, no flags, no mask
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGALRM, syscall.SIGTERM} {
		syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&defaultAction)), 0, 8, 0, 0)
	}
}

// volunteer makes the worker a likelier victim of the OOM killer than the process that waits for it, by half of what there is
// (proc(5), oom_score_adj: thousandths). Under a limit of a few megabytes it would be killed itself otherwise, being a Go
// program with all its pages of code, and nobody could tell of it.
func volunteer() {
	fd, err := syscall.Open("/proc/self/oom_score_adj", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer syscall.Close(fd)
	var text [16]byte
	n, _ := syscall.Read(fd, text[:])
	for n > 0 && text[n-1] == '\n' {
		n--
	}
	if score, err := strconv.Atoi(string(text[:max(n, 0)])); err == nil {
		syscall.Pwrite(fd, strconv.AppendInt(nil, int64(min(score+500, 1000)), 10), 0)
	}
}

// setAlarm is alarm(2), which newer architectures have as setitimer(2) only: struct itimerval, its second half is the first
// time that it rings.
func setAlarm(seconds int64) {
	timer := [2]syscall.Timeval{1: {Sec: seconds}}
	const real = 0 // ITIMER_REAL
	syscall.RawSyscall(syscall.SYS_SETITIMER, real, uintptr(unsafe.Pointer(&timer)), 0)
}

func sleep(microseconds int64) {
	left := syscall.NsecToTimespec(microseconds * 1000)
	for syscall.Nanosleep(&left, &left) == syscall.EINTR {
	}
}

func sleepForEver() {
	for {
		sleep(3600 * 1e6)
	}
}

var level int64

func debug(text string) {
	if level >= Debugging {
		say(1, "dbug", text)
	}
}

func fail(text string, err error) int {
	say(2, "FAIL", text+": "+err.Error())
	return 1
}

// say writes a line in one call, so that the lines of several workers do not mix.
func say(fd int, kind, text string) {
	syscall.Write(fd, []byte("stress: "+kind+": ["+strconv.Itoa(syscall.Getpid())+"] "+text+"\n"))
}
