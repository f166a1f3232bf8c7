package copying

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sandbox/image/layer/tartest"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var buffer bytes.Buffer
	w := gzip.NewWriter(&buffer)
	_, err := w.Write(data)
	must(t, err)
	must(t, w.Close())
	return buffer.Bytes()
}

func zstandard(t *testing.T, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	must(t, err)
	return w.EncodeAll(data, nil)
}

// compressedByHand are an archive of one file, "f", with "hello", as `tar | bzip2` and `tar | xz` made it: Go has no
// writers for them.
func compressedByHand(t *testing.T) map[string][]byte {
	t.Helper()
	result := map[string][]byte{}
	for name, text := range map[string]string{"bz2": bzip2Sample, "xz": xzSample} {
		data, err := base64.StdEncoding.DecodeString(text)
		must(t, err)
		result[name] = data
	}
	return result
}

const (
	bzip2Sample = "QlpoOTFBWSZTWWoDkFwAAHB7hMmAAEJAAEeAAADjRJ4AAACACCAAVDSaaTTE2ppow1BJTTSDJoBkF/uZxihBaQCQ+mJWbyKwSQMEBrs2zpLhCByRXJ5AwuLtnQUXGpZZAzQIiA/F3JFOFCQagOQXAA=="
	xzSample    = "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Cf/AF1dADMAM1AYaImDAdzibiEFVzU4Vk1woq0vmJzSyOmQxrfxqJbLylPlkiSdvVhPlDc4bQSDdT8IyQVnvZ/mANR4H3MlCNelUTHrKqiOHExoxsjNG7cqTcHDIvAlrQovAAAAAADZsln3e8rBVAABeYBQAAAA5DeTlbHEZ/sCAAAAAARZWg=="
)

func TestAddUnpacks(t *testing.T) {
	source := plant(t, "")
	plain := tartest.Archive(t, tartest.File("f", "hello"))
	archives := compressedByHand(t)
	archives["tar"], archives["gz"], archives["zst"] = plain, gzipped(t, plain), zstandard(t, plain)
	for kind, data := range archives {
		must(t, os.WriteFile(source+"/"+kind, data, 0o600))
		c := copyOf(contextOf(t, source, ""), kind, "/d")
		c.Add = true
		dir, err := written(t, c)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if got := harvest(t, dir); got != "d/ d/f=hello" {
			t.Errorf("%s: got %s", kind, got)
		}
		no := false
		c.Unpack = &no
		dir, err = written(t, c)
		must(t, err)
		if got, err := os.ReadFile(dir + "/d"); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s --unpack=false: %d bytes, %v", kind, len(got), err)
		}
	}
}

