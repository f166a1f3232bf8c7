package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"sandbox/image"
	"sandbox/kernel"
)

// The names of an OCI image layout's files (OCI image spec, image-layout.md).
const (
	layoutVersion = "oci-layout"
	layoutIndex   = "index.json"
	layoutBlobs   = "blobs/sha256"
)

// Annotations of the descriptors in index.json that tell an image's name.
const (
	refName        = "org.opencontainers.image.ref.name" // OCI: some name or tag, which the writer chooses
	containerdName = "io.containerd.image.name"          // containerd and Docker: the name in full
	referenceType  = "vnd.docker.reference.type"         // BuildKit: what has this is no image, but says something of one
)

// layout reads an OCI image layout.
type layout struct {
	files
	platform v1.Platform
	exactly  bool // the user has asked for the platform
	seen     map[v1.Hash]bool
}

// readOCI reads index.json: every image that it lists, and of an index in it the one for the platform.
func readOCI(f files, platform *v1.Platform) ([]found, error) {
	l := &layout{files: f, platform: v1.Platform{OS: "linux", Architecture: runtime.GOARCH}, seen: map[v1.Hash]bool{}}
	if platform != nil {
		l.platform, l.exactly = *platform, true
	}
	data, err := read(f, layoutIndex)
	if err != nil {
		return nil, err
	}
	var index v1.IndexManifest
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, fmt.Errorf("%s is not that of an OCI image layout: %w", layoutIndex, err)
	}
	if len(index.Manifests) == 0 {
		return nil, fmt.Errorf("%s lists no image", layoutIndex)
	}
	var all []found
	for _, group := range byName(index.Manifests) {
		some, err := l.group(group)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return merge(all), nil
}

// byName groups descriptors that carry the same name: one image for several platforms. What has none stands alone.
func byName(list []v1.Descriptor) [][]v1.Descriptor {
	var groups [][]v1.Descriptor
	at := map[string]int{}
	for _, d := range list {
		name := d.Annotations[containerdName] + " " + d.Annotations[refName]
		i, known := at[name]
		if !known || name == " " {
			i = len(groups)
			at[name] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], d)
	}
	return groups
}

// group reads the images of one name. Of several manifests, which are for several platforms, it takes the right one.
func (l *layout) group(list []v1.Descriptor) ([]found, error) {
	manifests, err := l.flatten(list, 0)
	if err != nil {
		return nil, err
	}
	one, err := l.choose(manifests)
	if err != nil || one == nil {
		return nil, err
	}
	image, err := l.image(*one)
	if err != nil {
		return nil, err
	}
	if image.names, err = namesIn(list[0].Annotations); err != nil {
		return nil, err
	}
	return []found{image}, nil
}

const maxNesting = 8

// candidate is a manifest that an index leads to.
type candidate struct {
	v1.Descriptor
	raw []byte
}

