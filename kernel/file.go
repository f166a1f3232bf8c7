package kernel

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sandbox/kernel/birth"
)

// WriteFile writes a small file that exists, in one write(2): a limit of a cgroup, a sysctl, a uid_map.
type WriteFile struct{ Path, Data string }

// Call as the write(2) that changes something; the text form is what a person would type.
func (w WriteFile) Call() Call {
	return Call{Name: "write", Args: []string{quote(w.Path), quote(w.Data)}, Shell: "echo " + shellWord(w.Data) + " > " + w.Path}
}

func (w WriteFile) compile(c *compiler) {
	open := c.add(unix.SYS_OPENAT, atFdcwd, c.str(w.Path), unix.O_WRONLY|unix.O_CLOEXEC)
	c.answer = c.add(unix.SYS_WRITE, c.b.Result(open), c.b.String(w.Data), len(w.Data))
	c.addFlags(birth.Cleanup, unix.SYS_CLOSE, c.b.Result(open))
}

// shellWord quotes s for a shell where that is needed.
func shellWord(s string) string {
	if s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+:,./@%", r)
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "'", `'\''`) + "'"
}

// CreateFile makes a new regular file with its content; it fails if there is one already.
type CreateFile struct {
	Path, Data string
	Mode       uint32
}

// Call as the openat(2) that makes it.
func (f CreateFile) Call() Call {
	shell := "touch " + f.Path
	if f.Data != "" {
		shell = "echo … > " + f.Path + "  (" + strconv.Itoa(len(f.Data)) + " bytes)"
	}
	return Call{
		Name:  "openat",
		Args:  []string{"AT_FDCWD", quote(f.Path), "O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC", octalMode(f.Mode)},
		Shell: shell,
	}
}

func (f CreateFile) compile(c *compiler) {
	open := c.add(unix.SYS_OPENAT, atFdcwd, c.str(f.Path), unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, int(f.Mode))
	if f.Data != "" {
		c.add(unix.SYS_WRITE, c.b.Result(open), c.b.String(f.Data), len(f.Data))
	}
	c.addFlags(birth.Cleanup, unix.SYS_CLOSE, c.b.Result(open))
}

// ReplaceFile writes a whole file so that whoever reads it sees the old content or the new one, never a part: into
// a temporary file beside it, which then takes its name. Durable also waits until both are on the disk.
type ReplaceFile struct {
	Path    string
	Data    []byte
	Mode    uint32
	Durable bool
}

// Call as the renameat(2) that makes it visible.
func (f ReplaceFile) Call() Call {
	return Call{
		Name:  "renameat",
		Args:  []string{"AT_FDCWD", quote(f.temporary()), "AT_FDCWD", quote(f.Path)},
		Shell: "mv " + f.temporary() + " " + f.Path,
	}
}

func (f ReplaceFile) temporary() string { return f.Path + ".new" }

func (f ReplaceFile) compile(c *compiler) {
	temporary := c.str(f.temporary())
	open := c.add(unix.SYS_OPENAT, atFdcwd, temporary, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC, int(f.Mode))
	c.add(unix.SYS_WRITE, c.b.Result(open), c.b.Bytes(f.Data), len(f.Data))
	if f.Durable {
		c.add(unix.SYS_FSYNC, c.b.Result(open))
	}
	c.addFlags(birth.Cleanup, unix.SYS_CLOSE, c.b.Result(open))
	c.answer = c.add(unix.SYS_RENAMEAT, atFdcwd, temporary, atFdcwd, c.str(f.Path))
}

// RewriteFile writes over a file in its place, from its beginning. Whoever reads it meanwhile may see a part of it: that is for
// a disk with no room for a second file.
type RewriteFile struct {
	Path     string
	Data     []byte
	Truncate bool // nothing is left of what was there, if that was longer
}

// Call as the write(2) that changes it.
func (f RewriteFile) Call() Call {
	if f.Truncate {
		return Call{Name: "write", Args: []string{quote(f.Path), quote(string(f.Data))}, Shell: "echo … > " + f.Path + "  (" + strconv.Itoa(len(f.Data)) + " bytes)"}
	}
	return Call{Name: "write", Args: []string{quote(f.Path), quote(string(f.Data))}, Shell: "dd conv=notrunc of=" + f.Path + "  (" + strconv.Itoa(len(f.Data)) + " bytes)"}
}

func (f RewriteFile) compile(c *compiler) {
	bits := unix.O_WRONLY | unix.O_CLOEXEC
	if f.Truncate {
		bits |= unix.O_TRUNC
	}
	open := c.add(unix.SYS_OPENAT, atFdcwd, c.str(f.Path), bits)
	c.answer = c.add(unix.SYS_WRITE, c.b.Result(open), c.b.Bytes(f.Data), len(f.Data))
	c.addFlags(birth.Cleanup, unix.SYS_CLOSE, c.b.Result(open))
}

// Open is openat(2). Several descriptors opened so can be used by later steps.
type Open struct {
	Path  string
	Flags int
	Mode  uint32
	As    *Handle
}

var openFlags = []flag{
	{unix.O_WRONLY, "O_WRONLY"}, {unix.O_RDWR, "O_RDWR"}, {unix.O_CREAT, "O_CREAT"}, {unix.O_EXCL, "O_EXCL"},
	{unix.O_NOCTTY, "O_NOCTTY"}, {unix.O_TRUNC, "O_TRUNC"}, {unix.O_APPEND, "O_APPEND"}, {unix.O_NONBLOCK, "O_NONBLOCK"},
	{unix.O_NOFOLLOW, "O_NOFOLLOW"}, {unix.O_CLOEXEC, "O_CLOEXEC"}, {unix.O_PATH, "O_PATH"}, {unix.O_DIRECTORY, "O_DIRECTORY"},
}

