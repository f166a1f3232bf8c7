package userland

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func runDf(p *Process) int {
	opts, names, err := p.options("hHTikmaPlt:x:", map[string]string{"human-readable": "h", "print-type": "T", "inodes": "i",
		"all": "a", "portability": "P", "local": "l", "type": "t", "exclude-type": "x"})
	if err != nil {
		return p.Fail("%v", err)
	}
	mounts, err := readMounts()
	if err != nil {
		return p.Fail("cannot read table of mounted file systems: %s", causeText(err))
	}
	rows := [][]string{dfTitles(opts)}
	code := 0
	if len(names) > 0 {
		for _, name := range names {
			m, err := mountOf(mounts, name)
			if err != nil {
				code = p.Fail("%s: %s", name, causeText(err))
				continue
			}
			rows = appendDf(rows, m, opts)
		}
	} else {
		for _, m := range visibleMounts(mounts, opts) {
			rows = appendDf(rows, m, opts)
		}
	}
	if len(rows) == 1 {
		if code == 0 {
			code = p.Fail("no file systems processed")
		}
		return code
	}
	first := 1
	if opts.has('T') {
		first = 2
	}
	for _, row := range rows {
		if len(row[0]) < 14 {
			row[0] += strings.Repeat(" ", 14-len(row[0])) // as wide as GNU df makes its first column
		}
	}
	printColumns(p.Stdout, rows, first, first+1, first+2, first+3)
	return code
}

func dfTitles(opts *options) []string {
	titles := []string{"Filesystem"}
	if opts.has('T') {
		titles = append(titles, "Type")
	}
	switch {
	case opts.has('i'):
		titles = append(titles, "Inodes", "IUsed", "IFree", "IUse%")
	case opts.last("hH") != 0:
		titles = append(titles, "Size", "Used", "Avail", "Use%")
	case opts.has('m'):
		titles = append(titles, "1M-blocks", "Used", "Available", "Use%")
	case opts.has('P'):
		titles = append(titles, "1024-blocks", "Used", "Available", "Capacity")
	default:
		titles = append(titles, "1K-blocks", "Used", "Available", "Use%")
	}
	return append(titles, "Mounted on")
}

// visibleMounts leaves out what has no blocks, like proc, and what is mounted a second time, like a container's
// /etc/hosts.
func visibleMounts(mounts []mountPoint, opts *options) []mountPoint {
	var visible []mountPoint
	shortest := map[string]int{}
	for _, m := range mounts {
		var s unix.Statfs_t
		wanted := !opts.has('t') || slices.Contains(opts.values('t'), m.fsType)
		if !wanted || slices.Contains(opts.values('x'), m.fsType) || unix.Statfs(m.target, &s) != nil {
			continue
		}
		if opts.has('a') {
			visible = append(visible, m)
			continue
		}
		if s.Blocks == 0 {
			continue
		}
		if i, seen := shortest[m.device]; seen {
			if len(m.target) < len(visible[i].target) {
				visible[i] = m
			}
			continue
		}
		shortest[m.device] = len(visible)
		visible = append(visible, m)
	}
	return visible
}

// mountOf is the mount on which a file lies: the longest mount point above it.
func mountOf(mounts []mountPoint, name string) (mountPoint, error) {
	path, err := canonicalPath(name, 'e')
	if err != nil {
		return mountPoint{}, err
	}
	best := mountPoint{source: "-", target: path}
	for _, m := range mounts { // later ones cover earlier ones
		below := m.target == "/" || path == m.target || strings.HasPrefix(path, m.target+"/")
		if below && (len(m.target) >= len(best.target) || best.source == "-") {
			best = m
		}
	}
	return best, nil
}

func mountPointOf(name string) string {
	mounts, err := readMounts()
	if err != nil {
		return "?"
	}
	m, err := mountOf(mounts, name)
	if err != nil {
		return "?"
	}
	return m.target
}

func appendDf(rows [][]string, m mountPoint, opts *options) [][]string {
	var s unix.Statfs_t
	if unix.Statfs(m.target, &s) != nil {
		return rows
	}
	row := []string{m.source}
	if opts.has('T') {
		row = append(row, m.fsType)
	}
	if opts.has('i') {
		used := s.Files - s.Ffree
		row = append(row, countText(s.Files, opts), countText(used, opts), countText(s.Ffree, opts), useText(used, s.Files))
	} else {
		unit := uint64(s.Frsize)
		used := s.Blocks - s.Bfree
		row = append(row, bytesText(s.Blocks*unit, opts), bytesText(used*unit, opts), bytesText(s.Bavail*unit, opts),
			useText(used, used+s.Bavail))
	}
	return append(rows, append(row, m.target))
}

func bytesText(bytes uint64, opts *options) string {
	switch {
	case opts.last("hH") != 0 && bytes == 0:
		return "0"
	case opts.last("hH") != 0:
		return humanSize(int64(bytes))
	case opts.has('m'):
		return strconv.FormatUint((bytes+1<<20-1)>>20, 10)
	}
	return strconv.FormatUint((bytes+1023)/1024, 10)
}

func countText(n uint64, opts *options) string {
	if opts.has('h') {
		return humanSize(int64(n))
	}
	return strconv.FormatUint(n, 10)
}

// useText rounds up, so that a full disk shows before it is one.
func useText(used, total uint64) string {
	if total == 0 {
		return "-"
	}
	return strconv.FormatUint((used*100+total-1)/total, 10) + "%"
}
