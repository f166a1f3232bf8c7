// Package early takes over before the rest of the program has been initialised.
//
// A Go program initialises every package that it links before main begins: for this one that is some 3 ms, for
// registries, Markdown and TLS that a container's monitor, or the command `true`, will not use. What has to start fast
// begins here, in this package's init.
//
// It works because of the order of initialisation (Go 1.21 and newer): of the packages whose imports are all
// initialised, the one with the smallest import path comes first. All heavy packages need os, fmt or time in the end,
// and "sandbox/kernel/early" is smaller than "time". So this package and what it imports (package birth) may import
// nothing that needs time, os, fmt, strings or unicode: syscall, unsafe and runtime will do. TestComesBeforeTheHeavyOnes
// notices when it stops working.
package early

import (
	"runtime"
	"syscall"
	"unsafe"

	"sandbox/kernel/birth"
)

// Names under which this program is started for these roles.
const (
	MonitorName = "sandbox-monitor"
	InitName    = "sandbox-init"
	FilesName   = "sandbox-files"
)

// Descriptors of the monitor. All are below 64, unless there are many ports: for a greater number the kernel makes a process with
// threads, as each Go program is, another table of files, and waits until nobody looks at the old one (expand_fdtable in fs/file.c),
// which takes it 10 ms.
const (
	Control = 3   // the socket to the client
	Memory  = 16  // the table of the container's birth, in a memfd
	Lock    = 17  // the container's lock file, locked for as long as it is open
	Names   = 32  // the resolver's sockets, where the container has one: packets …
	Stream  = 33  // … and connections
	Joined  = 25  // processes of other containers, whose namespaces this one shares (up to 27)
	Knock   = 24  // the writing end of a pipe through which the new process finds out whether we are still alive …
	Await   = 28  // the new process's end of a pair of sockets, where it waits for its network: then main performs the birth
	Waiting = 44  // … and the monitor's end
	Door    = 31  // … and the reading end, which it must not have
	Port    = 45  // the first of the sockets that hold published ports: behind all others
	Ports   = 160 // how many of them come at most
)

// Order is what the client tells the monitor to begin with: descriptors come with it, and the numbers to put them under.
type Order struct {
	Targets []byte // the number of each descriptor
	Dir     string // the container's directory
	Tell    byte   // 't': tell the client of what the monitor does; 0: do not
}

// Born is what the monitor did here: the container's first process has been cloned and has worked through its table.
// nil in all other roles.
var Born *Birth

// Birth is the monitor's part of a container's birth.
type Birth struct {
	PID   int // of the container's first process; 0 if it could not be cloned
	Errno syscall.Errno
	Table *birth.Table
	Dir   string
	Tell  bool
	Waits bool // it has not been performed yet: it waits for a network, which this process is to make meanwhile
}

// programArgs is os.Args, which is not there yet.
//
//go:linkname programArgs os.runtime_args
func programArgs() []string

func init() {
	args := programArgs()
	if len(args) == 0 {
		return
	}
	switch Name() {
	case MonitorName:
		Born = begin()
	case "true":
		if len(args) == 1 {
			syscall.Exit(0)
		}
	case "false":
		if len(args) == 1 {
			syscall.Exit(1)
		}
	}
}

// Args is os.Args for other packages that begin early.
func Args() []string { return programArgs() }

// Name is the name that the program was started under, without a path.
func Name() string {
	if args := programArgs(); len(args) > 0 {
		return base(args[0])
	}
	return ""
}

func base(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[i+1:]
		}
	}
	return path
}

// begin waits for the client's order and performs the birth: the container runs before this program is initialised.
func begin() *Birth {
	syscall.CloseOnExec(Control) // whoever has it could speak to the client in our name: not the container
	order := receive()
	var st syscall.Stat_t
	if err := syscall.Fstat(Memory, &st); err != nil {
		syscall.Exit(1)
	}
	memory, err := syscall.Mmap(Memory, 0, int(st.Size), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		syscall.Exit(1)
	}
	makePipe()
	b := &Birth{Table: birth.Load(memory), Dir: order.Dir, Tell: order.Tell == 't'}
	for _, target := range order.Targets {
		b.Waits = b.Waits || target == Await
	}
	if !b.Waits {
		b.Perform()
	}
	return b
}

// Perform performs the birth and lets the client know.
func (b *Birth) Perform() {
	b.PID, b.Errno = b.Table.Run()
	for fd := 20; fd < 30; fd++ {
		syscall.Close(fd) // the child's ends of its pipes
	}
	syscall.Close(Door)
	answer := [2]int32{int32(b.PID), int32(b.Errno)}
	syscall.Write(Control, unsafe.Slice((*byte)(unsafe.Pointer(&answer)), 8))
	runtime.KeepAlive(&answer)
	if forked := b.Table.Forked(); forked != 0 { // the one that was cloned has only made the one that is meant
		if !b.Table.Held() {
			syscall.Wait4(b.PID, nil, 0, nil)
		}
		b.PID = forked
	}
}

// makePipe makes the pipe at whose one end only this process is.
func makePipe() {
	var pipe [2]int
	if syscall.Pipe2(pipe[:], syscall.O_CLOEXEC) != nil || syscall.Dup3(pipe[0], Door, syscall.O_CLOEXEC) != nil || syscall.Dup3(pipe[1], Knock, syscall.O_CLOEXEC) != nil {
		syscall.Exit(1)
	}
	syscall.Close(pipe[0])
	syscall.Close(pipe[1])
}

// receive reads the order. No order, because the client has given up, is the end.
func receive() Order {
	var message [4200]byte
	var control [1100]byte // for 253 descriptors, the most that the kernel passes at once (unix(7))
	n, controlLen, _, _, err := syscall.Recvmsg(Control, message[:], control[:], syscall.MSG_CMSG_CLOEXEC)
	if err != nil || n < 2 {
		syscall.Exit(0)
	}
	count := int(message[1])
	order := Order{Tell: message[0], Targets: message[2 : 2+count], Dir: string(message[2+count : n])}
	parts, err := syscall.ParseSocketControlMessage(control[:controlLen])
	if err != nil || len(parts) != 1 {
		syscall.Exit(1)
	}
	fds, err := syscall.ParseUnixRights(&parts[0])
	if err != nil || len(fds) != count {
		syscall.Exit(1)
	}
	above := Port
	for _, target := range order.Targets {
		above = max(above, int(target)+1)
	}
	for i, fd := range fds {
		if fd >= Memory { // others are to be put there: out of the way first
			away, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, uintptr(above))
			if errno != 0 {
				syscall.Exit(1)
			}
			syscall.Close(fd)
			fds[i] = int(away)
		}
	}
	for i, fd := range fds {
		if syscall.Dup3(fd, int(order.Targets[i]), syscall.O_CLOEXEC) != nil {
			syscall.Exit(1)
		}
		syscall.Close(fd)
	}
	return order
}

// Encode is the order as the bytes of a message.
func (o Order) Encode() []byte {
	message := append([]byte{o.Tell, byte(len(o.Targets))}, o.Targets...)
	return append(message, o.Dir...)
}