// Call in strace's notation.
func (o Open) Call() Call {
	names := flags(uint64(o.Flags), openFlags)
	if o.Flags&unix.O_ACCMODE == 0 {
		names = strings.TrimSuffix("O_RDONLY|"+names, "|0")
	}
	args := []string{"AT_FDCWD", quote(o.Path), names}
	if o.Flags&unix.O_CREAT != 0 {
		args = append(args, octalMode(o.Mode))
	}
	return Call{Name: "openat", Args: args, ShowResult: true}
}

func (o Open) compile(c *compiler) {
	c.add(unix.SYS_OPENAT, atFdcwd, c.str(o.Path), o.Flags, int(o.Mode))
}

func (o Open) handle() *Handle { return o.As }

// Dup is dup3(2): the descriptor From is also reached under the number To.
type Dup struct {
	From    Descriptor
	To      int
	Cloexec bool
}

// Call in strace's notation.
func (d Dup) Call() Call {
	names := "0"
	if d.Cloexec {
		names = "O_CLOEXEC"
	}
	return Call{Name: "dup3", Args: []string{d.From.String(), strconv.Itoa(d.To), names}}
}

func (d Dup) compile(c *compiler) {
	bits := 0
	if d.Cloexec {
		bits = unix.O_CLOEXEC
	}
	c.add(unix.SYS_DUP3, d.From.arg(c.b), d.To, bits)
}

// Close is close(2).
type Close struct{ FD Descriptor }

// Call in strace's notation.
func (f Close) Call() Call { return Call{Name: "close", Args: []string{f.FD.String()}} }

func (f Close) compile(c *compiler) { c.add(unix.SYS_CLOSE, f.FD.arg(c.b)) }

// Remove is unlinkat(2): a file, or with Dir an empty directory.
type Remove struct {
	Path string
	Dir  bool
}

// Call in strace's notation.
func (r Remove) Call() Call {
	if r.Dir {
		return Call{Name: "unlinkat", Args: []string{"AT_FDCWD", quote(r.Path), "AT_REMOVEDIR"}, Shell: "rmdir " + r.Path}
	}
	return Call{Name: "unlinkat", Args: []string{"AT_FDCWD", quote(r.Path), "0"}, Shell: "rm " + r.Path}
}

func (r Remove) compile(c *compiler) {
	bits := 0
	if r.Dir {
		bits = unix.AT_REMOVEDIR
	}
	c.add(unix.SYS_UNLINKAT, atFdcwd, c.str(r.Path), bits)
}

// RemoveAll takes a directory away with all that is in it. It is the one effect that is many changes: what is in
// there was written by others.
type RemoveAll struct{ Path string }

// Call as a person would type it.
func (r RemoveAll) Call() Call {
	return Call{Name: "unlinkat", Args: []string{"AT_FDCWD", quote(r.Path), "AT_REMOVEDIR"}, Shell: "rm -rf " + r.Path}
}

func (r RemoveAll) compile(c *compiler) { panic("kernel: RemoveAll is for the parent") }

func (r RemoveAll) performInGo() (int, error) {
	err := os.RemoveAll(r.Path)
	switch {
	case err == nil:
		return 0, nil
	case os.Geteuid() != 0:
		openUp(r.Path)
	case !errors.Is(err, unix.ENOTEMPTY): // otherwise somebody has put a file there meanwhile
		return 0, err
	}
	return 0, os.RemoveAll(r.Path)
}

// WriteTree is a whole tree of files that is written into a directory: many changes, like RemoveAll, of which only the
// content's owner could tell one by one. From says in words where it comes from.
type WriteTree struct {
	From, To string
	Write    func() error
}

// Call as a person would type it. In the list of calls it is the opening of the directory that is written into.
func (w WriteTree) Call() Call {
	return Call{Name: "openat", Args: []string{"AT_FDCWD", quote(w.To), "O_RDONLY|O_DIRECTORY"}, Shell: "cp -a " + w.From + "/. " + w.To}
}

func (w WriteTree) compile(c *compiler) { panic("kernel: WriteTree is for the parent") }

func (w WriteTree) performInGo() (int, error) { return 0, w.Write() }

// openUp gives the owner of directories without permission (overlayfs' work, a chmod 0 of the container's) the right
// to empty them.
func openUp(path string) {
	if info, err := os.Lstat(path); err != nil || !info.IsDir() {
		return
	}
	os.Chmod(path, 0o700)
	entries, _ := os.ReadDir(path)
	for _, e := range entries {
		if e.IsDir() {
			openUp(path + "/" + e.Name())
		}
	}
}

// Rename is renameat(2).
type Rename struct{ From, To string }

// Call in strace's notation.
func (r Rename) Call() Call {
	return Call{
		Name: "renameat", Args: []string{"AT_FDCWD", quote(r.From), "AT_FDCWD", quote(r.To)},
		Shell: "mv " + r.From + " " + r.To,
	}
}

func (r Rename) compile(c *compiler) {
	c.add(unix.SYS_RENAMEAT, atFdcwd, c.str(r.From), atFdcwd, c.str(r.To))
}
