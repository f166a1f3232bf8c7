package container

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// ordinaryDevices are in every container's /dev (runtime-spec, "Default Devices").
var ordinaryDevices = []specs.LinuxDevice{
	{Path: "/dev/null", Type: "c", Major: 1, Minor: 3},
	{Path: "/dev/zero", Type: "c", Major: 1, Minor: 5},
	{Path: "/dev/full", Type: "c", Major: 1, Minor: 7},
	{Path: "/dev/random", Type: "c", Major: 1, Minor: 8},
	{Path: "/dev/urandom", Type: "c", Major: 1, Minor: 9},
	{Path: "/dev/tty", Type: "c", Major: 5, Minor: 0},
}

// deviceAt reads which device a node of the host is.
func deviceAt(path string) (specs.LinuxDevice, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return specs.LinuxDevice{}, kernel.Advise(fmt.Errorf("device %s: %w", path, err), "ls -l /dev   shows the devices there are")
	}
	d := specs.LinuxDevice{Path: path, Major: int64(unix.Major(st.Rdev)), Minor: int64(unix.Minor(st.Rdev))}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFCHR:
		d.Type = "c"
	case unix.S_IFBLK:
		d.Type = "b"
	default:
		return d, kernel.Advise(fmt.Errorf("%s is not a device", path), "to put a file or a directory into the container: -v %s:/path", path)
	}
	mode := fs.FileMode(st.Mode & 0o777)
	d.FileMode, d.UID, d.GID = &mode, &st.Uid, &st.Gid
	return d, nil
}

// hostDevices are all the nodes of the host's /dev, for --privileged; the terminals and the shared memory are the
// container's own all the same.
func hostDevices() []specs.LinuxDevice {
	var list []specs.LinuxDevice
	filepath.WalkDir("/dev", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case entry.IsDir() && (path == "/dev/pts" || path == "/dev/shm" || path == "/dev/mqueue"):
			return filepath.SkipDir
		case entry.Type()&fs.ModeDevice == 0 || path == "/dev/console" || path == "/dev/ptmx":
			return nil
		}
		if d, err := deviceAt(path); err == nil && !isOrdinary(path) {
			list = append(list, d)
		}
		return nil
	})
	return list
}

func isOrdinary(path string) bool {
	for _, d := range ordinaryDevices {
		if d.Path == path {
			return true
		}
	}
	return false
}

// nodeMode is the mode that mknod takes: the kind of node and its permissions.
func nodeMode(d specs.LinuxDevice) uint32 {
	mode := uint32(0o666)
	if d.FileMode != nil {
		mode = uint32(d.FileMode.Perm())
	}
	switch strings.ToLower(d.Type) {
	case "b":
		return unix.S_IFBLK | mode
	case "p":
		return unix.S_IFIFO | mode
	}
	return unix.S_IFCHR | mode
}