// TestAddCopiesTheRest: what is no archive, whatever its name, is copied; COPY unpacks nothing.
func TestAddCopiesTheRest(t *testing.T) {
	source := plant(t, "a=text empty.tar.gz= d/x=1")
	must(t, os.WriteFile(source+"/text.gz", gzipped(t, []byte("no archive")), 0o644))
	must(t, os.WriteFile(source+"/d/y.tar", tartest.Archive(t, tartest.File("f", "hello")), 0o644))
	tree := contextOf(t, source, "")
	c := copyOf(tree, "a", "empty.tar.gz", "text.gz", "d", "/d/")
	c.Add = true
	dir, err := written(t, c)
	must(t, err)
	for _, name := range []string{"a", "empty.tar.gz", "text.gz", "x", "y.tar"} {
		if info, err := os.Lstat(dir + "/d/" + name); err != nil || !info.Mode().IsRegular() {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	dir, err = written(t, copyOf(tree, "d/y.tar", "/y"))
	must(t, err)
	if info, err := os.Lstat(dir + "/y"); err != nil || !info.Mode().IsRegular() {
		t.Errorf("COPY of an archive: %v, %v", info, err)
	}
}

// TestAddMerges: an archive goes over what is there as with tar -x.
func TestAddMerges(t *testing.T) {
	const below = "d/old=0 d/sub/:700 f=1 dir/x=2 usr/bin/sh=3 bin->usr/bin"
	closed := tartest.Dir("d/sub")
	closed.Mode = 0o711
	for _, c := range []struct {
		name    string
		entries []tar.Header
		want    string
	}{
		{"into directories", []tar.Header{tartest.File("d/new", "1"), closed}, "d/ d/new=1 d/sub/:711"},
		{"the top stays", []tar.Header{{Typeflag: tar.TypeDir, Name: "./", Mode: 0o700}, tartest.File("./a", "1")}, "a=1"},
		{"through a link below", []tar.Header{tartest.File("bin/ls", "1")}, "usr/ usr/bin/ usr/bin/ls=1"},
		{"file over directory", []tar.Header{tartest.File("dir", "1")}, "dir=1"},
		{"directory over file", []tar.Header{tartest.Dir("f"), tartest.File("f/x", "1")}, "f/ f/x=1"},
		{"directory over link", []tar.Header{tartest.Dir("bin"), tartest.File("bin/x", "1")}, "bin/ bin/x=1"},
		{"directory, file, directory", []tar.Header{tartest.File("dir/y", "1"), tartest.File("dir", "2"), tartest.Dir("dir"), tartest.File("dir/z", "3")}, "dir/ dir/z=3"},
		{"links", []tar.Header{tartest.File("a", "1"), tartest.HardLink("b", "a"), tartest.HardLink("c/d", "/a"), tartest.Link("l", "/etc")}, "a=1 b=1 c/ c/d=1 l->/etc"},
		{"its own links", []tar.Header{tartest.Link("l", "/d"), tartest.File("l/x", "1")}, "d/ d/x=1 l->/d"},
		{"upwards", []tar.Header{tartest.File("../../x", "1"), tartest.File("/y", "2"), tartest.File("d/../z", "3")}, "x=1 y=2 z=3"},
		{"a directory below that is used twice", []tar.Header{tartest.File("usr/bin/a", "1"), tartest.HardLink("usr/b", "usr/bin/a"), tartest.File("usr/bin/c", "3")}, "usr/ usr/b=1 usr/bin/ usr/bin/a=1 usr/bin/c=3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			source := plant(t, "")
			must(t, os.WriteFile(source+"/t", tartest.Archive(t, c.entries...), 0o644))
			instruction := copyOf(contextOf(t, source, ""), "t", "/")
			instruction.Add = true
			lower := plant(t, below)
			dir, err := written(t, instruction, lower)
			must(t, err)
			if got := harvest(t, dir); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if c.name == "directory, file, directory" {
				if _, err := layersOf(t, dir, lower).view().lookup("dir/x"); !isMissing(err) {
					t.Errorf("what the directory replaced shows through: %v", err)
				}
			}
		})
	}
}

func TestAddRefuses(t *testing.T) {
	var noise strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&noise, "%x", sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
	}
	good := tartest.Archive(t, tartest.File("a", noise.String()))
	for name, data := range map[string][]byte{
		"half an archive":        good[:3000],
		"half a compressed one":  gzipped(t, good)[:50000],
		"a hard link to nothing": tartest.Archive(t, tartest.HardLink("a", "b")),
		"a hard link out":        tartest.Archive(t, tartest.HardLink("a", "../../../../../../../../etc/passwd")),
		"a whiteout":             tartest.Archive(t, tartest.File("d/.wh.x", "")),
		"links in a circle":      tartest.Archive(t, tartest.Link("a", "b"), tartest.Link("b", "a"), tartest.File("a/x", "1")),
		"a file as a directory":  tartest.Archive(t, tartest.File("a", "1"), tartest.File("a/b", "2")),
	} {
		source := plant(t, "")
		must(t, os.WriteFile(source+"/t", data, 0o644))
		c := copyOf(contextOf(t, source, ""), "t", "/")
		c.Add = true
		if dir, err := written(t, c); err == nil {
			t.Errorf("%s: no error, and %s", name, harvest(t, dir))
		}
	}
}

