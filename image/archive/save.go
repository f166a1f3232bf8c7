package archive

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"sandbox/image"
	"sandbox/kernel"
)

// The forms that Save writes.
const (
	DockerArchive = "docker-archive" // an OCI archive and a Docker archive in one: Docker's form since version 25
	OCIArchive    = "oci-archive"    // without what Docker wants besides
)

// SaveOptions say how Save writes.
type SaveOptions struct {
	Format string // "" is DockerArchive
}

// Save writes images as one archive, what they share only once. The same images give the same bytes.
func Save(ctx context.Context, store *image.Store, w io.Writer, refs []string, o SaveOptions) error {
	if o.Format = cmp.Or(o.Format, DockerArchive); o.Format != DockerArchive && o.Format != OCIArchive {
		return kernel.Advise(fmt.Errorf("unknown format of archive %q", o.Format), "%s or %s", DockerArchive, OCIArchive)
	}
	draft, err := store.Begin() // keeps the images from being removed meanwhile
	if err != nil {
		return err
	}
	defer draft.Discard()
	images, err := choose(store, refs)
	if err != nil {
		return err
	}
	c := contents{store: store, documents: map[string][]byte{}, layers: map[string]v1.Descriptor{}}
	for _, chosen := range images {
		if err := draft.Base(chosen.Image); err != nil {
			return err
		}
		if err := c.add(chosen); err != nil {
			return err
		}
	}
	return c.write(ctx, w, o.Format)
}

// chosen is an image to be saved, with the names that the archive gives it.
type chosen struct {
	*image.Image
	names []image.Name
}

// choose looks up what is to be saved. A name without a tag means all tags, as with Docker; an ID, the image without a
// name.
func choose(store *image.Store, refs []string) ([]chosen, error) {
	var all []chosen
	for _, ref := range refs {
		some, err := lookUp(store, ref)
		if err != nil {
			return nil, err
		}
		for _, one := range some {
			i := slices.IndexFunc(all, func(c chosen) bool { return c.ID == one.ID })
			if i < 0 {
				all = append(all, one)
				continue
			}
			for _, name := range one.names {
				if !slices.Contains(all[i].names, name) {
					all[i].names = append(all[i].names, name)
				}
			}
		}
	}
	return all, nil
}

func lookUp(store *image.Store, ref string) ([]chosen, error) {
	if name, err := image.ParseName(ref); err == nil && name.Digest == "" && !hasTag(ref) {
		some, err := allTags(store, ref)
		if err != nil || len(some) > 0 {
			return some, err
		}
	}
	img, err := store.Find(ref)
	if err != nil {
		return nil, err
	}
	one := chosen{Image: img}
	if name, err := image.ParseName(ref); err == nil && name.Digest == "" {
		one.names = named(img, func(n image.Name) bool { return n.Tag == name.Tag && sameRepository(n, name) })
	}
	return []chosen{one}, nil
}

func hasTag(ref string) bool {
	return strings.LastIndexByte(ref, ':') > strings.LastIndexByte(ref, '/')
}

// allTags finds the images of a repository, in the order of their tags.
func allTags(store *image.Store, ref string) ([]chosen, error) {
	name, err := image.ParseName(ref)
	if err != nil {
		return nil, err
	}
	images, err := store.List()
	if err != nil {
		return nil, err
	}
	var some []chosen
	for _, img := range images {
		if names := named(img, func(n image.Name) bool { return sameRepository(n, name) }); len(names) > 0 {
			some = append(some, chosen{img, names})
		}
	}
	slices.SortFunc(some, func(a, b chosen) int { return cmp.Compare(a.names[0].Tag, b.names[0].Tag) })
	return some, nil
}

// sameRepository takes a short name for the built-in image's, too.
func sameRepository(n, asked image.Name) bool {
	return n.Repository == asked.Repository && n.Registry == asked.Registry ||
		n.Registry == "" && asked.Registry == "docker.io" && n.Repository == asked.Builtin().Repository
}

// named are those of an image's names that are wanted.
func named(img *image.Image, wanted func(image.Name) bool) []image.Name {
	var names []image.Name
	for _, s := range img.Names {
		name, err := image.ParseName(s)
		if err != nil {
			continue
		}
		if builtin := name.Builtin(); isBuiltin(img, builtin) && s == builtin.Familiar() {
			name = builtin
		}
		if wanted(name) {
			names = append(names, name)
		}
	}
	return names
}

// isBuiltin tells a built-in image's own name from Docker Hub's, which is written alike.
func isBuiltin(img *image.Image, name image.Name) bool {
	return name.Registry == "" && img.Config.Labels["sandbox.builtin"] == name.Repository && name.Tag == "latest"
}

