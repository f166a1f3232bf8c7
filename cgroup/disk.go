package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel"
)

// Disk is a whole disk: what the kernel schedules and throttles. A partition has no queue of its own.
type Disk struct {
	Name         string // vda, as in /sys/block
	Major, Minor int64
	Part         string // the partition that was meant: vda1; "" for the disk itself
}

// String names it as people and the kernel do.
func (d Disk) String() string { return fmt.Sprintf("/dev/%s (%d:%d)", d.Name, d.Major, d.Minor) }

// DiskOf finds the disk that somebody means by a device's node, or by a file or directory on it.
func (h Host) DiskOf(name string) (Disk, error) {
	var st unix.Stat_t
	if err := unix.Stat(name, &st); err != nil {
		return Disk{}, kernel.Advise(fmt.Errorf("%s: %w", name, err), "ls /sys/block   shows the disks there are; a file or a directory on one will do, too")
	}
	number := st.Dev
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFBLK:
		number = st.Rdev
	case unix.S_IFCHR:
		return Disk{}, kernel.Advise(fmt.Errorf("%s is a character device, not a disk", name), "ls /sys/block   shows the disks there are")
	default:
		if unix.Major(number) == 0 { // a file system that has no device, or several
			source, err := h.sourceOf(number, name)
			if err != nil {
				return Disk{}, err
			}
			number = source
		}
	}
	return h.wholeDisk(int64(unix.Major(number)), int64(unix.Minor(number)), name)
}

// sourceOf looks in the table of mounts for the device of a file system without a number of its own: btrfs has one for each subvolume,
// tmpfs and overlay have no device at all.
func (h Host) sourceOf(number uint64, name string) (uint64, error) {
	kind := "a file system without a disk"
	data, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(data)) {
		fields, after, _ := strings.Cut(line, " - ")
		words, source := strings.Fields(fields), strings.Fields(after)
		if len(words) < 3 || len(source) < 2 || words[2] != fmt.Sprintf("%d:%d", unix.Major(number), unix.Minor(number)) {
			continue
		}
		var st unix.Stat_t
		if strings.HasPrefix(source[1], "/dev/") && unix.Stat(source[1], &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFBLK {
			return st.Rdev, nil
		}
		kind = source[0]
	}
	return 0, kernel.Advise(fmt.Errorf("%s is not on a disk: it lies on %s", name, kind), "a disk, or a file on one; ls /sys/block   shows the disks there are")
}

// wholeDisk goes from a partition to its disk: in sysfs it is a directory in the disk's (Documentation/ABI/stable/sysfs-block).
func (h Host) wholeDisk(major, minor int64, name string) (Disk, error) {
	place, err := filepath.EvalSymlinks(fmt.Sprintf("%s/dev/block/%d:%d", h.Sys, major, minor))
	if err != nil {
		return Disk{}, kernel.Advise(fmt.Errorf("%s: the kernel knows no disk %d:%d", name, major, minor), "ls /sys/block   shows the disks there are")
	}
	d := Disk{Name: path.Base(place), Major: major, Minor: minor}
	if !exists(place + "/partition") {
		return d, nil
	}
	d.Part, d.Name = d.Name, path.Base(path.Dir(place))
	own := words(path.Dir(place) + "/dev")
	if len(own) != 1 {
		return d, errors.New(name + ": the disk of the partition " + d.Part + " cannot be found")
	}
	first, second, _ := strings.Cut(own[0], ":")
	d.Major, _ = strconv.ParseInt(first, 10, 64)
	d.Minor, _ = strconv.ParseInt(second, 10, 64)
	return d, nil
}

// diskAt is the disk with a number, as far as sysfs knows its name.
func (h Host) diskAt(major, minor int64) Disk {
	d, err := h.wholeDisk(major, minor, "")
	if err != nil {
		return Disk{Name: "?", Major: major, Minor: minor}
	}
	return d
}

// Weighers are the disks on which weights of groups count: those that BFQ schedules, and on v2 those with io.cost. Candidate is one that
// BFQ could schedule, "" if this kernel has no BFQ (or has not loaded it).
type Weighers struct {
	BFQ, Cost []string
	Candidate string
}

// Weighers asks each disk: its file reads "none [mq-deadline] bfq", with the one in use in brackets.
func (h Host) Weighers() (w Weighers) {
	cost := h.costed()
	entries, _ := os.ReadDir(h.Sys + "/block")
	for _, e := range entries {
		disk := path.Join(h.Sys, "block", e.Name())
		number := strings.Join(words(disk+"/dev"), "")
		known := words(disk + "/queue/scheduler")
		if slices.Contains(cost, number) {
			w.Cost = append(w.Cost, e.Name())
		}
		if slices.Contains(known, "[bfq]") {
			w.BFQ = append(w.BFQ, e.Name())
		} else if w.Candidate == "" && slices.Contains(known, "bfq") && exists(disk+"/device") {
			w.Candidate = e.Name()
		}
	}
	return w
}

// costed are the numbers of the disks with io.cost: lines of io.cost.qos at the top of the tree, "254:0 enable=1 ctrl=auto …".
func (h Host) costed() []string {
	if h.Mode != V2 {
		return nil
	}
	var list []string
	data, _ := os.ReadFile(path.Join(h.Root, "io.cost.qos"))
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[1] == "enable=1" {
			list = append(list, fields[0])
		}
	}
	return list
}

// cure is how to make weights count.
func (w Weighers) cure(h Host, disk string) string {
	switch {
	case disk == "" && w.Candidate != "":
		disk = w.Candidate
		fallthrough
	case disk != "" && slices.Contains(words(path.Join(h.Sys, "block", disk, "queue/scheduler")), "bfq"):
		return "echo bfq > /sys/block/" + disk + "/queue/scheduler   or limit the rate instead: --device-write-bps"
	case h.Mode == V2 && exists(path.Join(h.Root, "io.cost.qos")):
		return "echo 'MAJOR:MINOR enable=1' > " + path.Join(h.Root, "io.cost.qos") + "   with the disk's numbers from /sys/block/*/dev; or modprobe bfq"
	}
	return "modprobe bfq, then echo bfq > /sys/block/DISK/queue/scheduler; or limit the rate instead: --device-write-bps"
}
