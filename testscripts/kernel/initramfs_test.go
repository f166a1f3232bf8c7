package kernel

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cavaliergopher/cpio"
)

// initramfs packs what the guest begins with: its first process, the modules, and the payload, which is the program, the
// tests and their scripts. Not compressed: unpacking takes the guest longer than qemu takes to hand over some more bytes.
func initramfs(t *testing.T, packageDir string, suites []Suite) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "initramfs")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	buffered := bufio.NewWriterSize(out, 1<<20)
	a := &archive{t: t, w: cpio.NewWriter(buffered)}
	a.add("init", build(t, "build", "sandbox/testscripts/kernel/guest"))

	a.directory(Modules)
	names, modules := loadOrder(t, packageDir)
	for i, name := range names {
		a.add(fmt.Sprintf("%s/%03d-%s.ko", Modules, i, name), modules[name])
	}
	a.directory(Payload)
	a.add(Payload+"/sandbox", build(t, "build", "sandbox"))
	for _, pkg := range packages(suites) {
		dir := Payload + "/" + pkg
		a.directory(dir)
		a.add(dir+"/"+TestBinary, build(t, "test", "sandbox/"+pkg))
		a.files(dir, "../../"+pkg+"/*.t*t*") // scripts (.txtar) and transcripts (.txt)
		if pkg == "testscripts" {
			a.files(dir, "*.txtar") // those for such a kernel only
		}
	}
	list, err := json.Marshal(suites)
	if err != nil {
		t.Fatal(err)
	}
	a.add(SuiteList, list)
	for _, finish := range []func() error{a.w.Close, buffered.Flush, out.Close} {
		if err := finish(); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

// packages are those whose tests are run, each once.
func packages(suites []Suite) (list []string) {
	for _, s := range suites {
		if !slices.Contains(list, s.Package) {
			list = append(list, s.Package)
		}
	}
	return list
}

// build compiles a program, or a package's tests, without the C library: the guest has none.
func build(t *testing.T, what, pkg string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program")
	args := []string{"build", "-o", file, pkg}
	if what == "test" {
		args = []string{"test", "-c", "-o", file, pkg}
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false -ldflags=-s")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v: %s", strings.Join(args, " "), err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// archive is the initramfs as it is written: in the form "newc" of cpio (initramfs-buffer-format.rst in the kernel's documentation).
type archive struct {
	t *testing.T
	w *cpio.Writer
}

func (a *archive) directory(path string) {
	a.t.Helper()
	if err := a.w.WriteHeader(&cpio.Header{Name: strings.TrimPrefix(path, "/"), Mode: cpio.TypeDir | 0o755}); err != nil {
		a.t.Fatal(err)
	}
}

func (a *archive) add(path string, data []byte) {
	a.t.Helper()
	header := &cpio.Header{Name: strings.TrimPrefix(path, "/"), Mode: cpio.TypeReg | 0o755, Size: int64(len(data))}
	if err := a.w.WriteHeader(header); err != nil {
		a.t.Fatal(err)
	}
	if _, err := a.w.Write(data); err != nil {
		a.t.Fatal(err)
	}
}

// files adds all that a pattern finds here.
func (a *archive) files(dir, pattern string) {
	a.t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		a.t.Fatalf("no %s: %v", pattern, err)
	}
	for _, file := range found {
		data, err := os.ReadFile(file)
		if err != nil {
			a.t.Fatal(err)
		}
		a.add(dir+"/"+filepath.Base(file), data)
	}
}