// contents is what goes into an archive.
type contents struct {
	store     *image.Store
	documents map[string][]byte        // manifests and configurations, by path
	layers    map[string]v1.Descriptor // by path
	index     []v1.Descriptor
	images    []dockerImage
	tops      []string // of each image, its uppermost layer's digest
}

func (c *contents) add(img chosen) error {
	manifest, err := c.store.Manifest(img.Image)
	if err != nil {
		return err
	}
	config, err := c.store.ConfigFile(img.Image)
	if err != nil {
		return err
	}
	if len(config.RootFS.DiffIDs) != len(manifest.Layers) {
		return fmt.Errorf("damaged image %s: %d layers, %d DiffIDs", img.ID, len(manifest.Layers), len(config.RootFS.DiffIDs))
	}
	rawManifest, err := c.store.RawManifest(img.Image)
	if err != nil {
		return err
	}
	rawConfig, err := c.store.RawConfig(img.Image)
	if err != nil {
		return err
	}
	digest, size := digestOf(rawManifest)
	c.documents[blobName(digest)], c.documents[blobName(manifest.Config.Digest)] = rawManifest, rawConfig
	entry, top := dockerImage{Config: blobName(manifest.Config.Digest), Layers: []string{}, LayerSources: map[string]v1.Descriptor{}}, ""
	for i, l := range manifest.Layers {
		c.layers[blobName(l.Digest)] = l
		entry.Layers = append(entry.Layers, blobName(l.Digest))
		entry.LayerSources[config.RootFS.DiffIDs[i].String()] = l
		top = l.Digest.Hex
	}
	descriptor := v1.Descriptor{MediaType: cmp.Or(manifest.MediaType, types.OCIManifestSchema1), Size: size, Digest: digest,
		Platform: &v1.Platform{OS: img.OS, Architecture: img.Architecture, Variant: img.Variant}}
	for _, name := range img.names {
		entry.RepoTags = append(entry.RepoTags, name.Familiar())
		c.index = append(c.index, annotated(descriptor, name))
	}
	if len(img.names) == 0 {
		c.index = append(c.index, descriptor)
	}
	c.images, c.tops = append(c.images, entry), append(c.tops, top)
	return nil
}

// annotated gives a descriptor an image's name, as Docker does. A built-in image is of no registry: it has no name in full.
func annotated(d v1.Descriptor, name image.Name) v1.Descriptor {
	d.Annotations = map[string]string{refName: name.Tag, containerdName: name.String()}
	if name.Registry == "" {
		d.Annotations = map[string]string{refName: name.String()}
	}
	return d
}

// write writes the archive. What leads to the layers comes before them, so that who reads it as a stream knows what comes.
func (c *contents) write(ctx context.Context, w io.Writer, format string) error {
	documents, err := c.lists(format)
	if err != nil {
		return err
	}
	t := &tarWriter{w: w}
	t.directory("blobs/")
	t.directory(layoutBlobs + "/")
	for _, documents := range []map[string][]byte{documents, c.documents} {
		for _, name := range slices.Sorted(maps.Keys(documents)) {
			t.bytes(name, documents[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.layers)) {
		if err := errors.Join(ctx.Err(), t.err); err != nil {
			return err
		}
		if err := c.copyLayer(t, name); err != nil {
			return fmt.Errorf("layer %s: %w", c.layers[name].Digest, err)
		}
	}
	return t.close()
}

func (c *contents) copyLayer(t *tarWriter, name string) error {
	blob, err := c.store.OpenBlob(c.layers[name].Digest)
	if err != nil {
		return err
	}
	defer blob.Close()
	t.file(name, c.layers[name].Size, blob)
	return t.err
}

// lists makes the files that list what is in the archive.
func (c *contents) lists(format string) (map[string][]byte, error) {
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: c.index}
	documents := map[string]any{layoutVersion: map[string]string{"imageLayoutVersion": "1.0.0"}, layoutIndex: index}
	if format == DockerArchive {
		documents[dockerManifest] = c.images
		if old := c.repositories(); len(old) > 0 {
			documents[repositories] = old
		}
	}
	encoded := map[string][]byte{}
	for name, document := range documents {
		data, err := json.Marshal(document)
		if err != nil {
			return nil, err
		}
		encoded[name] = data
	}
	return encoded, nil
}

// repositories is the list that Docker read before manifest.json: name, tag, uppermost layer.
func (c *contents) repositories() map[string]map[string]string {
	all := map[string]map[string]string{}
	for i, img := range c.images {
		for _, ref := range img.RepoTags {
			colon := strings.LastIndexByte(ref, ':')
			if all[ref[:colon]] == nil {
				all[ref[:colon]] = map[string]string{}
			}
			all[ref[:colon]][ref[colon+1:]] = c.tops[i]
		}
	}
	return all
}
