package builtin

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sandbox/image"
	"sandbox/image/builtin/userland"
)

// The program that images are made from is this test binary. Tests that need another one run a changed copy of it, with
// the store's directory in the environment; from inside an image it only says that it runs.
const (
	childStore = "SANDBOX_BUILTIN_TEST_STORE"
	greeting   = "it runs"
)

func TestMain(m *testing.M) {
	switch dir := os.Getenv(childStore); dir {
	case "":
		os.Exit(m.Run())
	case greeting:
		fmt.Println(greeting)
	default:
		if _, err := Ensure(&image.Store{Dir: dir}, "hello"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func ensure(t testing.TB, s *image.Store, name string) *image.Image {
	t.Helper()
	if ok, err := Ensure(s, name); !ok || err != nil {
		t.Fatalf("Ensure(%q): %v, %v", name, ok, err)
	}
	img, err := s.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestNames(t *testing.T) {
	if !slices.IsSorted(Names()) || !slices.Contains(Names(), "base") || !slices.Contains(Names(), "hello") {
		t.Errorf("Names() = %q", Names())
	}
	s := &image.Store{Dir: t.TempDir() + "/none"}
	for _, name := range []string{"ubuntu", "docker.io/library/base", "library/base", "base:1", "localhost/base", "", ":latest", "base:latest:latest"} {
		if ok, err := Ensure(s, name); ok || err != nil {
			t.Errorf("Ensure(%q): %v, %v", name, ok, err)
		}
	}
	if _, err := os.Stat(s.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a store was made for nothing")
	}
}

func TestBase(t *testing.T) {
	s := &image.Store{Dir: t.TempDir()}
	img := ensure(t, s, "base:latest")
	if !slices.Equal(img.Names, []string{"base:latest"}) || !slices.Equal(img.Config.Cmd, []string{"sh"}) || len(img.Layers) != 1 {
		t.Errorf("%+v", img)
	}
	root := filepath.Join(s.LayerDir(), img.Layers[0])
	for _, name := range append(userland.Names(), "sh", "bash") {
		if target, err := os.Readlink(filepath.Join(root, "bin", name)); err != nil || target != "userland" {
			t.Errorf("/bin/%s leads to %q, %v", name, target, err)
		}
	}
	for _, path := range []string{"/usr/bin/ps", "/sbin/ps", "/usr/sbin/ps", "/etc/passwd", "/etc/group", "/etc/os-release", "/etc/services", "/etc/resolv.conf", "/etc/hosts", "/etc/hostname"} {
		file, err := s.Lookup(img.Layers, "", path)
		if err != nil {
			t.Error(err)
			continue
		}
		file.Close()
	}
	for path, mode := range map[string]fs.FileMode{"tmp": 0o777 | fs.ModeSticky, "var/tmp": 0o777 | fs.ModeSticky, "root": 0o700, "proc": 0o755, "usr/local/bin": 0o755} {
		if info, err := os.Stat(filepath.Join(root, path)); err != nil || info.Mode() != mode|fs.ModeDir {
			t.Errorf("/%s: %v, %v", path, info, err)
		}
	}
}

// TestProgramRuns: the copy without symbols does what the whole program does.
func TestProgramRuns(t *testing.T) {
	s := &image.Store{Dir: t.TempDir()}
	for name, path := range map[string]string{"base": "bin/userland", "hello": "hello"} {
		img := ensure(t, s, name)
		program := filepath.Join(s.LayerDir(), img.Layers[0], path)
		cmd := exec.Command(program)
		cmd.Env = append(os.Environ(), childStore+"="+greeting)
		if output, err := cmd.CombinedOutput(); err != nil || string(output) != greeting+"\n" {
			t.Errorf("%s: %q, %v", name, output, err)
		}
		file, err := elf.Open(program)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if len(file.Sections) != 0 {
			t.Errorf("%s: %d sections are left", name, len(file.Sections))
		}
		if interpreter := interpreterOf(file); interpreter != "" {
			if libraries, err := os.Lstat(filepath.Join(s.LayerDir(), img.Layers[0], interpreter)); err != nil || !libraries.Mode().IsRegular() {
				t.Errorf("%s: its ELF interpreter is not in the image: %v", name, err)
			}
		}
	}
}

// TestLibraries looks at a program of this machine that is dynamically linked, if there is one.
func TestLibraries(t *testing.T) {
	program, err := elf.Open("/bin/sh")
	if err != nil {
		t.Skip("no /bin/sh here that is an ELF program")
	}
	defer program.Close()
	needed, _ := program.ImportedLibraries()
	if len(needed) == 0 {
		t.Skip("/bin/sh is statically linked here")
	}
	found, err := librariesOf(program)
	if err != nil {
		t.Fatal(err)
	}
	if found[0] != interpreterOf(program) {
		t.Errorf("the ELF interpreter is missing: %q", found)
	}
	for _, name := range needed {
		if !slices.ContainsFunc(found, func(path string) bool { return filepath.Base(path) == name }) {
			t.Errorf("%s is missing: %q", name, found)
		}
	}
}

func TestSameProgramSameImage(t *testing.T) {
	for _, name := range Names() {
		one := ensure(t, &image.Store{Dir: t.TempDir()}, name)
		two := ensure(t, &image.Store{Dir: t.TempDir()}, name)
		if one.ID != two.ID || one.Digest != two.Digest {
			t.Errorf("%s: %s and %s", name, one.ID, two.ID)
		}
	}
}

func TestArchiveIsDeterministic(t *testing.T) {
	files, err := baseFiles()
	if err != nil {
		t.Fatal(err)
	}
	var buffer bytes.Buffer
	when := time.Unix(12345, 0)
	if err := writeArchive(&buffer, files, when); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for entries := tar.NewReader(&buffer); ; {
		h, err := entries.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if names[h.Name] {
			t.Errorf("%s is there twice", h.Name)
		}
		names[h.Name] = true
		if !h.ModTime.Equal(when) || h.Uid != 0 || h.Gid != 0 || h.Uname != "" {
			t.Errorf("%s: %v, owner %d %q", h.Name, h.ModTime, h.Uid, h.Uname)
		}
	}
}

func TestNothingToDo(t *testing.T) {
	s := &image.Store{Dir: t.TempDir()}
	ensure(t, s, "hello")
	ensure(t, s, "hello") // notes that the image is there
	look := func(path string) fs.FileInfo {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	index, stamp := look(s.IndexPath()), look(stampPath(s, "hello"))
	ensure(t, s, "hello")
	if !os.SameFile(index, look(s.IndexPath())) || !os.SameFile(stamp, look(stampPath(s, "hello"))) {
		t.Error("something was written although there was nothing to do")
	}
}

// TestMadeOnce: of several that need an image at the same time one makes it, and what has been made stays: others may have
// mounted it by then.
func TestMadeOnce(t *testing.T) {
	s := &image.Store{Dir: t.TempDir()}
	found := make(chan uint64)
	for range 4 {
		go func() {
			var st syscall.Stat_t
			if _, err := Ensure(s, "hello"); err != nil {
				t.Error(err)
			} else if img, err := s.Find("hello"); err != nil {
				t.Error(err)
			} else if err := syscall.Stat(filepath.Join(s.Dir, "oci/blobs/sha256", strings.TrimPrefix(img.ID, "sha256:")), &st); err != nil {
				t.Error(err)
			}
			found <- st.Ino
		}()
	}
	first := <-found
	for range 3 {
		if other := <-found; other != first {
			t.Errorf("inodes %d and %d", first, other)
		}
	}
}

func TestMadeAgainWhenRemoved(t *testing.T) {
	s := &image.Store{Dir: t.TempDir()}
	img := ensure(t, s, "hello")
	ensure(t, s, "base")
	ensure(t, s, "hello")
	if err := s.Remove(img.ID); err != nil {
		t.Fatal(err)
	}
	if again := ensure(t, s, "hello"); again.ID != img.ID {
		t.Errorf("%s, before %s", again.ID, img.ID)
	}
	if err := os.WriteFile(stampPath(s, "hello"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	ensure(t, s, "hello")
}

// otherProgram makes the image from another program: a copy of this one, changed where the kernel does not look.
func otherProgram(t *testing.T, s *image.Store, change byte) {
	t.Helper()
	program, err := os.ReadFile(thisProgram)
	if err != nil {
		t.Fatal(err)
	}
	program[elf.EI_PAD+1] = change
	path := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(path, program, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), childStore+"="+s.Dir)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
}

func TestOtherProgram(t *testing.T) {
	s := &image.Store{Dir: t.TempDir()}
	mine := ensure(t, s, "hello")
	otherProgram(t, s, 1)
	others, err := s.Find("hello")
	if err != nil || others.ID == mine.ID {
		t.Fatalf("the other program made %v, %v", others, err)
	}
	if old, err := s.Find(mine.ID); err != nil || len(old.Names) != 0 {
		t.Errorf("a container may be made of the old image: %v, %v", old, err)
	}
	otherProgram(t, s, 2)
	used := others.ID
	s.InUse = func(id string) bool { return id == used }
	if again := ensure(t, s, "hello"); again.ID != mine.ID {
		t.Errorf("made again: %s, want %s", again.ID, mine.ID)
	}
	images, err := s.List()
	var ids []string
	for _, img := range images {
		ids = append(ids, img.ID)
	}
	if err != nil || len(ids) != 2 || !slices.Contains(ids, used) {
		t.Errorf("left are %s (%v), want the new one and %s, which is in use", strings.Join(ids, " "), err, used)
	}
}

func BenchmarkEnsureNothingToDo(b *testing.B) {
	s := &image.Store{Dir: b.TempDir()}
	ensure(b, s, "base")
	ensure(b, s, "base")
	for b.Loop() {
		if _, err := Ensure(s, "base"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMakeBase(b *testing.B) {
	for b.Loop() {
		ensure(b, &image.Store{Dir: b.TempDir()}, "base")
	}
}
