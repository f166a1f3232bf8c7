package server

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
)

// The kinds of manifest that this registry takes: those of which it knows what they refer to. Others could not be
// checked, and garbage collection would take their blobs away.
const (
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	ociIndex       = "application/vnd.oci.image.index.v1+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// maxManifest is how long a manifest may be: what the specification wants clients to be able to count on.
const maxManifest = 4 << 20

// document is what this registry reads of a manifest or an index.
type document struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        *descriptor       `json:"config"`
	Layers        []descriptor      `json:"layers"`
	Manifests     []descriptor      `json:"manifests"`
	Subject       *descriptor       `json:"subject"`
	Annotations   map[string]string `json:"annotations"`
}

// descriptor points to content (OCI image-spec, descriptor.md).
type descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	Platform     *struct {
		OS           string `json:"os"`
		Architecture string `json:"architecture"`
	} `json:"platform,omitempty"`
}

// isIndex: it lists manifests, not layers.
func (m *document) isIndex() bool { return m.MediaType == ociIndex || m.MediaType == dockerList }

// parseManifest reads a manifest. contentType is what came with it; "" for one from the store. Afterwards MediaType says
// what it is, also where OCI lets it leave that out.
func parseManifest(content []byte, contentType string) (*document, error) {
	var m document
	if err := json.Unmarshal(content, &m); err != nil {
		return nil, fmt.Errorf("not a manifest: %w", err)
	}
	if m.SchemaVersion == 1 {
		return nil, fmt.Errorf("a manifest of schema 1: these are not taken any more, push it with a newer client")
	}
	if m.SchemaVersion != 2 {
		return nil, fmt.Errorf("schemaVersion is %d, not 2", m.SchemaVersion)
	}
	// Had it both, one client could see an image in it and another one an index (CVE-2021-41190).
	if m.Manifests != nil && (m.Config != nil || m.Layers != nil) {
		return nil, fmt.Errorf("it has both manifests and config or layers: it is either an index or an image")
	}
	if err := m.settleType(contentType); err != nil {
		return nil, err
	}
	switch m.MediaType {
	case ociManifest, dockerManifest:
		if m.Manifests != nil || m.Config == nil {
			return nil, fmt.Errorf("an image manifest has config and layers")
		}
	case ociIndex, dockerList:
		if m.Config != nil || m.Layers != nil {
			return nil, fmt.Errorf("an index has manifests, no config and no layers")
		}
	default:
		return nil, fmt.Errorf("media type %q: this registry takes OCI's and Docker's image manifests and indexes", m.MediaType)
	}
	return &m, m.checkDigests()
}

// settleType finds the media type: the field in the text and the header must say the same, where both are there.
func (m *document) settleType(contentType string) error {
	if contentType != "" {
		pushed, _, err := mime.ParseMediaType(contentType) // parameters are ignored
		if err != nil {
			return fmt.Errorf("invalid Content-Type %q", contentType)
		}
		contentType = pushed
	}
	if m.MediaType == "" { // only OCI's may be without
		m.MediaType = ociManifest
		if m.Config == nil && m.Layers == nil {
			m.MediaType = ociIndex
		}
	}
	if contentType != "" && contentType != m.MediaType {
		return fmt.Errorf("Content-Type is %s, but the manifest is %s", contentType, m.MediaType)
	}
	return nil
}

func (m *document) checkDigests() error {
	for _, d := range m.all() {
		if _, err := ParseDigest(d.Digest); err != nil {
			return err
		}
	}
	return nil
}

// all are the descriptors in a manifest: its configuration first, its subject last.
func (m *document) all() []descriptor {
	list := m.references()
	if m.Subject != nil {
		list = append(list, *m.Subject)
	}
	return list
}

// references are the descriptors of what has to be here for the manifest to be of use. Its subject has not.
func (m *document) references() []descriptor {
	var list []descriptor
	if m.Config != nil {
		list = append(list, *m.Config)
	}
	return append(append(list, m.Layers...), m.Manifests...)
}

// isForeign: a layer that clients get elsewhere and do not push, under licences of the time when there were some.
func isForeign(mediaType string) bool {
	switch mediaType {
	case "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
		"application/vnd.oci.image.layer.nondistributable.v1.tar",
		"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
		"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd":
		return true
	}
	return false
}

// missing lists what a manifest refers to and the repository does not have, one problem each.
func (r repository) missing(m *document) ([]problem, error) {
	var list []problem
	for _, ref := range m.references() {
		d, err := ParseDigest(ref.Digest)
		if err != nil {
			return nil, err
		}
		found, err := r.has(r.layerLink(d), d)
		if err == nil && !found && m.isIndex() {
			found, err = r.has(r.revisionLink(d), d)
		}
		if err != nil {
			return nil, err
		}
		if !found && !isForeign(ref.MediaType) {
			const message = "the manifest refers to what the repository does not have: push that first"
			list = append(list, problem{codeManifestBlobUnknown, message, map[string]any{"digest": ref.Digest}})
		}
	}
	return list, nil
}

func invalidManifest(err error) error {
	return fail(http.StatusBadRequest, codeManifestInvalid, "invalid manifest: %v", err)
}
