package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"

	"sandbox/image"
	"sandbox/kernel"
)

// PushOptions say where to bring an image.
type PushOptions struct {
	Name     image.Name
	Progress func(Event) // may be nil; is called from several goroutines
}

// Pushed is what a push has brought there.
type Pushed struct {
	Digest string // of the manifest
	Size   int64  // of the manifest, bytes
}

// push is one image on its way into a repository.
type push struct {
	e         *endpoint
	store     *image.Store
	img       *image.Image
	o         PushOptions
	manifest  *v1.Manifest // as the store has it
	config    *v1.ConfigFile
	exactly   bool               // a registry has the store's very manifest: it is to stay as it is
	elsewhere map[v1.Hash]string // DiffID: another repository of the registry that should have the layer
}

var whyTag = kernel.Why{EN: "the manifest comes last: from now on the tag stands for it", ZH: "最后传 manifest：从此 tag 指向它"}

// Push brings an image of the store into a registry, under a name with a tag. Layers that the store has as plain tar
// archives are compressed on the way; the store remembers what became of them, so that the next push need not send
// anything.
func (c *Client) Push(ctx context.Context, store *image.Store, img *image.Image, o PushOptions) (Pushed, error) {
	if o.Name.Tag == "" {
		return Pushed{}, kernel.Advise(errors.New("a push needs a tag: a digest cannot be chosen"), "sandbox tag IMAGE %s/%s:TAG", o.Name.Registry, o.Name.Repository)
	}
	e, err := c.connect(ctx, o.Name.Registry)
	if err != nil {
		return Pushed{}, err
	}
	p := &push{e: e, store: store, img: img, o: o}
	if p.manifest, err = store.Manifest(img); err != nil {
		return Pushed{}, err
	}
	if p.config, err = store.ConfigFile(img); err != nil {
		return Pushed{}, err
	}
	if len(p.config.RootFS.DiffIDs) != len(p.manifest.Layers) {
		return Pushed{}, fmt.Errorf("damaged image %s: %d layers, %d DiffIDs", img.ID, len(p.manifest.Layers), len(p.config.RootFS.DiffIDs))
	}
	p.exactly = slices.ContainsFunc(img.Digests, func(name string) bool { return strings.HasSuffix(name, "@"+img.Digest) })
	p.elsewhere = mountable(store, o.Name)
	return p.run(ctx)
}

func (p *push) run(ctx context.Context) (Pushed, error) {
	layers, err := p.sendLayers(ctx)
	if err != nil {
		return Pushed{}, err
	}
	if err := p.sendConfig(ctx); err != nil {
		return Pushed{}, err
	}
	data, mediaType, err := p.manifestFor(layers)
	if err != nil {
		return Pushed{}, err
	}
	digest, err := p.sendManifest(ctx, data, mediaType)
	if err != nil {
		return Pushed{}, err
	}
	name := p.o.Name
	fixed := image.Name{Registry: name.Registry, Repository: name.Repository, Digest: digest}
	if slices.Contains(p.img.Digests, fixed.Familiar()) {
		return Pushed{Digest: digest, Size: int64(len(data))}, nil
	}
	if err := p.store.Tag(p.img, fixed); err != nil {
		return Pushed{}, fmt.Errorf("the image is pushed, but the store cannot take note of it: %w", err)
	}
	return Pushed{Digest: digest, Size: int64(len(data))}, nil
}

func (p *push) scopes() []string { return []string{scope(p.o.Name.Repository, "pull,push")} }

// sendLayers brings the layers there, several at once, and returns them as they are there.
func (p *push) sendLayers(ctx context.Context) ([]v1.Descriptor, error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	sent := make([]v1.Descriptor, len(p.manifest.Layers))
	for i := range p.manifest.Layers {
		p.tell(i, Event{Text: "Waiting"})
	}
	for i := range p.manifest.Layers {
		if p.first(i) != i {
			continue // an image may have the same layer twice
		}
		group.Go(func() (err error) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if sent[i], err = p.sendLayer(ctx, i); err != nil && ctx.Err() == nil {
				err = fmt.Errorf("layer %s to %s: %w", p.layerName(i), p.e.registry, err)
			}
			return err
		})
	}
	err := group.Wait()
	for i := range sent {
		sent[i] = sent[p.first(i)]
	}
	return sent, err
}

// first is where the layer number i comes for the first time.
func (p *push) first(i int) int {
	return slices.Index(p.config.RootFS.DiffIDs, p.config.RootFS.DiffIDs[i])
}

// layerName is how Docker calls a layer in a push: by its DiffID, which it has before it is compressed.
func (p *push) layerName(i int) string { return shortDigest(p.config.RootFS.DiffIDs[i].Hex) }

func (p *push) tell(i int, e Event) {
	if p.o.Progress != nil {
		e.Layer = p.layerName(i)
		p.o.Progress(e)
	}
}

