package layer

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"
)

// listed is a name in a directory.
type listed struct {
	name string
	kind byte // DT_REG, DT_DIR, …; DT_UNKNOWN where the file system does not say
}

// list reads the names in an open directory, in the order of their bytes. It is os.File.ReadDir without the allocations.
func list(fd int) ([]listed, error) {
	if _, err := unix.Seek(fd, 0, 0); err != nil {
		return nil, err
	}
	var names []listed
	for buffer := make([]byte, 1<<15); ; {
		n, err := unix.Getdents(fd, buffer)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
		names = parseDirents(names, buffer[:n])
	}
	slices.SortFunc(names, func(a, b listed) int { return cmp.Compare(a.name, b.name) })
	return names, nil
}

// parseDirents reads what getdents64(2) gives: records of inode (8 bytes), offset (8), the record's length (2), kind (1) and
// the name, which ends in a zero.
func parseDirents(names []listed, records []byte) []listed {
	const nameAt = 8 + 8 + 2 + 1
	for len(records) > nameAt {
		length := int(binary.NativeEndian.Uint16(records[16:]))
		if length <= nameAt || length > len(records) {
			break
		}
		name, _, _ := bytes.Cut(records[nameAt:length], []byte{0})
		if string(name) != "." && string(name) != ".." {
			names = append(names, listed{string(name), records[18]})
		}
		records = records[length:]
	}
	return names
}
