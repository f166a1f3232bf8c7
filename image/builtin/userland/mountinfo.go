package userland

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// mountPoint is a line of /proc/PID/mountinfo: see proc_pid_mountinfo(5).
type mountPoint struct {
	id, parent int
	device     string // major:minor
	root       string // which directory of the file system is mounted; not / for bind mounts
	target     string
	options    string // of this mount
	fields     string // propagation: shared:N, master:N
	fsType     string
	source     string
	fsOptions  string // of the file system
}

// readMounts lists the mounts of this thread's mount namespace.
func readMounts() ([]mountPoint, error) {
	text, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return nil, err
	}
	return parseMountinfo(string(text))
}

func parseMountinfo(text string) ([]mountPoint, error) {
	var mounts []mountPoint
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		dash := slices.Index(fields, "-") // between them: optional fields, as many as there are
		if dash < 6 || len(fields) < dash+3 {
			return nil, fmt.Errorf("unexpected form of mountinfo: %q", line)
		}
		m := mountPoint{
			device: fields[2], root: unescapeOctal(fields[3]), target: unescapeOctal(fields[4]), options: fields[5],
			fields: strings.Join(fields[6:dash], " "), fsType: fields[dash+1], source: unescapeOctal(fields[dash+2]),
		}
		m.id, _ = strconv.Atoi(fields[0])
		m.parent, _ = strconv.Atoi(fields[1])
		if len(fields) > dash+3 {
			m.fsOptions = unescapeOctal(fields[dash+3])
		}
		mounts = append(mounts, m)
	}
	return mounts, nil
}

// unescapeOctal undoes what the kernel does to spaces, tabs, newlines and backslashes: \040.
func unescapeOctal(s string) string {
	var plain strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if code, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				plain.WriteByte(byte(code))
				i += 3
				continue
			}
		}
		plain.WriteByte(s[i])
	}
	return plain.String()
}

// allOptions joins the options of the mount and of the file system, each once. The mount's ro or rw counts.
func (m mountPoint) allOptions() string {
	options := strings.Split(m.options, ",")
	for option := range strings.SplitSeq(m.fsOptions, ",") {
		if option != "ro" && option != "rw" && option != "" && !slices.Contains(options, option) {
			options = append(options, option)
		}
	}
	return strings.Join(options, ",")
}

// topMount finds what is mounted at a path: the last one, which covers the others.
func topMount(mounts []mountPoint, target string) (mountPoint, bool) {
	for _, m := range slices.Backward(mounts) {
		if m.target == target {
			return m, true
		}
	}
	return mountPoint{}, false
}
