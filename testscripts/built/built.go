// Package built gives the tests that run the real program that program, built once for all of them.
package built

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Sandbox builds the program, static as it is shipped, into a new directory that every user can look into. It returns
// the directory, in which the program is called sandbox, and what takes it away.
func Sandbox() (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp("", "sandbox-test")
	if err != nil {
		return "", nil, err
	}
	remove = func() { os.RemoveAll(dir) }
	if err := os.Chmod(dir, 0o755); err != nil {
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
