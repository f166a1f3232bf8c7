package layer

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sandbox/image/layer/tartest"
)

// FuzzUnpackBytes: whatever bytes come as a layer, compressed or not, they are unpacked or refused, and nothing outside
// changes. What has been unpacked can be packed, and what was packed unpacks to the same.
func FuzzUnpackBytes(f *testing.F) {
	sparse := tar.Header{Typeflag: tar.TypeReg, Name: "GNUSparseFile.0/holes", Mode: 0o644, Format: tar.FormatPAX,
		PAXRecords: map[string]string{"SCHILY.xattr.user.x": "y"}}
	all := tartest.Archive(f, tartest.Dir("d"), tartest.File("d/f", "content"), tartest.Link("l", "d/f"), tartest.HardLink("h", "d/f"),
		tartest.File(".wh.gone", ""), tartest.File("d/"+opaqueMarker, ""), tartest.File(strings.Repeat("n", 120), "x"), sparse,
		tar.Header{Typeflag: tar.TypeFifo, Name: "p"}, tar.Header{Typeflag: tar.TypeChar, Name: "c", Devmajor: 1, Devminor: 3})
	var packed bytes.Buffer
	z := Compress(&packed, 0)
	z.Write(all)
	z.Close()
	for _, seed := range [][]byte{all, packed.Bytes(), all[:len(all)/2], {}, []byte("no archive")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		if tooBig(content) {
			t.Skip("it would be long in coming")
		}
		base := t.TempDir()
		outside, inside := filepath.Join(base, "outside"), filepath.Join(base, "inside")
		os.Mkdir(outside, 0o700)
		os.Mkdir(inside, 0o700)
		os.WriteFile(outside+"/victim", []byte("safe"), 0o600)
		err := unpackStream(content, inside)
		checkVictim(t, outside)
		if err != nil {
			return
		}
		var first, second bytes.Buffer
		if err := Pack(&first, inside, PackOptions{}); err != nil {
			return // a name that begins with .wh., say, came as a link's
		}
		again := filepath.Join(base, "again")
		os.Mkdir(again, 0o700)
		if err := Unpack(bytes.NewReader(first.Bytes()), again); err != nil {
			t.Fatalf("packed, it cannot be unpacked: %v", err)
		}
		if err := Pack(&second, again, PackOptions{}); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("packed again it is another archive: %v", err)
		}
	})
}

func unpackStream(content []byte, dir string) error {
	archive, _, err := Decompress(bytes.NewReader(content))
	if err != nil {
		return err
	}
	defer archive.Close()
	return Unpack(archive, dir)
}

// tooBig: a few bytes can stand for terabytes of holes, or of what compresses well.
func tooBig(content []byte) bool {
	archive, _, err := Decompress(bytes.NewReader(content))
	if err != nil {
		return false
	}
	defer archive.Close()
	limited := &io.LimitedReader{R: archive, N: 1 << 24}
	reader := tar.NewReader(limited)
	for sum := int64(0); ; {
		h, err := reader.Next()
		if err != nil {
			return limited.N == 0
		}
		if sum += h.Size; h.Size > 1<<24 || sum > 1<<24 {
			return true
		}
	}
}
