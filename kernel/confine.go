package kernel

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// Seccomp is seccomp(2) with SECCOMP_SET_MODE_FILTER: from here on each system call is judged by the filter.
type Seccomp struct {
	Filter []unix.SockFilter // a classic BPF program, at most 4096 instructions
}

// Call in strace's notation, the program as its length.
func (s Seccomp) Call() Call {
	return Call{Name: "seccomp", Args: []string{"SECCOMP_SET_MODE_FILTER", "0", fmt.Sprintf("{len=%d, filter=…}", len(s.Filter))}}
}

func (s Seccomp) compile(c *compiler) {
	code := make([]byte, 0, 8*len(s.Filter))
	for _, i := range s.Filter {
		code = binary.NativeEndian.AppendUint16(code, i.Code)
		code = append(code, i.Jt, i.Jf)
		code = binary.NativeEndian.AppendUint32(code, i.K)
	}
	program := c.b.Words(len(s.Filter), c.b.Bytes(code)) // struct sock_fprog
	c.add(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, program)
}

// Prlimit is prlimit64(2) on the process itself: one resource's soft and hard limit.
type Prlimit struct {
	Resource   int
	Soft, Hard uint64
}

// Resources are the limits of getrlimit(2), by number, under the names that ulimit flags use.
var Resources = [...]string{
	"cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile", "memlock", "as", "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime",
}

// Call in strace's notation.
func (p Prlimit) Call() Call {
	name := "RLIMIT_" + upper(Resources[p.Resource])
	body := fmt.Sprintf("{rlim_cur=%s, rlim_max=%s}", limit(p.Soft), limit(p.Hard))
	return Call{Name: "prlimit64", Args: []string{"0", name, body, "NULL"}}
}

func upper(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] >= 'a' && b[i] <= 'z' {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b)
}

// limit writes a number as strace does: multiples of 1024 as such.
func limit(n uint64) string {
	switch {
	case n == unix.RLIM_INFINITY:
		return "RLIM64_INFINITY"
	case n > 1024 && n%1024 == 0:
		return fmt.Sprintf("%d*1024", n/1024)
	}
	return strconv.FormatUint(n, 10)
}

func (p Prlimit) compile(c *compiler) {
	c.add(unix.SYS_PRLIMIT64, 0, p.Resource, c.b.Words(uintptr(p.Soft), uintptr(p.Hard)), 0)
}

// SessionKeyring is keyctl(2) KEYCTL_JOIN_SESSION_KEYRING: a keyring of its own, so that the keys of whoever started
// the container cannot be reached from inside.
type SessionKeyring struct{ Name string }

// Call in strace's notation.
func (k SessionKeyring) Call() Call {
	return Call{Name: "keyctl", Args: []string{"KEYCTL_JOIN_SESSION_KEYRING", quote(k.Name)}}
}

func (k SessionKeyring) compile(c *compiler) {
	c.add(unix.SYS_KEYCTL, unix.KEYCTL_JOIN_SESSION_KEYRING, c.b.String(k.Name))
}

// UnblockSignals is rt_sigprocmask(2): the last thing before a child's execve, since it is cloned with all blocked.
type UnblockSignals struct{}

// Call in strace's notation.
func (UnblockSignals) Call() Call {
	return Call{Name: "rt_sigprocmask", Args: []string{"SIG_SETMASK", "[]", "NULL", "8"}}
}

func (UnblockSignals) compile(c *compiler) {
	c.add(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, c.b.Words(0), 0, 8)
}

// LinkUp sets a network interface up, by ioctl(2) SIOCSIFFLAGS: all that the loopback of a new namespace needs.
type LinkUp struct{ Name string }

// Call as the ioctl that changes it; the text form is ip's.
func (l LinkUp) Call() Call {
	return Call{
		Name: "ioctl", Args: []string{"SIOCSIFFLAGS", "{ifr_name=" + quote(l.Name) + ", ifr_flags=IFF_UP|IFF_RUNNING}"},
		Shell: "ip link set " + l.Name + " up",
	}
}

func (l LinkUp) compile(c *compiler) {
	request := make([]byte, 40) // struct ifreq
	copy(request[:15], l.Name)
	binary.NativeEndian.PutUint16(request[16:], unix.IFF_UP|unix.IFF_RUNNING)
	socket := c.add(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	c.answer = c.add(unix.SYS_IOCTL, c.b.Result(socket), unix.SIOCSIFFLAGS, c.b.Bytes(request))
	c.add(unix.SYS_CLOSE, c.b.Result(socket))
}
