package userland

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func (p *Process) statFileSystem(name string, opts *options) int {
	var s unix.Statfs_t
	if err := unix.Statfs(name, &s); err != nil {
		return p.Fail("cannot read file system information for '%s': %s", name, causeText(err))
	}
	format := "  File: \"%n\"\n    ID: %-8i Namelen: %-7l Type: %T\nBlock size: %-10s Fundamental block size: %S\n" +
		"Blocks: Total: %-10b Free: %-10f Available: %a\nInodes: Total: %-10c Free: %d"
	if opts.has('c') {
		format = opts.value('c')
	}
	fmt.Fprintln(p.Stdout, expandFormat(format, func(letter string) (string, bool) {
		switch letter {
		case "n":
			return name, true
		case "i":
			return fmt.Sprintf("%x%08x", uint32(s.Fsid.Val[0]), uint32(s.Fsid.Val[1])), true
		case "l":
			return fmt.Sprint(s.Namelen), true
		case "t":
			return fmt.Sprintf("%x", s.Type), true
		case "T":
			return fileSystemName(int64(s.Type)), true
		case "s":
			return fmt.Sprint(s.Bsize), true
		case "S":
			return fmt.Sprint(s.Frsize), true
		case "b":
			return fmt.Sprint(s.Blocks), true
		case "f":
			return fmt.Sprint(s.Bfree), true
		case "a":
			return fmt.Sprint(s.Bavail), true
		case "c":
			return fmt.Sprint(s.Files), true
		case "d":
			return fmt.Sprint(s.Ffree), true
		case "%":
			return "%", true
		}
		return "", false
	}))
	return 0
}

// fileSystemName knows the file systems that a container meets, by the number in statfs(2).
func fileSystemName(magic int64) string {
	switch magic {
	case unix.EXT4_SUPER_MAGIC:
		return "ext2/ext3"
	case unix.TMPFS_MAGIC:
		return "tmpfs"
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlayfs"
	case unix.PROC_SUPER_MAGIC:
		return "proc"
	case unix.SYSFS_MAGIC:
		return "sysfs"
	case unix.CGROUP_SUPER_MAGIC:
		return "cgroupfs"
	case unix.CGROUP2_SUPER_MAGIC:
		return "cgroup2fs"
	case unix.DEVPTS_SUPER_MAGIC:
		return "devpts"
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs"
	case unix.XFS_SUPER_MAGIC:
		return "xfs"
	case unix.NFS_SUPER_MAGIC:
		return "nfs"
	case unix.NSFS_MAGIC:
		return "nsfs"
	case unix.SQUASHFS_MAGIC:
		return "squashfs"
	case unix.RAMFS_MAGIC:
		return "ramfs"
	case unix.HUGETLBFS_MAGIC:
		return "hugetlbfs"
	}
	return fmt.Sprintf("UNKNOWN (0x%x)", magic)
}
