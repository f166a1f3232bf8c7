package build

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"sandbox/image/layer"
	"sandbox/kernel"
)

// ownerIn reads USER[:GROUP], as --chown and USER have it. Names are looked up in the root file system that is built, whose layers are given,
// the uppermost first. Without a group it is the user's own; for a number that is nobody's there, the same number.
func ownerIn(layers []string, chown string) (uid, gid int, err error) {
	user, group, hasGroup := strings.Cut(chown, ":")
	uid, gid = -1, -1
	if user == "" && !hasGroup {
		return 0, 0, errors.New("it is empty")
	}
	if user == "" {
		uid = 0
	} else if uid, gid, err = lookUp(layers, "/etc/passwd", user); err != nil {
		return 0, 0, err
	}
	if hasGroup && group != "" {
		gid, _, err = lookUp(layers, "/etc/group", group)
	}
	if gid < 0 {
		gid = uid
	}
	return uid, gid, err
}

// lookUp finds a name's number, the third field of its line (passwd(5), group(5)), and the fourth if that is a number too.
func lookUp(layers []string, path, name string) (id, next int, err error) {
	number, err := strconv.ParseUint(name, 10, 32)
	if isNumber := err == nil; isNumber {
		return int(number), -1, nil // Docker does not look the user's group up then
	}
	file, err := layer.Open(layers, path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, 0, err
	}
	if err == nil {
		defer file.Close()
		for lines := bufio.NewScanner(file); lines.Scan(); {
			fields := strings.Split(lines.Text(), ":")
			if len(fields) < 4 || fields[0] != name {
				continue
			}
			if id, err = strconv.Atoi(fields[2]); err != nil {
				return 0, 0, fmt.Errorf("%s in the image: the number of %q is %q", path, name, fields[2])
			}
			if next, err = strconv.Atoi(fields[3]); err != nil {
				next = -1
			}
			return id, next, nil
		}
	}
	return 0, 0, kernel.Advise(fmt.Errorf("the image's %s has no %q", path, name), "use a number, or make it before: RUN adduser …")
}
