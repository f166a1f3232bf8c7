package registry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"sandbox/image"
	"sandbox/kernel"
)

const maxConfig = 8 << 20 // bytes; the history of a large image may take some

// PullOptions say what to fetch.
type PullOptions struct {
	Name     image.Name
	Platform *v1.Platform // nil: what this machine runs
	Found    func()       // may be nil; is called once the registry has said that it has the image, before layers are fetched
	Progress func(Event)  // may be nil; is called from several goroutines
}

// Result is what a pull has found out.
type Result struct {
	Digest  string // what the registry's tag stands for: of the index, if there is one
	Newer   bool   // something else than the store had under this name
	Warning string // what the user should know: the image is for another machine
}

// pull is one image on its way from a registry into the store.
type pull struct {
	e       *endpoint
	store   *image.Store
	o       PullOptions
	wanted  v1.Platform
	old     *image.Image // that the store has under this name; nil for none
	result  Result
	noGuess bool // the platform was asked for: another one will not do
}

// Pull fetches an image into the store. Nobody sees anything of it before all is there and verified.
func (c *Client) Pull(ctx context.Context, store *image.Store, o PullOptions) (*image.Image, Result, error) {
	var problems []error
	for _, source := range c.sources(o.Name.Registry) {
		e, err := source(ctx)
		if err == nil {
			p := &pull{e: e, store: store, o: o, wanted: thisPlatform()}
			if o.Platform != nil {
				p.wanted, p.noGuess = normal(*o.Platform), true
			}
			var img *image.Image
			if img, err = p.run(ctx); err == nil {
				return img, p.result, nil
			}
			if kernel.CureOf(err) == "" && ctx.Err() == nil { // it has lied, or sent rubbish
				err = kernel.Advise(err, "nothing of it has been kept: try again, or get the image from somewhere else")
			}
		}
		problems = append(problems, err)
		if ctx.Err() != nil {
			break
		}
	}
	if len(problems) > 1 { // the mirror's, then Docker Hub's
		return nil, Result{}, kernel.Advise(fmt.Errorf("mirror %s: %w; then %w", c.o.Mirror, problems[0], problems[1]), "%s", kernel.CureOf(problems[1]))
	}
	return nil, Result{}, problems[0]
}

func (p *pull) run(ctx context.Context) (*image.Image, error) {
	name := p.o.Name
	p.findOld()
	if p.old != nil && name.Digest == "" {
		digest, err := p.e.digestOf(ctx, name.Repository, name.Tag)
		if err != nil {
			return nil, err
		}
		if p.isCurrent(digest) {
			p.result.Digest = digest
			return p.old, nil
		}
	}
	reference := name.Tag
	if name.Digest != "" { // then a tag says nothing
		reference = name.Digest
	}
	top, err := p.e.manifest(ctx, name.Repository, reference, whyResolve)
	if err != nil {
		return nil, p.e.notFound(ctx, name, err)
	}
	p.result.Digest = top.digest
	manifest, err := p.e.resolve(ctx, name.Repository, top, p.wanted)
	if err != nil {
		return nil, err
	}
	return p.fetch(ctx, manifest)
}

// findOld looks for what the store has under the name.
func (p *pull) findOld() {
	name := p.o.Name
	if img, err := p.store.Find(name.String()); err == nil && (name.Digest != "" || slices.Contains(img.Names, name.Familiar())) {
		p.old = img
	}
}

// isCurrent: what the store has is what the registry has, and it is precisely for the platform that is wanted. Where
// something else has to do, the index is looked at again.
func (p *pull) isCurrent(digest string) bool {
	known := image.Name{Registry: p.o.Name.Registry, Repository: p.o.Name.Repository, Digest: digest}
	if digest == "" || !slices.Contains(p.old.Digests, known.Familiar()) {
		return false
	}
	has := v1.Platform{OS: p.old.OS, Architecture: p.old.Architecture, Variant: p.old.Variant}
	return normal(has).Equals(p.wanted)
}

func fits(has, wanted v1.Platform) bool {
	return choose([]v1.Descriptor{{Platform: &has}}, wanted) != nil
}

