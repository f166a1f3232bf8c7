package copying

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// How overlayfs marks deletions is told in package layer, file overlay.go.

func overlayAttributes(name string) []string {
	return []string{"trusted.overlay." + name, "user.overlay." + name}
}

// isWhiteout recognises both forms: a character device 0, 0, and an empty file with an attribute.
func isWhiteout(e *entry) bool {
	switch e.kind() {
	case unix.S_IFCHR:
		return e.stat.Rdev == 0
	case unix.S_IFREG:
		if e.stat.Size > 0 {
			return false
		}
		for _, attribute := range overlayAttributes("whiteout") {
			if _, err := unix.Lgetxattr(e.proc(), attribute, nil); err == nil {
				return true
			}
		}
	}
	return false
}

func isOpaque(dir int) bool {
	value := make([]byte, 2)
	for _, attribute := range overlayAttributes("opaque") {
		if n, err := unix.Fgetxattr(dir, attribute, value); err == nil && string(value[:n]) == "y" {
			return true
		}
	}
	return false
}

// setOpaque hides what the layers below have in a directory. Who is not root mounts with userxattr.
func setOpaque(fd int) error {
	var err error
	for _, attribute := range overlayAttributes("opaque") {
		if err = unix.Fsetxattr(fd, attribute, []byte("y"), 0); err != unix.EPERM {
			return err
		}
	}
	return err
}

// throughProc is a path to what a descriptor stands for.
func throughProc(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
