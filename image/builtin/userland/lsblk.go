package userland

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// runLsblk lists the machine's disks and their partitions. /sys shows them in every container; being able to open one is
// another matter.
func runLsblk(p *Process) int {
	opts, _, err := p.options("abdn", map[string]string{"all": "a", "bytes": "b", "nodeps": "d", "noheadings": "n"})
	if err != nil {
		return p.Fail("%v", err)
	}
	entries, err := os.ReadDir("/sys/block")
	if err != nil {
		return p.Fail("failed to access sysfs directory: %s", causedBy(err))
	}
	mounts, _ := readMounts() // without /proc the mount points stay empty
	rows := [][]string{{"NAME", "MAJ:MIN", "RM", "SIZE", "RO", "TYPE", "MOUNTPOINTS"}}
	if opts.has('n') {
		rows = nil
	}
	for _, e := range entries {
		dir := filepath.Join("/sys/block", e.Name())
		empty := blockNumber(dir, "size") == 0
		if !opts.has('a') && (empty && strings.HasPrefix(e.Name(), "loop") || strings.HasPrefix(e.Name(), "ram")) {
			continue
		}
		rows = append(rows, blockRow(dir, e.Name(), diskType(e.Name()), mounts, opts.has('b')))
		if opts.has('d') {
			continue
		}
		partitions, _ := filepath.Glob(filepath.Join(dir, e.Name()+"*", "partition"))
		for i, partition := range partitions {
			branch := "├─"
			if i == len(partitions)-1 {
				branch = "└─"
			}
			at := filepath.Dir(partition)
			rows = append(rows, blockRow(at, branch+filepath.Base(at), "part", mounts, opts.has('b')))
		}
	}
	printColumns(p.Stdout, rows, 1, 2, 3, 4)
	return 0
}

func blockRow(dir, name, kind string, mounts []mountPoint, inBytes bool) []string {
	device, _ := os.ReadFile(dir + "/dev")
	number := strings.TrimSpace(string(device))
	bytes := uint64(blockNumber(dir, "size")) * 512 // sectors, of that size whatever the disk's are
	size := shortSize(bytes)
	if inBytes {
		size = strconv.FormatUint(bytes, 10)
	}
	target := ""
	if i := slices.IndexFunc(mounts, func(m mountPoint) bool { return m.device == number && m.root == "/" }); i >= 0 {
		target = mounts[i].target
	}
	return []string{name, number, strconv.Itoa(blockNumber(dir, "removable")), size, strconv.Itoa(blockNumber(dir, "ro")), kind, target}
}

func blockNumber(dir, file string) int {
	n, _ := readNumber(filepath.Join(dir, file))
	return n
}

func diskType(name string) string {
	switch {
	case strings.HasPrefix(name, "loop"):
		return "loop"
	case strings.HasPrefix(name, "sr"):
		return "rom"
	}
	return "disk"
}

// shortSize is 256G, 9.5G or 512B: one digit behind the point, unless it is 0.
func shortSize(bytes uint64) string {
	value, unit := float64(bytes), "B"
	for _, larger := range []string{"K", "M", "G", "T", "P"} {
		if value < 1024 {
			break
		}
		value, unit = value/1024, larger
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0") + unit
}
