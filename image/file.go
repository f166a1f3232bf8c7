package image

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const temporarySuffix = ".new"

func isTemporary(name string) bool { return strings.HasSuffix(name, temporarySuffix) }

// replaceFile writes a file whole: a reader sees the old content or the new, also after the machine lost its power. The
// store is locked, so that there is no other writer.
func replaceFile(path string, content []byte) error {
	file, err := os.OpenFile(path+temporarySuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Write(content); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := os.Rename(path+temporarySuffix, path); err != nil {
		return err
	}
	return syncFile(filepath.Dir(path))
}

// syncFile has the disk write what it has of a file or directory.
func syncFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Sync(); err != nil {
		return fmt.Errorf("cannot write %s to the disk: %w", path, err)
	}
	return nil
}
