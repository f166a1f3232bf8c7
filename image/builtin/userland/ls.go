package userland

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lsRequest is what the flags of ls ask for.
type lsRequest struct {
	p        *Process
	out      *bufio.Writer
	opts     *options
	long     bool
	width    int // of the terminal, 0 for one name a line
	colour   bool
	terminal bool
	users    accounts
	groups   accounts
	now      time.Time
	printed  bool // something, so that the next directory needs a blank line before it
	code     int

	minorWidth int // of the devices' second numbers
}

// lsEntry is one file.
type lsEntry struct {
	name   string // as shown
	path   string
	stat   unix.Stat_t
	target string // of a symbolic link
}

func runLs(p *Process) int {
	// The last five letters stand for long options only.
	opts, names, err := p.options("1aAlhinRrdtSFpgoGsLUCxcukHXvqNmTI:Zw:!::#@%:^:", map[string]string{"all": "a", "almost-all": "A",
		"human-readable": "h", "inode": "i", "numeric-uid-gid": "n", "recursive": "R", "reverse": "r", "directory": "d",
		"classify": "F", "size": "s", "dereference": "L", "no-group": "G", "color": "!", "full-time": "#",
		"group-directories-first": "@", "time-style": "%", "sort": "^"})
	if err != nil {
		p.Fail("%v", err)
		return 2
	}
	columns, _, terminal := terminalSize(p.Stdout)
	r := &lsRequest{p: p, opts: opts, terminal: terminal, out: bufio.NewWriter(p.Stdout), now: time.Now(),
		users: accounts{file: "/etc/passwd"}, groups: accounts{file: "/etc/group"}}
	defer r.out.Flush()
	r.long = opts.last("lngo#") != 0 && opts.last("lngo1C#") != 'C'
	if (terminal || opts.has('C')) && opts.last("1Clngo#") != '1' {
		r.width = max(columns, 1)
		if columns == 0 {
			r.width = 80
		}
	}
	r.colour = terminal
	if opts.has('!') {
		when := opts.value('!')
		r.colour = when == "" || when == "always" || when == "yes" || when == "auto" && terminal
	}
	if len(names) == 0 {
		names = []string{"."}
	}
	r.listOperands(names)
	return r.code
}

// listOperands shows files first, then each directory's content.
func (r *lsRequest) listOperands(names []string) {
	var files, directories []*lsEntry
	for _, name := range names {
		e, err := r.look(name, name, !r.long && !r.opts.has('d') && !r.opts.has('F') || r.opts.has('L') || r.opts.has('H'))
		if err != nil {
			r.fail("cannot access '%s': %s", name, causeText(err))
			continue
		}
		if e.stat.Mode&unix.S_IFMT == unix.S_IFDIR && !r.opts.has('d') {
			directories = append(directories, e)
		} else {
			files = append(files, e)
		}
	}
	r.sort(files)
	if len(files) > 0 {
		r.print(files)
		r.printed = true
	}
	r.sort(directories)
	for _, d := range directories {
		r.listDirectory(d.path, len(names) > 1 || r.opts.has('R'))
	}
}

func (r *lsRequest) fail(format string, args ...any) {
	r.out.Flush()
	r.p.Fail(format, args...)
	r.code = 2
}

func (r *lsRequest) look(path, name string, follow bool) (*lsEntry, error) {
	e := &lsEntry{name: name, path: path}
	var err error
	if follow {
		err = unix.Stat(path, &e.stat)
	}
	if !follow || err != nil {
		err = unix.Lstat(path, &e.stat)
	}
	if err == nil && e.stat.Mode&unix.S_IFMT == unix.S_IFLNK && r.long {
		e.target, _ = os.Readlink(path)
	}
	return e, err
}

func (r *lsRequest) listDirectory(dir string, title bool) {
	if title {
		if r.printed {
			fmt.Fprintln(r.out)
		}
		fmt.Fprintf(r.out, "%s:\n", dir)
	}
	r.printed = true
	f, err := os.Open(dir)
	if err != nil {
		r.fail("cannot open directory '%s': %s", dir, causeText(err))
		return
	}
	names, err := f.Readdirnames(-1)
	f.Close()
	if err != nil {
		r.fail("reading directory '%s': %s", dir, causeText(err))
	}
	if r.opts.last("aA") == 'a' {
		names = append(names, ".", "..")
	}
	var entries []*lsEntry
	for _, name := range names {
		if name[0] == '.' && r.opts.last("aA") == 0 {
			continue
		}
		e, err := r.look(strings.TrimSuffix(dir, "/")+"/"+name, name, r.opts.has('L'))
		if err != nil {
			r.fail("cannot access '%s': %s", e.path, causeText(err))
			continue
		}
		entries = append(entries, e)
	}
	r.sort(entries)
	if r.long || r.opts.has('s') {
		var blocks int64
		for _, e := range entries {
			blocks += e.stat.Blocks
		}
		fmt.Fprintf(r.out, "total %s\n", r.blocks(blocks))
	}
	r.print(entries)
	if r.opts.has('R') {
		for _, e := range entries {
			if e.stat.Mode&unix.S_IFMT == unix.S_IFDIR && e.name != "." && e.name != ".." {
				r.listDirectory(e.path, true)
			}
		}
	}
}

// blocks turns the kernel's units of 512 bytes into ours of 1024.
func (r *lsRequest) blocks(n int64) string {
	if r.opts.has('h') {
		return humanSize(n * 512)
	}
	return strconv.FormatInt((n+1)/2, 10)
}

func (r *lsRequest) sort(entries []*lsEntry) {
	if r.opts.has('U') {
		return
	}
	key := r.opts.last("tSX")
	slices.SortStableFunc(entries, func(a, b *lsEntry) int {
		order := 0
		switch key {
		case 't':
			order = cmp.Compare(r.time(b).UnixNano(), r.time(a).UnixNano())
		case 'S':
			order = cmp.Compare(b.stat.Size, a.stat.Size)
		case 'X':
			order = strings.Compare(filepath.Ext(a.name), filepath.Ext(b.name))
		}
		if order == 0 {
			order = strings.Compare(a.name, b.name)
		}
		if r.opts.has('r') {
			return -order
		}
		return order
	})
	if r.opts.has('@') {
		slices.SortStableFunc(entries, func(a, b *lsEntry) int {
			return cmp.Compare(b.stat.Mode&unix.S_IFDIR, a.stat.Mode&unix.S_IFDIR)
		})
	}
}

// time is the one that -c and -u choose.
func (r *lsRequest) time(e *lsEntry) time.Time {
	at := e.stat.Mtim
	switch r.opts.last("cu") {
	case 'c':
		at = e.stat.Ctim
	case 'u':
		at = e.stat.Atim
	}
	return time.Unix(at.Unix())
}
