package container

import (
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Process is one of those that a container consists of, that serve it, or that these were started by.
type Process struct {
	PID    int
	Parent int // 0: none that can be seen from here
	Inside int // its number in the container's PID namespace; 0 if it is in none
	Role   Role
	Of     string // the name of the container that it is in, or whose monitor it is
	Line   string // its command line
}

// Role is what a process is to a container.
type Role int

// The roles. Bystanders are the ancestors of the others: a shell, or the first process of all.
const (
	Bystander Role = iota
	InContainer
	IsMonitor
	IsClient
)

// ProcessTree is all that runs because of these containers, with the way up to the first process, ordered by pid. What it says is
// read from /proc: a process that ends meanwhile is left out.
func (e *Engine) ProcessTree(list []*Record) []Process {
	found := map[int]*Process{}
	for _, r := range list {
		pids, _ := e.Processes(r)
		if len(pids) == 0 {
			continue
		}
		for _, pid := range pids {
			if p := readProcess(pid); p != nil {
				p.Role, p.Of, p.Inside = InContainer, r.PlainName(), insidePID(pid)
				found[pid] = p
			}
		}
		if p := readProcess(r.State.Monitor); p != nil {
			p.Role, p.Of = IsMonitor, r.PlainName()
			found[p.PID] = p
		}
	}
	for _, p := range values(found) {
		parent := readProcess(p.Parent)
		if parent != nil && parent.PID != 1 && found[parent.PID] == nil && isThisProgram(parent.PID) {
			parent.Role = IsClient
			found[parent.PID] = parent
		}
	}
	for _, p := range values(found) {
		for up := readProcess(p.Parent); up != nil && found[up.PID] == nil; up = readProcess(up.Parent) {
			found[up.PID] = up
		}
	}
	return values(found)
}

// values are ordered by pid: a map's order is chance.
func values(found map[int]*Process) []Process {
	var all []Process
	for _, pid := range slices.Sorted(maps.Keys(found)) {
		all = append(all, *found[pid])
	}
	return all
}

// readProcess is nil if there is none.
func readProcess(pid int) *Process {
	parent, err := strconv.Atoi(statusField(pid, "PPid"))
	if pid <= 0 || err != nil {
		return nil
	}
	return &Process{PID: pid, Parent: parent, Line: commandLine(pid)}
}

// commandLine is that of a process, or as with ps its name in brackets where it has none: it has ended. In the middle of an
// execve(2) there is none for a moment, and that is waited for: whoever has started a container asks at once.
func commandLine(pid int) string {
	for try := 0; ; try++ {
		data, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
		line := strings.TrimSpace(strings.ReplaceAll(string(data), "\x00", " "))
		if line != "" {
			return line
		}
		if try == 100 || strings.HasPrefix(statusField(pid, "State"), "Z") {
			return "[" + statusField(pid, "Name") + "]"
		}
		time.Sleep(time.Millisecond)
	}
}

// insidePID is the last number in NSpid: that of the innermost PID namespace.
func insidePID(pid int) int {
	words := strings.Fields(statusField(pid, "NSpid"))
	if len(words) == 0 {
		return 0
	}
	inside, _ := strconv.Atoi(words[len(words)-1])
	return inside
}

func isThisProgram(pid int) bool {
	own, err := os.Stat("/proc/self/exe")
	if err != nil {
		return false
	}
	other, err := os.Stat("/proc/" + strconv.Itoa(pid) + "/exe")
	return err == nil && os.SameFile(own, other)
}

// namespaceNames are the files in /proc/PID/ns, in the order in which chapter 3.5 has them.
var namespaceNames = []string{"mnt", "uts", "ipc", "pid", "net", "user", "cgroup", "time"}

// NamespacesOf are the numbers of a process's namespaces, by those names; a kernel may lack one. process is a PID, or self.
func NamespacesOf(process string) map[string]string {
	numbers := map[string]string{}
	for _, name := range namespaceNames {
		if link, err := os.Readlink("/proc/" + process + "/ns/" + name); err == nil { // uts:[4026531838]
			numbers[name] = strings.Trim(strings.TrimPrefix(link, name+":"), "[]")
		}
	}
	return numbers
}

// Namespaces tells which namespaces of a running container are not those of whoever asks, and which are.
func (e *Engine) Namespaces(r *Record) (apart, shared []string) {
	ours, theirs := NamespacesOf("self"), NamespacesOf(strconv.Itoa(r.State.Pid))
	for _, name := range namespaceNames {
		switch {
		case ours[name] == "" || theirs[name] == "":
		case theirs[name] == ours[name]:
			shared = append(shared, name)
		default:
			apart = append(apart, name)
		}
	}
	return apart, shared
}
