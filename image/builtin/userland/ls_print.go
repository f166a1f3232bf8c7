package userland

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/sys/unix"
	"sandbox/image/builtin/shell"
)

func (r *lsRequest) print(entries []*lsEntry) {
	switch {
	case r.long:
		r.printLong(entries)
	case r.opts.has('m'):
		names := make([]string, len(entries))
		for i, e := range entries {
			names[i] = r.painted(e)
		}
		fmt.Fprintln(r.out, strings.Join(names, ", "))
	case r.width > 0:
		r.printColumns(entries)
	default:
		prefixes := r.prefixes(entries)
		for i, e := range entries {
			fmt.Fprintln(r.out, prefixes[i]+r.painted(e))
		}
	}
}

// prefixes are the columns before the name that -i and -s ask for.
func (r *lsRequest) prefixes(entries []*lsEntry) []string {
	inodes, sizes := make([]string, len(entries)), make([]string, len(entries))
	for i, e := range entries {
		if r.opts.has('i') {
			inodes[i] = strconv.FormatUint(e.stat.Ino, 10)
		}
		if r.opts.has('s') {
			sizes[i] = r.blocks(e.stat.Blocks)
		}
	}
	prefixes := make([]string, len(entries))
	for _, column := range [][]string{inodes, sizes} {
		width := widest(column)
		for i, cell := range column {
			if cell != "" {
				prefixes[i] += fmt.Sprintf("%*s ", width, cell)
			}
		}
	}
	return prefixes
}

func widest(cells []string) int {
	width := 0
	for _, cell := range cells {
		width = max(width, shell.Columns(cell))
	}
	return width
}

// printColumns fills the terminal's width from top to bottom, then from left to right, in as few rows as fit.
func (r *lsRequest) printColumns(entries []*lsEntry) {
	if len(entries) == 0 {
		return
	}
	prefixes := r.prefixes(entries)
	widths := make([]int, len(entries))
	for i, e := range entries {
		widths[i] = shell.Columns(prefixes[i]+r.shownName(e)+r.indicator(e)) + 2
	}
	rows, columns := arrange(widths, r.width)
	for row := range rows {
		for column := 0; column*rows+row < len(entries); column++ {
			i := column*rows + row
			fmt.Fprint(r.out, prefixes[i]+r.painted(entries[i]))
			if i+rows < len(entries) {
				fmt.Fprint(r.out, strings.Repeat(" ", columns[column]-widths[i]+2))
			}
		}
		fmt.Fprintln(r.out)
	}
}

// arrange finds the smallest number of rows whose columns fit into the width.
func arrange(widths []int, width int) (rows int, columns []int) {
	for rows = 1; ; rows++ {
		columns = columns[:0]
		total := 0
		for start := 0; start < len(widths); start += rows {
			column := slices.Max(widths[start:min(start+rows, len(widths))])
			columns = append(columns, column)
			total += column
		}
		if total-2 <= width || rows == len(widths) {
			return rows, columns
		}
	}
}

// printLong is ls -l, each column as wide as its widest cell.
func (r *lsRequest) printLong(entries []*lsEntry) {
	rows := make([][]string, len(entries))
	r.minorWidth = 0
	for _, e := range entries {
		if e.isDevice() {
			r.minorWidth = max(r.minorWidth, len(strconv.Itoa(int(unix.Minor(uint64(e.stat.Rdev))))))
		}
	}
	for i, e := range entries {
		rows[i] = []string{
			strconv.FormatUint(uint64(e.stat.Nlink), 10), r.owner(&r.users, e.stat.Uid), r.owner(&r.groups, e.stat.Gid),
			r.size(e), r.timeText(e),
		}
	}
	widths := make([]int, 5)
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	prefixes := r.prefixes(entries)
	for i, e := range entries {
		row := rows[i]
		fmt.Fprintf(r.out, "%s%s %*s ", prefixes[i], modeText(e.stat.Mode), widths[0], row[0])
		if !r.opts.has('g') {
			fmt.Fprintf(r.out, "%-*s ", widths[1], row[1])
		}
		if r.opts.last("oG") == 0 {
			fmt.Fprintf(r.out, "%-*s ", widths[2], row[2])
		}
		fmt.Fprintf(r.out, "%*s %*s %s", widths[3], row[3], widths[4], row[4], r.painted(e))
		if e.target != "" {
			fmt.Fprintf(r.out, " -> %s", r.paintedTarget(e))
		}
		fmt.Fprintln(r.out)
	}
}

