package testscripts

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// made is a call of the trace in the notation of the explanation.
type made struct {
	role      string
	name      string
	args      []string
	result    int
	errno     string
	must      bool     // it changes the machine: the explanation must have it
	target    string   // see targetOf
	raw       *traced  // as strace saw it
	process   *process // who made it
	explained bool
	rules     []string // the changes to firewall rules in it that are not explained yet: a transaction is one call
}

func (m *made) String() string {
	return line(m.role, m.name, m.args, m.result, m.errno)
}

func line(role, name string, args []string, result int, errno string) string {
	if errno != "" {
		return fmt.Sprintf("%s: %s(%s) = -1 %s", role, name, strings.Join(args, ", "), errno)
	}
	return fmt.Sprintf("%s: %s(%s) = %d", role, name, strings.Join(args, ", "), result)
}

// newMade brings a call into the explanation's notation. What the two write differently, and why it is the same:
//
//	any descriptor         -y adds its path
//	write                  the explanation names the file, if it is one, and not the descriptor, and no length; /proc/PID is its own, /proc/self
//	read                   what was read is known only afterwards
//	clone3, clone          the addresses of the thread's id, the size of the structure: known only when it is made
//	execve                 -v lists the environment, the explanation counts it
//	seccomp, bpf           -v lists the program, the explanation counts it
//	sendto                 a netlink message: the explanation has its type, and what is in it as far as people can read it
//	sendmsg                the explanation leaves the empty parts of the message out
//	mount_setattr          strace puzzles over a propagation of 0: no change
//	ioctl SIOCSIFFLAGS     the socket is the effect's own
//	ioctl TIOCSPGRP        the process's own pid
//	ioctl TCSETS           of the modes the explanation has c_lflag
//	ioctl TIOCGPTPEER      strace leaves open flags as a number there
func newMade(c *traced, p *process) *made {
	m := &made{role: p.role, name: c.name, errno: c.errno, raw: c, process: p}
	m.result, _ = number(c.result)
	for _, a := range c.args {
		m.args = append(m.args, bare(a))
	}
	if c.name == "ioctl" && len(m.args) > 1 {
		_, name, ambiguous := strings.Cut(m.args[1], " or ") // two drivers have the same number: SNDCTL_TMR_START or TCSETS
		if ambiguous {
			m.args[1] = name
		}
	}
	switch {
	case c.name == "read" && len(c.args) == 3:
		m.args[1] = "…"
	case c.name == "write" && len(c.args) == 3 && !isChannel.MatchString(pathOf(c.args[0])):
		file := pathOf(c.args[0])
		if own, ok := strings.CutPrefix(file, fmt.Sprintf("/proc/%d/", p.pid)); ok {
			file = "/proc/self/" + own
		}
		m.args = []string{strconv.Quote(file), c.args[1]}
	case c.name == "clone3":
		m.args = []string{without(m.args[0], "child_tid", "parent_tid", "pidfd")}
	case c.name == "clone":
		m.args = slices.DeleteFunc(m.args, func(a string) bool { return strings.Contains(a, "tid") && !strings.HasPrefix(a, "flags=") })
	case c.name == "execve" && len(c.args) == 3:
		m.args[2] = "/* " + count(c.args[2], "var") + " */"
	case c.name == "execveat" && len(c.args) == 5:
		m.args[3] = "/* " + count(c.args[3], "var") + " */"
	case c.name == "seccomp" && len(c.args) == 3:
		m.args[2] = regexp.MustCompile(`filter=\[.*\]`).ReplaceAllString(m.args[2], "filter=…")
	case c.name == "bpf":
		m.args[1] = regexp.MustCompile(`insns=(\[.*?\]|0x[0-9a-f]+)`).ReplaceAllString(m.args[1], "insns=…")
	case c.name == "sendto" && len(c.args) > 1 && strings.Contains(c.args[1], "{nlmsg_len="):
		m.args = []string{messageType(c.args[1]), c.args[1]}
		m.rules = ruleChanges(c.args[1])
	case c.name == "sendmsg":
		if rights := regexp.MustCompile(`cmsg_type=SCM_RIGHTS, cmsg_data=\[[^\]]*\]`).FindString(m.args[1]); rights != "" {
			m.args[1] = "{msg_control=[{" + rights + "}]}"
		}
	case c.name == "mount_setattr":
		m.args[3] = strings.Replace(m.args[3], "propagation=0 /* MS_??? */", "propagation=0", 1)
	case c.name == "ioctl" && len(m.args) == 3 && m.args[1] == "SIOCSIFFLAGS":
		m.args = m.args[1:]
	case c.name == "ioctl" && len(m.args) == 3 && m.args[1] == "TCSETS":
		m.args[2] = "{" + regexp.MustCompile(`c_lflag=[^,]*`).FindString(m.args[2]) + "}"
	case c.name == "ioctl" && len(m.args) == 3 && m.args[1] == "TIOCGPTPEER" && m.args[2] == "0x102":
		m.args[2] = "O_RDWR|O_NOCTTY"
	case c.name == "ioctl" && len(m.args) == 3 && m.args[1] == "TIOCSPGRP" && m.args[2] == fmt.Sprintf("[%d]", c.pid):
		m.args[2] = "[getpid()]"
	}
	m.target = targetOf(c)
	m.must = m.changes() && !m.ofStore()
	return m
}

