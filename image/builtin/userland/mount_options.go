package userland

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// mountRequest is what a mount command line asks for.
type mountRequest struct {
	source, target, fsType string
	flags                  uintptr
	cleared                uintptr // flags that an option such as `suid` takes away
	propagation            uintptr // MS_SHARED, MS_PRIVATE …, with MS_REC
	data                   []string
}

// mountFlag is an option that is a flag of mount(2). A negative one clears it.
type mountFlag struct {
	name     string
	flag     uintptr
	negative bool
}

var mountFlags = []mountFlag{
	{name: "ro", flag: unix.MS_RDONLY},
	{name: "rw", flag: unix.MS_RDONLY, negative: true},
	{name: "nosuid", flag: unix.MS_NOSUID},
	{name: "suid", flag: unix.MS_NOSUID, negative: true},
	{name: "nodev", flag: unix.MS_NODEV},
	{name: "dev", flag: unix.MS_NODEV, negative: true},
	{name: "noexec", flag: unix.MS_NOEXEC},
	{name: "exec", flag: unix.MS_NOEXEC, negative: true},
	{name: "sync", flag: unix.MS_SYNCHRONOUS},
	{name: "async", flag: unix.MS_SYNCHRONOUS, negative: true},
	{name: "dirsync", flag: unix.MS_DIRSYNC},
	{name: "noatime", flag: unix.MS_NOATIME},
	{name: "atime", flag: unix.MS_NOATIME, negative: true},
	{name: "nodiratime", flag: unix.MS_NODIRATIME},
	{name: "diratime", flag: unix.MS_NODIRATIME, negative: true},
	{name: "relatime", flag: unix.MS_RELATIME},
	{name: "norelatime", flag: unix.MS_RELATIME, negative: true},
	{name: "strictatime", flag: unix.MS_STRICTATIME},
	{name: "nosymfollow", flag: unix.MS_NOSYMFOLLOW},
	{name: "remount", flag: unix.MS_REMOUNT},
	{name: "bind", flag: unix.MS_BIND},
	{name: "rbind", flag: unix.MS_BIND | unix.MS_REC},
	{name: "move", flag: unix.MS_MOVE},
	{name: "silent", flag: unix.MS_SILENT},
	{name: "defaults"},
}

// mountPropagations are the options that say whether mounts below are seen in other mount namespaces.
var mountPropagations = []mountFlag{
	{name: "shared", flag: unix.MS_SHARED},
	{name: "private", flag: unix.MS_PRIVATE},
	{name: "slave", flag: unix.MS_SLAVE},
	{name: "unbindable", flag: unix.MS_UNBINDABLE},
	{name: "rshared", flag: unix.MS_SHARED | unix.MS_REC},
	{name: "rprivate", flag: unix.MS_PRIVATE | unix.MS_REC},
	{name: "rslave", flag: unix.MS_SLAVE | unix.MS_REC},
}

// parseMountOptions reads lists such as ro,nosuid,size=1m. What is no flag is passed on to the file system.
func parseMountOptions(lists []string) *mountRequest {
	r := &mountRequest{}
	for _, list := range lists {
		for option := range strings.SplitSeq(list, ",") {
			r.takeOption(option)
		}
	}
	return r
}

func (r *mountRequest) takeOption(option string) {
	for _, f := range mountFlags {
		switch {
		case f.name != option:
			continue
		case f.negative:
			r.flags &^= f.flag
			r.cleared |= f.flag
		default:
			r.flags |= f.flag
			r.cleared &^= f.flag
		}
		return
	}
	for _, f := range mountPropagations {
		if f.name == option {
			r.propagation = f.flag
			return
		}
	}
	if option != "" {
		r.data = append(r.data, option)
	}
}

// takeFlags adds the options that have a flag of their own on mount's command line.
func (r *mountRequest) takeFlags(opts *options) {
	if opts.has('r') {
		r.flags |= unix.MS_RDONLY
	}
	if opts.has('B') {
		r.flags |= unix.MS_BIND
	}
	if opts.has('R') {
		r.flags |= unix.MS_BIND | unix.MS_REC
	}
	if opts.has('M') {
		r.flags |= unix.MS_MOVE
	}
	for i, f := range mountPropagations {
		if opts.has(rune('1' + i)) { // the letters that --make-shared and so on were given
			r.propagation = f.flag
		}
	}
}

// diskFileSystems are the kernel's file systems that need a device.
func diskFileSystems() []string {
	text, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		return nil
	}
	var types []string
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "\t"); ok {
			types = append(types, name)
		}
	}
	return types
}

// mountErrorText turns mount's rather general errors into what they mean here.
func mountErrorText(err error, r *mountRequest) string {
	_, missing := os.Stat(r.target)
	switch {
	case missing != nil:
		return "mount point does not exist"
	case err == unix.EPERM:
		return "permission denied"
	case err == unix.ENODEV:
		return "unknown filesystem type '" + r.fsType + "'"
	case err == unix.ENOENT:
		return "special device " + r.source + " does not exist"
	case err == unix.ENOTBLK:
		return r.source + " is not a block device"
	case err == unix.EBUSY:
		return r.source + " already mounted or mount point busy"
	case err == unix.EINVAL && r.flags&unix.MS_REMOUNT != 0:
		return "mount point not mounted or bad option"
	case err == unix.EINVAL:
		return "wrong fs type, bad option or bad superblock on " + r.source
	}
	return err.Error()
}
