package userland

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// runMountpoint tells whether a directory is a mount point: 0 if it is, 32 if it is not.
func runMountpoint(p *Process) int {
	opts, words, err := p.options("qdx", map[string]string{"quiet": "q", "fs-devno": "d"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(words) != 1 {
		return p.Fail("usage: mountpoint [-q] [-d] PATH")
	}
	path := words[0]
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		if !opts.has('q') {
			p.Fail("%s: %s", path, causeText(err))
		}
		return 1
	}
	mounted, err := isMountPoint(path)
	if err != nil {
		return p.Fail("%s: %s", path, causeText(err))
	}
	switch {
	case opts.has('d') && mounted:
		fmt.Fprintf(p.Stdout, "%d:%d\n", unix.Major(stat.Dev), unix.Minor(stat.Dev))
	case opts.has('q'):
	case mounted:
		fmt.Fprintf(p.Stdout, "%s is a mountpoint\n", path)
	default:
		fmt.Fprintf(p.Stdout, "%s is not a mountpoint\n", path)
	}
	if !mounted {
		return mountFailed
	}
	return 0
}

// isMountPoint looks into mountinfo: a bind mount has the device number of its parent and cannot be told by it.
func isMountPoint(path string) (bool, error) {
	full, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false, err
	}
	if full, err = filepath.Abs(full); err != nil {
		return false, err
	}
	mounts, err := readMounts()
	if err != nil {
		return false, err
	}
	_, mounted := topMount(mounts, full)
	return mounted, nil
}
