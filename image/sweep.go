package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sandbox/image/layer"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"
)

// lock keeps other processes from changing the store. The kernel lets go of it when the process ends, however it ends.
func (s *Store) lock() (unlock func(), err error) {
	file, err := LockDirectory(s.layoutDir(), true)
	if err != nil {
		return nil, fmt.Errorf("cannot lock the image store: %w", err)
	}
	return func() { file.Close() }, nil
}

// LockDirectory takes the lock of a directory (flock(2)), waiting for it or not.
func LockDirectory(dir string, wait bool) (*os.File, error) {
	file, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	how := unix.LOCK_EX
	if !wait {
		how |= unix.LOCK_NB
	}
	for {
		err = unix.Flock(int(file.Fd()), how)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		file.Close()
		return nil, &os.PathError{Op: "flock", Path: dir, Err: err}
	}
	return file, nil
}

// reachable is all that the index leads to.
type reachable struct {
	blobs  map[string]bool
	layers map[string]string // directory to DiffID
}

func (s *Store) reachable() (*reachable, error) {
	index, err := s.readIndex()
	if err != nil {
		return nil, err
	}
	r := &reachable{blobs: map[string]bool{}, layers: map[string]string{}}
	for _, e := range index.Manifests {
		var manifest v1.Manifest
		if err := s.readBlob(e.Digest, &manifest); err != nil {
			return nil, err
		}
		var config configuration
		if err := s.readBlob(manifest.Config.Digest.String(), &config); err != nil {
			return nil, err
		}
		r.blobs[strings.TrimPrefix(e.Digest, sha256Prefix)], r.blobs[manifest.Config.Digest.Hex] = true, true
		for _, layer := range manifest.Layers {
			r.blobs[layer.Digest.Hex] = true
		}
		for _, diffID := range config.RootFS.DiffIDs {
			r.layers[layerName(diffID)] = diffID
		}
	}
	return r, s.readPins(r)
}

// Repair removes what killed processes have left, and nothing else. An image that cannot be read makes it stop before it
// removes something of that image.
func (s *Store) Repair() error {
	if _, err := os.Stat(s.layoutDir()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	return s.sweep()
}

// sweep removes drafts of dead processes, and blobs and layers that no image has. The store is locked.
func (s *Store) sweep() error {
	if err := removeOthers(s.stagingDir(), isAlive); err != nil {
		return err
	}
	keep, err := s.reachable()
	if err != nil {
		return err
	}
	return errors.Join(
		removeOthers(s.blobDir(), func(path string) bool { return keep.blobs[filepath.Base(path)] }),
		removeOthers(s.LayerDir(), func(path string) bool { return keep.layers[filepath.Base(path)] != "" }),
		removeOthers(s.layoutDir(), func(path string) bool { return !isTemporary(path) }),
	)
}

// sweepIfNeeded sweeps if somebody was killed: who changes the store has a staging directory, which is left behind then.
// The store is locked.
func (s *Store) sweepIfNeeded() error {
	entries, err := os.ReadDir(s.stagingDir())
	for _, entry := range entries {
		if !isAlive(filepath.Join(s.stagingDir(), entry.Name())) {
			return s.sweep()
		}
	}
	return err
}

// isAlive reports whether a process is at work in a staging directory.
func isAlive(dir string) bool {
	dead, err := LockDirectory(dir, false)
	if err != nil {
		return true
	}
	dead.Close()
	return false
}

// removeOthers removes what need not be kept from a directory, which a killed process may not have made yet.
func removeOthers(dir string, keep func(path string) bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if keep(path) {
			continue
		}
		if err := layer.RemoveTree(path); err != nil {
			return err
		}
	}
	return nil
}
