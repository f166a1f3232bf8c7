package copying

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"sandbox/image/layer"
	"sandbox/image/layer/tartest"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// unpacked unpacks layers, the lowest first, and returns them as COPY --from takes them.
func unpacked(t *testing.T, layers ...[]tar.Header) []string {
	t.Helper()
	var dirs []string
	for _, entries := range layers {
		dir := t.TempDir()
		must(t, layer.Unpack(bytes.NewReader(tartest.Archive(t, entries...)), dir))
		dirs = append([]string{dir}, dirs...)
	}
	return dirs
}

func TestFromLayers(t *testing.T) {
	dirs := unpacked(t,
		[]tar.Header{tartest.File("d/a", "old"), tartest.File("d/b", "2"), tartest.File("d/gone", "3"), tartest.File("o/hidden", "4"), tartest.Link("l", "/d"), tartest.File("w/x", "5"), tartest.File("plain", "6")},
		[]tar.Header{tartest.File("d/a", "new"), tartest.File("d/.wh.gone", ""), tartest.File("o/.wh..wh..opq", ""), tartest.File("o/c", "7"), tartest.File("w", "a file now")})
	tree := layersOf(t, dirs...)
	for _, c := range []struct{ args, want string }{
		{"/d /x", "x/ x/a=new x/b=2"},
		{"/o /x", "x/ x/c=7"},
		{"/l/b /x", "x=2"},
		{"/l /x", "x/ x/a=new x/b=2"},
		{"/d/* /x/", "x/ x/a=new x/b=2"},
		{"/w /x", "x=a file now"},
		{"../../plain /x", "x=6"},
		{"/d/gone /x", "!not found"},
		{"/o/hidden /x", "!not found"},
		{"/w/x /x", "!not found"},
		{". /", "d/ d/a=new d/b=2 l->/d o/ o/c=7 plain=6 w=a file now"},
	} {
		dir, err := written(t, copyOf(tree, strings.Fields(c.args)...))
		if want, isError := strings.CutPrefix(c.want, "!"); isError {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want %q", c.args, err, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.args, err)
			continue
		}
		if got := strings.ReplaceAll(harvest(t, dir), ":755", ""); got != c.want {
			t.Errorf("%s: got  %s\nwant %s", c.args, got, c.want)
		}
	}
}

// TestBelowIsSeenAsOverlayfsDoes: what lower layers have deleted or hidden is not there for a destination.
func TestBelowIsSeenAsOverlayfsDoes(t *testing.T) {
	below := unpacked(t,
		[]tar.Header{tartest.File("x/f", "1"), tartest.File("y/f/g", "2"), tartest.Dir("z")},
		[]tar.Header{tartest.File(".wh.x", ""), tartest.File("y/.wh..wh..opq", ""), tartest.File(".wh.z", ""), tartest.Link("z", "real")})
	for args, want := range map[string]string{"a /x": "x=1", "a /y/f": "y/ y/f=1", "a /z/": "real/ real/a=1"} {
		dir, err := written(t, copyOf(contextOf(t, plant(t, "a=1"), ""), strings.Fields(args)...), below...)
		must(t, err)
		if got := harvest(t, dir); got != want {
			t.Errorf("%s: got %s, want %s", args, got, want)
		}
	}
}

// owners lists paths of a layer with their owners as an image has them.
func owners(t *testing.T, dir string, paths ...string) string {
	t.Helper()
	var list []string
	for _, p := range paths {
		info, err := layer.Lstat([]string{dir}, p)
		must(t, err)
		list = append(list, strings.Join([]string{p, itoa(info.UID), itoa(info.GID)}, ":"))
	}
	return strings.Join(list, " ")
}

func itoa(n int) string {
	return string([]byte{byte('0' + n/100), byte('0' + n/10%10), byte('0' + n%10)})
}