func (r *lsRequest) owner(names *accounts, id uint32) string {
	if r.opts.has('n') {
		return strconv.FormatUint(uint64(id), 10)
	}
	return names.name(int(id))
}

func (e *lsEntry) isDevice() bool {
	kind := e.stat.Mode & unix.S_IFMT
	return kind == unix.S_IFCHR || kind == unix.S_IFBLK
}

// size is a device's numbers where a file has its length.
func (r *lsRequest) size(e *lsEntry) string {
	if e.isDevice() {
		device := uint64(e.stat.Rdev)
		return fmt.Sprintf("%d, %*d", unix.Major(device), r.minorWidth, unix.Minor(device))
	}
	if r.opts.has('h') {
		return humanSize(e.stat.Size)
	}
	return strconv.FormatInt(e.stat.Size, 10)
}

// timeText has the clock for the last six months, and the year for what is older or lies ahead.
func (r *lsRequest) timeText(e *lsEntry) string {
	const halfYear = 31556952 / 2 * time.Second
	t := r.time(e)
	switch age := r.now.Sub(t); {
	case r.opts.has('#') || r.opts.value('%') == "full-iso":
		return t.Format("2006-01-02 15:04:05.000000000 -0700")
	case r.opts.value('%') == "long-iso":
		return t.Format("2006-01-02 15:04")
	case age > halfYear || age < 0:
		return t.Format("Jan _2  2006")
	}
	return t.Format("Jan _2 15:04")
}

// shownName keeps a name from upsetting the terminal, and quotes it where a shell would need that.
func (r *lsRequest) shownName(e *lsEntry) string {
	if !r.terminal || r.opts.has('N') {
		return e.name
	}
	clean := strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return '?'
		}
		return c
	}, e.name)
	if strings.ContainsAny(clean, " \t'\"$&|;<>()*?[]\\`!#") {
		if strings.Contains(clean, "'") {
			return `"` + clean + `"`
		}
		return "'" + clean + "'"
	}
	return clean
}

// indicator is what -F and -p put behind a name.
func (r *lsRequest) indicator(e *lsEntry) string {
	flag := r.opts.last("Fp")
	kind := e.stat.Mode & unix.S_IFMT
	switch {
	case flag == 0:
	case kind == unix.S_IFDIR:
		return "/"
	case flag == 'p':
	case kind == unix.S_IFLNK && !r.long:
		return "@"
	case kind == unix.S_IFIFO:
		return "|"
	case kind == unix.S_IFSOCK:
		return "="
	case kind == unix.S_IFREG && e.stat.Mode&0o111 != 0:
		return "*"
	}
	return ""
}

func (r *lsRequest) painted(e *lsEntry) string {
	return r.paint(r.shownName(e), e.stat.Mode, e.path) + r.indicator(e)
}

func (r *lsRequest) paintedTarget(e *lsEntry) string {
	var stat unix.Stat_t
	if !r.colour || unix.Stat(e.path, &stat) != nil {
		return e.target
	}
	return r.paint(e.target, stat.Mode, e.path)
}

// paint uses the colours that people know from GNU ls.
func (r *lsRequest) paint(name string, mode uint32, path string) string {
	if !r.colour {
		return name
	}
	colour := ""
	switch mode & unix.S_IFMT {
	case unix.S_IFDIR:
		colour = "01;34"
		if mode&unix.S_ISVTX != 0 && mode&0o002 != 0 {
			colour = "30;42"
		}
	case unix.S_IFLNK:
		colour = "01;36"
		if _, err := os.Stat(path); err != nil {
			colour = "01;31" // leads nowhere
		}
	case unix.S_IFCHR, unix.S_IFBLK:
		colour = "40;33;01"
	case unix.S_IFIFO:
		colour = "40;33"
	case unix.S_IFSOCK:
		colour = "01;35"
	default:
		switch {
		case mode&unix.S_ISUID != 0:
			colour = "37;41"
		case mode&0o111 != 0:
			colour = "01;32"
		default:
			return name
		}
	}
	return "\x1b[" + colour + "m" + name + "\x1b[0m"
}
