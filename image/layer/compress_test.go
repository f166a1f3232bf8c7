package layer

import (
	"bytes"
	stdgzip "compress/gzip"
	"io"
	"math/rand/v2"
	"testing"
)

// text is content that can be compressed, about as well as programs can.
func text(size int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	words := make([][]byte, 500)
	for i := range words {
		words[i] = make([]byte, 3+r.IntN(20))
		for j := range words[i] {
			words[i][j] = byte(r.Uint32())
		}
	}
	out := make([]byte, 0, size+32)
	for len(out) < size {
		out = append(out, words[r.IntN(1+r.IntN(len(words)))]...)
	}
	return out[:size]
}

func compressed(t testing.TB, content []byte, level, cut int) []byte {
	t.Helper()
	var out bytes.Buffer
	z := Compress(&out, level)
	for rest := content; len(rest) > 0; {
		n := min(cut, len(rest))
		if _, err := z.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestCompress(t *testing.T) {
	for _, size := range []int{0, 1, 1000, pieceSize - 1, pieceSize, pieceSize + 1, 3*pieceSize + 77} {
		content := text(size)
		first := compressed(t, content, 0, 1<<16)
		if again := compressed(t, content, 0, 7777); !bytes.Equal(first, again) {
			t.Errorf("%d bytes: the result depends on how it is written", size)
		}
		plain, err := stdgzip.NewReader(bytes.NewReader(first))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(plain)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes: come out as %d, %v", size, len(got), err)
		}
		if size > pieceSize && len(first) > size*3/4 {
			t.Errorf("%d bytes: compressed to %d", size, len(first))
		}
	}
}

type failingWriter struct{ left int }

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestCompressToFullDisk(t *testing.T) {
	content := text(10 * pieceSize)
	for _, room := range []int{0, 9, 1000, pieceSize} {
		z := Compress(&failingWriter{room}, 0)
		z.Write(content)
		if err := z.Close(); err != io.ErrShortWrite {
			t.Errorf("room for %d bytes: %v", room, err)
		}
	}
}

func BenchmarkCompress(b *testing.B) {
	content := text(64 << 20)
	for b.Loop() {
		z := Compress(io.Discard, 0)
		z.Write(content)
		z.Close()
	}
	b.SetBytes(int64(len(content)))
}
