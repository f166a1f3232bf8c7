package userland

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ipcObject is a line of /proc/sysvipc, by the names of the columns.
type ipcObject map[string]string

// readIPC reads one of /proc/sysvipc/msg, shm and sem. They show this IPC namespace and no other.
func readIPC(kind string) ([]ipcObject, error) {
	text, err := os.ReadFile("/proc/sysvipc/" + kind)
	if err != nil {
		return nil, err
	}
	heading, lines, _ := strings.Cut(string(text), "\n")
	names := strings.Fields(heading)
	var objects []ipcObject
	for line := range strings.Lines(lines) {
		o := ipcObject{}
		for i, value := range strings.Fields(line) {
			if i < len(names) {
				o[names[i]] = value
			}
		}
		objects = append(objects, o)
	}
	return objects, nil
}

// key is what the programs that share the object have agreed on.
func (o ipcObject) key() string {
	n, _ := strconv.ParseInt(o["key"], 10, 64)
	return fmt.Sprintf("0x%08x", uint32(n))
}

// status tells of memory that is gone as soon as the last process lets go of it.
func (o ipcObject) status() string {
	mode, _ := strconv.ParseUint(o["perms"], 8, 32)
	var words []string
	if mode&0o1000 != 0 {
		words = append(words, "dest")
	}
	if mode&0o2000 != 0 {
		words = append(words, "locked")
	}
	return strings.Join(words, ",")
}

// permissions are the last three digits.
func (o ipcObject) permissions() string {
	mode, _ := strconv.ParseUint(o["perms"], 8, 32)
	return strconv.FormatUint(mode&0o777, 8)
}

// runIpcs lists the message queues, shared memory segments and semaphores.
func runIpcs(p *Process) int {
	opts, _, err := p.options("amqs", map[string]string{"all": "a", "shmems": "m", "queues": "q", "semaphores": "s"})
	if err != nil {
		return p.Fail("%v", err)
	}
	all := opts.has('a') || !opts.has('m') && !opts.has('q') && !opts.has('s')
	users := accounts{file: "/etc/passwd"}
	for _, t := range []struct {
		letter        rune
		kind, heading string
		row           func(o ipcObject) string
	}{
		{'q', "msg", "\n------ Message Queues --------\nkey        msqid      owner      perms      used-bytes   messages    ", func(o ipcObject) string {
			return fmt.Sprintf("%-12s %-12s", o["cbytes"], o["qnum"])
		}},
		{'m', "shm", "\n------ Shared Memory Segments --------\nkey        shmid      owner      perms      bytes      nattch     status      ", func(o ipcObject) string {
			return fmt.Sprintf("%-10s %-10s %-13s", o["size"], o["nattch"], o.status())
		}},
		{'s', "sem", "\n------ Semaphore Arrays --------\nkey        semid      owner      perms      nsems     ", func(o ipcObject) string {
			return fmt.Sprintf("%-10s", o["nsems"])
		}},
	} {
		if !all && !opts.has(t.letter) {
			continue
		}
		objects, err := readIPC(t.kind)
		if err != nil {
			return p.Fail("%s", causedBy(err))
		}
		fmt.Fprintln(p.Stdout, t.heading)
		for _, o := range objects {
			uid, _ := strconv.Atoi(o["uid"])
			id := o[map[string]string{"msg": "msqid", "shm": "shmid", "sem": "semid"}[t.kind]]
			fmt.Fprintf(p.Stdout, "%-10s %-10s %-10s %-10s %s\n", o.key(), id, users.name(uid), o.permissions(), t.row(o))
		}
	}
	fmt.Fprintln(p.Stdout)
	return 0
}
