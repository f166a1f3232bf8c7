package kernel

import (
	"fmt"

	"golang.org/x/sys/unix"
)

const atFdcwd = unix.AT_FDCWD

var mountFlags = []flag{
	{unix.MS_RDONLY, "MS_RDONLY"}, {unix.MS_NOSUID, "MS_NOSUID"}, {unix.MS_NODEV, "MS_NODEV"}, {unix.MS_NOEXEC, "MS_NOEXEC"},
	{unix.MS_SYNCHRONOUS, "MS_SYNCHRONOUS"}, {unix.MS_REMOUNT, "MS_REMOUNT"}, {unix.MS_MANDLOCK, "MS_MANDLOCK"},
	{unix.MS_DIRSYNC, "MS_DIRSYNC"}, {unix.MS_NOSYMFOLLOW, "MS_NOSYMFOLLOW"}, {unix.MS_NOATIME, "MS_NOATIME"},
	{unix.MS_NODIRATIME, "MS_NODIRATIME"}, {unix.MS_BIND, "MS_BIND"}, {unix.MS_MOVE, "MS_MOVE"}, {unix.MS_REC, "MS_REC"},
	{unix.MS_SILENT, "MS_SILENT"}, {unix.MS_UNBINDABLE, "MS_UNBINDABLE"}, {unix.MS_PRIVATE, "MS_PRIVATE"},
	{unix.MS_SLAVE, "MS_SLAVE"}, {unix.MS_SHARED, "MS_SHARED"}, {unix.MS_RELATIME, "MS_RELATIME"},
	{unix.MS_STRICTATIME, "MS_STRICTATIME"}, {unix.MS_LAZYTIME, "MS_LAZYTIME"},
}

// Mount is mount(2): a new file system, a bind (MS_BIND), or a change of flags (MS_REMOUNT, MS_PRIVATE …).
// Empty strings are passed as null pointers.
type Mount struct {
	Source string
	Target string
	Type   string
	Flags  uintptr
	Data   string
}

// Call in strace's notation.
func (m Mount) Call() Call {
	return Call{Name: "mount", Args: []string{
		orNull(m.Source), quote(m.Target), orNull(m.Type), flags(uint64(m.Flags), mountFlags), orNull(m.Data),
	}}
}

func (m Mount) compile(c *compiler) {
	c.add(unix.SYS_MOUNT, c.str(m.Source), c.str(m.Target), c.str(m.Type), m.Flags, c.str(m.Data))
}

// Unmount is umount2(2).
type Unmount struct {
	Target string
	Flags  int // MNT_DETACH …
}

// Call in strace's notation.
func (u Unmount) Call() Call {
	names := []flag{{unix.MNT_FORCE, "MNT_FORCE"}, {unix.MNT_DETACH, "MNT_DETACH"}, {unix.UMOUNT_NOFOLLOW, "UMOUNT_NOFOLLOW"}}
	return Call{Name: "umount2", Args: []string{quote(u.Target), flags(uint64(u.Flags), names)}}
}

func (u Unmount) compile(c *compiler) { c.add(unix.SYS_UMOUNT2, c.str(u.Target), u.Flags) }

// PivotRoot is pivot_root(2): New becomes the root, the old root is put at Old. Both "." is the way that needs no
// directory for the old root: it comes to lie over the new one, at ".", and is unmounted from there.
type PivotRoot struct{ New, Old string }

// Call in strace's notation.
func (p PivotRoot) Call() Call {
	return Call{Name: "pivot_root", Args: []string{quote(p.New), quote(p.Old)}}
}

func (p PivotRoot) compile(c *compiler) { c.add(unix.SYS_PIVOT_ROOT, c.str(p.New), c.str(p.Old)) }

// OpenTree is open_tree(2) with OPEN_TREE_CLONE (Linux 5.2): a bind mount that is not attached anywhere yet. Its
// source is looked up in the root that is in force now, its place (MoveMount) in the one that is in force then.
type OpenTree struct {
	Path      string
	From      Descriptor // what is open already, with Path ""
	Recursive bool
	As        *Handle
}

const openTreeFlags = unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC

// Call in strace's notation.
func (o OpenTree) Call() Call {
	names := "OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC"
	from := "AT_FDCWD"
	if o.Path == "" {
		from, names = o.From.String(), names+"|AT_EMPTY_PATH"
	}
	if o.Recursive {
		names += "|AT_RECURSIVE"
	}
	return Call{Name: "open_tree", Args: []string{from, quote(o.Path), names}, ShowResult: true}
}

func (o OpenTree) compile(c *compiler) {
	bits := openTreeFlags
	if o.Recursive {
		bits |= unix.AT_RECURSIVE
	}
	if o.Path == "" {
		c.add(unix.SYS_OPEN_TREE, o.From.arg(c.b), c.b.String(""), bits|unix.AT_EMPTY_PATH)
		return
	}
	c.add(unix.SYS_OPEN_TREE, atFdcwd, c.str(o.Path), bits)
}

func (o OpenTree) handle() *Handle { return o.As }

// OpenInRoot is openat2(2) with RESOLVE_IN_ROOT (Linux 5.6): Root is / for the path and for all links on the way.
type OpenInRoot struct {
	Root Descriptor
	Path string
	As   *Handle
}

