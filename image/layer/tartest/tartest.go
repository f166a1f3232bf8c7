// Package tartest makes layers for tests.
package tartest

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"testing"
)

// Archive makes a layer. A string is a regular file's content.
func Archive(t testing.TB, entries ...tar.Header) []byte {
	t.Helper()
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	for _, h := range entries {
		content := ""
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
			content = h.PAXRecords["content"]
			delete(h.PAXRecords, "content")
			h.Size = int64(len(content))
		}
		if h.Mode == 0 {
			h.Mode = 0o755
		}
		h.Uid, h.Gid = os.Geteuid(), os.Getegid()
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// File is a regular file.
func File(name, content string) tar.Header {
	return tar.Header{Name: name, Mode: 0o644, PAXRecords: map[string]string{"content": content}}
}

// Dir is a directory.
func Dir(name string) tar.Header { return tar.Header{Typeflag: tar.TypeDir, Name: name + "/"} }

// Link is a symbolic link.
func Link(name, target string) tar.Header {
	return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target}
}

// HardLink is a hard link.
func HardLink(name, target string) tar.Header {
	return tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: target}
}
