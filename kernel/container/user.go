package container

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"sandbox/kernel"
)

// user is who the container's program runs as: -u, or the image's USER, looked up in the image's own /etc.
type user struct {
	uid, gid int
	groups   []uint32
	home     string
}

// etcReader opens a file of the container's root file system, which is not mounted: /etc/passwd, /etc/group.
type etcReader func(path string) (io.ReadCloser, error)

// lookupUser reads "", "name", "uid", "name:group", "uid:gid" as Docker does.
func lookupUser(spec string, open etcReader) (user, error) {
	name, group, hasGroup := strings.Cut(spec, ":")
	u := user{home: "/"}
	if name == "" {
		name = "0"
	}
	number, err := strconv.ParseUint(name, 10, 31)
	numeric := err == nil
	found := false
	err = eachLine(open, "/etc/passwd", 7, func(f []string) bool {
		uid, err := strconv.Atoi(f[2])
		if err != nil || f[0] != name && !(numeric && uid == int(number)) {
			return true
		}
		gid, _ := strconv.Atoi(f[3])
		u.uid, u.gid, u.home, found = uid, gid, f[5], true
		name = f[0]
		return false
	})
	switch {
	case err != nil:
		return u, err
	case !found && numeric:
		u.uid = int(number)
	case !found:
		return u, kernel.Advise(fmt.Errorf("no user %q in the image's /etc/passwd", name), "give its number: -u 1000, or make the user in the image")
	}
	if hasGroup {
		return u, u.setGroup(group, open)
	}
	err = eachLine(open, "/etc/group", 4, func(f []string) bool {
		if gid, err := strconv.ParseUint(f[2], 10, 31); err == nil && slices.Contains(strings.Split(f[3], ","), name) {
			u.groups = append(u.groups, uint32(gid))
		}
		return true
	})
	return u, err
}

func (u *user) setGroup(group string, open etcReader) error {
	number, err := strconv.ParseUint(group, 10, 31)
	if err == nil {
		u.gid = int(number)
		return nil
	}
	found := false
	err = eachLine(open, "/etc/group", 4, func(f []string) bool {
		if gid, err := strconv.Atoi(f[2]); err == nil && f[0] == group {
			u.gid, found = gid, true
		}
		return !found
	})
	if err != nil {
		return err
	}
	if !found {
		return kernel.Advise(fmt.Errorf("no group %q in the image's /etc/group", group), "give its number: -u 1000:1000")
	}
	return nil
}

// eachLine calls f with the fields of each line of a colon-separated file, until it returns false. A file that is
// not there has no lines.
func eachLine(open etcReader, path string, fields int, f func([]string) bool) error {
	file, err := open(path)
	if isMissing(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot read the image's %s: %w", path, err)
	}
	defer file.Close()
	lines := bufio.NewScanner(io.LimitReader(file, 1<<20))
	for lines.Scan() {
		if parts := strings.Split(lines.Text(), ":"); len(parts) >= fields && !f(parts) {
			return nil
		}
	}
	return lines.Err()
}
