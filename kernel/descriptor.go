package kernel

import (
	"strconv"

	"golang.org/x/sys/unix"

	"sandbox/kernel/birth"
)

// Handle stands for a descriptor that a step will open, for later steps to use: the source of a bind mount is opened
// with OpenTree{As: h} before the root is pivoted and attached with MoveMount{From: h.FD()} after it.
type Handle struct {
	row int // 1 + the row of the table that opens it; 0 outside a table
	fd  int
}

func (h *Handle) set(fd int) { h.fd = fd }

// FD is the descriptor behind the handle.
func (h *Handle) FD() Descriptor { return Descriptor{handle: h} }

// Number is the descriptor's number, once the step that opens it has been performed.
func (h *Handle) Number() int { return h.fd }

// Descriptor is an open file: one whose number is known, or one that an earlier step opens.
type Descriptor struct {
	handle *Handle
	fd     int
}

// FD is a descriptor whose number is known.
func FD(n int) Descriptor { return Descriptor{fd: n} }

// arg is the descriptor as a system call's first argument.
func (d Descriptor) arg(b *birth.Builder) any {
	switch {
	case d.handle == nil:
		return d.fd
	case d.handle.row > 0:
		return b.Result(d.handle.row - 1)
	}
	return d.handle.fd
}

func (d Descriptor) String() string {
	n := d.fd
	if d.handle != nil {
		n = d.handle.fd
	}
	if n == atFdcwd {
		return "AT_FDCWD"
	}
	return strconv.Itoa(n)
}

// opener is an effect whose result is a descriptor.
type opener interface{ handle() *Handle }

// compiler turns effects into rows of a table.
type compiler struct {
	b      *birth.Builder
	ignore bool // the step is optional
	answer int  // the row whose result is the effect's: the write, not the open before it
}

// add appends a system call; cleanup rows are performed even when an earlier one of the same effect failed.
func (c *compiler) add(number uintptr, args ...any) int {
	return c.addFlags(0, number, args...)
}

func (c *compiler) addFlags(flags, number uintptr, args ...any) int {
	if c.ignore {
		flags |= birth.Ignore
	}
	return c.b.Add(number, flags, args...)
}

// str is a string argument, or a null pointer for an empty one.
func (c *compiler) str(s string) any {
	if s == "" {
		return 0
	}
	return c.b.String(s)
}

// Knock is a write(2) of one byte to a pipe, which nobody will read. It fails (EPIPE) when the other end is closed.
type Knock struct{ FD int }

// Call in strace's notation.
func (k Knock) Call() Call {
	return Call{Name: "write", Args: []string{strconv.Itoa(k.FD), quote("k"), "1"}}
}

func (k Knock) compile(c *compiler) { c.add(unix.SYS_WRITE, k.FD, c.b.String("k"), 1) }

// Await is a read(2) of one byte, which somebody else writes when there is something to go on with, or of none, when he is gone.
type Await struct{ FD int }

// Call in strace's notation; what is read is known only afterwards.
func (a Await) Call() Call {
	return Call{Name: "read", Args: []string{strconv.Itoa(a.FD), "…", "1"}, ShowResult: true}
}

func (a Await) compile(c *compiler) { c.add(unix.SYS_READ, a.FD, c.b.Bytes([]byte{0}), 1) }
