package image

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"sandbox/image/layer"
)

// receive reads a blob to its end: into a file as it is, and unpacked into a directory. Each stage of the way has a
// goroutine of its own, which works some blocks ahead of the next one:
//
//	read, write the file, hash ──► inflate ──► hash ──► unpack
//
// What is not compressed goes from the first stage to the last, and its digest is the DiffID, too.
func (d *Draft) receive(name string, b Blob) (staged, error) {
	l := staged{dir: filepath.Join(d.dir, name), file: filepath.Join(d.dir, name+".blob")}
	if err := os.Mkdir(l.dir, 0o700); err != nil {
		return l, err
	}
	in, err := b.arrive(l.file)
	if err != nil {
		return l, err
	}
	compression, inflated, err := unpack(in, l.dir)
	if in.err != nil {
		return l, in.err // the cause; err is what came of it
	}
	if err != nil {
		return l, err
	}
	l.blob = v1.Descriptor{MediaType: b.MediaType, Size: in.sum.size, Digest: in.sum.hash()}
	l.diffID, l.size = inflated.hash(), inflated.size
	if l.blob.MediaType == "" {
		l.blob.MediaType, err = mediaTypeOf(compression)
	}
	if err != nil {
		return l, err
	}
	return l, b.check(l)
}

// unpack reads an arriving blob to its end. It returns the sum of what is in it, not compressed.
func unpack(in *arrival, dir string) (layer.Compression, *counter, error) {
	raw := layer.ReadAhead(in)
	defer raw.Close()
	archive, compression, err := layer.Decompress(raw)
	if err != nil {
		return compression, nil, err
	}
	sum := in.sum
	if compression != layer.Uncompressed {
		sum = newCounter()
		archive = layer.ReadAhead(struct {
			io.Reader
			io.Closer
		}{io.TeeReader(archive, sum), archive})
	}
	defer archive.Close()
	if err := layer.Unpack(archive, dir); err != nil {
		return compression, nil, err
	}
	for _, rest := range []io.Reader{archive, raw} { // what comes after the archive's end is hashed too
		if _, err := io.Copy(io.Discard, rest); err != nil {
			return compression, nil, err
		}
	}
	return compression, sum, nil
}

// arrival is a blob on its way into the store: whoever reads it has it written to its file, and hashed.
type arrival struct {
	source io.ReadCloser
	file   *os.File // nil if the file is there already
	sum    *counter // nil if somebody else sums it up
	err    error    // what ended it before the blob's end
}

// arrive opens a blob for receiving it in a new file.
func (b Blob) arrive(path string) (*arrival, error) {
	if b.Spooled != nil {
		if err := os.Link(b.Spooled.path, path); err != nil {
			return nil, err
		}
		source, err := b.Spooled.Open()
		return &arrival{source: source, sum: b.Spooled.sum}, err
	}
	source, err := b.Open()
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		source.Close()
		return nil, err
	}
	return &arrival{source: source, file: file, sum: newCounter()}, nil
}

func (a *arrival) Read(p []byte) (int, error) {
	n, err := a.source.Read(p)
	if err != nil && err != io.EOF {
		a.err = err
	}
	if a.file == nil {
		return n, err
	}
	if _, err := a.file.Write(p[:n]); err != nil {
		a.err = fmt.Errorf("cannot write into the image store: %w", err)
		return 0, a.err
	}
	if a.sum != nil {
		a.sum.Write(p[:n])
	}
	return n, err
}

func (a *arrival) Close() error {
	if a.file != nil {
		a.file.Close()
	}
	return a.source.Close()
}

// Spooled is a blob that came before anybody could say which layer of which image it is. It is in a file on the store's
// file system, and hashed; as a layer it need not be copied.
type Spooled struct {
	path string
	sum  *counter
}

// Spool reads a blob to its end into a file of the draft, which goes with it.
func (d *Draft) Spool(source io.Reader) (*Spooled, error) {
	file, err := os.CreateTemp(d.dir, "spool")
	if err != nil {
		return nil, err
	}
	written := layer.ReadAhead(&arrival{source: io.NopCloser(source), file: file})
	defer written.Close()
	sum := newCounter()
	if _, err := io.Copy(sum, written); err != nil {
		return nil, err
	}
	return &Spooled{path: file.Name(), sum: sum}, nil
}

// Open opens the blob; several may read it at the same time.
func (s *Spooled) Open() (*os.File, error) { return os.Open(s.path) }

// Size is the blob's, in bytes.
func (s *Spooled) Size() int64 { return s.sum.size }

// Digest is the blob's.
func (s *Spooled) Digest() v1.Hash { return s.sum.hash() }

// check holds what has come against what was announced.
func (b Blob) check(l staged) error {
	if b.Digest != (v1.Hash{}) && b.Digest != l.blob.Digest {
		return fmt.Errorf("wrong content: layer %s came as %s", b.Digest, l.blob.Digest)
	}
	if b.DiffID != (v1.Hash{}) && b.DiffID != l.diffID {
		return fmt.Errorf("wrong content: the layer's DiffID is %s, the configuration says %s", l.diffID, b.DiffID)
	}
	return nil
}

// mediaTypeOf a layer that nobody has announced is what its compression makes it.
func mediaTypeOf(compression layer.Compression) (types.MediaType, error) {
	switch compression {
	case layer.Gzip:
		return types.OCILayer, nil
	case layer.Zstd:
		return types.OCILayerZStd, nil
	case layer.Uncompressed:
		return types.OCIUncompressedLayer, nil
	}
	return "", fmt.Errorf("layers compressed with %s have no media type: decompress it first", compression)
}

// Counter hashes what is written to it, and counts.
type counter struct {
	sum  hash.Hash
	size int64
}

func newCounter() *counter { return &counter{sum: sha256.New()} }

func (c *counter) Write(p []byte) (int, error) {
	c.size += int64(len(p))
	return c.sum.Write(p)
}

func (c *counter) hash() v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(c.sum.Sum(nil))}
}
