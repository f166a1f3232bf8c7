package image

import (
	"archive/tar"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// unpacked unpacks a layer.
func unpacked(t *testing.T, entries ...tar.Header) string {
	t.Helper()
	dir := t.TempDir()
	if err := unpack(bytes.NewReader(archive(t, entries...)), dir); err != nil {
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
	program := file("bin/program", "#!/bin/sh\n")
	program.Mode, program.ModTime, program.Format = 0o4755, when, tar.FormatPAX
	closed := tar.Header{Typeflag: tar.TypeDir, Name: "closed/", Mode: 0o500, ModTime: when}
	sticky := tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777, ModTime: when}
	arrow := link("bin/sh", "program")
	arrow.ModTime = when
	root := unpacked(t, closed, file("closed/inside", "x"), sticky, program, arrow, hardLink("bin/twin", "/bin/program"),
		tar.Header{Typeflag: tar.TypeFifo, Name: "pipe", Mode: 0o622}, file("implicit/parent/file", "y"))
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
	if err := unpack(&buffer, dir); err != nil {
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
	root := unpacked(t, file(".wh.gone", ""), file("d/.wh..wh..opq", ""), file("d/new", "x"), file("d/.wh..wh.plnk", ""),
		file(".wh.again", ""), file("again/new", "x"), // a directory in the place of a whiteout
		dir("before"), file(".wh.before", ""), file("kept", "x"), file(".wh.kept", ""), file("twice/.wh.a", ""), file("twice/.wh.a", ""))
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
		file("f", "1"), file("f", "2"), // a file by a file
		dir("d"), file("d/x", "1"), file("d", "2"), // a directory by a file
		file("g", "1"), dir("g"), file("g/x", "2"), // a file by a directory
		link("l", "/nowhere"), dir("l"), file("l/x", "2"), // a link by a directory
		dir("m"), file("m/x", "1"), dir("m"), // a directory by itself
		dir("real"), link("to", "real"), file("to/x", "1"), dir("other"), file("to", "2"), // a link that was used
		file("h", "1"), hardLink("h2", "h"), hardLink("h2", "h2"), hardLink("h2", "f"))
	for path, want := range map[string]string{"f": "2", "d": "2", "g/x": "2", "l/x": "2", "m/x": "1", "real/x": "1", "to": "2", "h": "1", "h2": "2"} {
		if got := readFile(t, filepath.Join(root, path)); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// TestUnpackStaysInside: nothing in an archive reaches out of the directory. What a name means then is what it would mean
// if that directory were the root.
func TestUnpackStaysInside(t *testing.T) {
	for name, entries := range map[string][]tar.Header{
		"dots":                      {file("../../victim", "evil")},
		"absolute":                  {file("/victim", "evil")},
		"dots in the middle":        {dir("a"), file("a/../../victim", "evil")},
		"link to a directory":       {link("a", "OUTSIDE"), file("a/victim", "evil")},
		"relative link":             {dir("b"), link("b/a", "../../../../../../../../OUTSIDE"), file("b/a/victim", "evil")},
		"chain of links":            {link("a", "b"), link("b", "c/.."), link("c", "OUTSIDE"), dir("OUTSIDE"), file("a/victim", "evil")},
		"through a link":            {link("victim", "OUTSIDE/victim"), file("victim", "evil")},
		"directory over a link":     {link("a", "OUTSIDE"), dir("a"), file("a/victim", "evil")},
		"whiteout through a link":   {link("a", "OUTSIDE"), file("a/.wh.victim", "")},
		"opaque through a link":     {link("a", "OUTSIDE"), file("a/.wh..wh..opq", "")},
		"replace through a link":    {link("a", "OUTSIDE"), dir("a/victim")},
		"link swapped after use":    {dir("a"), file("a/x", "1"), link("a", "OUTSIDE"), file("a/victim", "evil")},
		"attributes over a link":    {dir("a"), link("a", "OUTSIDE"), {Typeflag: tar.TypeDir, Name: "a/../a", Mode: 0o777}},
		"device through a link":     {link("a", "OUTSIDE"), {Typeflag: tar.TypeFifo, Name: "a/victim"}},
		"a directory and then link": {dir("a"), dir("a/b"), link("a/b", "OUTSIDE"), file("a/b/victim", "evil")},
	} {
		t.Run(name, func(t *testing.T) {
			outside := victim(t)
			for i := range entries {
				entries[i].Linkname = strings.Replace(entries[i].Linkname, "OUTSIDE", strings.TrimPrefix(outside, "/"), 1)
				if strings.HasPrefix(entries[i].Linkname, strings.TrimPrefix(outside, "/")) {
					entries[i].Linkname = "/" + entries[i].Linkname
				}
			}
			unpack(bytes.NewReader(archive(t, entries...)), t.TempDir()) // may succeed, inside
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
		"hard link out by dots":   archive(t, hardLink("a", "../../../../../../../.."+outside+"/victim")),
		"hard link out by a path": archive(t, hardLink("a", outside+"/victim")),
		"hard link by a link":     archive(t, link("d", outside), hardLink("a", "d/victim")),
		"hard link to nothing":    archive(t, hardLink("a", "b")),
		"hard link to the root":   archive(t, hardLink("a", "/")),
		"file as a directory":     archive(t, file("a", "1"), file("a/b", "2")),
		"links in a circle":       archive(t, link("a", "b"), link("b", "a"), file("a/x", "1")),
		"whiteout of nothing":     archive(t, file(".wh.", "")),
		"whiteout of ..":          archive(t, file("d/.wh...", "")),
		"not an archive":          []byte(strings.Repeat("no archive at all ", 100)),
		"half an archive":         archive(t, file("a", strings.Repeat("x", 5000)))[:3000],
	} {
		dir := t.TempDir()
		if err := unpack(bytes.NewReader(layer), dir); err == nil {
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
				entries = append(entries, file(where, "evil"))
			case 1:
				entries = append(entries, dir(where))
			case 2:
				entries = append(entries, link(where, target))
			case 3:
				entries = append(entries, hardLink(where, target))
			case 4:
				entries = append(entries, file(where+"/"+opaqueMarker, ""))
			case 5:
				entries = append(entries, file(filepath.Dir(where)+"/.wh."+filepath.Base(where), ""))
			case 6:
				entries = append(entries, tar.Header{Typeflag: tar.TypeFifo, Name: where})
			}
		}
		unpack(bytes.NewReader(archive(t, entries...)), inside)
		checkVictim(t, outside)
	})
}
