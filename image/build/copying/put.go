package copying

import (
	"fmt"
	"os"
	"sandbox/kernel"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// making makes something under a name that is no directory. What is there goes, but a directory only as with tar -x.
func (p *place) making(name string, create func() error) error {
	if err := p.target.checkName(name); err != nil {
		return err
	}
	if err := p.copyUp(); err != nil {
		return err
	}
	if p.below != nil && !p.target.replace {
		if e, err := p.below.find(name); err == nil && e.isDir() {
			return overDirectory(p.pathOf(name))
		}
	}
	err := create()
	if err == unix.EEXIST {
		if err = p.clear(name); err == nil {
			err = create()
		}
	}
	if errno, ok := err.(unix.Errno); ok {
		return &os.PathError{Op: "create", Path: "/" + p.pathOf(name), Err: errno}
	}
	return err
}

func overDirectory(path string) error {
	return kernel.Advise(fmt.Errorf("/%s is a directory: a file cannot take its place", path), "end the destination with a / to copy into it")
}

// clear removes what upper has under a name.
func (p *place) clear(name string) error {
	err := unix.Unlinkat(p.fd, name, 0)
	if err != unix.EISDIR {
		return err
	}
	path := p.pathOf(name)
	if !p.target.replace {
		return overDirectory(path)
	}
	p.target.removals++
	for made := range p.target.made {
		if made == path || strings.HasPrefix(made, path+"/") {
			delete(p.target.made, made)
			delete(p.target.covers, made)
		}
	}
	return os.RemoveAll(throughProc(p.fd) + "/" + name) // nothing but what this package has written is there
}

// putFile makes a regular file; write gives it its content.
func (p *place) putFile(name string, a attributes, write func(fd int) error) error {
	fd := -1
	err := p.making(name, func() (err error) {
		fd, err = unix.Openat(p.fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
		return err
	})
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	err = write(fd)
	if err == nil {
		err = p.target.setAttributes(fd, a)
	}
	if err == nil {
		err = setTime(p.fd, name, a.mtime)
	}
	if err != nil {
		return fmt.Errorf("cannot write /%s: %w", p.pathOf(name), err)
	}
	return nil
}

// putLink makes a symbolic link.
func (p *place) putLink(name, to string, a attributes) error {
	if err := p.making(name, func() error { return unix.Symlinkat(to, p.fd, name) }); err != nil {
		return err
	}
	return p.setAttributesAt(name, a, false)
}

// putNode makes a device or a pipe. Who may not make devices, as in a user namespace, goes without: a container gets the
// host's anyway.
func (p *place) putNode(name string, kind uint32, device uint64, a attributes) error {
	denied := false
	err := p.making(name, func() error {
		err := unix.Mknodat(p.fd, name, kind|0o600, int(device))
		denied = err == unix.EPERM
		if denied {
			return nil
		}
		return err
	})
	if err != nil || denied {
		return err
	}
	return p.setAttributesAt(name, a, true)
}

// putTwin makes a hard link to a file of upper, given by its path.
func (p *place) putTwin(name, path string) error {
	if p.pathOf(name) == path {
		return nil
	}
	return p.making(name, func() error { return unix.Linkat(p.target.upper, path, p.fd, name, 0) })
}

// setAttributes of an open file or directory, all but the time. The owner comes first, because a change of owner takes away
// capabilities and the set-user-ID bit; the mode comes last, because it may forbid the rest.
func (t *target) setAttributes(fd int, a attributes) error {
	if !t.context {
		if err := t.owners.Set(fd, a.uid, a.gid); err != nil {
			return err
		}
	}
	for _, x := range a.xattrs {
		err := unix.Fsetxattr(fd, x.name, x.value, 0)
		if err != nil && err != unix.EPERM && err != unix.ENOTSUP {
			return fmt.Errorf("extended attribute %s: %w", x.name, err)
		}
	}
	return unix.Fchmod(fd, a.mode)
}

// setAttributesAt sets the attributes of what cannot be opened.
func (p *place) setAttributesAt(name string, a attributes, hasMode bool) error {
	if !p.target.context {
		if err := p.target.owners.SetAt(p.fd, name, a.uid, a.gid); err != nil {
			return err
		}
	}
	if hasMode {
		if err := unix.Fchmodat(p.fd, name, a.mode, 0); err != nil {
			return err
		}
	}
	return setTime(p.fd, name, a.mtime)
}

func setTime(dir int, name string, mtime time.Time) error {
	t, err := unix.TimeToTimespec(mtime)
	if err != nil {
		return err
	}
	return unix.UtimesNanoAt(dir, name, []unix.Timespec{t, t}, unix.AT_SYMLINK_NOFOLLOW)
}
