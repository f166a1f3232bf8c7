package archive

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"sandbox/image"
	"sandbox/image/layer"
	"sandbox/kernel"
)

// The names of a Docker archive's files.
const (
	dockerManifest = "manifest.json"
	repositories   = "repositories" // what Docker before 1.10 read instead
)

// dockerImage is an image in a Docker archive's manifest.json, which is a list of them. Layers are paths in the archive,
// the lowest first.
type dockerImage struct {
	Config       string
	RepoTags     []string
	Layers       []string
	LayerSources map[string]v1.Descriptor `json:",omitempty"` // by DiffID; since Docker 25
}

// found is an image in an archive before its layers are read.
type found struct {
	config   []byte
	manifest []byte // nil if the archive has none: Docker's before version 25
	layers   []image.Blob
	names    []image.Name
}

// readDocker reads manifest.json.
func readDocker(f files) ([]found, error) {
	data, err := read(f, dockerManifest)
	if err != nil {
		return nil, err
	}
	var list []dockerImage
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("%s is not that of a Docker archive: %w", dockerManifest, err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s lists no image", dockerManifest)
	}
	var all []found
	for _, entry := range list {
		one, err := entry.read(f)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func (d dockerImage) read(f files) (found, error) {
	var one found
	var err error
	if d.Config == "" {
		return one, fmt.Errorf("%s has an image without a configuration", dockerManifest)
	}
	if one.config, err = read(f, d.Config); err != nil {
		return one, err
	}
	if digest, _ := digestOf(one.config); contradicts(d.Config, digest.Hex) {
		return one, fmt.Errorf("wrong content: the file %q is %s", d.Config, digest)
	}
	var config struct {
		RootFS v1.RootFS `json:"rootfs"`
	}
	if err := json.Unmarshal(one.config, &config); err != nil {
		return one, fmt.Errorf("the configuration %q is no valid JSON: %w", d.Config, err)
	}
	if len(config.RootFS.DiffIDs) != len(d.Layers) {
		return one, fmt.Errorf("%s lists %d layers, the configuration %q has %d", dockerManifest, len(d.Layers), d.Config, len(config.RootFS.DiffIDs))
	}
	for i, name := range d.Layers {
		blob, err := readLayer(f, name, config.RootFS.DiffIDs[i])
		if err != nil {
			return one, err
		}
		one.layers = append(one.layers, blob)
	}
	for _, tag := range d.RepoTags {
		name, err := image.ParseName(tag)
		if err != nil {
			return one, err
		}
		one.names = append(one.names, name)
	}
	return one, nil
}

// contradicts reports whether a file's name is the digest of something else: …/sha256/DIGEST or DIGEST.json.
func contradicts(name, digest string) bool {
	base := strings.TrimSuffix(path.Base(name), ".json")
	_, err := hex.DecodeString(base)
	return err == nil && len(base) == len(digest) && base != digest
}

// readLayer finds a layer. In this kind of archive nobody says how a layer is compressed, nor is its compressed form part
// of the image; it is kept uncompressed, as Docker has them.
func readLayer(f files, name string, diffID v1.Hash) (image.Blob, error) {
	content, err := f.find(name)
	if err != nil {
		return image.Blob{}, err
	}
	blob := image.Blob{MediaType: types.OCIUncompressedLayer, Digest: diffID, DiffID: diffID}
	compressed, err := content.isCompressed()
	if err != nil {
		return blob, err
	}
	switch {
	case !compressed && content.spooled != nil:
		blob.Spooled = content.spooled
	case !compressed:
		blob.Open = content.open
	default:
		blob.Open = content.decompress
	}
	return blob, nil
}

func (f *file) isCompressed() (bool, error) {
	content, err := f.open()
	if err != nil {
		return false, err
	}
	defer content.Close()
	start := make([]byte, 6)
	n, err := io.ReadFull(content, start)
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // too short for a layer, which unpacking will tell
	}
	return layer.CompressionOf(start[:n]) != layer.Uncompressed, err
}

func (f *file) decompress() (io.ReadCloser, error) {
	compressed, err := f.open()
	if err != nil {
		return nil, err
	}
	content, _, err := layer.Decompress(compressed)
	if err != nil {
		compressed.Close()
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{content, closers{content, compressed}}, nil
}

// closers are closed in order.
type closers []io.Closer

func (c closers) Close() error {
	var problems error
	for _, closer := range c {
		problems = errors.Join(problems, closer.Close())
	}
	return problems
}

// unknownArchive is the error for an archive that has neither manifest.json nor index.json.
func unknownArchive(f files) error {
	if _, err := f.find(repositories); err == nil {
		return kernel.Advise(errors.New("an archive of a Docker before 1.10 (2016), which has no manifest.json"), "have a newer Docker load it and save it again")
	}
	return kernel.Advise(errors.New("not an archive of images: it has neither manifest.json nor index.json"),
		"an archive of files, as `export` writes it, becomes an image by `sandbox import`")
}
