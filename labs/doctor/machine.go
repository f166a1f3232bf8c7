package doctor

import (
	"os"
	"os/exec"
	"os/user"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"sandbox/cgroup"
	"sandbox/kernel"
	"sandbox/kernel/firewall"
)

// Machine is what is examined. ThisMachine is the real one; tests examine made-up ones.
type Machine struct {
	Root     string // under which /proc, /sys, /etc, /boot and /lib are read; "" for the real ones
	UID, GID int
	User     string // name, as /etc/subuid knows it
	Release  string // of the kernel: "6.18.44"
	Groups   cgroup.Host

	// Try lets a child process in new namespaces perform steps; the error is that of the clone or of the step that failed.
	Try func(namespaces uint64, steps ...kernel.Step) error
	// Netfilter asks the kernel in a network namespace of its own; nil where this user cannot ask.
	Netfilter func() (Netfilter, error)
	// Legacy asks for the tables of iptables-legacy, of the network namespace that we are in.
	Legacy func() ([]firewall.LegacyTable, error)
	// Link tries to make a bridge and a veth pair; nil: the kernel's lists are believed.
	Link func() error
	// LookPath finds a program.
	LookPath func(name string) (string, error)
	// IsTerminal tells whether a person sits there.
	IsTerminal bool
}

// ThisMachine is the machine and user that the program runs as.
func ThisMachine() Machine {
	m := Machine{
		UID: os.Geteuid(), GID: os.Getegid(), Groups: cgroup.Detect(), LookPath: exec.LookPath,
		IsTerminal: term.IsTerminal(0) && term.IsTerminal(1), Legacy: firewall.LegacyTables,
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Release = unix.ByteSliceToString(name.Release[:])
	}
	m.User = strconv.Itoa(m.UID)
	if u, err := user.LookupId(m.User); err == nil {
		m.User = u.Username
	}
	m.Try = m.try
	if m.UID == 0 {
		m.Netfilter = askNetfilter
	}
	return m
}

// try clones a child into namespaces, where it performs the steps and ends. An ordinary user gets a user namespace
// with them, in which the child is root: that is how containers are made without root.
func (m Machine) try(namespaces uint64, steps ...kernel.Step) error {
	if m.UID != 0 {
		namespaces |= unix.CLONE_NEWUSER
	}
	if namespaces&unix.CLONE_NEWUSER != 0 {
		steps = append(mapSelf(m.UID, m.GID), steps...)
	}
	door := &kernel.Door{Process: "client"}
	birth, err := door.Spawn(kernel.Spawn{Namespaces: namespaces, Section: "3.5", Steps: steps})
	if err != nil {
		return err
	}
	unix.Wait4(birth.PID, nil, 0, nil)
	return birth.Failure()
}

// mapSelf makes the child root of its user namespace.
func mapSelf(uid, gid int) []kernel.Step {
	write := func(file, data string) kernel.Step {
		return kernel.Step{Effect: kernel.WriteFile{Path: "/proc/self/" + file, Data: data}, Section: "3.5"}
	}
	return []kernel.Step{
		write("setgroups", "deny"),
		write("uid_map", "0 "+strconv.Itoa(uid)+" 1"),
		write("gid_map", "0 "+strconv.Itoa(gid)+" 1"),
	}
}

// read is what stands in a small file, without the newline at its end; "" if it is not there.
func (m Machine) read(file string) string {
	data, err := os.ReadFile(path.Join(m.Root, file))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(data), "\n")
}

func (m Machine) exists(file string) bool {
	_, err := os.Stat(path.Join(m.Root, file))
	return err == nil
}

// writable tells whether a file may be written by us.
func (m Machine) writable(file string) bool {
	return unix.Access(path.Join(m.Root, file), unix.W_OK) == nil
}

// newerThan compares the kernel's version: at least major.minor.
func (m Machine) newerThan(major, minor int) bool {
	numbers := strings.FieldsFunc(m.Release, func(r rune) bool { return r < '0' || r > '9' })
	if len(numbers) < 2 {
		return false
	}
	a, _ := strconv.Atoi(numbers[0])
	b, _ := strconv.Atoi(numbers[1])
	return a > major || a == major && b >= minor
}
