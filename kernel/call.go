package kernel

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Call is a system call as strace writes it.
type Call struct {
	Name       string
	Args       []string
	Shell      string // what a person would type for the same, when that is clearer than the call
	ShowResult bool   // the result matters: a pid, a descriptor
}

// line is what the text form of --explain shows.
func (c Call) line() string {
	if c.Shell != "" {
		return c.Shell
	}
	return c.Name + "(" + strings.Join(c.Args, ", ") + ")"
}

// quote writes a string as strace does: in double quotes, with C escapes, never shortened.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\v':
			b.WriteString(`\v`)
		case c == '\f':
			b.WriteString(`\f`)
		case c < ' ' || c > '~':
			b.WriteString(octal(s, i))
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// octal escapes byte i of s, in three digits where another digit follows.
func octal(s string, i int) string {
	if i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '7' {
		return fmt.Sprintf(`\%03o`, s[i])
	}
	return fmt.Sprintf(`\%o`, s[i])
}

// orNull writes NULL for an argument that is left out.
func orNull(s string) string {
	if s == "" {
		return "NULL"
	}
	return quote(s)
}

// vector writes an array of strings as execve's.
func vector(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// octalMode writes permission bits as C does: 0755, and 0 for none.
func octalMode(mode uint32) string {
	if mode == 0 {
		return "000"
	}
	return "0" + strconv.FormatUint(uint64(mode), 8)
}

// hex writes a number as C's %#x does: 0x1f, and 0 for none.
func hex(n uint32) string {
	if n == 0 {
		return "0"
	}
	return fmt.Sprintf("%#x", n)
}

// flag is one bit, or several, with its name in the kernel's headers.
type flag struct {
	bits uint64
	name string
}

// flags writes a combination of bits, in the table's order; unknown bits as a number.
func flags(value uint64, names []flag) string {
	if value == 0 {
		return "0"
	}
	var parts []string
	for _, f := range names {
		if value&f.bits == f.bits && f.bits != 0 {
			parts = append(parts, f.name)
			value &^= f.bits
		}
	}
	if value != 0 {
		parts = append(parts, fmt.Sprintf("%#x", value))
	}
	return strings.Join(parts, "|")
}

// ErrnoName is the errno's name in the kernel's headers: EPERM.
func ErrnoName(errno unix.Errno) string {
	if name := unix.ErrnoName(errno); name != "" {
		return name
	}
	return strconv.Itoa(int(errno))
}
