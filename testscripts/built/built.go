// Package built gives the tests that run the real program that program, built once for all of them.
package built

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Variable names a directory in which the program is already: for a machine or a user with no Go. Tests keep their
// stores in it, and leave them there for the next one.
const Variable = "SANDBOX_BUILT"

// Store is where a test of the user who runs it keeps images, below such a directory: SANDBOX_ROOT.
func Store(dir string) string { return filepath.Join(dir, "store") }

// Sandbox builds the program, static as it is shipped, into a new directory that every user can look into. It returns
// the directory, in which the program is called sandbox, and what takes it away.
func Sandbox() (dir string, remove func(), err error) {
	if dir := os.Getenv(Variable); dir != "" {
		return dir, func() {}, nil
	}
	dir, remove, err = directory()
	if err != nil {
		return "", nil, err
	}
	if err := lookAtSources(); err != nil {
		remove()
		return "", nil, err
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "sandbox"), "sandbox")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		remove()
		return "", nil, fmt.Errorf("build sandbox: %w", err)
	}
	return dir, remove, nil
}

// prefix is what the names of these directories begin with. Each is locked as long as its test lives.
const prefix = "sandbox-test"

// directory makes one, after it has taken away those of tests that were killed: images are in them, and they fill a disk.
func directory() (dir string, remove func(), err error) {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	for _, dir := range left {
		if lock, err := lock(dir, unix.LOCK_NB); err == nil {
			os.RemoveAll(dir)
			lock.Close()
		}
	}
	if dir, err = os.MkdirTemp("", prefix); err != nil {
		return "", nil, err
	}
	held, err := lock(dir, 0)
	if err != nil {
		return "", nil, err
	}
	remove = func() { os.RemoveAll(dir); held.Close() }
	err = os.Chmod(dir, 0o755)
	if errors.Is(err, fs.ErrNotExist) { // another test that begins just now was faster with its lock, and took it for left over
		held.Close()
		return directory()
	}
	if err != nil {
		remove()
		return "", nil, err
	}
	return dir, remove, nil
}

func lock(dir string, how int) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|how); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return f, nil
}

// lookAtSources asks for the times of everything that the program is built from. `go test` remembers what a test has
// asked for, and runs it again instead of repeating its old result when any of it has changed.
func lookAtSources() error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root && entry.Name()[0] == '.' {
			return filepath.SkipDir
		}
		_, err = os.Stat(path)
		return err
	})
}

// moduleRoot is the directory above us that holds go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("no go.mod above the tests")
}
