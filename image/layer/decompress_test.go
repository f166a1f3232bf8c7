package layer

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"
)

const fox = "the quick brown fox\n"

func fromBase64(t testing.TB, text string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// streams are the same sentence, as different programs compress it.
func streams(t testing.TB) map[Compression][]byte {
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return map[Compression][]byte{
		Uncompressed: []byte(fox),
		Gzip:         compressed(t, []byte(fox), 9, 1),
		Zstd:         encoder.EncodeAll([]byte(fox), nil),
		Bzip2:        fromBase64(t, "QlpoOTFBWSZTWSVi3fQAAAhRgAAQQAAbabbAIAAigA9Q9T9UKGmmAA0sWSm/bB3bCHxdyRThQkCVi3fQ"),
		Xz:           fromBase64(t, "/Td6WFoAAATm1rRGAgAhARwAAAAQz1jMAQATdGhlIHF1aWNrIGJyb3duIGZveAoA5OeKCWv3/08AASwU+AptAx+2830BAAAAAARZWg=="),
	}
}

func decompressed(stream []byte) (string, Compression, error) {
	r, kind, err := Decompress(bytes.NewReader(stream))
	if err != nil {
		return "", kind, err
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	return string(content), kind, err
}

func TestDecompress(t *testing.T) {
	for want, stream := range streams(t) {
		got, kind, err := decompressed(stream)
		if got != fox || kind != want || err != nil {
			t.Errorf("%q: %q as %q, %v", want, got, kind, err)
		}
		if want == Uncompressed {
			continue
		}
		if got, _, err := decompressed(slices.Concat(stream, stream)); got != fox+fox || err != nil {
			t.Errorf("%s, twice: %q, %v", want, got, err)
		}
		for n := 6; n < len(stream); n++ {
			if _, kind, err := decompressed(stream[:n]); err == nil || kind != want {
				t.Errorf("%s, the first %d of %d bytes: %v", want, n, len(stream), err)
			}
		}
		wrong := slices.Clone(stream)
		wrong[len(wrong)/2] ^= 0x55
		if got, _, err := decompressed(wrong); err == nil {
			t.Errorf("%s with a wrong byte: %q", want, got)
		}
		if got, _, err := decompressed(append(slices.Clone(stream), "garbage after it"...)); err == nil {
			t.Errorf("%s with garbage after it: %q", want, got)
		}
	}
	for _, short := range []string{"", "\x1f", "BZh", "\x28\xb5\x2f", "\xfd7z"} {
		if got, kind, err := decompressed([]byte(short)); got != short || kind != Uncompressed || err != nil {
			t.Errorf("%q: %q as %q, %v", short, got, kind, err)
		}
	}
}

// TestDecompressLongStream: blocks go round several times, and a reader that is given buffered is not read too far.
func TestDecompressLongStream(t *testing.T) {
	content := text(10 * blockSize)
	source := bufio.NewReader(bytes.NewReader(compressed(t, content, 1, 1<<20)))
	r, _, err := Decompress(source)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v; want %d", len(got), err, len(content))
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("after the end: %d, %v", n, err)
	}
}

// TestDecompressClosed: after Close nobody reads the source any more, and a read says so.
func TestDecompressClosed(t *testing.T) {
	source := bytes.NewReader(compressed(t, text(20*blockSize), 1, 1<<20))
	r, _, err := Decompress(source)
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(r, make([]byte, 1000))
	r.Close()
	left := source.Len()
	if left == 0 {
		t.Error("everything was read before anybody asked for it")
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("reading after Close: %v", err)
	}
	r.Close()
	if source.Len() != left {
		t.Error("the source was read after Close")
	}
}

// TestDecompressBomb: a stream does not get as much memory as it says it needs.
func TestDecompressBomb(t *testing.T) {
	var out bytes.Buffer
	encoder, err := zstd.NewWriter(&out, zstd.WithWindowSize(zstd.MaxWindowSize))
	if err != nil {
		t.Fatal(err)
	}
	encoder.Write([]byte(strings.Repeat("x", 1000)))
	encoder.Flush()
	encoder.Write([]byte("y"))
	encoder.Close()
	if _, _, err := decompressed(out.Bytes()); !errors.Is(err, zstd.ErrWindowSizeExceeded) {
		t.Errorf("zstd: a window of 512 MB: %v", err)
	}
	huge := streams(t)[Xz]
	const dictionaryAt = 12 + 4 // the stream's header; the block's size, flags, filter, and how long its properties are
	huge[dictionaryAt] = 40     // 4 GB
	binary.LittleEndian.PutUint32(huge[20:], crc32.ChecksumIEEE(huge[12:20]))
	if _, _, err := decompressed(huge); !errors.Is(err, xz.ErrMemlimit) {
		t.Errorf("xz: a dictionary of 4 GB: %v", err)
	}
}
