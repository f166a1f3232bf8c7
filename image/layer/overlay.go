package layer

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// How overlayfs writes into a layer what a layer says of those below (kernel documentation, filesystems/overlayfs):
//
//	whiteout   "this name is gone": a character device 0, 0; since Linux 6.7 also an empty file with an attribute
//	opaque     "nothing of the directories of this name below": an attribute, "y", of the directory
//
// The attributes are called trusted.overlay.…, which only root may set. A mount with the option userxattr, which others
// need, reads user.overlay.… instead.
const (
	trustedAttribute = "trusted.overlay."
	userAttribute    = "user.overlay."
)

// setOpaque hides what the layers below have in a directory. Who is not root on the host mounts with userxattr.
func setOpaque(fd int) error {
	err := unix.Fsetxattr(fd, trustedAttribute+"opaque", []byte("y"), 0)
	if err == unix.EPERM {
		err = unix.Fsetxattr(fd, userAttribute+"opaque", []byte("y"), 0)
	}
	if err != nil {
		return fmt.Errorf("cannot mark a directory as opaque: %w", err)
	}
	return nil
}

// isOpaque takes a descriptor that may have been opened with O_PATH.
func isOpaque(dir int) bool {
	value := make([]byte, 2)
	for _, attribute := range []string{trustedAttribute, userAttribute} {
		n, err := unix.Fgetxattr(dir, attribute+"opaque", value)
		if err == unix.EBADF {
			n, err = unix.Getxattr(throughProc(dir), attribute+"opaque", value)
		}
		if err == nil && string(value[:n]) == "y" {
			return true
		}
	}
	return false
}

// isWhiteoutAt recognises both forms.
func isWhiteoutAt(dir int, name string) bool {
	var st unix.Stat_t
	if err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return false
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFCHR:
		return st.Rdev == 0
	case unix.S_IFREG:
		return st.Size == 0 && hasWhiteoutAttribute(throughProc(dir)+"/"+name)
	}
	return false
}

func hasWhiteoutAttribute(path string) bool {
	for _, attribute := range []string{trustedAttribute, userAttribute} {
		if _, err := unix.Lgetxattr(path, attribute+"whiteout", nil); err == nil {
			return true
		}
	}
	return false
}