// withOwners is an image whose files belong to others than root. An ordinary user can unpack it, too.
func withOwners(t *testing.T) []string {
	t.Helper()
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	for _, h := range []tar.Header{
		{Typeflag: tar.TypeReg, Name: "file", Mode: 0o644, Uid: 100, Gid: 200},
		{Typeflag: tar.TypeDir, Name: "dir/", Mode: 0o755, Uid: 100, Gid: 200},
		{Typeflag: tar.TypeDir, Name: "dir/sub/", Mode: 0o755, Uid: 101, Gid: 201},
		{Typeflag: tar.TypeReg, Name: "dir/sub/nested", Mode: 0o4755, Uid: 102, Gid: 202},
	} {
		must(t, w.WriteHeader(&h))
	}
	must(t, w.Close())
	dir := t.TempDir()
	must(t, layer.Unpack(&buffer, dir))
	return []string{dir}
}

func TestOwners(t *testing.T) {
	tree := layersOf(t, withOwners(t)...)
	below := withOwners(t)
	for _, c := range []struct {
		args     string
		uid, gid int
		want     string
	}{
		{"/file /file", -1, -1, "file:100:200"},
		{"/file /file", 300, 400, "file:300:400"},
		{"/file /a/b", -1, -1, "a:000:000 a/b:100:200"},
		{"/file /a/b", 300, 400, "a:300:400 a/b:300:400"},
		{"/dir /new", -1, -1, "new:000:000 new/sub:101:201 new/sub/nested:102:202"},
		{"/dir /new", 300, 400, "new:300:400 new/sub:300:400 new/sub/nested:300:400"},
		{"/file /dir/", 300, 400, "dir:100:200 dir/file:300:400"},
		{"/dir/. /dir", 300, 400, "dir:100:200 dir/sub:300:400 dir/sub/nested:300:400"},
	} {
		instruction := copyOf(tree, strings.Fields(c.args)...)
		instruction.UID, instruction.GID = c.uid, c.gid
		dir, err := written(t, instruction, below...)
		must(t, err)
		var paths []string
		for word := range strings.FieldsSeq(c.want) {
			paths = append(paths, word[:strings.IndexByte(word, ':')])
		}
		if got := owners(t, dir, paths...); got != c.want {
			t.Errorf("%s, --chown=%d:%d: got %s, want %s", c.args, c.uid, c.gid, got, c.want)
		}
		if info, err := os.Stat(filepath.Join(dir, "new/sub/nested")); err == nil && info.Mode()&os.ModeSetuid == 0 {
			t.Errorf("%s: the set-user-ID bit is gone", c.args)
		}
	}
}

// TestContextOwners: whom files of a context belong to is nobody's business.
func TestContextOwners(t *testing.T) {
	source := plant(t, "d/a=1")
	must(t, unix.Setxattr(source+"/d/a", rootlessAttribute, []byte{8, 9}, 0))
	if os.Geteuid() == 0 {
		must(t, os.Chown(source+"/d/a", 1000, 1000))
	}
	dir, err := written(t, copyOf(contextOf(t, source, ""), "d", "/d"))
	must(t, err)
	if got, want := owners(t, dir, "d", "d/a"), "d:000:000 d/a:000:000"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDevices(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	source := plant(t, "d/")
	if err := unix.Mknod(source+"/d/null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))); err != nil {
		t.Skip("needs device nodes")
	}
	dir, err := written(t, copyOf(layersOf(t, source), "d", "/"))
	must(t, err)
	var st unix.Stat_t
	must(t, unix.Lstat(dir+"/null", &st))
	if st.Mode&unix.S_IFMT != unix.S_IFCHR || st.Rdev != unix.Mkdev(1, 3) {
		t.Errorf("mode %o, device %x", st.Mode, st.Rdev)
	}
}

// TestUnreadable: what an ordinary user has unpacked may forbid its owner to read it; in the container that user is root.
func TestUnreadable(t *testing.T) {
	source := plant(t, "d/shadow=1:0 d/x/f=2:0")
	must(t, os.Chmod(source+"/d/x", 0))
	defer os.Chmod(source+"/d/x", 0o700)
	dir, err := written(t, copyOf(layersOf(t, source), "d", "/"))
	must(t, err)
	for name, want := range map[string]uint32{"shadow": 0, "x": 0} {
		for _, root := range []string{dir, source + "/d"} {
			if info, err := os.Lstat(filepath.Join(root, name)); err != nil || permissions(info.Mode()) != want {
				t.Errorf("%s/%s: %v, %v", root, name, info.Mode(), err)
			}
		}
	}
}
