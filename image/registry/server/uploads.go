package server

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// startUpload begins an upload (end-4a), takes a whole blob in one request (end-4b), or gets one from another repository of
// this registry (end-11).
func (s *Server) startUpload(w http.ResponseWriter, r *http.Request, t target) error {
	query := r.URL.Query()
	repo := s.store.repository(t.name)
	if from := query.Get("mount"); from != "" {
		mounted, err := s.mount(repo, from, query.Get("from"))
		if err != nil {
			return err
		}
		if mounted != (Digest{}) {
			return created(w, t.name, mounted)
		}
	}
	if algorithm := query.Get("digest-algorithm"); algorithm != "" && newHash(algorithm) == nil { // end-4c
		return fail(http.StatusBadRequest, codeDigestInvalid, "%v %q: sha256 and sha512 are known", errAlgorithm, algorithm)
	}
	whole := query.Has("digest")
	var d Digest
	if whole {
		var err error
		if d, err = pushedDigest(query.Get("digest")); err != nil {
			return err
		}
	}
	id, err := repo.begin()
	if err != nil {
		return err
	}
	if whole {
		t.reference = id
		err := s.receive(w, r, t, &d)
		if err != nil { // who sends a blob in one request does not come back for the rest
			_ = os.RemoveAll(repo.uploadDir(id))
			w.Header().Del("Location")
		}
		return err
	}
	w.Header().Set("Location", uploadURL(t.name, id))
	describe(w, id, 0)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// mount gives a repository a blob that another one has; from any, if none is named. The zero Digest: there is none to
// give, and the client is to upload it.
func (s *Server) mount(to repository, digest, from string) (Digest, error) {
	d, err := ParseDigest(digest)
	if err != nil || from != "" && !validName(from) {
		return Digest{}, nil
	}
	unlock, err := s.store.lock(false)
	if err != nil {
		return Digest{}, err
	}
	defer unlock()
	sources := []string{from}
	if from == "" {
		if sources, err = s.store.names(); err != nil {
			return Digest{}, err
		}
	}
	for _, name := range sources {
		source := s.store.repository(name)
		if found, err := source.has(source.layerLink(d), d); err != nil {
			return Digest{}, err
		} else if found {
			return d, to.writeLink(to.layerLink(d), d)
		}
	}
	return Digest{}, nil
}

// pushedDigest reads the digest that a client says its upload has.
func pushedDigest(s string) (Digest, error) {
	d, err := ParseDigest(s)
	if err != nil {
		return d, fail(http.StatusBadRequest, codeDigestInvalid, "%v", err).about("digest", s)
	}
	return d, nil
}

func uploadURL(name, id string) string { return "/v2/" + name + "/blobs/uploads/" + id }

// describe says how far an upload is: in Range, the first and the last byte that are here. The specification has no way to
// say "none", and for 0 bytes and for 1 the answer is the same, as from Docker's registry.
func describe(w http.ResponseWriter, id string, size int64) {
	w.Header().Set("Range", fmt.Sprintf("0-%d", max(size-1, 0)))
	w.Header().Set("Docker-Upload-UUID", id)
}

// uploadState: end-13.
func (s *Server) uploadState(w http.ResponseWriter, r *http.Request, t target) error {
	if !validUpload(t.reference) {
		return unknownUpload(t.reference)
	}
	size, err := s.store.repository(t.name).received(t.reference)
	if err != nil {
		return err
	}
	w.Header().Set("Location", uploadURL(t.name, t.reference))
	describe(w, t.reference, size)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// patchUpload takes a piece: end-5.
func (s *Server) patchUpload(w http.ResponseWriter, r *http.Request, t target) error {
	return s.receive(w, r, t, nil)
}

// finishUpload takes the last piece, if there is one more, and makes a blob of the whole: end-6.
func (s *Server) finishUpload(w http.ResponseWriter, r *http.Request, t target) error {
	d, err := pushedDigest(r.URL.Query().Get("digest"))
	if err != nil {
		return err
	}
	return s.receive(w, r, t, &d)
}

// cancelUpload: end-14.
func (s *Server) cancelUpload(w http.ResponseWriter, r *http.Request, t target) error {
	if !validUpload(t.reference) {
		return unknownUpload(t.reference)
	}
	repo := s.store.repository(t.name)
	u, err := repo.resume(r.Context(), t.reference)
	if err != nil {
		return err
	}
	defer u.close()
	if err := repo.bury(u.dir()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// receive adds a request's body to an upload. last: it is the end, and the whole has this digest.
func (s *Server) receive(w http.ResponseWriter, r *http.Request, t target, last *Digest) error {
	if !validUpload(t.reference) {
		return unknownUpload(t.reference)
	}
	u, err := s.store.repository(t.name).resume(r.Context(), t.reference)
	if err != nil {
		return err
	}
	defer u.close()
	w.Header().Set("Location", uploadURL(t.name, t.reference))
	algorithm := "sha256" // unless we know better
	if last != nil {
		algorithm = last.Algorithm
	}
	if err := u.take(r, algorithm); err != nil {
		u.keep()
		describe(w, u.id, u.size)
		return err
	}
	if last == nil {
		u.keep()
		describe(w, u.id, u.size)
		w.WriteHeader(http.StatusAccepted)
		return nil
	}
	if err := u.commit(*last); err != nil {
		return err
	}
	return created(w, t.name, *last)
}

// take adds the body; where it says which part of the blob it is (Content-Range), only the part that comes next.
func (u *session) take(r *http.Request, algorithm string) error {
	first, last, given, err := contentRange(r.Header.Get("Content-Range"))
	if err != nil {
		return err
	}
	if !given {
		_, err := u.append(r.Body, algorithm)
		return err
	}
	if first != u.size {
		return fail(http.StatusRequestedRangeNotSatisfiable, codeUploadInvalid, "pieces must come in order: the next one starts at %d", u.size)
	}
	length := last - first + 1
	if r.ContentLength >= 0 && r.ContentLength != length {
		return fail(http.StatusBadRequest, codeSizeInvalid, "Content-Range has %d bytes, the body %d", length, r.ContentLength)
	}
	start := u.size
	n, err := u.append(io.LimitReader(r.Body, length+1), algorithm) // one more, to see whether there is
	if err == nil && n != length {
		u.size, u.sum = start, nil
		err = fail(http.StatusBadRequest, codeSizeInvalid, "the body has not the %d bytes of Content-Range", length)
		err = errors.Join(u.data.Truncate(start), err)
	}
	return err
}

// contentRange reads FIRST-LAST, both inclusive, as the specification has it (it is not the form of RFC 9110).
func contentRange(s string) (first, last int64, given bool, err error) {
	if s == "" {
		return 0, 0, false, nil
	}
	a, b, _ := strings.Cut(s, "-")
	from, wrong := strconv.ParseUint(a, 10, 62)
	to, bad := strconv.ParseUint(b, 10, 62)
	if wrong != nil || bad != nil || to < from {
		return 0, 0, true, fail(http.StatusRequestedRangeNotSatisfiable, codeUploadInvalid, "invalid Content-Range %q: FIRST-LAST is expected", s)
	}
	return int64(from), int64(to), true, nil
}

// created is the answer to a blob that is here now.
func created(w http.ResponseWriter, name string, d Digest) error {
	w.Header().Set("Location", "/v2/"+name+"/blobs/"+d.String())
	w.Header().Set("Docker-Content-Digest", d.String())
	w.WriteHeader(http.StatusCreated)
	return nil
}
