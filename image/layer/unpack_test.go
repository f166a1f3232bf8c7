package layer

import (
	"archive/tar"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sandbox/image/layer/tartest"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// unpacked unpacks a layer.
func unpacked(t *testing.T, entries ...tar.Header) string {
	t.Helper()
	dir := t.TempDir()
	if err := Unpack(bytes.NewReader(tartest.Archive(t, entries...)), dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return string(data)
}

func TestUnpack(t *testing.T) {
	unix.Umask(unix.Umask(0o077)) // read it; then set one that would spoil the modes
	defer unix.Umask(unix.Umask(0o077))
	when := time.Date(2020, 2, 3, 4, 5, 6, 789000000, time.UTC)
	program := tartest.File("bin/program", "#!/bin/sh\n")
	program.Mode, program.ModTime, program.Format = 0o4755, when, tar.FormatPAX
	closed := tar.Header{Typeflag: tar.TypeDir, Name: "closed/", Mode: 0o500, ModTime: when}
	sticky := tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777, ModTime: when}
	arrow := tartest.Link("bin/sh", "program")
	arrow.ModTime = when
	root := unpacked(t, closed, tartest.File("closed/inside", "x"), sticky, program, arrow, tartest.HardLink("bin/twin", "/bin/program"),
		tar.Header{Typeflag: tar.TypeFifo, Name: "pipe", Mode: 0o622}, tartest.File("implicit/parent/file", "y"))
	defer os.Chmod(root+"/closed", 0o700)
	for path, want := range map[string]fs.FileMode{
		"": fs.ModeDir | 0o755, "bin": fs.ModeDir | 0o755, "bin/program": fs.ModeSetuid | 0o755, "bin/twin": fs.ModeSetuid | 0o755,
		"closed": fs.ModeDir | 0o500, "tmp": fs.ModeDir | fs.ModeSticky | 0o777, "bin/sh": fs.ModeSymlink | 0o777,
		"pipe": fs.ModeNamedPipe | 0o622, "implicit/parent": fs.ModeDir | 0o755, "closed/inside": 0o644,
	} {
		info, err := os.Lstat(filepath.Join(root, path))
		if err != nil {
			t.Error(err)
			continue
		}
		if info.Mode() != want {
			t.Errorf("%s: mode %v, want %v", path, info.Mode(), want)
		}
		if dated := path == "closed" || path == "tmp" || path == "bin/program" || path == "bin/sh"; dated && !info.ModTime().Round(time.Second).Equal(when.Round(time.Second)) {
			t.Errorf("%s: time %v, want %v", path, info.ModTime(), when)
		}
	}
	one, _ := os.Stat(root + "/bin/program")
	two, _ := os.Stat(root + "/bin/twin")
	if !os.SameFile(one, two) {
		t.Error("the hard link is another file")
	}
}

func TestUnpackOwnersAndDevices(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	for _, h := range []tar.Header{
		{Typeflag: tar.TypeReg, Name: "f", Mode: 0o6755, Uid: 1000, Gid: 1001, PAXRecords: map[string]string{
			"SCHILY.xattr.user.color": "blue", "SCHILY.xattr.trusted.overlay.redirect": "/etc", "SCHILY.xattr.user.overlay.metacopy": "y",
		}},
		{Typeflag: tar.TypeSymlink, Name: "l", Linkname: "f", Uid: 1002, Gid: 1003},
		{Typeflag: tar.TypeDir, Name: "d/", Mode: 0o755, Uid: 1004, Gid: 1005},
		{Typeflag: tar.TypeChar, Name: "null", Mode: 0o666, Devmajor: 1, Devminor: 3},
	} {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	dir := t.TempDir()
	if err := Unpack(&buffer, dir); err != nil {
		t.Fatal(err)
	}
	for name, uid := range map[string]uint32{"f": 1000, "l": 1002, "d": 1004, "null": 0} {
		var st unix.Stat_t
		if err := unix.Lstat(filepath.Join(dir, name), &st); err != nil || st.Uid != uid || uid > 0 && st.Gid != uid+1 {
			t.Errorf("%s: owner %d:%d, %v", name, st.Uid, st.Gid, err)
		}
		if name == "f" && st.Mode&0o7777 != 0o6755 {
			t.Errorf("f: mode %o", st.Mode)
		}
		if name == "null" && st.Rdev != unix.Mkdev(1, 3) {
			t.Errorf("null: device %x", st.Rdev)
		}
	}
	names := make([]byte, 1000)
	n, err := unix.Llistxattr(dir+"/f", names)
	if got := string(names[:max(0, n)]); err != nil || got != "user.color\x00" {
		t.Errorf("extended attributes %q, %v", got, err)
	}
}

func TestUnpackWhiteouts(t *testing.T) {
	root := unpacked(t, tartest.File(".wh.gone", ""), tartest.File("d/.wh..wh..opq", ""), tartest.File("d/new", "x"), tartest.File("d/.wh..wh.plnk", ""),
		tartest.File(".wh.again", ""), tartest.File("again/new", "x"), // a directory in the place of a whiteout
		tartest.Dir("before"), tartest.File(".wh.before", ""), tartest.File("kept", "x"), tartest.File(".wh.kept", ""), tartest.File("twice/.wh.a", ""), tartest.File("twice/.wh.a", ""))
	for _, path := range []string{"gone", "twice/a"} {
		if dir, base := filepath.Split(path); true {
			fd, err := unix.Open(filepath.Join(root, dir), openDirectory, 0)
			if err != nil {
				t.Fatal(err)
			}
			if !isWhiteoutAt(fd, base) {
				t.Errorf("%s is no whiteout", path)
			}
			unix.Close(fd)
		}
	}
	for path, want := range map[string]bool{"": false, "d": true, "again": true, "before": true, "twice": false} {
		fd, err := unix.Open(filepath.Join(root, path), openDirectory, 0)
		if err != nil {
			t.Fatal(err)
		}
		if isOpaque(fd) != want {
			t.Errorf("opaque %q: %v", path, !want)
		}
		unix.Close(fd)
	}
	if readFile(t, root+"/kept") != "x" {
		t.Error("a whiteout removed a file of its own layer")
	}
	left, err := os.ReadDir(root + "/d")
	if err != nil || len(left) != 1 {
		t.Errorf("d holds %v, %v", left, err)
	}
}

func TestUnpackReplaces(t *testing.T) {
	root := unpacked(t,
		tartest.File("f", "1"), tartest.File("f", "2"), // a file by a file
		tartest.Dir("d"), tartest.File("d/x", "1"), tartest.File("d", "2"), // a directory by a file
		tartest.File("g", "1"), tartest.Dir("g"), tartest.File("g/x", "2"), // a file by a directory
		tartest.Link("l", "/nowhere"), tartest.Dir("l"), tartest.File("l/x", "2"), // a link by a directory
		tartest.Dir("m"), tartest.File("m/x", "1"), tartest.Dir("m"), // a directory by itself
		tartest.Dir("real"), tartest.Link("to", "real"), tartest.File("to/x", "1"), tartest.Dir("other"), tartest.File("to", "2"), // a link that was used
		tartest.File("h", "1"), tartest.HardLink("h2", "h"), tartest.HardLink("h2", "h2"), tartest.HardLink("h2", "f"))
	for path, want := range map[string]string{"f": "2", "d": "2", "g/x": "2", "l/x": "2", "m/x": "1", "real/x": "1", "to": "2", "h": "1", "h2": "2"} {
		if got := readFile(t, filepath.Join(root, path)); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// TestHardLinkInPlaceOfItsTarget: the link takes the place of the directory that its target is in, which is gone then.
func TestHardLinkInPlaceOfItsTarget(t *testing.T) {
	archive := tartest.Archive(t, tartest.Dir("d"), tartest.Dir("d/e"), tartest.File("d/e/f", "1"), tartest.HardLink("d", "d/e/f"))
	if err := Unpack(bytes.NewReader(archive), t.TempDir()); !errors.Is(err, unix.ENOENT) {
		t.Errorf("error %v", err)
	}
}

// TestUnpackStaysInside: nothing in an archive reaches out of the directory. What a name means then is what it would mean
// if that directory were the root.
func TestUnpackStaysInside(t *testing.T) {
	for name, entries := range map[string][]tar.Header{
		"dots":                      {tartest.File("../../victim", "evil")},
		"absolute":                  {tartest.File("/victim", "evil")},
		"dots in the middle":        {tartest.Dir("a"), tartest.File("a/../../victim", "evil")},
		"link to a directory":       {tartest.Link("a", "OUTSIDE"), tartest.File("a/victim", "evil")},
		"relative link":             {tartest.Dir("b"), tartest.Link("b/a", "../../../../../../../../OUTSIDE"), tartest.File("b/a/victim", "evil")},
		"chain of links":            {tartest.Link("a", "b"), tartest.Link("b", "c/.."), tartest.Link("c", "OUTSIDE"), tartest.Dir("OUTSIDE"), tartest.File("a/victim", "evil")},
		"through a link":            {tartest.Link("victim", "OUTSIDE/victim"), tartest.File("victim", "evil")},
		"directory over a link":     {tartest.Link("a", "OUTSIDE"), tartest.Dir("a"), tartest.File("a/victim", "evil")},
		"whiteout through a link":   {tartest.Link("a", "OUTSIDE"), tartest.File("a/.wh.victim", "")},
		"opaque through a link":     {tartest.Link("a", "OUTSIDE"), tartest.File("a/.wh..wh..opq", "")},
		"replace through a link":    {tartest.Link("a", "OUTSIDE"), tartest.Dir("a/victim")},
		"link swapped after use":    {tartest.Dir("a"), tartest.File("a/x", "1"), tartest.Link("a", "OUTSIDE"), tartest.File("a/victim", "evil")},
		"attributes over a link":    {tartest.Dir("a"), tartest.Link("a", "OUTSIDE"), {Typeflag: tar.TypeDir, Name: "a/../a", Mode: 0o777}},
		"device through a link":     {tartest.Link("a", "OUTSIDE"), {Typeflag: tar.TypeFifo, Name: "a/victim"}},
		"a directory and then link": {tartest.Dir("a"), tartest.Dir("a/b"), tartest.Link("a/b", "OUTSIDE"), tartest.File("a/b/victim", "evil")},
	} {
		t.Run(name, func(t *testing.T) {
			outside := victim(t)
			for i := range entries {
				entries[i].Linkname = strings.Replace(entries[i].Linkname, "OUTSIDE", strings.TrimPrefix(outside, "/"), 1)
				if strings.HasPrefix(entries[i].Linkname, strings.TrimPrefix(outside, "/")) {
					entries[i].Linkname = "/" + entries[i].Linkname
				}
			}
			Unpack(bytes.NewReader(tartest.Archive(t, entries...)), t.TempDir()) // may succeed, inside
			checkVictim(t, outside)
		})
	}
}

func victim(t *testing.T) string {
	outside := t.TempDir()
	if err := os.WriteFile(outside+"/victim", []byte("safe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(outside, 0o700); err != nil {
		t.Fatal(err)
	}
	return outside
}

func checkVictim(t *testing.T, outside string) {
	t.Helper()
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 {
		t.Errorf("outside there is %v, %v", entries, err)
	}
	var st unix.Stat_t
	if err := unix.Lstat(outside+"/victim", &st); err != nil || st.Mode != unix.S_IFREG|0o600 || st.Nlink != 1 || readFile(t, outside+"/victim") != "safe" {
		t.Errorf("the file outside: mode %o, %d links, %v", st.Mode, st.Nlink, err)
	}
	fd, err := unix.Open(outside, openDirectory, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if isOpaque(fd) {
		t.Error("the directory outside was marked")
	}
	if info, err := os.Stat(outside); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory outside: %v, %v", info.Mode(), err)
	}
}

func TestUnpackRefuses(t *testing.T) {
	outside := victim(t)
	for name, layer := range map[string][]byte{
		"hard link out by dots":   tartest.Archive(t, tartest.HardLink("a", "../../../../../../../.."+outside+"/victim")),
		"hard link out by a path": tartest.Archive(t, tartest.HardLink("a", outside+"/victim")),
		"hard link by a link":     tartest.Archive(t, tartest.Link("d", outside), tartest.HardLink("a", "d/victim")),
		"hard link to nothing":    tartest.Archive(t, tartest.HardLink("a", "b")),
		"hard link to the root":   tartest.Archive(t, tartest.HardLink("a", "/")),
		"file as a directory":     tartest.Archive(t, tartest.File("a", "1"), tartest.File("a/b", "2")),
		"links in a circle":       tartest.Archive(t, tartest.Link("a", "b"), tartest.Link("b", "a"), tartest.File("a/x", "1")),
		"whiteout of nothing":     tartest.Archive(t, tartest.File(".wh.", "")),
		"whiteout of ..":          tartest.Archive(t, tartest.File("d/.wh...", "")),
		"not an archive":          []byte(strings.Repeat("no archive at all ", 100)),
		"half an archive":         tartest.Archive(t, tartest.File("a", strings.Repeat("x", 5000)))[:3000],
	} {
		dir := t.TempDir()
		if err := Unpack(bytes.NewReader(layer), dir); err == nil {
			t.Errorf("%s: no error", name)
		}
		checkVictim(t, outside)
	}
}

// FuzzUnpack: a sequence of entries, each a letter of what and two of where, never changes anything outside.
func FuzzUnpack(f *testing.F) {
	f.Add("lae fax dax wax hab oaa paa")
	f.Add("lae dae fae/x")
	f.Fuzz(func(t *testing.T, script string) {
		base := t.TempDir()
		outside := filepath.Join(base, "outside")
		inside := filepath.Join(base, "inside")
		os.Mkdir(outside, 0o700)
		os.Mkdir(inside, 0o700)
		os.WriteFile(outside+"/victim", []byte("safe"), 0o600)
		targets := []string{"a", "a/b", "b/../a", "../outside", outside, ".", "a/victim", "c", "b/c/d", "c/victim", ".."}
		var entries []tar.Header
		for word := range strings.FieldsSeq(script) {
			if len(word) < 3 || len(entries) > 50 {
				continue
			}
			where, target := targets[int(word[1])%len(targets)], targets[int(word[2])%len(targets)]
			switch word[0] % 7 {
			case 0:
				entries = append(entries, tartest.File(where, "evil"))
			case 1:
				entries = append(entries, tartest.Dir(where))
			case 2:
				entries = append(entries, tartest.Link(where, target))
			case 3:
				entries = append(entries, tartest.HardLink(where, target))
			case 4:
				entries = append(entries, tartest.File(where+"/"+opaqueMarker, ""))
			case 5:
				entries = append(entries, tartest.File(filepath.Dir(where)+"/.wh."+filepath.Base(where), ""))
			case 6:
				entries = append(entries, tar.Header{Typeflag: tar.TypeFifo, Name: where})
			}
		}
		Unpack(bytes.NewReader(tartest.Archive(t, entries...)), inside)
		checkVictim(t, outside)
	})
}
