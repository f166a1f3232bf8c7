package userland

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

func runTouch(p *Process) int {
	opts, names, err := p.options("acmd:r:ht:", map[string]string{"no-create": "c", "date": "d", "reference": "r", "no-dereference": "h"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(names) == 0 {
		return p.Fail("missing file operand")
	}
	times := []unix.Timespec{{Nsec: unix.UTIME_NOW}, {Nsec: unix.UTIME_NOW}}
	if opts.last("drt") != 0 {
		if times, err = touchTimes(opts); err != nil {
			return p.Fail("%v", err)
		}
	}
	if opts.has('a') && !opts.has('m') {
		times[1].Nsec = unix.UTIME_OMIT
	}
	if opts.has('m') && !opts.has('a') {
		times[0].Nsec = unix.UTIME_OMIT
	}
	flags := 0
	if opts.has('h') {
		flags = unix.AT_SYMLINK_NOFOLLOW
	}
	code := 0
	for _, name := range names {
		if err := touch(name, times, flags, !opts.has('c')); err != nil {
			code = p.Fail("cannot touch '%s': %s", name, causeText(err))
		}
	}
	return code
}

func touch(name string, times []unix.Timespec, flags int, create bool) error {
	err := unix.UtimesNanoAt(unix.AT_FDCWD, name, times, flags)
	if err != unix.ENOENT {
		return err
	}
	if !create {
		return nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	f.Close()
	return unix.UtimesNanoAt(unix.AT_FDCWD, name, times, flags)
}

func touchTimes(opts *options) ([]unix.Timespec, error) {
	switch opts.last("drt") {
	case 'r':
		var stat unix.Stat_t
		if err := unix.Stat(opts.value('r'), &stat); err != nil {
			return nil, fmt.Errorf("failed to get attributes of '%s': %s", opts.value('r'), causeText(err))
		}
		return []unix.Timespec{stat.Atim, stat.Mtim}, nil
	case 't':
		text := opts.value('t') // [[CC]YY]MMDDhhmm[.ss]
		for _, layout := range []string{"200601021504.05", "200601021504", "0601021504.05", "0601021504", "01021504.05", "01021504"} {
			if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
				if t.Year() == 0 {
					t = t.AddDate(time.Now().Year(), 0, 0)
				}
				return bothTimes(t)
			}
		}
		return nil, fmt.Errorf("invalid date format '%s'", text)
	}
	t, err := parseDate(opts.value('d'), time.Now())
	if err != nil {
		return nil, err
	}
	return bothTimes(t)
}

func bothTimes(t time.Time) ([]unix.Timespec, error) {
	ts := unix.NsecToTimespec(t.UnixNano())
	return []unix.Timespec{ts, ts}, nil
}