// Call in strace's notation.
func (o OpenInRoot) Call() Call {
	return Call{
		Name: "openat2", Args: []string{o.Root.String(), quote(o.Path), "{flags=O_RDONLY|O_CLOEXEC|O_PATH, resolve=RESOLVE_IN_ROOT}", "24"},
		ShowResult: true,
	}
}

func (o OpenInRoot) compile(c *compiler) {
	how := c.b.Words(unix.O_PATH|unix.O_CLOEXEC, 0, unix.RESOLVE_IN_ROOT) // struct open_how
	c.add(unix.SYS_OPENAT2, o.Root.arg(c.b), c.str(o.Path), how, 24)
}

func (o OpenInRoot) handle() *Handle { return o.As }

// MoveMount is move_mount(2): attaches what OpenTree made.
type MoveMount struct {
	From   Descriptor
	Target string
}

// Call in strace's notation.
func (m MoveMount) Call() Call {
	return Call{Name: "move_mount", Args: []string{m.From.String(), `""`, "AT_FDCWD", quote(m.Target), "MOVE_MOUNT_F_EMPTY_PATH"}}
}

func (m MoveMount) compile(c *compiler) {
	c.add(unix.SYS_MOVE_MOUNT, m.From.arg(c.b), c.b.String(""), atFdcwd, c.str(m.Target), unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// Mkdir is mkdirat(2).
type Mkdir struct {
	Path string
	Mode uint32
}

// Call in strace's notation.
func (m Mkdir) Call() Call {
	return Call{Name: "mkdirat", Args: []string{"AT_FDCWD", quote(m.Path), octalMode(m.Mode)}}
}

func (m Mkdir) compile(c *compiler) { c.add(unix.SYS_MKDIRAT, atFdcwd, c.str(m.Path), int(m.Mode)) }

// Mknod is mknodat(2) for a device, or a FIFO or regular file when Mode says so.
type Mknod struct {
	Path         string
	Mode         uint32 // S_IFCHR|0666
	Major, Minor uint32
}

// Call in strace's notation.
func (m Mknod) Call() Call {
	kind := map[uint32]string{unix.S_IFCHR: "S_IFCHR", unix.S_IFBLK: "S_IFBLK", unix.S_IFIFO: "S_IFIFO", unix.S_IFREG: "S_IFREG"}[m.Mode&unix.S_IFMT]
	args := []string{"AT_FDCWD", quote(m.Path), kind + "|" + octalMode(m.Mode&^unix.S_IFMT)}
	if kind == "S_IFCHR" || kind == "S_IFBLK" {
		args = append(args, "makedev("+hex(m.Major)+", "+hex(m.Minor)+")")
	}
	return Call{Name: "mknodat", Args: args}
}

func (m Mknod) compile(c *compiler) {
	c.add(unix.SYS_MKNODAT, atFdcwd, c.str(m.Path), int(m.Mode), int(unix.Mkdev(m.Major, m.Minor)))
}

// Symlink is symlinkat(2).
type Symlink struct{ Target, Path string }

// Call in strace's notation.
func (s Symlink) Call() Call {
	return Call{Name: "symlinkat", Args: []string{quote(s.Target), "AT_FDCWD", quote(s.Path)}}
}

func (s Symlink) compile(c *compiler) {
	c.add(unix.SYS_SYMLINKAT, c.str(s.Target), atFdcwd, c.str(s.Path))
}

// Chown is fchownat(2).
type Chown struct {
	Path     string
	UID, GID int
}

// Call in strace's notation.
func (o Chown) Call() Call {
	return Call{Name: "fchownat", Args: []string{"AT_FDCWD", quote(o.Path), fmt.Sprint(o.UID), fmt.Sprint(o.GID), "AT_SYMLINK_NOFOLLOW"}}
}

func (o Chown) compile(c *compiler) {
	c.add(unix.SYS_FCHOWNAT, atFdcwd, c.str(o.Path), o.UID, o.GID, unix.AT_SYMLINK_NOFOLLOW)
}

// Chmod is fchmodat(2), which mkdir needs after it where the umask must not count.
type Chmod struct {
	Path string
	Mode uint32
}

// Call in strace's notation.
func (o Chmod) Call() Call {
	return Call{Name: "fchmodat", Args: []string{"AT_FDCWD", quote(o.Path), octalMode(o.Mode)}}
}

func (o Chmod) compile(c *compiler) { c.add(unix.SYS_FCHMODAT, atFdcwd, c.str(o.Path), int(o.Mode)) }

// ReadOnlyTree is mount_setattr(2) (Linux 5.12): a mount and all below it become read-only, whatever other flags they
// have and whoever has set them.
type ReadOnlyTree struct{ Path string }

// Call in strace's notation.
func (r ReadOnlyTree) Call() Call {
	return Call{Name: "mount_setattr", Args: []string{
		"AT_FDCWD", quote(r.Path), "AT_RECURSIVE", "{attr_set=MOUNT_ATTR_RDONLY, attr_clr=0, propagation=0, userns_fd=0}", "32",
	}}
}

func (r ReadOnlyTree) compile(c *compiler) {
	attributes := c.b.Words(unix.MOUNT_ATTR_RDONLY, 0, 0, 0) // struct mount_attr
	c.add(unix.SYS_MOUNT_SETATTR, atFdcwd, c.str(r.Path), unix.AT_RECURSIVE, attributes, 32)
}
