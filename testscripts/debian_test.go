package testscripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDebian takes a real root file system, which debootstrap makes here and now, through import, build, commit, a registry and
// back. It takes a minute or two.
func TestDebian(t *testing.T) {
	if *script != "" {
		t.Skip("inside a pocket host: see TestInPocket")
	}
	if testing.Short() {
		t.Skip("not with -short: it takes minutes")
	}
	if os.Getuid() != 0 {
		t.Skip("needs [root]: debootstrap does")
	}
	needPocket(t)
	file, err := filepath.Abs("debian/debian.txtar")
	if err != nil {
		t.Fatal(err)
	}
	archive := debianArchive(t)
	runInPocket(t, file, []string{filepath.Dir(archive)}, "DEBIAN="+archive)
}

// debianArchive makes a small Debian root, and an archive of it.
func debianArchive(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("debootstrap"); err != nil {
		t.Skip("needs [debootstrap]: it is not installed")
	}
	dir := t.TempDir()
	root, archive := filepath.Join(dir, "root"), filepath.Join(dir, "debian.tar")
	// In a mount namespace of its own: whatever becomes of it, no mount is left.
	out, err := exec.Command("unshare", "--mount", "--propagation", "private", "debootstrap", "--variant=minbase", "bookworm", root).CombinedOutput()
	if text := string(out); err != nil {
		if strings.Contains(text, "Failed getting release file") || strings.Contains(text, "Couldn't download") {
			t.Skipf("needs [debian]: no mirror of Debian's packages can be reached: %s", text)
		}
		t.Fatalf("debootstrap: %v: %s", err, text)
	}
	if out, err := exec.Command("tar", "--numeric-owner", "--xattrs", "-C", root, "-cf", archive, ".").CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	return archive
}
