package layer

import (
	"archive/tar"

	"golang.org/x/sys/unix"
)

// AddXattrs puts the extended attributes of an open file or directory that mean something in a container into a header.
func AddXattrs(h *tar.Header, fd int) error {
	xattrs, err := xattrsOf(fd)
	if err != nil {
		return err
	}
	for name := range xattrs {
		if !travels(name) {
			delete(xattrs, name)
		}
	}
	if len(xattrs) > 0 {
		h.PAXRecords = map[string]string{}
		addRecords(h.PAXRecords, xattrs)
	}
	return nil
}

// XattrsOf are the extended attributes in a header that mean something in a container.
func XattrsOf(h *tar.Header) map[string]string { return xattrsFromRecords(h.PAXRecords) }

// SetXattrs sets those that this user may set.
func SetXattrs(fd int, xattrs map[string]string) error { return setXattrs(fd, xattrs) }

// SetTime sets the modification time of an open file or directory.
func SetTime(fd int, t unix.Timespec) error { return setTimespec(fd, t) }
