package archive

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"sandbox/image"
	"sandbox/image/layer"
	"sandbox/kernel"
)

const (
	maxEntries = 100_000 // Docker's old archives have three a layer
	maxSmall   = 1 << 20 // files of a stream up to this size are kept in memory …
	maxMemory  = 8 << 20 // … as long as they are no more than this together
)

// open makes the files of an archive accessible in any order:
//
//	a directory               as they are
//	a file, not compressed    in place: one run over the headers notes where each begins
//	anything else             as they come by: big ones, which are layers, go to the store's file system, are hashed on the
//	                          way and are taken from there without another copy
func open(ctx context.Context, r io.Reader, draft *image.Draft) (files, error) {
	f, ok := r.(*os.File)
	if !ok {
		return openStream(ctx, r, draft)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		root, err := os.OpenRoot(f.Name())
		return directory{root}, err
	case !info.Mode().IsRegular():
		return openStream(ctx, r, draft)
	}
	at, err := f.Seek(0, io.SeekCurrent) // standard input, of which somebody has read
	if err != nil {
		return nil, err
	}
	start := make([]byte, 6)
	n, _ := f.ReadAt(start, at)
	if layer.CompressionOf(start[:n]) != layer.Uncompressed {
		return openStream(ctx, r, draft)
	}
	return openInPlace(ctx, io.NewSectionReader(f, at, info.Size()-at))
}

func openInPlace(ctx context.Context, archive *io.SectionReader) (files, error) {
	return readEntries(ctx, archive, func(h *tar.Header, _ io.Reader) (*file, error) {
		at, err := archive.Seek(0, io.SeekCurrent) // the reader has just read the header, and skips by seeking
		return &file{name: h.Name, size: h.Size, open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.NewSectionReader(archive, at, h.Size)), nil
		}}, err
	})
}

func openStream(ctx context.Context, r io.Reader, draft *image.Draft) (files, error) {
	archive, _, err := layer.Decompress(reader{ctx, r})
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	memory := int64(0)
	return readEntries(ctx, archive, func(h *tar.Header, content io.Reader) (*file, error) {
		if h.Size <= maxSmall && memory+h.Size <= maxMemory {
			memory += h.Size
			data, err := io.ReadAll(content)
			return inMemory(h.Name, data), err
		}
		spooled, err := draft.Spool(content)
		if err != nil {
			return nil, err
		}
		return &file{name: h.Name, size: spooled.Size(), spooled: spooled, open: func() (io.ReadCloser, error) { return spooled.Open() }}, nil
	})
}

// readEntries goes through a tar archive; keep makes regular files accessible.
func readEntries(ctx context.Context, archive io.Reader, keep func(*tar.Header, io.Reader) (*file, error)) (entries, error) {
	all, reader := entries{}, tar.NewReader(archive)
	for range maxEntries {
		h, err := reader.Next()
		if err == io.EOF {
			return all, nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, notAnArchive(err, len(all))
		}
		name := clean(h.Name)
		switch h.Typeflag {
		case tar.TypeReg, tar.TypeGNUSparse:
			if isSparse(h) {
				return nil, kernel.Advise(fmt.Errorf("%q has holes in the archive", h.Name), "pack it without tar's option --sparse")
			}
			if all[name], err = keep(h, reader); err != nil {
				return nil, fmt.Errorf("%q: %w", h.Name, err)
			}
		case tar.TypeSymlink:
			all[name] = &file{link: clean(path.Join(path.Dir(name), h.Linkname))}
		case tar.TypeLink:
			all[name] = &file{link: clean(h.Linkname)}
		}
	}
	return nil, fmt.Errorf("the archive has more than %d entries: that is no archive of images", maxEntries)
}

// isSparse recognises files that tar has stored without their holes, in any of its ways. Their bytes are not the file's.
func isSparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// notAnArchive explains why reading an archive has ended.
func notAnArchive(err error, before int) error {
	switch {
	case errors.Is(err, tar.ErrHeader) && before == 0:
		return kernel.Advise(errors.New("not a tar archive"), "an archive that `save` of sandbox, Docker, Podman or skopeo has written, compressed or not")
	case errors.Is(err, tar.ErrHeader):
		return fmt.Errorf("the archive is damaged after %d files: %w", before, err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the archive is cut off: %w", err)
	}
	return err
}
