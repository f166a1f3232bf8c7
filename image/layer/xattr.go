package layer

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/sys/unix"
)

// Extended attributes travel in an archive's PAX records, under the name that star gave them, or the one of libarchive,
// which can also hold a name with "=" in it.
const (
	starPrefix       = "SCHILY.xattr."
	libarchivePrefix = "LIBARCHIVE.xattr." // the name is %-encoded, the value base64
)

// travels tells whether an extended attribute means something in a container. Those of overlayfs itself would let an archive
// point into other directories of the host.
func travels(name string) bool {
	return name == "security.capability" ||
		strings.HasPrefix(name, "user.") && !strings.HasPrefix(name, userAttribute) && name != ownerAttribute
}

// xattrsFromRecords finds the extended attributes among an entry's PAX records.
func xattrsFromRecords(records map[string]string) map[string]string {
	var xattrs map[string]string
	keep := func(name, value string) {
		if !travels(name) {
			return
		}
		if xattrs == nil {
			xattrs = map[string]string{}
		}
		xattrs[name] = value
	}
	for key, value := range records {
		if encoded, found := strings.CutPrefix(key, libarchivePrefix); found {
			name, err := url.PathUnescape(encoded)
			decoded, err2 := base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "="))
			if err == nil && err2 == nil {
				keep(name, string(decoded))
			}
		}
	}
	for key, value := range records { // if an archive has both, these count
		if name, found := strings.CutPrefix(key, starPrefix); found {
			keep(name, value)
		}
	}
	return xattrs
}

// addRecords is the way back.
func addRecords(records, xattrs map[string]string) {
	for name, value := range xattrs {
		if strings.Contains(name, "=") { // which ends a record's key
			records[libarchivePrefix+strings.ReplaceAll(url.PathEscape(name), "=", "%3D")] = base64.RawStdEncoding.EncodeToString([]byte(value))
			continue
		}
		records[starPrefix+name] = value
	}
}

// setXattrs sets those that can be set: an ordinary user may not set security.capability.
func setXattrs(fd int, xattrs map[string]string) error {
	for name, value := range xattrs {
		err := unix.Fsetxattr(fd, name, []byte(value), 0)
		if err != nil && err != unix.EPERM && err != unix.ENOTSUP {
			return fmt.Errorf("extended attribute %s: %w", name, err)
		}
	}
	return nil
}

// xattrsOf reads all extended attributes that this user may see of an open file or directory.
func xattrsOf(fd int) (map[string]string, error) {
	buffer := make([]byte, 256)
	n, err := unix.Flistxattr(fd, buffer)
	for err == unix.ERANGE {
		buffer = make([]byte, max(2*len(buffer), 1<<10))
		n, err = unix.Flistxattr(fd, buffer)
	}
	if err == unix.ENOTSUP || n == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	xattrs := map[string]string{}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(buffer[:n]), "\x00"), "\x00") {
		value, err := xattr(fd, name)
		if err == unix.ENODATA || err == unix.EPERM || err == unix.EACCES || err == unix.ENOTSUP {
			continue // gone since, or not for us
		}
		if err != nil {
			return nil, fmt.Errorf("extended attribute %s: %w", name, err)
		}
		xattrs[name] = value
	}
	return xattrs, nil
}

func xattr(fd int, name string) (string, error) {
	for size := 256; ; size *= 4 {
		buffer := make([]byte, size)
		n, err := unix.Fgetxattr(fd, name, buffer)
		if err == unix.ERANGE && size < 1<<20 {
			continue
		}
		return string(buffer[:max(n, 0)]), err
	}
}