// fetch fetches what a manifest names, and puts it into the store.
func (p *pull) fetch(ctx context.Context, f *fetched) (*image.Image, error) {
	manifest, err := image.ParseManifest(f.data)
	if err != nil {
		return nil, err
	}
	rawConfig, err := p.e.small(ctx, p.o.Name.Repository, manifest.Config)
	if err != nil {
		return nil, err
	}
	config, err := parseConfig(rawConfig, manifest)
	if err != nil {
		return nil, err
	}
	if err := p.checkPlatform(config); err != nil {
		return nil, err
	}
	draft, err := p.store.Begin()
	if err != nil {
		return nil, err
	}
	defer draft.Discard()
	if p.o.Found != nil {
		p.o.Found()
	}
	if err := p.fetchLayers(ctx, draft, manifest.Layers, config.RootFS.DiffIDs); err != nil {
		return nil, err
	}
	img, err := draft.CommitExact(f.data, rawConfig, p.names()...)
	p.result.Newer = err == nil && (p.old == nil || p.old.ID != img.ID)
	return img, err
}

// names that the image gets: the one it was asked by, and the registry's own, which nobody can move.
func (p *pull) names() []image.Name {
	name := p.o.Name
	fixed := image.Name{Registry: name.Registry, Repository: name.Repository, Digest: p.result.Digest}
	if name.Digest != "" {
		return []image.Name{fixed}
	}
	return []image.Name{name, fixed}
}

// checkPlatform looks at an image that came without an index: nobody has chosen it for this machine.
func (p *pull) checkPlatform(config *v1.ConfigFile) error {
	has := v1.Platform{OS: config.OS, Architecture: config.Architecture, Variant: config.Variant}
	switch {
	case fits(has, p.wanted) || config.OS == "" && config.Architecture == "":
		return nil
	case p.noGuess:
		return kernel.Advise(fmt.Errorf("the image is for %s, not for %s", platformName(has), platformName(p.wanted)), "there is no other one under this name: leave --platform out")
	case has.OS != "linux":
		return kernel.Advise(fmt.Errorf("the image is for %s", platformName(has)), "containers share this machine's kernel, which is Linux")
	}
	p.result.Warning = fmt.Sprintf("the image is for %s, this machine is %s: to run it needs an emulator", platformName(has), platformName(p.wanted))
	return nil
}

func (p *pull) fetchLayers(ctx context.Context, draft *image.Draft, layers []v1.Descriptor, diffIDs []v1.Hash) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, layer := range layers {
		p.tell(layer, Event{Text: "Waiting"})
	}
	for i, layer := range layers {
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return p.fetchLayer(ctx, draft, i, layer, diffIDs[i])
		})
	}
	return group.Wait()
}

func (p *pull) fetchLayer(ctx context.Context, draft *image.Draft, i int, layer v1.Descriptor, diffID v1.Hash) error {
	done := "Already exists"
	err := draft.SetLayer(i, image.Blob{
		MediaType: layer.MediaType, Digest: layer.Digest, DiffID: diffID,
		Open: func() (io.ReadCloser, error) {
			done = "Pull complete"
			return &download{ctx: ctx, e: p.e, repository: p.o.Name.Repository, blob: layer, why: whyLayer, progress: p.follow(layer)}, nil
		},
	})
	if ctx.Err() != nil && err != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("layer %s from %s: %w", shortDigest(layer.Digest.Hex), p.e.registry, err)
	}
	p.tell(layer, Event{Text: done, Final: true})
	return nil
}

// follow is a download's progress. What has come is unpacked at once, so that little is left to do after the last byte.
func (p *pull) follow(layer v1.Descriptor) func(done int64, text string) {
	if p.o.Progress == nil {
		return nil
	}
	return func(done int64, text string) {
		if done == layer.Size {
			text = "Extracting"
		}
		p.tell(layer, Event{Text: text, Done: done, Total: layer.Size})
	}
}

func (p *pull) tell(layer v1.Descriptor, e Event) {
	if p.o.Progress != nil {
		e.Layer = shortDigest(layer.Digest.Hex)
		p.o.Progress(e)
	}
}

// parseConfig reads a configuration and holds it against its manifest.
func parseConfig(data []byte, manifest *v1.Manifest) (*v1.ConfigFile, error) {
	config, err := v1.ParseConfigFile(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("the image's configuration is no valid JSON: %w", err)
	}
	if len(config.RootFS.DiffIDs) != len(manifest.Layers) {
		return nil, fmt.Errorf("the manifest has %d layers, the configuration %d", len(manifest.Layers), len(config.RootFS.DiffIDs))
	}
	return config, nil
}
