package layer

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"
)

// Compression is how a stream is compressed, by the name of the program that does it.
type Compression string

// The compressions that layers have, and those that ADD knows besides.
const (
	Uncompressed Compression = ""
	Gzip         Compression = "gzip"
	Zstd         Compression = "zstd"
	Bzip2        Compression = "bzip2"
	Xz           Compression = "xz"
)

// CompressionOf tells from a stream's first bytes, of which it wants six, how it is compressed.
func CompressionOf(start []byte) Compression {
	switch {
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b, 8}): // RFC 1952; 8 is the only method there is
		return Gzip
	case bytes.HasPrefix(start, []byte{0x28, 0xb5, 0x2f, 0xfd}), // RFC 8878, section 3.1.1
		len(start) >= 4 && start[0]&0xf0 == 0x50 && bytes.Equal(start[1:4], []byte{0x2a, 0x4d, 0x18}): // a frame to be skipped
		return Zstd
	case len(start) >= 4 && bytes.HasPrefix(start, []byte("BZh")) && '1' <= start[3] && start[3] <= '9':
		return Bzip2
	case bytes.HasPrefix(start, []byte{0xfd, '7', 'z', 'X', 'Z', 0}):
		return Xz
	}
	return Uncompressed
}

// maxWindow is how far a stream may refer back, and so what memory it may claim: what zstd -19 and xz -9 make, twice.
// The programs themselves refuse more, too, unless they are told (zstd --long=27).
const maxWindow = 128 << 20

// Decompress reads a compressed stream in the background, a few blocks ahead of the caller, so that decompressing goes on
// while the caller works on what has come. A stream that is cut off or damaged is an error. What is not compressed is
// passed on as it is.
//
// Nobody else may read r before the result is at its end or closed. If r is a *bufio.Reader, it stands after the end of the
// stream then.
func Decompress(r io.Reader) (io.ReadCloser, Compression, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	start, err := buffered.Peek(6)
	if err != nil && err != io.EOF {
		return nil, "", err
	}
	kind := CompressionOf(start)
	stream, err := newDecompressor(buffered, kind)
	if err != nil {
		return nil, kind, damaged(kind, err)
	}
	if kind == Uncompressed {
		return stream, kind, nil
	}
	return readAhead(stream, func(err error) error { return damaged(kind, err) }), kind, nil
}

func newDecompressor(r io.Reader, kind Compression) (io.ReadCloser, error) {
	switch kind {
	case Gzip:
		return gzip.NewReader(r)
	case Zstd:
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	case Bzip2:
		return io.NopCloser(bzip2.NewReader(r)), nil
	case Xz:
		x, err := xz.NewReader(r, maxWindow)
		return io.NopCloser(x), err
	}
	return io.NopCloser(r), nil
}

func damaged(kind Compression, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the %s stream is cut off: %w", kind, err)
	}
	return fmt.Errorf("cannot decompress the %s stream: %w", kind, err)
}
