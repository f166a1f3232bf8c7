package resolver

import (
	"time"

	"golang.org/x/sys/unix"
)

// version is how a file, or a directory, is known to be as it was when it was read.
type version struct {
	inode   uint64
	changed int64 // ns; in steps of the kernel's clock tick, or finer (since Linux 6.13)
	size    int64
	settled bool // it had not been changed for some time then
}

// clockTick is longer than the longest tick of the kernel's clock (10 ms). What has changed within one tick may change again, and
// have the same time.
const clockTick = 20 * time.Millisecond

// look is to be called before the file is read.
func look(path string) version {
	now := time.Now()
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return version{}
	}
	age := now.UnixNano() - st.Mtim.Nano()
	return version{inode: st.Ino, changed: st.Mtim.Nano(), size: st.Size, settled: age > int64(clockTick)}
}

// same tells whether what was read then is still true.
func (v version) same(then version) bool {
	return then.settled && v.inode == then.inode && v.changed == then.changed && v.size == then.size
}

// there tells whether the file was there.
func (v version) there() bool { return v.inode != 0 }
