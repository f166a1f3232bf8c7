package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"sandbox/image"
	"sandbox/image/layer"
)

// content is what an upload sends. It can be opened again, from any place: a connection may break.
type content interface {
	open(offset int64) (io.ReadCloser, error)
	// describe is what is sent; false as long as that is not known, because the end has not been read yet.
	describe() (v1.Descriptor, bool)
}

// text is a short blob: a configuration.
type text struct {
	blob v1.Descriptor
	data []byte
}

func (t *text) describe() (v1.Descriptor, bool) { return t.blob, true }

func (t *text) open(offset int64) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(t.data[min(offset, int64(len(t.data))):])), nil
}

// exact is a blob of the store, sent as it is.
type exact struct {
	store    *image.Store
	blob     v1.Descriptor
	progress func(done int64) // may be nil
}

func (c *exact) describe() (v1.Descriptor, bool) { return c.blob, true }

func (c *exact) open(offset int64) (io.ReadCloser, error) {
	file, err := c.store.OpenBlob(c.blob.Digest)
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &watched{ReadCloser: file, done: offset, progress: c.progress}, nil
}

// watched tells how far it has been read.
type watched struct {
	io.ReadCloser
	done     int64
	progress func(done int64)
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.done += int64(n)
	if n > 0 && w.progress != nil {
		w.progress(w.done)
	}
	return n, err
}

// compressed is a layer that is stored as a tar archive and sent as gzip. It is compressed while it is sent, into no file
// and no buffer. So its digest and size are known only in the end; and to begin in the middle is to compress what comes
// before once more, which gives the same bytes (layer.Compress).
type compressed struct {
	archive exact

	mu     sync.Mutex // who sends is another goroutine than who asks
	result v1.Descriptor
	ended  bool
}

func (c *compressed) describe() (v1.Descriptor, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.result, c.ended
}

func (c *compressed) end(result v1.Descriptor) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result, c.ended = result, true
}

func (c *compressed) open(offset int64) (io.ReadCloser, error) {
	archive, err := c.archive.open(0)
	if err != nil {
		return nil, err
	}
	reader, writer := io.Pipe()
	go func() {
		gz := layer.Compress(writer, 0)
		_, err := io.CopyBuffer(onlyWriter{gz}, archive, make([]byte, 1<<19))
		writer.CloseWithError(errors.Join(err, gz.Close(), archive.Close())) // nil: the end
	}()
	stream := &compressing{PipeReader: reader, of: c, sum: sha256.New()}
	if _, err := io.CopyN(io.Discard, stream, offset); err != nil {
		return nil, errors.Join(err, stream.Close())
	}
	return stream, nil
}

type onlyWriter struct{ io.Writer }

// compressing is the stream of a compressed content. Closing it stops the compressor, whose next write fails.
type compressing struct {
	*io.PipeReader
	of   *compressed
	sum  hash.Hash
	size int64
}

func (c *compressing) Read(p []byte) (int, error) {
	n, err := c.PipeReader.Read(p)
	c.sum.Write(p[:n])
	c.size += int64(n)
	if err == io.EOF {
		digest := v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(c.sum.Sum(nil))}
		c.of.end(v1.Descriptor{MediaType: types.OCILayer, Size: c.size, Digest: digest})
	}
	return n, err
}
