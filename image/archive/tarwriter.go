package archive

import (
	"archive/tar"
	"fmt"
	"io"
	"time"
)

// tarWriter writes a tar archive whose bytes depend on nothing but names and contents. Unlike tar.Writer it hands a file's
// content to the output in one piece, so that the kernel can copy it from file to file (copy_file_range(2), splice(2)).
type tarWriter struct {
	w   io.Writer
	err error // the first one; nothing is written after it
}

const tarBlock = 512

func (t *tarWriter) header(h tar.Header) {
	if t.err != nil {
		return
	}
	h.ModTime = time.Unix(0, 0)
	t.err = tar.NewWriter(t.w).WriteHeader(&h)
}

func (t *tarWriter) directory(name string) {
	t.header(tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755})
}

func (t *tarWriter) bytes(name string, content []byte) {
	t.header(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content))})
	t.write(content)
	t.pad(int64(len(content)))
}

// file copies a file of a certain size; one that is shorter is an error.
func (t *tarWriter) file(name string, size int64, content io.Reader) {
	t.header(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: size})
	if t.err != nil {
		return
	}
	n, err := io.Copy(t.w, io.LimitReader(content, size))
	if err == nil && n < size {
		err = fmt.Errorf("%d bytes where there should be %d: %w", n, size, io.ErrUnexpectedEOF)
	}
	t.err = err
	t.pad(size)
}

// pad fills the last block of a file.
func (t *tarWriter) pad(size int64) {
	if rest := size % tarBlock; rest > 0 {
		t.write(make([]byte, tarBlock-rest))
	}
}

func (t *tarWriter) write(data []byte) {
	if t.err == nil {
		_, t.err = t.w.Write(data)
	}
}

// close writes the two empty blocks that end an archive.
func (t *tarWriter) close() error {
	t.write(make([]byte, 2*tarBlock))
	return t.err
}
