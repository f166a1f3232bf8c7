package container

import (
	"io/fs"
	"path/filepath"
	"syscall"
)

// SizeRw is how many bytes of files a container has written: those in its own layer, hard links counted once. What cannot be
// read does not count.
func (e *Engine) SizeRw(r *Record) (total int64) {
	seen := map[uint64]bool{}
	filepath.WalkDir(e.Upper(r), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if ok && st.Nlink > 1 {
			if seen[st.Ino] {
				return nil
			}
			seen[st.Ino] = true
		}
		total += info.Size()
		return nil
	})
	return total
}
