package kernel

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel/capability"
)

// Namespace is one kind of namespace.
type Namespace struct {
	Flag uint64 // CLONE_NEW…
	Name string // in the kernel's headers
	File string // under /proc/PID/ns
}

// Namespaces lists all kinds that Linux has (namespaces(7)), in the order of their flags.
var Namespaces = []Namespace{
	{unix.CLONE_NEWTIME, "CLONE_NEWTIME", "time"},
	{unix.CLONE_NEWNS, "CLONE_NEWNS", "mnt"},
	{unix.CLONE_NEWCGROUP, "CLONE_NEWCGROUP", "cgroup"},
	{unix.CLONE_NEWUTS, "CLONE_NEWUTS", "uts"},
	{unix.CLONE_NEWIPC, "CLONE_NEWIPC", "ipc"},
	{unix.CLONE_NEWUSER, "CLONE_NEWUSER", "user"},
	{unix.CLONE_NEWPID, "CLONE_NEWPID", "pid"},
	{unix.CLONE_NEWNET, "CLONE_NEWNET", "net"},
}

func namespaceFlags() []flag {
	var names []flag
	for _, n := range Namespaces {
		names = append(names, flag{n.Flag, n.Name})
	}
	return names
}

// Unshare is unshare(2): the process leaves a namespace for a new one of its own.
type Unshare struct{ Flags uint64 }

// Call in strace's notation.
func (u Unshare) Call() Call {
	return Call{Name: "unshare", Args: []string{flags(u.Flags, namespaceFlags())}}
}

func (u Unshare) compile(c *compiler) { c.add(unix.SYS_UNSHARE, uintptr(u.Flags)) }

// Setns is setns(2): the process enters namespaces of another, named by a pidfd (Linux 5.8) or by a file of
// /proc/PID/ns.
type Setns struct {
	FD    Descriptor
	Flags uint64
}

// Call in strace's notation.
func (s Setns) Call() Call {
	return Call{Name: "setns", Args: []string{s.FD.String(), flags(s.Flags, namespaceFlags())}}
}

func (s Setns) compile(c *compiler) { c.add(unix.SYS_SETNS, s.FD.arg(c.b), uintptr(s.Flags)) }

// PidfdOpen is pidfd_open(2) (Linux 5.3): a descriptor that names a process, and never another with the same number.
type PidfdOpen struct {
	PID int
	As  *Handle
}

// Call in strace's notation.
func (p PidfdOpen) Call() Call {
	return Call{Name: "pidfd_open", Args: []string{strconv.Itoa(p.PID), "0"}, ShowResult: true}
}

func (p PidfdOpen) compile(c *compiler) { c.add(unix.SYS_PIDFD_OPEN, p.PID, 0) }

func (p PidfdOpen) handle() *Handle { return p.As }

// Sethostname is sethostname(2).
type Sethostname struct{ Name string }

// Call in strace's notation.
func (s Sethostname) Call() Call {
	return Call{Name: "sethostname", Args: []string{quote(s.Name), strconv.Itoa(len(s.Name))}}
}

func (s Sethostname) compile(c *compiler) {
	c.add(unix.SYS_SETHOSTNAME, c.b.String(s.Name), len(s.Name))
}

// Setdomainname is setdomainname(2).
type Setdomainname struct{ Name string }

// Call in strace's notation.
func (s Setdomainname) Call() Call {
	return Call{Name: "setdomainname", Args: []string{quote(s.Name), strconv.Itoa(len(s.Name))}}
}

func (s Setdomainname) compile(c *compiler) {
	c.add(unix.SYS_SETDOMAINNAME, c.b.String(s.Name), len(s.Name))
}

// Setsid is setsid(2): a session of its own, with no controlling terminal.
type Setsid struct{}

// Call in strace's notation.
func (Setsid) Call() Call { return Call{Name: "setsid", Args: []string{}} }

func (Setsid) compile(c *compiler) { c.add(unix.SYS_SETSID) }

// Umask is umask(2).
type Umask struct{ Mask uint32 }

// Call in strace's notation.
func (u Umask) Call() Call { return Call{Name: "umask", Args: []string{octalMode(u.Mask)}} }

func (u Umask) compile(c *compiler) { c.add(unix.SYS_UMASK, int(u.Mask)) }

// Chdir is chdir(2).
type Chdir struct{ Path string }

