package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sandbox/image/layer/tartest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// lookupText is a file's content, or the errno in angle brackets.
func lookupText(s *Store, layers []string, upper, path string) string {
	file, err := s.Lookup(layers, upper, path)
	if err != nil {
		var errno unix.Errno
		if errors.As(err, &errno) {
			return "<" + unix.ErrnoName(errno) + ">"
		}
		return "<" + err.Error() + ">"
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// stack is an image in which everything happens that a stack of layers can do to a name.
func stack(t testing.TB, s *Store) *Image {
	t.Helper()
	return mustAdd(t, s, [][]byte{
		tartest.Archive(t, tartest.Dir("etc"), tartest.File("etc/passwd", "low"), tartest.File("etc/only-low", "low"), tartest.File("etc/gone", "low"),
			tartest.Dir("opaque"), tartest.File("opaque/hidden", "low"), tartest.Dir("opaque/sub"), tartest.File("opaque/sub/hidden", "low"),
			tartest.Dir("removed"), tartest.File("removed/f", "low"), tartest.Dir("back"), tartest.File("back/old", "low"),
			tartest.File("was-file", "low"), tartest.Dir("was-dir"), tartest.File("was-dir/f", "low"),
			tartest.Dir("usr"), tartest.Dir("usr/bin"), tartest.File("usr/bin/true", "low"), tartest.Link("bin", "usr/bin")),
		tartest.Archive(t, tartest.Dir("etc"), tartest.File("etc/passwd", "middle"), tartest.File("etc/.wh.gone", ""),
			tartest.Dir("opaque"), tartest.File("opaque/.wh..wh..opq", ""), tartest.File("opaque/new", "middle"), tartest.Dir("opaque/sub"), tartest.File("opaque/sub/new", "middle"),
			tartest.File(".wh.removed", ""), tartest.File(".wh.back", ""), tartest.Dir("back"), tartest.File("back/new", "middle"),
			tartest.Dir("was-file"), tartest.File("was-file/f", "middle"), tartest.File("was-dir", "middle"), tartest.File("usr/bin/false", "middle")),
		tartest.Archive(t, tartest.Link("absolute", "/etc/passwd"), tartest.Link("relative", "etc/../etc/./only-low"), tartest.Link("out", "../../../../etc/passwd"),
			tartest.Link("etc/up", "../bin/true"), tartest.Link("loop", "loop"), tartest.Link("nowhere", "/no/such"), tartest.Link("dir", "/etc"),
			tartest.Link("through", "bin/../../etc/passwd"), tartest.File("opaque/newest", "high"),
			tartest.File(".wh..wh..opq", ""), // overlayfs does not heed it in a layer's root, so neither does Lookup
			tar.Header{Typeflag: tar.TypeFifo, Name: "pipe"}),
	}, "stack")
}

var stackFiles = map[string]string{
	"/etc/passwd": "middle", "etc/passwd": "middle", "/etc//./passwd": "middle", "/etc/only-low": "low", "/etc/gone": "<ENOENT>",
	"/opaque/hidden": "<ENOENT>", "/opaque/new": "middle", "/opaque/newest": "high", "/opaque/sub/hidden": "<ENOENT>", "/opaque/sub/new": "middle",
	"/removed/f": "<ENOENT>", "/removed": "<ENOENT>", "/back/old": "<ENOENT>", "/back/new": "middle",
	"/was-file/f": "middle", "/was-file": "<EISDIR>", "/was-dir": "middle", "/was-dir/f": "<ENOTDIR>",
	"/bin/true": "low", "/bin/false": "middle", "/absolute": "middle", "/relative": "low", "/out": "middle", "/etc/up": "low",
	"/loop": "<ELOOP>", "/nowhere": "<ENOENT>", "/dir/passwd": "middle", "/dir/../bin/true": "low", "/through": "middle",
	"/../../etc/passwd": "middle", "/pipe": "<EINVAL>", "/": "<EISDIR>", "": "<EISDIR>", "/etc": "<EISDIR>", "/etc/passwd/x": "<ENOTDIR>",
	"/no/such": "<ENOENT>",
}

func TestLookup(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	img := stack(t, s)
	for path, want := range stackFiles {
		if got := lookupText(s, img.Layers, "", path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	var pathError *fs.PathError
	if _, err := s.Lookup(img.Layers, "", "/no/such"); !errors.As(err, &pathError) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %#v", err)
	}
}

func TestLookupUpper(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	img := stack(t, s)
	upper := t.TempDir()
	if err := os.Mkdir(upper+"/etc", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(upper+"/etc/gone", []byte("upper"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/etc/passwd", "/opaque"} {
		if err := unix.Mknod(upper+path, unix.S_IFCHR, 0); err != nil {
			t.Skipf("this kernel does not let us make whiteouts: %v", err)
		}
	}
	if err := os.Symlink("/etc/gone", upper+"/absolute"); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/etc/passwd": "<ENOENT>", "/etc/gone": "upper", "/absolute": "upper", "/opaque/new": "<ENOENT>", "/etc/only-low": "low", "/dir/gone": "upper",
	} {
		if got := lookupText(s, img.Layers, upper, path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestLookupWhiteoutFile(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	img := stack(t, s)
	upper := t.TempDir()
	for _, name := range []string{"was-dir", "empty"} {
		if err := os.WriteFile(filepath.Join(upper, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Setxattr(upper+"/was-dir", "user.overlay.whiteout", []byte("y"), 0); err != nil {
		t.Skipf("no user extended attributes here: %v", err)
	}
	if got := lookupText(s, img.Layers, upper, "/was-dir"); got != "<ENOENT>" {
		t.Errorf("whiteout with an attribute: %q", got)
	}
	if got := lookupText(s, img.Layers, upper, "/empty"); got != "" {
		t.Errorf("empty file: %q", got)
	}
}

// TestLookupAgreesWithOverlayfs mounts the stack and compares every file.
func TestLookupAgreesWithOverlayfs(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	img := stack(t, s)
	lower := slices.Clone(img.Layers)
	slices.Reverse(lower)
	output, err := startChild(t, "mount", s.LayerDir(), strings.Join(lower, ":"))
	if err != nil {
		t.Skipf("overlayfs cannot be mounted here: %v: %s", err, output)
	}
	got := map[string]string{}
	for line := range strings.Lines(output) {
		path, content, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		got[path] = content
	}
	want := maps.Clone(stackFiles)
	maps.DeleteFunc(want, func(path, _ string) bool { return !strings.HasPrefix(path, "/") || path == "/pipe" })
	for path := range want {
		if got[path] != want[path] {
			t.Errorf("overlayfs has %q at %s, Lookup %q", got[path], path, want[path])
		}
	}
}

// printMounted is the child of TestLookupAgreesWithOverlayfs. It is in a mount namespace of its own (and if it must, in a
// user namespace), mounts the layers over them, enters and prints all files of the stack.
func printMounted(layerDir, lower string) error {
	data := "lowerdir=" + lower
	if os.Getenv("userxattr") != "" {
		data += ",userxattr"
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := os.Chdir(layerDir); err != nil {
		return err
	}
	if err := unix.Mount("overlay", layerDir, "overlay", 0, data); err != nil {
		return err
	}
	if err := unix.Chroot(layerDir); err != nil {
		return err
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	for path := range stackFiles {
		if !strings.HasPrefix(path, "/") || path == "/pipe" {
			continue
		}
		content, err := os.ReadFile(path)
		var errno unix.Errno
		if errors.As(err, &errno) {
			content = []byte("<" + unix.ErrnoName(errno) + ">")
		}
		fmt.Printf("%s=%s\n", path, content)
	}
	return nil
}
