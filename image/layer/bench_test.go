package layer

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// debian is an archive in the shape of a Debian root made by debootstrap: 7,000 files of 110 MB in 900 directories, a few of
// them large, most small, and 700 symbolic links.
func debian(tb testing.TB) []byte {
	tb.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	content := text(16 << 20)
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	header := func(h tar.Header) {
		h.ModTime = time.Unix(1_600_000_000+int64(r.IntN(1e6)), 0)
		if err := w.WriteHeader(&h); err != nil {
			tb.Fatal(err)
		}
	}
	dir := "usr/"
	header(tar.Header{Typeflag: tar.TypeDir, Name: "usr/", Mode: 0o755})
	for i := range 900 {
		parent := dir
		if i%3 == 0 {
			parent = fmt.Sprintf("usr/%d/", i)
			header(tar.Header{Typeflag: tar.TypeDir, Name: parent, Mode: 0o755})
		}
		dir = fmt.Sprintf("%sshare%d/", parent, i)
		if len(dir) > 60 {
			dir = fmt.Sprintf("usr/share%d/", i)
		}
		header(tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755})
		for j := range 8 {
			size := r.IntN(1 << (8 + r.IntN(7))) // to 16 kB
			if r.IntN(100) == 0 {
				size = 200_000 + r.IntN(2_400_000)
			}
			name := fmt.Sprintf("%sfile-%d.dat", dir, j)
			if j == 7 {
				header(tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: "file-0.dat", Mode: 0o777})
				continue
			}
			header(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(size)})
			w.Write(content[r.IntN(len(content)-size):][:size])
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func BenchmarkUnpack(b *testing.B) {
	archive := debian(b)
	b.SetBytes(int64(len(archive)))
	base := b.TempDir()
	i := 0
	for b.Loop() {
		dir := filepath.Join(base, fmt.Sprint(i))
		i++
		if err := os.Mkdir(dir, 0o755); err != nil {
			b.Fatal(err)
		}
		if err := Unpack(bytes.NewReader(archive), dir); err != nil {
			b.Fatal(err)
		}
	}
}

// unpackedDebian is a directory to read from.
func unpackedDebian(b *testing.B) string {
	dir := b.TempDir()
	if err := Unpack(bytes.NewReader(debian(b)), dir); err != nil {
		b.Fatal(err)
	}
	return dir
}

func BenchmarkPack(b *testing.B) {
	dir := unpackedDebian(b)
	for b.Loop() {
		if err := Pack(io.Discard, dir, PackOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWaste(b *testing.B) {
	dirs := []string{unpackedDebian(b), unpackedDebian(b)}
	for b.Loop() {
		if _, err := Waste(dirs); err != nil {
			b.Fatal(err)
		}
	}
}
