package kernel

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// meta is Debian's package that depends on the newest kernel for virtual machines.
const meta = "linux-image-cloud-amd64"

// unpackKernel has Debian's kernel package downloaded and unpacked, not installed, into a directory of the test's own.
// $SANDBOX_KERNEL names another one of Debian's (linux-image-6.12-cloud-amd64), or a file that is here already (….deb), for
// a machine without network.
func unpackKernel(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	file := os.Getenv("SANDBOX_KERNEL")
	if !strings.HasSuffix(file, ".deb") {
		file = downloadKernel(t, cmp.Or(file, meta))
	}
	if out, err := exec.Command("dpkg-deb", "--extract", file, dir).CombinedOutput(); err != nil {
		t.Fatalf("dpkg-deb --extract %s: %v: %s", file, err, out)
	}
	return dir
}

// downloadKernel downloads a kernel's package, or that which an empty one depends on.
func downloadKernel(t *testing.T, name string) (file string) {
	t.Helper()
	out, err := exec.Command("apt-cache", "depends", name).Output()
	if err != nil {
		t.Skipf("needs [kernel]: apt-cache knows of no package %s: %v", name, err)
	}
	if newest := regexp.MustCompile(`Depends: (linux-image-[0-9]\S*)`).FindSubmatch(out); newest != nil {
		name = string(newest[1])
	}
	dir := t.TempDir()
	download := exec.Command("apt-get", "download", name)
	download.Dir = dir
	if out, err := download.CombinedOutput(); err != nil {
		t.Skipf("needs [kernel]: apt-get download %s: %v: %s", name, err, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, name+"_*.deb"))
	if err != nil || len(files) != 1 {
		t.Fatalf("apt-get download %s: left %v", name, files)
	}
	return files[0]
}

// kernelImage is the kernel of an unpacked package.
func kernelImage(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "boot", "vmlinuz-*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("kernels in the package: %v", files)
	}
	return files[0]
}

// release is what uname -r says there.
func release(image string) string { return strings.TrimPrefix(filepath.Base(image), "vmlinuz-") }