// Call in strace's notation.
func (d Chdir) Call() Call { return Call{Name: "chdir", Args: []string{quote(d.Path)}} }

func (d Chdir) compile(c *compiler) { c.add(unix.SYS_CHDIR, c.str(d.Path)) }

// Setgroups is setgroups(2): the supplementary groups.
type Setgroups struct{ Groups []int }

// Call in strace's notation.
func (s Setgroups) Call() Call {
	list := make([]string, len(s.Groups))
	for i, g := range s.Groups {
		list[i] = strconv.Itoa(g)
	}
	return Call{Name: "setgroups", Args: []string{strconv.Itoa(len(s.Groups)), "[" + strings.Join(list, ", ") + "]"}}
}

func (s Setgroups) compile(c *compiler) {
	ids := make([]byte, 0, 4*len(s.Groups))
	for _, g := range s.Groups {
		ids = append(ids, byte(g), byte(g>>8), byte(g>>16), byte(g>>24))
	}
	c.add(unix.SYS_SETGROUPS, len(s.Groups), c.b.Bytes(ids))
}

// Setresgid is setresgid(2): real, effective and saved group all become GID.
type Setresgid struct{ GID int }

// Call in strace's notation.
func (s Setresgid) Call() Call {
	id := strconv.Itoa(s.GID)
	return Call{Name: "setresgid", Args: []string{id, id, id}}
}

func (s Setresgid) compile(c *compiler) { c.add(unix.SYS_SETRESGID, s.GID, s.GID, s.GID) }

// Setresuid is setresuid(2).
type Setresuid struct{ UID int }

// Call in strace's notation.
func (s Setresuid) Call() Call {
	id := strconv.Itoa(s.UID)
	return Call{Name: "setresuid", Args: []string{id, id, id}}
}

func (s Setresuid) compile(c *compiler) { c.add(unix.SYS_SETRESUID, s.UID, s.UID, s.UID) }

// Capset is capset(2), version 3: the process's capability sets, one bit a capability.
type Capset struct{ Effective, Permitted, Inheritable capability.Set }

// Call in strace's notation.
func (s Capset) Call() Call {
	body := fmt.Sprintf("{effective=%s, permitted=%s, inheritable=%s}",
		capFlags(s.Effective), capFlags(s.Permitted), capFlags(s.Inheritable))
	return Call{Name: "capset", Args: []string{"{version=_LINUX_CAPABILITY_VERSION_3, pid=0}", body}}
}

func capFlags(set capability.Set) string {
	if set == 0 {
		return "0"
	}
	var names []string
	for i := range 64 {
		if set>>i&1 == 0 {
			continue
		}
		names = append(names, "1<<"+capability.Name(i))
	}
	return strings.Join(names, "|")
}

func (s Capset) compile(c *compiler) {
	header := c.b.Bytes([]byte{0x22, 0x05, 0x08, 0x20, 0, 0, 0, 0}) // _LINUX_CAPABILITY_VERSION_3, pid 0: ourselves
	var data []byte
	for _, half := range []uint{0, 32} {
		for _, set := range []capability.Set{s.Effective, s.Permitted, s.Inheritable} {
			word := uint32(uint64(set) >> half)
			data = append(data, byte(word), byte(word>>8), byte(word>>16), byte(word>>24))
		}
	}
	c.add(unix.SYS_CAPSET, header, c.b.Bytes(data))
}

// Prctl is prctl(2) with up to two arguments: PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS …
type Prctl struct {
	Option int
	Arg    uintptr
	Arg3   uintptr
}

// Call in strace's notation.
func (p Prctl) Call() Call {
	number := strconv.Itoa(int(p.Arg))
	switch p.Option {
	case unix.PR_CAPBSET_DROP:
		return Call{Name: "prctl", Args: []string{"PR_CAPBSET_DROP", capability.Name(int(p.Arg))}}
	case unix.PR_SET_NO_NEW_PRIVS:
		return Call{Name: "prctl", Args: []string{"PR_SET_NO_NEW_PRIVS", number, "0", "0", "0"}}
	case unix.PR_SET_KEEPCAPS:
		return Call{Name: "prctl", Args: []string{"PR_SET_KEEPCAPS", number}}
	case unix.PR_SET_PDEATHSIG:
		return Call{Name: "prctl", Args: []string{"PR_SET_PDEATHSIG", unix.SignalName(unix.Signal(p.Arg))}}
	case unix.PR_CAP_AMBIENT:
		if p.Arg == unix.PR_CAP_AMBIENT_CLEAR_ALL {
			return Call{Name: "prctl", Args: []string{"PR_CAP_AMBIENT", "PR_CAP_AMBIENT_CLEAR_ALL", "0", "0", "0"}}
		}
		return Call{Name: "prctl", Args: []string{"PR_CAP_AMBIENT", "PR_CAP_AMBIENT_RAISE", capability.Name(int(p.Arg3)), "0", "0"}}
	}
	return Call{Name: "prctl", Args: []string{strconv.Itoa(p.Option), number}}
}

