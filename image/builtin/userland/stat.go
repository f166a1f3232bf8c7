package userland

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func runStat(p *Process) int {
	opts, names, err := p.options("Lfc:", map[string]string{"dereference": "L", "file-system": "f", "format": "c"})
	if err != nil {
		return p.Fail("%v", err)
	}
	if len(names) == 0 {
		return p.Fail("missing operand")
	}
	code := 0
	for _, name := range names {
		if opts.has('f') {
			code |= p.statFileSystem(name, opts)
		} else {
			code |= p.statFile(name, opts)
		}
	}
	return code
}

func (p *Process) statFile(name string, opts *options) int {
	s := &fileStat{name: name, users: accounts{file: "/etc/passwd"}, groups: accounts{file: "/etc/group"}}
	flags := unix.AT_SYMLINK_NOFOLLOW
	if opts.has('L') {
		flags = 0
	}
	err := unix.Statx(unix.AT_FDCWD, name, flags, unix.STATX_BASIC_STATS|unix.STATX_BTIME, &s.Statx_t)
	if err != nil {
		return p.Fail("cannot statx '%s': %s", name, causeText(err))
	}
	format := opts.value('c')
	if !opts.has('c') {
		format = statFormat(uint32(s.Mode))
		s.plain = true
	}
	fmt.Fprintln(p.Stdout, expandFormat(format, s.directive))
	return 0
}

func statFormat(mode uint32) string {
	device := "Links: %h"
	if kind := mode & unix.S_IFMT; kind == unix.S_IFCHR || kind == unix.S_IFBLK {
		device = "Links: %-5h Device type: %Hr,%Lr"
	}
	return "  File: %N\n  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\nDevice: %Hd,%Ld\tInode: %-10i  " + device + "\n" +
		"Access: (%04a/%10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\nAccess: %x\nModify: %y\nChange: %z\n Birth: %w"
}

// expandFormat replaces %5u, %-10s, %04a, %Hd by what directive says of the letter, padded as asked.
func expandFormat(format string, directive func(letter string) (string, bool)) string {
	var out strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] == '\\' && i+1 < len(format) && format[i+1] == 'n' {
			out.WriteByte('\n')
			i++
			continue
		}
		if format[i] != '%' || i+1 == len(format) {
			out.WriteByte(format[i])
			continue
		}
		end := i + 1
		for end < len(format)-1 && strings.IndexByte("-0123456789", format[end]) >= 0 {
			end++
		}
		padding := format[i+1 : end]
		letter := format[end : end+1]
		if (letter == "H" || letter == "L") && end+1 < len(format) && (format[end+1] == 'd' || format[end+1] == 'r') {
			end++
			letter += format[end : end+1]
		}
		value, ok := directive(letter)
		if !ok {
			value = "?"
		}
		out.WriteString(pad(value, padding))
		i = end
	}
	return out.String()
}

// pad understands 5, -5 and 05.
func pad(value, padding string) string {
	width, err := strconv.Atoi(padding)
	if err != nil {
		return value
	}
	missing := max(width, -width) - len(value)
	switch {
	case missing <= 0:
		return value
	case width < 0:
		return value + strings.Repeat(" ", missing)
	case padding[0] == '0':
		return strings.Repeat("0", missing) + value
	}
	return strings.Repeat(" ", missing) + value
}

type fileStat struct {
	unix.Statx_t
	name          string
	plain         bool // names without quotes
	users, groups accounts
}

// directive is what one letter of stat -c stands for.
func (s *fileStat) directive(letter string) (string, bool) {
	number := func(n uint64) (string, bool) { return strconv.FormatUint(n, 10), true }
	switch letter {
	case "%":
		return "%", true
	case "a":
		return strconv.FormatUint(uint64(s.Mode)&0o7777, 8), true
	case "A":
		return modeText(uint32(s.Mode)), true
	case "b":
		return number(s.Blocks)
	case "B":
		return "512", true
	case "d":
		return number(unix.Mkdev(s.Dev_major, s.Dev_minor))
	case "D":
		return strconv.FormatUint(unix.Mkdev(s.Dev_major, s.Dev_minor), 16), true
	case "Hd":
		return number(uint64(s.Dev_major))
	case "Ld":
		return number(uint64(s.Dev_minor))
	case "Hr":
		return number(uint64(s.Rdev_major))
	case "Lr":
		return number(uint64(s.Rdev_minor))
	case "t":
		return strconv.FormatUint(uint64(s.Rdev_major), 16), true
	case "T":
		return strconv.FormatUint(uint64(s.Rdev_minor), 16), true
	case "f":
		return strconv.FormatUint(uint64(s.Mode), 16), true
	case "F":
		return fileKind(s.Mode, s.Size), true
	case "h":
		return number(uint64(s.Nlink))
	case "i":
		return number(s.Ino)
	case "m":
		return mountPointOf(s.name), true
	case "n":
		return s.name, true
	case "N":
		return s.nameAndTarget(), true
	case "o":
		return number(uint64(s.Blksize))
	case "s":
		return number(s.Size)
	case "u":
		return number(uint64(s.Uid))
	case "U":
		return accountOr(&s.users, s.Uid), true
	case "g":
		return number(uint64(s.Gid))
	case "G":
		return accountOr(&s.groups, s.Gid), true
	}
	return s.timeDirective(letter)
}

func accountOr(names *accounts, id uint32) string {
	if name := names.name(int(id)); name != strconv.Itoa(int(id)) {
		return name
	}
	return "UNKNOWN"
}

func (s *fileStat) timeDirective(letter string) (string, bool) {
	var at unix.StatxTimestamp
	switch strings.ToLower(letter) {
	case "w":
		at = s.Btime
		if s.Mask&unix.STATX_BTIME == 0 {
			return map[string]string{"w": "-", "W": "0"}[letter], true
		}
	case "x":
		at = s.Atime
	case "y":
		at = s.Mtime
	case "z":
		at = s.Ctime
	default:
		return "", false
	}
	if letter == strings.ToUpper(letter) {
		return strconv.FormatInt(at.Sec, 10), true
	}
	return time.Unix(at.Sec, int64(at.Nsec)).Format("2006-01-02 15:04:05.000000000 -0700"), true
}

func (s *fileStat) nameAndTarget() string {
	mark := "'"
	if s.plain {
		mark = ""
	}
	if target, err := os.Readlink(s.name); err == nil && uint32(s.Mode)&unix.S_IFMT == unix.S_IFLNK {
		return mark + s.name + mark + " -> " + mark + target + mark
	}
	return mark + s.name + mark
}

func fileKind(mode uint16, size uint64) string {
	switch uint32(mode) & unix.S_IFMT {
	case unix.S_IFDIR:
		return "directory"
	case unix.S_IFLNK:
		return "symbolic link"
	case unix.S_IFCHR:
		return "character special file"
	case unix.S_IFBLK:
		return "block special file"
	case unix.S_IFIFO:
		return "fifo"
	case unix.S_IFSOCK:
		return "socket"
	}
	if size == 0 {
		return "regular empty file"
	}
	return "regular file"
}
