package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"golang.org/x/sys/unix"

	"sandbox/image"
	"sandbox/image/layer"
	"sandbox/kernel"
)

// A cache mount is a directory that outlives the build: what a package manager has downloaded, what a compiler has made. It
// gets into no layer.
//
//	DIR/mounts/ID/lock       held while a command uses the directory: alone (sharing=locked, private), or with others
//	DIR/mounts/ID/content    what the container sees

func cacheID(a *instructions.Mount) string {
	if a.CacheID != "" {
		return a.CacheID
	}
	return a.Target
}

// makeCache gets a cache mount's directory, and its lock.
func (m *mounts) makeCache(ctx context.Context, a *instructions.Mount, d *image.Draft) (*Mount, error) {
	base := m.b.CacheDir
	if base == "" {
		base = d.Dir()
	}
	dir, lock, err := lockCache(ctx, filepath.Join(base, "mounts"), cacheID(a), a.CacheSharing)
	if err != nil {
		return nil, fmt.Errorf("--mount=type=cache: %w", err)
	}
	m.closers = append(m.closers, lock.Close)
	content := filepath.Join(dir, "content")
	if _, err := os.Stat(content); os.IsNotExist(err) {
		if err := m.fillCache(ctx, a, dir, content); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	return &Mount{Type: "bind", Source: content, Target: a.Target, ReadOnly: a.ReadOnly}, nil
}

// lockCache finds the directory of a cache mount. Who wants it for themselves waits (locked), or takes another one (private).
func lockCache(ctx context.Context, base, id string, sharing instructions.ShareMode) (dir string, lock *os.File, err error) {
	how := unix.LOCK_EX
	if sharing == "" || sharing == instructions.MountSharingShared {
		how = unix.LOCK_SH
	}
	for n := 0; ; {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d", id, n))
		dir = filepath.Join(base, hex.EncodeToString(sum[:8]))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", nil, err
		}
		lock, err = os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return "", nil, err
		}
		err = unix.Flock(int(lock.Fd()), how|unix.LOCK_NB)
		if err == nil {
			return dir, lock, nil
		}
		lock.Close()
		if err != unix.EWOULDBLOCK && err != unix.EINTR {
			return "", nil, err
		}
		if sharing == instructions.MountSharingPrivate {
			n++
			continue
		}
		select {
		case <-ctx.Done():
			return "", nil, ctx.Err()
		case <-time.After(20 * time.Millisecond): // flock(2) itself could not be called off
		}
	}
}

// fillCache makes a cache mount's directory, with what from= and source= name in it. It appears whole or not at all.
func (m *mounts) fillCache(ctx context.Context, a *instructions.Mount, dir, content string) error {
	filling, err := os.MkdirTemp(dir, "filling")
	if err != nil {
		return err
	}
	defer layer.RemoveTree(filling)
	made := filepath.Join(filling, "content")
	if a.From == "" {
		if err := os.Mkdir(made, 0o755); err != nil {
			return err
		}
	} else {
		from, err := m.b.source(ctx, m.st, a.From)
		if err != nil {
			return err
		}
		files := m.copyOf(from, a.Source)
		if err := errors.Join(files.Write(ctx, filling, nil), files.Close(), m.b.release(from)); err != nil {
			return err
		}
	}
	if err := os.Chmod(made, os.FileMode(number(a.Mode, 0o755))); err != nil {
		return err
	}
	if a.UID != nil || a.GID != nil {
		if err := os.Chown(made, number(a.UID, 0), number(a.GID, 0)); err != nil {
			return kernel.Advise(err, "an ordinary user cannot give files to others: leave uid and gid out")
		}
	}
	err = os.Rename(made, content)
	if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST) {
		return nil // somebody else was faster
	}
	return err
}

// pruneMounts empties the cache mounts that nobody uses. The file with the lock stays: somebody may be waiting for it.
func pruneMounts(base string) (freed int64, err error) {
	locks, err := filepath.Glob(filepath.Join(base, "*", "lock"))
	for _, path := range locks {
		lock, openErr := os.Open(path)
		if openErr != nil {
			continue
		}
		if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			content := filepath.Join(filepath.Dir(path), "content")
			size := sizeOf(content)
			if removeErr := layer.RemoveTree(content); removeErr != nil {
				err = errors.Join(err, removeErr)
			} else {
				freed += size
			}
		}
		lock.Close()
	}
	return freed, err
}

// sizeOf is what the files of a directory have, in bytes; what cannot be read does not count.
func sizeOf(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}