// flatten follows indexes to the images that the archive holds. An index may list platforms whose files are not in the
// archive: Docker saves what it has pulled.
func (l *layout) flatten(list []v1.Descriptor, depth int) ([]candidate, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("the archive's indexes lead to each other more than %d times", maxNesting)
	}
	var all []candidate
	for _, d := range list {
		if depth > 0 && (l.seen[d.Digest] || d.Annotations[referenceType] != "") {
			continue
		}
		l.seen[d.Digest] = true
		raw, err := l.blob(d)
		var missing *missingError
		if depth > 0 && errors.As(err, &missing) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !isIndex(d.MediaType, raw) {
			all = append(all, candidate{d, raw})
			continue
		}
		var index v1.IndexManifest
		if err := json.Unmarshal(raw, &index); err != nil {
			return nil, fmt.Errorf("the index %s is no valid JSON: %w", d.Digest, err)
		}
		more, err := l.flatten(index.Manifests, depth+1)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

// isIndex goes by what is written in the document, too: a descriptor may leave its type out.
func isIndex(announced types.MediaType, raw []byte) bool {
	if announced != "" {
		return announced.IsIndex()
	}
	var document struct{ Manifests []json.RawMessage }
	return json.Unmarshal(raw, &document) == nil && document.Manifests != nil
}

// choose takes the manifest for the platform. A single one is taken whatever it is for, unless the user has said.
func (l *layout) choose(all []candidate) (*candidate, error) {
	if len(all) == 1 && !l.exactly {
		return &all[0], nil
	}
	var there []string
	for i, c := range all {
		p := l.platformOf(c)
		if p.Satisfies(l.platform) {
			return &all[i], nil
		}
		there = append(there, p.String())
	}
	slices.Sort(there)
	if len(there) == 0 {
		return nil, errors.New("the archive's index leads to no image")
	}
	return nil, kernel.Advise(fmt.Errorf("the archive has no image for %s; it has %s", l.platform, strings.Join(slices.Compact(there), ", ")),
		"--platform chooses another one")
}

// platformOf a manifest is in its descriptor, or else in the configuration.
func (l *layout) platformOf(c candidate) v1.Platform {
	if c.Platform != nil && c.Platform.Architecture != "" {
		return *c.Platform
	}
	var m struct{ Config v1.Descriptor }
	var p v1.Platform
	if json.Unmarshal(c.raw, &m) == nil {
		if config, err := l.blob(m.Config); err == nil {
			_ = json.Unmarshal(config, &p) // what cannot be read is for no platform
		}
	}
	return p
}

// image reads a manifest and its configuration.
func (l *layout) image(c candidate) (found, error) {
	one := found{manifest: c.raw}
	m, err := image.ParseManifest(c.raw)
	if err != nil {
		return one, err
	}
	if one.config, err = l.blob(m.Config); err != nil {
		return one, err
	}
	config := struct {
		RootFS v1.RootFS `json:"rootfs"`
	}{}
	if err := json.Unmarshal(one.config, &config); err != nil {
		return one, fmt.Errorf("the configuration %s is no valid JSON: %w", m.Config.Digest, err)
	}
	if len(config.RootFS.DiffIDs) != len(m.Layers) {
		return one, fmt.Errorf("the manifest %s has %d layers, its configuration %d", c.Digest, len(m.Layers), len(config.RootFS.DiffIDs))
	}
	for i, descriptor := range m.Layers {
		content, err := l.find(blobName(descriptor.Digest))
		if err != nil {
			return one, err
		}
		blob := image.Blob{
			MediaType: descriptor.MediaType, Digest: descriptor.Digest, DiffID: config.RootFS.DiffIDs[i],
			Open: content.open, Spooled: content.spooled,
		}
		one.layers = append(one.layers, blob)
	}
	return one, nil
}

// blob reads a small blob and checks its digest and size: with another size "the content SHOULD NOT be trusted" (image-spec,
// descriptor.md).
func (l *layout) blob(d v1.Descriptor) ([]byte, error) {
	digest := d.Digest
	if digest.Algorithm != "sha256" {
		return nil, fmt.Errorf("the archive names a blob without a SHA-256 digest: %q", digest)
	}
	data, err := read(l.files, blobName(digest))
	if err != nil {
		return nil, err
	}
	real, size := digestOf(data)
	if real != digest {
		return nil, fmt.Errorf("wrong content: the file %q is %s", blobName(digest), real)
	}
	if size != d.Size {
		return nil, fmt.Errorf("wrong content: the file %q has %d bytes; its descriptor says %d", blobName(digest), size, d.Size)
	}
	return data, nil
}

func blobName(digest v1.Hash) string { return layoutBlobs + "/" + digest.Hex }

// namesIn reads a name from a descriptor's annotations. What OCI's is, its writer chooses: skopeo and sandbox put a
// whole name there, umoci and Docker only a tag, which is no name.
func namesIn(annotations map[string]string) ([]image.Name, error) {
	ref := annotations[containerdName]
	if ref == "" {
		ref = annotations[refName]
		if isTagAlone(ref) {
			return nil, nil
		}
	}
	name, err := image.ParseName(ref)
	if err != nil {
		return nil, err
	}
	if name.Digest != "" {
		return nil, nil // not one that the image can be given
	}
	return []image.Name{name}, nil
}

// isTagAlone guesses: latest, 22.04, v1.
func isTagAlone(ref string) bool {
	digits := strings.TrimPrefix(ref, "v")
	return ref == "" || ref == "latest" || !strings.ContainsAny(ref, ":/") && digits != "" && digits[0] >= '0' && digits[0] <= '9'
}

// merge joins what is the same image under several names.
func merge(all []found) []found {
	var merged []found
	for _, one := range all {
		i := slices.IndexFunc(merged, func(m found) bool { return string(m.config) == string(one.config) })
		if i < 0 {
			merged = append(merged, one)
			continue
		}
		for _, name := range one.names {
			if !slices.Contains(merged[i].names, name) {
				merged[i].names = append(merged[i].names, name)
			}
		}
	}
	return merged
}
