package userland

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// account is a line of /etc/passwd.
type account struct {
	name        string
	uid, gid    int
	home, shell string
}

// lookUpAccount finds a user by number. One without a line gets the number for a name, and group 0.
func lookUpAccount(uid int) account {
	text, _ := os.ReadFile("/etc/passwd")
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) < 7 || fields[2] != strconv.Itoa(uid) {
			continue
		}
		gid, _ := strconv.Atoi(fields[3])
		return account{fields[0], uid, gid, fields[5], fields[6]}
	}
	return account{name: strconv.Itoa(uid), uid: uid, home: "/", shell: "/bin/sh"}
}

// groupsOf are the groups that /etc/group puts a user into, besides the first one.
func groupsOf(name string) []int {
	var gids []int
	text, _ := os.ReadFile("/etc/group")
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) < 4 || !slices.Contains(strings.Split(fields[3], ","), name) {
			continue
		}
		if gid, err := strconv.Atoi(fields[2]); err == nil {
			gids = append(gids, gid)
		}
	}
	return gids
}
