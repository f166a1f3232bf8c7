package container

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A container's directory is locked for as long as its monitor lives (and, before that, by the client that makes it).
// It is a flock(2) lock: it belongs to the open directory, which the client passes on to the monitor, and the kernel
// releases it when the last process that has it open is gone, killed or not.
//
// A directory without a record that nobody has locked is a leftover. So that one which was made this very moment is not
// taken for such, whoever makes one holds a shared lock on the directory that all of them are in until it has locked its
// own; whoever looks for leftovers wants that directory for itself.

// lockTries bounds how often takeLock tries again: whoever only asks (isLocked) holds a shared lock for a moment.
const lockTries = 20

// takeLock opens and locks a container's directory; taken is false if somebody has it. One that has gone is missing, even if that was
// while it was waited for.
func takeLock(dir string) (lock *os.File, taken bool, err error) {
	lock, err = os.Open(dir)
	if err != nil {
		return nil, false, err
	}
	for range lockTries {
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	var now unix.Stat_t
	if err == nil {
		err = unix.Fstat(int(lock.Fd()), &now)
	}
	if err == nil && now.Nlink == 0 { // who had it before us has removed it
		err = &fs.PathError{Op: "flock", Path: dir, Err: unix.ENOENT}
	}
	if err != nil {
		lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = nil
		}
		return nil, false, err
	}
	return lock, true, nil
}

// isLocked asks without keeping it.
func isLocked(dir string) bool {
	lock, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer lock.Close()
	return errors.Is(unix.Flock(int(lock.Fd()), unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// lockShared holds a directory together with others who do so.
func lockShared(dir string) (*os.File, error) { return lockAs(dir, unix.LOCK_SH) }

// lockAlone waits until it has a directory for itself.
func lockAlone(dir string) (*os.File, error) { return lockAs(dir, unix.LOCK_EX) }

func lockAs(dir string, how int) (*os.File, error) {
	lock, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(lock.Fd()), how)
		if err == nil {
			return lock, nil
		}
		if !errors.Is(err, unix.EINTR) {
			lock.Close()
			return nil, err
		}
	}
}

// waitUnlocked sleeps until nobody has the lock.
func waitUnlocked(dir string) error {
	lock, err := lockShared(dir)
	if isMissing(err) {
		return nil
	}
	if err == nil {
		lock.Close()
	}
	return err
}
