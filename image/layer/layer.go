// Package layer knows what one layer of an image is: a tar archive, or the directory that it is unpacked into, which
// overlayfs stacks.
package layer

import (
	"io/fs"
	"os"
	"path/filepath"
)

// RemoveTree removes a directory, also one in which an archive has forbidden this user to write.
func RemoveTree(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if entry != nil && entry.IsDir() {
			os.Chmod(path, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}
