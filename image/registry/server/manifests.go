package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func unknownManifest(reference string) error {
	return fail(http.StatusNotFound, codeManifestUnknown, "manifest unknown to registry").about("reference", reference)
}

// resolve finds the manifest that a tag or a digest means in a repository.
func (r repository) resolve(reference string) (Digest, error) {
	if !r.exists() {
		return Digest{}, fail(http.StatusNotFound, codeNameUnknown, "repository name not known to registry").about("name", r.name)
	}
	d, err := r.meaning(reference)
	if err == nil {
		var found bool
		if found, err = r.has(r.revisionLink(d), d); err == nil && !found {
			err = fs.ErrNotExist
		}
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errAlgorithm) {
		return d, unknownManifest(reference)
	}
	return d, err
}

func (r repository) meaning(reference string) (Digest, error) {
	if validTag(reference) {
		return readLink(r.currentLink(reference))
	}
	if !strings.Contains(reference, ":") {
		return Digest{}, fs.ErrNotExist // cannot be a tag, is no digest
	}
	d, err := ParseDigest(reference)
	if err != nil && !errors.Is(err, errAlgorithm) {
		err = fail(http.StatusBadRequest, codeDigestInvalid, "%v", err).about("digest", reference)
	}
	return d, err
}

// readManifest reads and parses one that is in the store.
func (s store) readManifest(d Digest) ([]byte, *document, error) {
	content, err := os.ReadFile(s.blobFile(d))
	if err != nil {
		return nil, nil, err
	}
	m, err := parseManifest(content, "")
	if err != nil {
		return nil, nil, fmt.Errorf("manifest %s in the store: %w", d, err)
	}
	return content, m, nil
}

// getManifest answers GET and HEAD: end-3. Content goes out byte for byte as it came in, or its digest would be wrong.
func (s *Server) getManifest(w http.ResponseWriter, r *http.Request, t target) error {
	repo := s.store.repository(t.name)
	d, err := repo.resolve(t.reference)
	if err != nil {
		return err
	}
	content, m, err := s.store.readManifest(d)
	if err != nil {
		return err
	}
	accept := acceptOf(r)
	if m.MediaType == dockerList && validTag(t.reference) && !accept.takes(dockerList) {
		// A client from before there were lists gets the image that it can only mean, as from Docker's registry.
		if d, content, m, err = s.store.defaultImage(m); err != nil {
			return err
		}
	}
	if !accept.takes(m.MediaType) {
		return fail(http.StatusNotFound, codeManifestUnknown, "it is here as %s, which the request's Accept leaves out", m.MediaType)
	}
	if r.Method == http.MethodHead {
		_ = touch(repo.revisionLink(d)) // whoever is told that it is here counts on it: see Collect
	}
	h := w.Header()
	h.Set("Content-Type", m.MediaType)
	h.Set("Docker-Content-Digest", d.String())
	h.Set("Etag", `"`+d.String()+`"`)
	h.Set("Vary", "Accept")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	return nil
}

// defaultImage is a list's manifest for linux/amd64.
func (s store) defaultImage(list *document) (Digest, []byte, *document, error) {
	for _, entry := range list.Manifests {
		if p := entry.Platform; p == nil || p.OS != "linux" || p.Architecture != "amd64" {
			continue
		}
		d, err := ParseDigest(entry.Digest)
		if err != nil {
			return d, nil, nil, err
		}
		content, m, err := s.readManifest(d)
		if errors.Is(err, fs.ErrNotExist) {
			err = unknownManifest(entry.Digest)
		}
		return d, content, m, err
	}
	return Digest{}, nil, nil, fail(http.StatusNotFound, codeManifestUnknown,
		"it is a list of images, none of them for linux/amd64, and the request's Accept leaves lists out")
}

