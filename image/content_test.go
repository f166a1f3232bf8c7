package image

import (
	"encoding/json"
	"strings"
	"testing"

	"sandbox/kernel"
)

const someDigest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func someManifest(config, layer, digest string) string {
	return `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"` + config + `","size":2,"digest":"` +
		someDigest + `"},"layers":[{"mediaType":"` + layer + `","size":1,"digest":"` + digest + `"}]}`
}

const (
	ociConfig = "application/vnd.oci.image.config.v1+json"
	ociLayer  = "application/vnd.oci.image.layer.v1.tar+gzip"
)

func TestParseManifestRefuses(t *testing.T) {
	if _, err := ParseManifest([]byte(someManifest(ociConfig, ociLayer, someDigest))); err != nil {
		t.Fatal(err)
	}
	for what, manifest := range map[string]string{
		"no valid JSON": "{",
		"schema 1":      `{"schemaVersion":1,"fsLayers":[]}`,
		"an index":      `{"schemaVersion":2,"manifests":[]}`,
		"of":            someManifest("application/vnd.cncf.helm.config.v1+json", ociLayer, someDigest),
		"of layer":      someManifest(ociConfig, "application/x-unknown", someDigest),
		"SHA-256":       someManifest(ociConfig, ociLayer, "sha512:"+strings.Repeat("0", 128)),
		"distributed":   someManifest(ociConfig, "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", someDigest),
		"layers":        `{"schemaVersion":2,"config":{"mediaType":"` + ociConfig + `","size":2,"digest":"` + someDigest + `"},"layers":[` + strings.Repeat(`{},`, 600) + `{}]}`,
	} {
		if _, err := ParseManifest([]byte(manifest)); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v (cure %q)", what, err, kernel.CureOf(err))
		}
	}
}

// FuzzParseManifest: what is accepted leads to blobs by digests that are safe to make paths of, and says the same when it is
// written down again.
func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(someManifest(ociConfig, ociLayer, someDigest)))
	f.Add([]byte(someManifest(ociConfig, ociLayer, "sha256:../../../../etc/passwd")))
	f.Add([]byte(someManifest("application/vnd.docker.container.image.v1+json", "application/vnd.docker.image.rootfs.diff.tar.gzip", someDigest)))
	f.Add([]byte(`{"schemaVersion":1,"fsLayers":[{"blobSum":"` + someDigest + `"}]}`))
	f.Add([]byte(`{"schemaVersion":2,"manifests":[{}]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseManifest(data)
		if err != nil {
			return
		}
		if !isDigest(m.Config.Digest.String()) || len(m.Layers) > maxLayers {
			t.Errorf("accepted: %+v", m)
		}
		for _, l := range m.Layers {
			if !isDigest(l.Digest.String()) {
				t.Errorf("accepted: layer %q", l.Digest)
			}
		}
		written, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseManifest(written)
		if err != nil || len(again.Layers) != len(m.Layers) || again.Config.Digest != m.Config.Digest {
			t.Errorf("%s: written again it is %s, %v", data, written, err)
		}
	})
}
