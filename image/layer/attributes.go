package layer

import (
	"archive/tar"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// attributes of an entry. Those of a directory are set when everything is in it: writing into it changes its time, and its
// mode may forbid it.
type attributes struct {
	uid, gid int
	mode     uint32
	mtime    time.Time
	xattrs   map[string]string
}

// implicit are the attributes of a directory that no entry names, only what is in it. The time is always the same, so that
// the same archive always gives the same directory.
var implicit = attributes{mode: 0o755, mtime: time.Unix(0, 0)}

func attributesOf(h *tar.Header) attributes {
	return attributes{uid: h.Uid, gid: h.Gid, mode: uint32(h.Mode & 0o7777), mtime: h.ModTime, xattrs: xattrsFromRecords(h.PAXRecords)}
}

// fresh is what files and directories have when they are made here. What need not be set saves a system call a file.
type fresh struct {
	known    bool
	mode     uint32 // the permissions that the umask (or a default ACL) lets through
	uid, gid uint32
}

// freshIn tries it out, with a file that never gets a name. Where the file system does not have these (O_TMPFILE), or new
// files take their group from their directory, nothing is known.
func freshIn(dir int) fresh {
	var st unix.Stat_t
	if unix.Fstat(dir, &st) != nil || st.Mode&unix.S_ISGID != 0 {
		return fresh{}
	}
	fd, err := unix.Openat(dir, ".", unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o777)
	if err != nil {
		return fresh{}
	}
	defer unix.Close(fd)
	if unix.Fstat(fd, &st) != nil {
		return fresh{}
	}
	return fresh{known: true, mode: st.Mode & 0o777, uid: st.Uid, gid: st.Gid}
}

// hasMode: made with this mode, something has it.
func (f fresh) hasMode(mode uint32) bool { return f.known && mode&^f.mode == 0 }

func (f fresh) hasOwner(a attributes) bool {
	return f.known && uint32(a.uid) == f.uid && uint32(a.gid) == f.gid
}

// complete: a file made with the mode that the attributes say needs nothing but its time.
func (f fresh) complete(a attributes) bool {
	return f.hasMode(a.mode) && f.hasOwner(a) && len(a.xattrs) == 0
}

// set the attributes of an open file or directory that has the given mode. The mode comes after the owner, because a change
// of owner clears the set-user-ID bit, and after the extended attributes, because it may forbid to set them. A file's
// content is there: writing would clear that bit and security.capability, and change the time.
func (u *unpacker) set(fd int, a attributes, mode uint32) error {
	if !u.fresh.hasOwner(a) {
		if err := u.owners.Set(fd, a.uid, a.gid); err != nil {
			return err
		}
	}
	if err := setXattrs(fd, a.xattrs); err != nil {
		return err
	}
	if a.mode != mode || !u.fresh.hasMode(mode) {
		if err := unix.Fchmod(fd, a.mode); err != nil {
			return err
		}
	}
	return setTime(fd, a.mtime)
}

// setAt sets the attributes of what cannot be opened: symbolic links, device nodes, pipes.
func (u *unpacker) setAt(dir *directory, base string, a attributes, hasMode bool) error {
	if !u.fresh.hasOwner(a) {
		if err := u.owners.SetAt(dir.fd, base, a.uid, a.gid); err != nil {
			return err
		}
	}
	if hasMode && !u.fresh.hasMode(a.mode) {
		if err := unix.Fchmodat(dir.fd, base, a.mode, 0); err != nil {
			return err
		}
	}
	t, err := unix.TimeToTimespec(a.mtime)
	if err != nil {
		return err
	}
	return unix.UtimesNanoAt(dir.fd, base, []unix.Timespec{t, t}, unix.AT_SYMLINK_NOFOLLOW)
}

// setTime is futimens(3): utimensat(2) of an open file, without a path. (x/sys has it with a path only, which takes longer.)
func setTime(fd int, mtime time.Time) error {
	t, err := unix.TimeToTimespec(mtime)
	if err != nil {
		return err
	}
	return setTimespec(fd, t)
}

func setTimespec(fd int, t unix.Timespec) error {
	times := [2]unix.Timespec{t, t}
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
