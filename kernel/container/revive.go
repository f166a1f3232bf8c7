package container

import (
	"os"

	"golang.org/x/sys/unix"
)

// bringBack starts a container again that has lost its monitor, as its restart policy says. After a reboot it does not:
// that is for `start --all-restart`, which the machine calls when it is ready for it.
func (e *Engine) bringBack(r *Record) *Record {
	if r.State.End == nil || r.State.End.Reason != EndMonitor ||
		!r.HostConfig.RestartPolicy.afterEnd(r.State.ExitCode, r.RestartCount, r.State.End.Asked != nil) || !isOurs(e.Paths.dir(r.ID)) {
		return r
	}
	again := *r
	again.RestartCount++
	if err := e.StartDetached(&again); err != nil {
		return r
	}
	if now, err := e.Paths.load(r.ID); err == nil {
		return now
	}
	return r
}

// isOurs tells whether a directory belongs to this user: root, who looks at somebody's containers, does not start them.
func isOurs(dir string) bool {
	var st unix.Stat_t
	return unix.Stat(dir, &st) == nil && int(st.Uid) == os.Geteuid()
}

// StartDetached starts a container and waits until it runs.
func (e *Engine) StartDetached(r *Record) error {
	lock, err := e.Lock(r)
	if err != nil {
		return err
	}
	monitor, err := e.SpawnMonitor()
	if err != nil {
		lock.Close()
		return err
	}
	if err := e.Start(monitor, r, lock, Window{}); err != nil {
		monitor.Abandon()
		return err
	}
	return monitor.Ready(e.Door.Tell)
}

// AtBoot starts what is down and has a restart policy that wants it up when the machine is. each is called for every one of
// them, with what came of it.
func (e *Engine) AtBoot(each func(*Record, error)) error {
	list, err := e.List()
	if err != nil {
		return err
	}
	for _, r := range list {
		if r.State.Running || r.State.StartedAt.IsZero() || !r.HostConfig.RestartPolicy.atBoot(r.State.Stopped) {
			continue
		}
		r.RestartCount = 0
		each(r, e.StartDetached(r))
	}
	return nil
}
