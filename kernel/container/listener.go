package container

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// listener is the process, other than this one, that has bound a port; 0 if it cannot be found. /proc/net/tcp (and its like) has a
// socket's port and inode, and /proc/PID/fd who has that socket open.
func listener(protocol string, port uint16) int {
	for _, family := range []string{"", "6"} {
		for _, inode := range socketInodes("/proc/self/net/"+protocol+family, port) {
			if pid := holder("socket:[" + inode + "]"); pid != 0 && pid != os.Getpid() {
				return pid
			}
		}
	}
	return 0
}

// socketInodes are those of the sockets that listen at a port: a line has the local address as HEX:PORT, the state 0A (07 for UDP)
// and the inode as its tenth word (proc_net_tcp of the kernel's documentation).
func socketInodes(file string, port uint16) (inodes []string) {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	want := fmt.Sprintf(":%04X", port)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) > 9 && strings.HasSuffix(words[1], want) && (words[3] == "0A" || words[3] == "07") {
			inodes = append(inodes, words[9])
		}
	}
	return inodes
}

// holder is the process that has something open, by the name that /proc shows it under.
func holder(name string) int {
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == name {
			pid, _ := strconv.Atoi(strings.Split(link, "/")[2])
			return pid
		}
	}
	return 0
}
