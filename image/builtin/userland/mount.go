package userland

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// mountFailed is the exit code of mount and umount when the kernel refused, as in util-linux.
const mountFailed = 32

// runMount lists what is mounted, or mounts: mount -t tmpfs none /mnt, mount --bind /a /b, mount -o remount,ro /.
func runMount(p *Process) int {
	opts, words, err := p.options("t:o:rwnvBRM1234567", map[string]string{
		"types": "t", "options": "o", "read-only": "r", "bind": "B", "rbind": "R", "move": "M", "make-shared": "1", "make-private": "2",
		"make-slave": "3", "make-unbindable": "4", "make-rshared": "5", "make-rprivate": "6", "make-rslave": "7",
	})
	if err != nil {
		return p.Fail("%v", err)
	}
	request := parseMountOptions(opts.values('o'))
	request.takeFlags(opts)
	switch {
	case len(words) == 0 && len(opts.values('o')) == 0:
		return p.listMounts(opts.value('t'))
	case len(words) == 1 && (request.flags&unix.MS_REMOUNT != 0 || request.propagation != 0):
		request.target = words[0]
	case len(words) == 2:
		request.source, request.target = words[0], words[1]
	default:
		return p.Fail("usage: mount [-t TYPE] [-o OPTIONS] SOURCE TARGET")
	}
	request.fsType = opts.value('t')
	if err := request.mount(); err != nil {
		p.Fail("%s: %s.", request.target, mountErrorText(err, request))
		return mountFailed
	}
	return 0
}

func (p *Process) listMounts(types string) int {
	mounts, err := readMounts()
	if err != nil {
		return p.Fail("%v", err)
	}
	wanted := splitLists([]string{types})
	for _, m := range mounts {
		if len(wanted) == 0 || slices.Contains(wanted, m.fsType) {
			fmt.Fprintf(p.Stdout, "%s on %s type %s (%s)\n", m.source, m.target, m.fsType, m.allOptions())
		}
	}
	return 0
}

// mount makes the one or more system calls that a request takes: the kernel changes the flags of a bind mount, and the
// propagation, only in calls of their own.
func (r *mountRequest) mount() error {
	if target, err := filepath.EvalSymlinks(r.target); err == nil {
		if r.target, err = filepath.Abs(target); err != nil {
			return err
		}
	}
	switch {
	case r.propagation != 0 && r.source == "":
		return unix.Mount("none", r.target, "", r.propagation, "")
	case r.flags&unix.MS_REMOUNT != 0:
		return r.remount()
	case r.flags&unix.MS_MOVE != 0:
		return unix.Mount(r.source, r.target, "", unix.MS_MOVE, "")
	case r.flags&unix.MS_BIND != 0:
		return r.bind()
	}
	if err := r.mountNew(); err != nil {
		return err
	}
	return r.propagate()
}

func (r *mountRequest) propagate() error {
	if r.propagation == 0 {
		return nil
	}
	return unix.Mount("none", r.target, "", r.propagation, "")
}

// bind shows a directory or file at a second place.
func (r *mountRequest) bind() error {
	if err := unix.Mount(r.source, r.target, "", r.flags&(unix.MS_BIND|unix.MS_REC), ""); err != nil {
		return err
	}
	if rest := r.flags &^ (unix.MS_BIND | unix.MS_REC | unix.MS_SILENT); rest != 0 {
		if err := unix.Mount("none", r.target, "", rest|unix.MS_BIND|unix.MS_REMOUNT, ""); err != nil {
			return err
		}
	}
	return r.propagate()
}

// remount changes flags and keeps those that are not mentioned.
func (r *mountRequest) remount() error {
	flags := r.flags
	if mounts, err := readMounts(); err == nil && r.source == "" {
		if m, ok := topMount(mounts, r.target); ok {
			flags = parseMountOptions([]string{m.options}).flags&^r.cleared | r.flags
		}
	}
	return unix.Mount("none", r.target, "", flags, strings.Join(r.data, ","))
}

// mountNew mounts a file system; without a type it tries those that the kernel knows for disks.
func (r *mountRequest) mountNew() error {
	types := []string{r.fsType}
	if r.fsType == "" || r.fsType == "auto" {
		types = diskFileSystems()
	}
	err := error(unix.ENODEV)
	for _, fsType := range types {
		err = unix.Mount(r.source, r.target, fsType, r.flags, strings.Join(r.data, ","))
		if err == nil || err != unix.EINVAL && err != unix.ENODEV {
			break
		}
	}
	return err
}