func (p Prctl) compile(c *compiler) { c.add(unix.SYS_PRCTL, p.Option, p.Arg, p.Arg3, 0, 0) }

// Execve is execve(2), or execveat(2).
type Execve struct {
	Path string
	FD   int // not 0: the program is this open file, whether it has a name here or not
	Argv []string
	Env  []string
}

// Call in strace's notation; the environment is counted, as strace does.
func (e Execve) Call() Call {
	vars := fmt.Sprintf("%d vars", len(e.Env))
	if len(e.Env) == 1 {
		vars = "1 var"
	}
	if e.FD != 0 {
		return Call{Name: "execveat", Args: []string{strconv.Itoa(e.FD), `""`, vector(e.Argv), "/* " + vars + " */", "AT_EMPTY_PATH"}}
	}
	return Call{
		Name:  "execve",
		Args:  []string{quote(e.Path), vector(e.Argv), "/* " + vars + " */"},
		Shell: "execve(" + quote(e.Path) + ", " + vector(e.Argv) + ")",
	}
}

func (e Execve) compile(c *compiler) {
	if e.FD != 0 {
		c.add(unix.SYS_EXECVEAT, e.FD, c.b.String(""), c.b.Strings(e.Argv), c.b.Strings(e.Env), unix.AT_EMPTY_PATH)
		return
	}
	c.add(unix.SYS_EXECVE, c.str(e.Path), c.b.Strings(e.Argv), c.b.Strings(e.Env))
}

// Kill is kill(2).
type Kill struct {
	PID    int
	Signal unix.Signal
}

// Call in strace's notation.
func (k Kill) Call() Call {
	return Call{Name: "kill", Args: []string{strconv.Itoa(k.PID), signalName(k.Signal)}}
}

func (k Kill) compile(c *compiler) { c.add(unix.SYS_KILL, k.PID, int(k.Signal)) }

// PidfdSignal is pidfd_send_signal(2) (Linux 5.1): a signal that cannot hit another process with the same number.
type PidfdSignal struct {
	FD     Descriptor
	Signal unix.Signal
}

// Call in strace's notation.
func (k PidfdSignal) Call() Call {
	return Call{Name: "pidfd_send_signal", Args: []string{k.FD.String(), signalName(k.Signal), "NULL", "0"}}
}

func (k PidfdSignal) compile(c *compiler) {
	c.add(unix.SYS_PIDFD_SEND_SIGNAL, k.FD.arg(c.b), int(k.Signal), 0, 0)
}

func signalName(s unix.Signal) string {
	if name := unix.SignalName(s); name != "" {
		return name
	}
	if s >= 32 && s <= 64 {
		return fmt.Sprintf("SIGRT_%d", int(s)-32)
	}
	return strconv.Itoa(int(s))
}

// CloseFrom is close_range(2) (Linux 5.9): every descriptor from FD on.
type CloseFrom struct{ FD int }

// Call in strace's notation.
func (f CloseFrom) Call() Call {
	return Call{Name: "close_range", Args: []string{strconv.Itoa(f.FD), "4294967295", "0"}}
}

func (f CloseFrom) compile(c *compiler) { c.add(unix.SYS_CLOSE_RANGE, f.FD, 0xffffffff, 0) }

// Setpgid is setpgid(2): a process group of its own, which a terminal's Ctrl-C can be aimed at.
type Setpgid struct{}

// Call in strace's notation.
func (Setpgid) Call() Call { return Call{Name: "setpgid", Args: []string{"0", "0"}} }

func (Setpgid) compile(c *compiler) { c.add(unix.SYS_SETPGID, 0, 0) }
