package userland

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

type diskUsage struct {
	p        *Process
	opts     *options
	depth    int // how deep to print
	unit     int64
	device   uint64
	seen     map[fileID]bool
	excludes []string
	out      *bufio.Writer
	code     int
}

func runDu(p *Process) int {
	opts, names, err := p.options("shkmacbxd:0DLlSHX:A", map[string]string{"summarize": "s", "human-readable": "h", "all": "a",
		"total": "c", "bytes": "b", "one-file-system": "x", "max-depth": "d", "apparent-size": "A", "exclude": "X"})
	if err != nil {
		return p.Fail("%v", err)
	}
	d := &diskUsage{p: p, opts: opts, depth: math.MaxInt, unit: 1024, seen: map[fileID]bool{},
		excludes: opts.values('X'), out: bufio.NewWriter(p.Stdout)}
	defer d.out.Flush()
	switch {
	case opts.has('s'):
		d.depth = 0
	case opts.has('d'):
		if d.depth, err = strconv.Atoi(opts.value('d')); err != nil {
			return p.Fail("invalid maximum depth '%s'", opts.value('d'))
		}
	}
	switch opts.last("kmb") {
	case 'm':
		d.unit = 1 << 20
	case 'b':
		d.unit = 1
	}
	if len(names) == 0 {
		names = []string{"."}
	}
	var total int64
	for _, name := range names {
		var stat unix.Stat_t
		if unix.Lstat(name, &stat) == nil {
			d.device = uint64(stat.Dev)
		}
		total += d.measure(name, 0)
	}
	if opts.has('c') {
		d.print(total, "total")
	}
	return d.code
}

// measure is what a file or a tree takes on the disk, in bytes. A file with several names counts once.
func (d *diskUsage) measure(path string, depth int) int64 {
	var stat unix.Stat_t
	if err := unix.Lstat(path, &stat); err != nil {
		d.out.Flush()
		d.code = d.p.Fail("cannot access '%s': %s", path, causeText(err))
		return 0
	}
	if d.opts.has('x') && uint64(stat.Dev) != d.device {
		return 0
	}
	isDir := stat.Mode&unix.S_IFMT == unix.S_IFDIR
	id := fileID{uint64(stat.Dev), stat.Ino}
	if stat.Nlink > 1 && !isDir && !d.opts.has('l') {
		if d.seen[id] {
			return 0
		}
		d.seen[id] = true
	}
	size := stat.Blocks * 512
	if d.opts.last("bA") != 0 {
		size = stat.Size
	}
	if isDir {
		size += d.content(path, depth)
	}
	if depth <= d.depth && (isDir || d.opts.has('a') || depth == 0) {
		d.print(size, path)
	}
	return size
}

func (d *diskUsage) content(path string, depth int) int64 {
	entries, err := os.ReadDir(path)
	if err != nil {
		d.out.Flush()
		d.code = d.p.Fail("cannot read directory '%s': %s", path, causeText(err))
	}
	var total int64
	for _, entry := range entries {
		excluded := slices.ContainsFunc(d.excludes, func(pattern string) bool {
			matched, _ := filepath.Match(pattern, entry.Name())
			return matched
		})
		if !excluded {
			total += d.measure(strings.TrimSuffix(path, "/")+"/"+entry.Name(), depth+1)
		}
	}
	return total
}

func (d *diskUsage) print(size int64, path string) {
	text := strconv.FormatInt((size+d.unit-1)/d.unit, 10)
	if d.opts.last("hkmb") == 'h' {
		text = humanSize(size)
		if size == 0 {
			text = "0"
		}
	}
	fmt.Fprintf(d.out, "%s\t%s\n", text, path)
}