// putManifest takes a manifest under a tag or its digest: end-7. Only here an image comes into being: everything it
// refers to has to be in the repository.
func (s *Server) putManifest(w http.ResponseWriter, r *http.Request, t target) error {
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxManifest))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if !errors.As(err, &tooLarge) {
			err = fmt.Errorf("%w: %w", errHungUp, err)
		}
		return err
	}
	m, err := parseManifest(content, r.Header.Get("Content-Type"))
	if err != nil {
		return invalidManifest(err)
	}
	d, tags, err := namesOf(r, t, content)
	if err != nil {
		return err
	}
	if err := s.store.repository(t.name).add(d, content, m, tags); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Location", "/v2/"+t.name+"/manifests/"+d.String())
	h.Set("Docker-Content-Digest", d.String())
	if m.Subject != nil {
		h.Set("OCI-Subject", m.Subject.Digest) // the client need not keep a list of its own
	}
	if !validTag(t.reference) && len(tags) > 0 {
		h.Set("OCI-Tag", strings.Join(tags, ", "))
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

// namesOf is what a manifest shall be called: its digest, and the tags that the request has for it (one in the path, or
// any number as ?tag=, end-7b).
func namesOf(r *http.Request, t target, content []byte) (d Digest, tags []string, err error) {
	d.Algorithm = "sha256"
	if validTag(t.reference) {
		tags = []string{t.reference}
	} else if d, err = pushedDigest(t.reference); err != nil {
		if !strings.Contains(t.reference, ":") {
			err = fail(http.StatusBadRequest, codeManifestInvalid, "invalid tag").about("tag", t.reference)
		}
		return d, nil, err
	} else {
		tags = r.URL.Query()["tag"]
	}
	for _, tag := range tags {
		if !validTag(tag) {
			return d, nil, fail(http.StatusBadRequest, codeManifestInvalid, "invalid tag").about("tag", tag)
		}
	}
	sum := newHash(d.Algorithm)
	sum.Write(content)
	found := digestOf(d.Algorithm, sum)
	if d.Hex != "" && d != found {
		return d, nil, fail(http.StatusBadRequest, codeDigestInvalid, "the content is %s, not what its digest says", found).about("digest", d.String())
	}
	return found, tags, nil
}

// add puts a manifest into a repository. The order is that of what depends on what: after a crash in between, the worst
// is a manifest without its tag.
func (r repository) add(d Digest, content []byte, m *document, tags []string) error {
	unlock, err := r.lock(false) // what is here now cannot go before the manifest holds on to it
	if err != nil {
		return err
	}
	defer unlock()
	if problems, err := r.missing(m); err != nil {
		return err
	} else if len(problems) > 0 {
		return &failure{http.StatusBadRequest, problems}
	}
	err = r.place(r.blobFile(d), func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.layers(), 0o755); err != nil { // Docker's registry lists no repository without
		return err
	}
	if err := r.writeLink(r.revisionLink(d), d); err != nil {
		return err
	}
	for _, tag := range tags {
		if err := r.writeLink(r.indexLink(tag, d), d); err != nil {
			return err
		}
		if err := r.writeLink(r.currentLink(tag), d); err != nil {
			return err
		}
	}
	return nil
}

// deleteManifest takes away a tag, or a manifest with all its tags: end-9.
func (s *Server) deleteManifest(w http.ResponseWriter, _ *http.Request, t target) error {
	unlock, err := s.store.lock(true)
	if err != nil {
		return err
	}
	defer unlock()
	repo := s.store.repository(t.name)
	if validTag(t.reference) {
		if _, err := readLink(repo.currentLink(t.reference)); errors.Is(err, fs.ErrNotExist) {
			return unknownManifest(t.reference)
		} else if err != nil {
			return err
		}
		err = repo.bury(repo.tags() + "/" + t.reference)
	} else {
		var d Digest
		if d, err = repo.resolve(t.reference); err == nil {
			err = repo.remove(d)
		}
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// remove takes a manifest and the tags that mean it out of a repository. The store is locked.
func (r repository) remove(d Digest) error {
	tags, err := entries(r.tags())
	if err != nil {
		return err
	}
	for _, tag := range tags {
		current, err := readLink(r.currentLink(tag))
		switch {
		case err == nil && current == d:
			err = r.bury(r.tags() + "/" + tag)
		case err == nil:
			err = os.RemoveAll(filepath.Dir(r.indexLink(tag, d)))
		case errors.Is(err, fs.ErrNotExist):
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return r.bury(filepath.Dir(r.revisionLink(d)))
}
