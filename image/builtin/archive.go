package builtin

import (
	"archive/tar"
	"fmt"
	"io"
	"strings"
	"time"
)

// tarFile is one entry of an image's layer.
type tarFile struct {
	name    string // ends in / if it is a directory
	mode    int64
	link    string // target, of a symbolic link
	size    int64  // of content
	content func() (io.ReadCloser, error)
}

// writeArchive writes a layer. Files belong to root and all have the same time.
func writeArchive(w io.Writer, files []tarFile, mtime time.Time) error {
	archive := tar.NewWriter(w)
	for _, f := range files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: f.size, Linkname: f.link, ModTime: mtime}
		switch {
		case f.link != "":
			h.Typeflag = tar.TypeSymlink
		case strings.HasSuffix(f.name, "/"):
			h.Typeflag = tar.TypeDir
		}
		if err := archive.WriteHeader(h); err != nil {
			return err
		}
		if f.content == nil {
			continue
		}
		if err := copyContent(archive, f); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return archive.Close()
}

func copyContent(w io.Writer, f tarFile) error {
	content, err := f.content()
	if err != nil {
		return err
	}
	defer content.Close()
	_, err = io.Copy(w, content)
	return err
}

func directory(name string, mode int64) tarFile { return tarFile{name: name + "/", mode: mode} }

func symlink(name, target string) tarFile { return tarFile{name: name, mode: 0o777, link: target} }

func textFile(name, text string) tarFile {
	return tarFile{name: name, mode: 0o644, size: int64(len(text)), content: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text)), nil
	}}
}