func TestAddOwners(t *testing.T) {
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	must(t, w.WriteHeader(&tar.Header{Name: "d/f", Typeflag: tar.TypeReg, Mode: 0o644, Uid: 100, Gid: 200}))
	must(t, w.Close())
	source := plant(t, "")
	must(t, os.WriteFile(source+"/t", buffer.Bytes(), 0o644))
	for _, c := range []struct {
		uid, gid int
		want     string
	}{{-1, -1, "d:000:000 d/f:100:200"}, {300, 400, "d:300:400 d/f:300:400"}} {
		instruction := copyOf(contextOf(t, source, ""), "t", "/")
		instruction.Add, instruction.UID, instruction.GID = true, c.uid, c.gid
		dir, err := written(t, instruction)
		must(t, err)
		if got := owners(t, dir, "d", "d/f"); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestAddURL(t *testing.T) {
	body := "from afar"
	archive := tartest.Archive(t, tartest.File("f", "hello"))
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch r.URL.Path {
		case "/dir/file.txt":
			w.Header().Set("Last-Modified", planted().Format(http.TimeFormat))
			w.Write([]byte(body))
		case "/t.tar":
			w.Write(archive)
		case "/":
			w.Write([]byte("root"))
		case "/cut":
			w.Header().Set("Content-Length", "100")
			w.Write([]byte("only this"))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	yes := true
	sum := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(body)))
	for _, c := range []struct {
		path, dest string
		copy       Copy
		want       string
	}{
		{"/dir/file.txt?x=y", "/d/", Copy{}, "d/ d/file.txt=from afar:600"},
		{"/dir/file.txt", "/d", Copy{Chmod: "644"}, "d=from afar"},
		{"/dir/file.txt", "/d", Copy{Checksum: sum}, "d=from afar:600"},
		{"/dir/file.txt", "/d", Copy{Checksum: "sha256:" + strings.Repeat("0", 64)}, "!its checksum is " + sum},
		{"/dir/file.txt", "/d", Copy{Checksum: "md5:00"}, "!not a checksum"},
		{"/t.tar", "/d", Copy{Unpack: &yes}, "d/ d/f=hello"},
		{"/", "/d", Copy{}, "d=root:600"},
		{"/", "/d/", Copy{}, "!the URL has no file name"},
		{"/none", "/d", Copy{}, "!404 Not Found"},
		{"/cut", "/d", Copy{}, "!unexpected EOF"},
		{"/repo.git", "/d", Copy{}, "!git repositories"},
	} {
		instruction := c.copy
		instruction.Add, instruction.UID, instruction.GID = true, -1, -1
		instruction.Sources, instruction.Dest = []string{server.URL + c.path}, c.dest
		dir, err := written(t, instruction)
		if want, isError := strings.CutPrefix(c.want, "!"); isError {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want %q", c.path, err, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		if got := harvest(t, dir); got != c.want {
			t.Errorf("%s: got %s, want %s", c.path, got, c.want)
		}
		if info, err := os.Stat(dir + "/d/file.txt"); err == nil && !info.ModTime().Equal(planted()) {
			t.Errorf("%s: time %v", c.path, info.ModTime())
		}
	}
	t.Run("one request for both", func(t *testing.T) {
		asked = 0
		c := Copy{Add: true, Sources: []string{server.URL + "/dir/file.txt"}, Dest: "/d", UID: -1, GID: -1}
		defer c.Close()
		_, err := c.Digest(context.Background())
		must(t, err)
		must(t, c.Write(context.Background(), t.TempDir(), nil))
		if asked != 1 {
			t.Errorf("%d requests", asked)
		}
	})
	t.Run("none for a known checksum", func(t *testing.T) {
		asked = 0
		c := Copy{Add: true, Sources: []string{server.URL + "/dir/file.txt"}, Dest: "/d", UID: -1, GID: -1, Checksum: sum}
		known, err := c.Digest(context.Background())
		must(t, err)
		c.Checksum = ""
		fetched, err := c.Digest(context.Background())
		must(t, err)
		must(t, c.Close())
		if known.Sum != fetched.Sum || asked != 1 {
			t.Errorf("%s and %s, %d requests", known.Sum, fetched.Sum, asked)
		}
	})
}

func TestContextFromTar(t *testing.T) {
	old := time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)
	file := tartest.File("d/a", "1")
	file.ModTime = old
	archive := tartest.Archive(t, tartest.File("Dockerfile", "FROM scratch"), file, tartest.Link("l", "/etc"), tartest.File("l/x", "2"), tartest.File("../up", "3"),
		tartest.HardLink("h", "d/a"), tar.Header{Typeflag: tar.TypeChar, Name: "null", Devmajor: 1, Devminor: 3}, tartest.File(".wh.x", "4"))
	for name, data := range map[string][]byte{"plain": archive, "gzip": gzipped(t, archive), "zstd": zstandard(t, archive)} {
		dir := t.TempDir()
		must(t, ContextFromTar(bytes.NewReader(data), dir))
		if got, want := harvest(t, dir), ".wh.x=4 Dockerfile=FROM scratch d/ d/a=1 etc/ etc/x=2 h=1 l->/etc up=3"; got != want {
			t.Errorf("%s: got  %s\nwant %s", name, got, want)
		}
		if info, err := os.Stat(dir + "/d/a"); err != nil || !info.ModTime().Equal(old) {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	for name, data := range map[string]string{"nothing": "", "text": strings.Repeat("FROM scratch\n", 100), "half": string(tartest.Archive(t, tartest.File("a", strings.Repeat("x", 5000)))[:3000])} {
		if err := ContextFromTar(strings.NewReader(data), t.TempDir()); err == nil || !strings.Contains(err.Error(), "build context") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
