package server

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// blobDigest reads the digest in a URL. One of an algorithm that is unknown here is of something that is not here.
func blobDigest(t target) (Digest, error) {
	d, err := ParseDigest(t.reference)
	if errors.Is(err, errAlgorithm) {
		return d, unknownBlob(t.reference)
	}
	if err != nil {
		return d, fail(http.StatusBadRequest, codeDigestInvalid, "%v", err).about("digest", t.reference)
	}
	return d, nil
}

func unknownBlob(digest string) error {
	return fail(http.StatusNotFound, codeBlobUnknown, "blob unknown to registry").about("digest", digest)
}

// getBlob answers GET and HEAD, with ranges and conditions (RFC 9110, sections 13 and 14): end-2. A blob may be had from
// a repository that it was pushed to or mounted in, and from no other.
func (s *Server) getBlob(w http.ResponseWriter, r *http.Request, t target) error {
	d, err := blobDigest(t)
	if err != nil {
		return err
	}
	repo := s.store.repository(t.name)
	link := repo.layerLink(d)
	if found, err := repo.has(link, d); err != nil {
		return err
	} else if !found {
		return unknownBlob(t.reference)
	}
	if r.Method == http.MethodHead {
		_ = touch(link) // whoever is told that it is here counts on it: see Collect
	}
	file, err := os.Open(repo.blobFile(d))
	if errors.Is(err, fs.ErrNotExist) {
		return unknownBlob(t.reference)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Docker-Content-Digest", d.String())
	h.Set("Etag", `"`+d.String()+`"`)
	h.Set("Cache-Control", "max-age=31536000, immutable") // a digest never means anything else
	http.ServeContent(w, r, "", time.Time{}, file)
	return nil
}

// deleteBlob takes a blob out of a repository: end-10. Its space comes back with the next Collect, if no other
// repository has it.
func (s *Server) deleteBlob(w http.ResponseWriter, _ *http.Request, t target) error {
	d, err := blobDigest(t)
	if err != nil {
		return err
	}
	unlock, err := s.store.lock(true)
	if err != nil {
		return err
	}
	defer unlock()
	repo := s.store.repository(t.name)
	if found, err := repo.has(repo.layerLink(d), d); err != nil {
		return err
	} else if !found {
		return unknownBlob(t.reference)
	}
	if err := repo.bury(filepath.Dir(repo.layerLink(d))); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}
