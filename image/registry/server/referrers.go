package server

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
)

// listReferrers lists the manifests of a repository that have another one as their subject (signatures, SBOMs): end-12a;
// with ?artifactType= only those of a type: end-12b. Nobody having ever heard of the subject, or of the repository, is
// an empty list.
//
// There is no index of it on disk that could be wrong: it looks at the repository's manifests. That a manifest does not
// contain the subject's digest is seen before it is parsed.
func (s *Server) listReferrers(w http.ResponseWriter, r *http.Request, t target) error {
	subject, err := ParseDigest(t.reference)
	if err != nil && !errors.Is(err, errAlgorithm) {
		return fail(http.StatusBadRequest, codeDigestInvalid, "%v", err).about("digest", t.reference)
	}
	query := r.URL.Query()
	list := []descriptor{}
	if err == nil {
		if list, err = s.store.repository(t.name).referrers(subject, query.Get("artifactType")); err != nil {
			return err
		}
	}
	if query.Get("artifactType") != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	list, more := fitting(list, query.Get("last"))
	if more {
		query.Set("last", list[len(list)-1].Digest)
		next(w, r, url.Values(query))
	}
	w.Header().Set("Content-Type", ociIndex)
	return answerJSON(w, struct {
		SchemaVersion int          `json:"schemaVersion"`
		MediaType     string       `json:"mediaType"`
		Manifests     []descriptor `json:"manifests"`
	}{2, ociIndex, list})
}

// referrers are sorted by digest.
func (r repository) referrers(subject Digest, artifactType string) ([]descriptor, error) {
	list := []descriptor{}
	revisions, err := digestsIn(r.revisions())
	if err != nil {
		return nil, err
	}
	for _, d := range revisions {
		if found, err := r.has(r.revisionLink(d), d); err != nil {
			return nil, err
		} else if !found {
			continue // deleted meanwhile
		}
		content, err := os.ReadFile(r.blobFile(d))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(content, []byte(subject.Hex)) {
			continue
		}
		m, err := parseManifest(content, "")
		if err != nil || m.Subject == nil || m.Subject.Digest != subject.String() {
			continue
		}
		entry := descriptor{MediaType: m.MediaType, Digest: d.String(), Size: int64(len(content)),
			ArtifactType: m.artifactType(), Annotations: m.Annotations}
		if artifactType == "" || artifactType == entry.ArtifactType {
			list = append(list, entry)
		}
	}
	slices.SortFunc(list, func(a, b descriptor) int { return strings.Compare(a.Digest, b.Digest) })
	return list, nil
}

// artifactType: what the manifest says; of an image that says nothing, its configuration's media type.
func (m *document) artifactType() string {
	if m.ArtifactType == "" && m.Config != nil {
		return m.Config.MediaType
	}
	return m.ArtifactType
}

// fitting cuts out what comes after the digest last and goes into one manifest, whose size clients limit.
func fitting(list []descriptor, last string) (part []descriptor, more bool) {
	for len(list) > 0 && list[0].Digest <= last {
		list = list[1:]
	}
	room := maxManifest - 1000
	for i, d := range list {
		room -= 500 + 6*(len(d.MediaType)+len(d.ArtifactType)) // at most: a byte can become \u0000
		for key, value := range d.Annotations {
			room -= 6 * (len(key) + len(value))
		}
		if room < 0 && i > 0 {
			return list[:i], true
		}
	}
	return list, false
}