// sendLayer brings one layer there, by the cheapest way that works: it is there; it is mounted; it is sent.
func (p *push) sendLayer(ctx context.Context, i int) (v1.Descriptor, error) {
	diffID, stored := p.config.RootFS.DiffIDs[i], p.manifest.Layers[i]
	u := &upload{e: p.e, repository: p.o.Name.Repository, scopes: p.scopes()}
	known, found := stored, true
	compress := isUncompressed(stored.MediaType) && !p.exactly
	if compress {
		known, found = remembered(p.store, diffID)
	}
	if found {
		if there, err := p.e.has(ctx, u.repository, known); err != nil || there {
			p.tellSent(i, err, "Layer already exists")
			return known, err
		}
		if from := p.elsewhere[diffID]; from != "" {
			if mounted, err := u.mount(ctx, known.Digest, from); err != nil || mounted {
				p.tellSent(i, err, "Mounted from "+from)
				return known, err
			}
		}
	}
	raw := exact{store: p.store, blob: stored, progress: p.follow(i, stored)}
	u.content = &raw
	if compress {
		u.content = &compressed{archive: raw}
	}
	sent, err := u.run(ctx)
	if err == nil && compress {
		err = remember(p.store, diffID, sent)
	}
	p.tellSent(i, err, "Pushed")
	return sent, err
}

func (p *push) tellSent(i int, err error, text string) {
	if err == nil {
		p.tell(i, Event{Text: text, Final: true})
	}
}

func (p *push) follow(i int, blob v1.Descriptor) func(done int64) {
	if p.o.Progress == nil {
		return nil
	}
	return func(done int64) { p.tell(i, Event{Text: "Pushing", Done: done, Total: blob.Size}) }
}

func isUncompressed(t types.MediaType) bool {
	return t == types.OCIUncompressedLayer || t == types.DockerUncompressedLayer
}

func (p *push) sendConfig(ctx context.Context) error {
	data, err := p.store.RawConfig(p.img)
	if err != nil {
		return err
	}
	blob := p.manifest.Config
	if there, err := p.e.has(ctx, p.o.Name.Repository, blob); err != nil || there {
		return err
	}
	u := &upload{e: p.e, repository: p.o.Name.Repository, scopes: p.scopes(), content: &text{blob: blob, data: data}}
	_, err = u.run(ctx)
	return err
}

// manifestFor is the manifest of the image with the layers as they are at the registry. If they are the store's own it is
// the store's, to the last bit: an image that was pulled keeps its digest wherever it is pushed.
func (p *push) manifestFor(layers []v1.Descriptor) ([]byte, types.MediaType, error) {
	same := slices.EqualFunc(layers, p.manifest.Layers, func(a, b v1.Descriptor) bool { return a.Digest == b.Digest })
	if same {
		data, err := p.store.RawManifest(p.img)
		return data, mediaType(string(p.manifest.MediaType), data), err
	}
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Config: p.manifest.Config, Annotations: p.manifest.Annotations}
	m.Config.MediaType = types.OCIConfigJSON
	for _, blob := range layers {
		m.Layers = append(m.Layers, v1.Descriptor{MediaType: ociType(blob.MediaType), Size: blob.Size, Digest: blob.Digest})
	}
	data, err := json.Marshal(m)
	return data, m.MediaType, err
}

// ociType is what OCI calls a layer; a manifest should not mix its words with Docker's, which mean the same.
func ociType(t types.MediaType) types.MediaType {
	if t == types.DockerLayer {
		return types.OCILayer
	}
	return t
}

// sendManifest makes the tag stand for a manifest, and returns its digest.
func (p *push) sendManifest(ctx context.Context, data []byte, t types.MediaType) (string, error) {
	resp, err := p.e.do(ctx, &request{
		method: http.MethodPut, path: "/v2/" + p.o.Name.Repository + "/manifests/" + p.o.Name.Tag, header: http.Header{"Content-Type": {string(t)}},
		body: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }, length: int64(len(data)),
		scopes: p.scopes(), want: []int{http.StatusCreated, http.StatusOK, http.StatusAccepted}, why: whyTag,
	})
	if err != nil {
		return "", err
	}
	drain(resp)
	digest, _, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		return "", err
	}
	if said := resp.Header.Get("Docker-Content-Digest"); strings.HasPrefix(said, "sha256:") && said != digest.String() {
		return "", fmt.Errorf("wrong content: manifest %s was sent, %s calls it %s", digest, p.e.registry, tidy(said))
	}
	return digest.String(), nil
}

// mountable finds, by DiffID, other repositories of a registry that should have a layer: those that an image with this
// layer was pulled from, or pushed to.
func mountable(store *image.Store, name image.Name) map[v1.Hash]string {
	from := map[v1.Hash]string{}
	images, _ := store.List() // what cannot be read is of no help
	for _, img := range images {
		repository := ""
		for _, digest := range img.Digests {
			n, err := image.ParseName(digest)
			if err == nil && n.Registry == name.Registry && n.Repository != name.Repository {
				repository = n.Repository
				break
			}
		}
		if repository == "" {
			continue
		}
		if config, err := store.ConfigFile(img); err == nil {
			for _, diffID := range config.RootFS.DiffIDs {
				from[diffID] = repository
			}
		}
	}
	return from
}
