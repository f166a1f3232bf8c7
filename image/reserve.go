package image

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Who removes an image needs some room on the disk, for a new list of images. On a full disk there is none, and it could
// never be made. So the store has a file that is of no other use, and gives it up then.
const reserveSize = 256 << 10 // the list of some 400 images

func (s *Store) reservePath() string { return filepath.Join(s.Dir, "reserve") }

// keepReserve makes the file, if it is not there. A disk that has no room for it is no reason to fail.
func (s *Store) keepReserve() {
	if _, err := os.Stat(s.reservePath()); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	// Not all zeros: a file system that compresses would keep nothing back for those.
	if os.WriteFile(s.reservePath(), bytes.Repeat([]byte("room"), reserveSize/4), 0o600) != nil {
		os.Remove(s.reservePath())
	}
}

// makingRoom does what makes room on the disk, with the help of the reserve if the disk is full.
func (s *Store) makingRoom(remove func() error) error {
	err := remove()
	if isDiskFull(err) && os.Remove(s.reservePath()) == nil {
		err = remove()
	}
	if err == nil {
		s.keepReserve()
	}
	return err
}

func isDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
