package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	kernel "sandbox/testscripts/kernel"
)

// leaveInitramfs copies the initramfs into a tmpfs and makes that the root: pivot_root(2) refuses to leave the initramfs,
// which every container and pocket host would have to. What switch_root(8) does.
func leaveInitramfs() error {
	const root = "/newroot"
	if err := os.Mkdir(root, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", root, "tmpfs", 0, "mode=755,size=80%"); err != nil {
		return err
	}
	for _, dir := range []string{kernel.Payload, kernel.Modules} {
		if err := moveTree(dir, root); err != nil {
			return err
		}
	}
	if err := moveTree("/init", root); err != nil {
		return err
	}
	if err := unix.Chdir(root); err != nil {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return err
	}
	if err := unix.Chroot("."); err != nil {
		return err
	}
	return unix.Chdir("/")
}

// moveTree moves a file or directory to the same path under root, on another file system.
func moveTree(path, root string) error {
	err := filepath.WalkDir(path, func(name string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(root+name, 0o755)
		}
		return moveFile(root+name, name)
	})
	return err
}

// moveFile frees the memory of each file as it goes.
func moveFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.Remove(from)
}

// mountAll mounts what every program expects.
func mountAll() error {
	const plain = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	for _, m := range []struct {
		target, kind, data string
		flags              uintptr
	}{
		{"/proc", "proc", "", plain},
		{"/sys", "sysfs", "", plain},
		{"/sys/fs/cgroup", "cgroup2", "nsdelegate,memory_recursiveprot", plain}, // as systemd mounts it
		{"/dev", "devtmpfs", "mode=755", unix.MS_NOSUID},
		{"/dev/pts", "devpts", "mode=620,ptmxmode=666", unix.MS_NOSUID | unix.MS_NOEXEC},
		{"/dev/shm", "tmpfs", "mode=1777", unix.MS_NOSUID | unix.MS_NODEV},
		{"/dev/mqueue", "mqueue", "", plain},
		{"/run", "tmpfs", "mode=755", unix.MS_NOSUID | unix.MS_NODEV},
	} {
		if err := os.MkdirAll(m.target, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, m.target, m.kind, m.flags, m.data); err != nil {
			return fmt.Errorf("%s: %w", m.target, err)
		}
	}
	return nil
}

// writeFiles makes the few files of a distribution that programs look at, and the links of /dev.
func writeFiles() error {
	for link, target := range map[string]string{"/dev/fd": "/proc/self/fd", "/dev/stdin": "fd/0", "/dev/stdout": "fd/1", "/dev/stderr": "fd/2"} {
		if err := os.Symlink(target, link); err != nil {
			return err
		}
	}
	for _, dir := range []string{"/etc", "/root", "/var/lib", "/home/user", fmt.Sprintf("/run/user/%d", kernel.UserID)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	for _, dir := range []string{"/home/user", fmt.Sprintf("/run/user/%d", kernel.UserID)} {
		if err := os.Chown(dir, kernel.UserID, kernel.UserID); err != nil {
			return err
		}
	}
	for file, text := range map[string]string{
		"/etc/passwd": fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\nuser:x:%[1]d:%[1]d::/home/user:/bin/sh\n", kernel.UserID),
		"/etc/group":  fmt.Sprintf("root:x:0:\nuser:x:%d:\n", kernel.UserID),
		"/etc/hosts":  "127.0.0.1 localhost\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