// isChannel: pipes and sockets have no names.
var isChannel = regexp.MustCompile(`^(pipe|socket|UNIX.*):`)

// targetOf is the whole path of what a call changes, of those that trees of files are written and removed with.
func targetOf(c *traced) string {
	dir := 0 // the argument that names a directory; the one after it is a path in it
	switch c.name {
	case "openat", "unlinkat", "fchmodat", "mkdirat", "mknodat", "fchownat":
	case "symlinkat":
		dir = 1
	case "linkat", "renameat":
		dir = 2
	case "fchmod", "fchown", "fsetxattr":
		return pathOf(c.args[0])
	default:
		return ""
	}
	target := unquote(c.args[dir+1])
	if !path.IsAbs(target) {
		target = path.Join(pathOf(c.args[dir]), target)
	}
	return target
}

// changing are the calls that change something, whatever their arguments.
var changing = strings.Fields(`
	mount umount2 pivot_root open_tree move_mount mount_setattr fsopen fsmount fsconfig fspick
	sethostname setdomainname setns unshare clone3 fork vfork
	mknod mknodat symlink symlinkat link linkat mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2
	chown fchown lchown fchownat chmod fchmod fchmodat fchmodat2 setxattr lsetxattr fsetxattr removexattr
	capset seccomp setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups execve execveat
	setsid setpgid umask chdir fchdir chroot keyctl bpf kill pidfd_send_signal tkill setrlimit setpriority swapon swapoff`)

// changingIoctls are those that change a terminal or a network interface.
var changingIoctls = strings.Fields(`SIOCSIFFLAGS TIOCSPTLCK TIOCGPTPEER TIOCSCTTY TIOCNOTTY TIOCSPGRP TIOCSWINSZ TCSETS TCSETSW TCSETSF`)

// changes tells whether the explanation must have the call.
func (m *made) changes() bool {
	switch m.name {
	case "clone":
		return !strings.Contains(strings.Join(m.args, ","), "CLONE_THREAD") // a thread of Go's
	case "prctl":
		// PR_SET_VMA names Go's memory, for /proc/PID/maps. The rest reads.
		return m.args[0] != "PR_SET_VMA" && (strings.HasPrefix(m.args[0], "PR_SET_") || m.args[0] == "PR_CAPBSET_DROP" ||
			m.args[0] == "PR_CAP_AMBIENT" && m.args[1] != "PR_CAP_AMBIENT_IS_SET")
	case "prlimit64":
		return m.args[2] != "NULL" && !m.raisesOpenFiles()
	case "tgkill":
		// Go's scheduler interrupts its own threads with SIGURG; also that of a Go program which is PID 1 of a container, whose
		// thread may make a call before strace has told whose it is.
		return m.args[0] != strconv.Itoa(m.process.pid) && m.args[0] != "1" || m.args[2] != "SIGURG"
	case "ioctl":
		return slices.ContainsFunc(m.args, func(a string) bool { return slices.Contains(changingIoctls, a) })
	case "openat":
		return strings.Contains(m.args[2], "O_CREAT") || strings.Contains(m.args[2], "O_TRUNC")
	case "sendto":
		return len(m.rules) > 0 || strings.HasPrefix(m.args[0], "RTM_NEW") || strings.HasPrefix(m.args[0], "RTM_SET") || strings.HasPrefix(m.args[0], "RTM_DEL")
	case "bind":
		return strings.Contains(m.args[1], `sun_path="`) // it makes a file
	case "write":
		return strings.HasPrefix(m.args[0], `"/sys/`) || strings.HasPrefix(m.args[0], `"/proc/`)
	}
	return slices.Contains(changing, m.name)
}

// raisesOpenFiles: every Go program, before main, sets its own soft limit of open files to the hard one (syscall/rlimit.go).
// That, and nothing else, looks like this: its own, RLIMIT_NOFILE, both the same, by the program and not by the birth.
func (m *made) raisesOpenFiles() bool {
	limits := regexp.MustCompile(`^\{rlim_cur=([^,]+), rlim_max=([^,]+)\}$`).FindStringSubmatch(m.args[2])
	return m.role != "container" && m.args[0] == "0" && m.args[1] == "RLIMIT_NOFILE" && limits != nil && limits[1] == limits[2]
}

// without takes fields out of a structure.
func without(structure string, names ...string) string {
	fields, _, _ := splitArgs(structure[1:len(structure)-1] + ")")
	fields = slices.DeleteFunc(fields, func(f string) bool {
		name, _, _ := strings.Cut(f, "=")
		return slices.Contains(names, name)
	})
	return "{" + strings.Join(fields, ", ") + "}"
}

// count counts the elements of an array, in words.
func count(array, word string) string {
	elements, _, _ := splitArgs(strings.TrimSuffix(strings.TrimPrefix(array, "["), "]") + ")")
	if len(elements) == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", len(elements), word)
}

func unquote(s string) string {
	text, err := strconv.Unquote(s)
	if err != nil {
		return s
	}
	return text
}

// number reads a result: decimal, hexadecimal, or octal as umask's.
func number(s string) (int, bool) {
	n, err := strconv.ParseInt(s, 0, 64)
	return int(n), err == nil
}
