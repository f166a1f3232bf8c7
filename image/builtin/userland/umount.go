package userland

import (
	"errors"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// runUmount takes mounts away. -l only takes them out of sight and waits for the last user; -R takes those below, too.
func runUmount(p *Process) int {
	opts, targets, err := p.options("lfnRv", map[string]string{"lazy": "l", "force": "f", "recursive": "R"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(targets) == 0 {
		return p.Fail("usage: umount [-l] [-f] [-R] TARGET…")
	}
	flags := 0
	if opts.has('l') {
		flags |= unix.MNT_DETACH
	}
	if opts.has('f') {
		flags |= unix.MNT_FORCE
	}
	code := 0
	for _, target := range targets {
		places, err := unmountOrder(target, opts.has('R'))
		for i := 0; err == nil && i < len(places); i++ {
			err = unix.Unmount(places[i], flags)
		}
		if err != nil {
			p.Fail("%s: %s.", target, unmountErrorText(err))
			code = mountFailed
		}
	}
	return code
}

// unmountOrder finds the mount points to take away for a target, which may be a device, too: the innermost first.
func unmountOrder(target string, recursive bool) ([]string, error) {
	if full, err := filepath.EvalSymlinks(target); err == nil {
		if target, err = filepath.Abs(full); err != nil {
			return nil, err
		}
	}
	mounts, err := readMounts()
	if err != nil { // without /proc the kernel decides
		return []string{target}, nil
	}
	if _, found := topMount(mounts, target); !found {
		for _, m := range slices.Backward(mounts) {
			if m.source == target {
				return []string{m.target}, nil
			}
		}
	}
	if !recursive {
		return []string{target}, nil
	}
	var places []string
	for _, m := range slices.Backward(mounts) {
		if m.target == target || len(m.target) > len(target) && m.target[:len(target)+1] == target+"/" {
			places = append(places, m.target)
		}
	}
	return places, nil
}

func unmountErrorText(err error) string {
	switch {
	case errors.Is(err, unix.EINVAL):
		return "not mounted"
	case errors.Is(err, unix.EBUSY):
		return "target is busy"
	case errors.Is(err, unix.EPERM):
		return "must be superuser to unmount"
	case errors.Is(err, unix.ENOENT):
		return "no mount point specified"
	}
	return err.Error()
}
