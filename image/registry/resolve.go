package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"sandbox/image"
	"sandbox/kernel"
)

const (
	maxManifest = 4 << 20 // bytes: what the specification wants registries to take
	maxDepth    = 4       // of indexes in indexes
)

// accepted are the kinds of manifests that we can read. A registry may keep others under the same tag.
func accepted() string {
	return strings.Join([]string{
		string(types.OCIManifestSchema1), string(types.OCIImageIndex), string(types.DockerManifestSchema2), string(types.DockerManifestList),
	}, ", ")
}

// fetched is a manifest or an index, as the registry keeps it.
type fetched struct {
	data      []byte
	digest    string // of the data
	mediaType types.MediaType
}

var (
	whyResolve  = kernel.Why{EN: "what does this tag stand for now? A manifest, or an index of several", ZH: "这个 tag 现在指向什么？一个 manifest，或多平台的 index"}
	whyPlatform = kernel.Why{EN: "the index's manifest for this machine", ZH: "index 中适合本机平台的 manifest"}
	whyCheck    = kernel.Why{EN: "has the tag moved? Only the digest is asked for", ZH: "tag 变了吗？只问 digest"}
)

// digestOf asks what digest a tag stands for, without fetching anything; "" if the registry does not say.
func (e *endpoint) digestOf(ctx context.Context, repository, reference string) (string, error) {
	resp, err := e.do(ctx, &request{
		method: http.MethodHead, path: "/v2/" + repository + "/manifests/" + reference, header: http.Header{"Accept": {accepted()}},
		scopes: []string{scope(repository, "pull")}, want: []int{http.StatusOK, http.StatusNotFound, http.StatusMethodNotAllowed}, why: whyCheck,
	})
	if err != nil {
		return "", err
	}
	drain(resp)
	if resp.StatusCode != http.StatusOK {
		return "", nil // the GET that follows gets a text for it
	}
	return resp.Header.Get("Docker-Content-Digest"), nil
}

// manifest fetches what a tag or a digest stands for.
func (e *endpoint) manifest(ctx context.Context, repository, reference string, why kernel.Why) (*fetched, error) {
	resp, err := e.do(ctx, &request{
		method: http.MethodGet, path: "/v2/" + repository + "/manifests/" + reference, header: http.Header{"Accept": {accepted()}},
		scopes: []string{scope(repository, "pull")}, want: []int{http.StatusOK}, why: why,
	})
	if err != nil {
		return nil, err
	}
	data, err := readAll(resp, maxManifest)
	if err != nil {
		return nil, fmt.Errorf("manifest %s of %s: %w", reference, repository, err)
	}
	sum := sha256.Sum256(data)
	f := &fetched{data: data, digest: "sha256:" + hex.EncodeToString(sum[:]), mediaType: mediaType(resp.Header.Get("Content-Type"), data)}
	if strings.HasPrefix(reference, "sha256:") && f.digest != reference {
		return nil, fmt.Errorf("wrong content: asked for manifest %s, %s sent %s", reference, e.registry, f.digest)
	}
	if said := resp.Header.Get("Docker-Content-Digest"); strings.HasPrefix(said, "sha256:") && said != f.digest {
		return nil, fmt.Errorf("wrong content: %s calls the manifest of %s:%s %s, but what it sent is %s", e.registry, repository, reference, tidy(said), f.digest)
	}
	return f, nil
}

// mediaType of a manifest: what it says of itself, else what the server says, else what it looks like.
func mediaType(header string, data []byte) types.MediaType {
	var self struct {
		MediaType types.MediaType   `json:"mediaType"`
		Manifests []json.RawMessage `json:"manifests"`
	}
	if json.Unmarshal(data, &self) == nil && self.MediaType != "" {
		return self.MediaType
	}
	header, _, _ = strings.Cut(header, ";")
	switch t := types.MediaType(strings.TrimSpace(header)); {
	case t.IsImage() || t.IsIndex() || t.IsSchema1():
		return t
	case self.Manifests != nil:
		return types.OCIImageIndex
	}
	return types.OCIManifestSchema1
}

// resolve follows an index to the manifest for a platform.
func (e *endpoint) resolve(ctx context.Context, repository string, top *fetched, wanted v1.Platform) (*fetched, error) {
	seen := []string{top.digest}
	at := top
	for at.mediaType.IsIndex() {
		if len(seen) > maxDepth {
			return nil, fmt.Errorf("an index in an index, %d deep: that is no image", maxDepth)
		}
		next, err := pick(at, wanted)
		if err != nil {
			return nil, err
		}
		if slices.Contains(seen, next) {
			return nil, fmt.Errorf("the index %s leads back to itself", next)
		}
		seen = append(seen, next)
		if at, err = e.manifest(ctx, repository, next, whyPlatform); err != nil {
			return nil, e.incomplete("manifest "+next+", which the index names", err)
		}
	}
	if _, err := image.ParseManifest(at.data); err != nil {
		return nil, refuse(err, at.mediaType)
	}
	return at, nil
}

// incomplete says of 404 for what must be there, since what names it is, that somebody has lost it.
func (e *endpoint) incomplete(what string, err error) error {
	var p *Problem
	if errors.As(err, &p) && p.Status == http.StatusNotFound {
		return kernel.Advise(fmt.Errorf("the image is incomplete at %s: %s, is missing: %w", e.registry, what, p), "push the image again, from where it is whole")
	}
	return err
}

// refuse says of what is no image's manifest what can be done about it.
func refuse(err error, t types.MediaType) error {
	if t.IsSchema1() {
		return kernel.Advise(err, "whoever has the image: docker pull and docker push it with a Docker of this decade")
	}
	return kernel.Advise(err, "registries keep other things than images, too; those are not for running")
}

// pick finds an index's entry for a platform: a manifest, or else an index that has no platform of its own.
func pick(index *fetched, wanted v1.Platform) (digest string, err error) {
	var i v1.IndexManifest
	if err := json.Unmarshal(index.data, &i); err != nil {
		return "", fmt.Errorf("the index %s is no valid JSON: %w", index.digest, err)
	}
	fitting := choose(i.Manifests, wanted)
	if fitting == nil {
		for _, d := range i.Manifests {
			if d.Platform == nil && (d.MediaType.IsIndex() || len(i.Manifests) == 1) {
				fitting = append(fitting, d)
			}
		}
	}
	if fitting == nil {
		there := platforms(i.Manifests)
		if there == nil {
			return "", errors.New("the index has no image in it")
		}
		return "", kernel.Advise(fmt.Errorf("no image for %s; there are %s", platformName(wanted), strings.Join(there, ", ")),
			"--platform fetches another one; to run it needs a processor, or an emulator, for it")
	}
	d := fitting[0]
	if d.Digest.Algorithm != "sha256" || len(d.Digest.Hex) != 64 {
		return "", fmt.Errorf("the index names a manifest without a SHA-256 digest: %q", tidy(d.Digest.String()))
	}
	return d.Digest.String(), nil
}

// notFound turns 404 into what was probably meant: registries tell the tags that they have.
func (e *endpoint) notFound(ctx context.Context, name image.Name, err error) error {
	var p *Problem
	if !errors.As(err, &p) || p.Status != http.StatusNotFound {
		return err
	}
	if name.Tag == "" || p.has("NAME_UNKNOWN") {
		return kernel.Advise(fmt.Errorf("%s has no %s: %w", e.registry, name.Familiar(), p), "check the name; a private repository wants a login first: sandbox login %s", e.loginArgument())
	}
	tags, tagsErr := e.tags(ctx, name.Repository)
	if tagsErr != nil || len(tags) == 0 {
		return kernel.Advise(fmt.Errorf("%s has no %s: %w", e.registry, name.Familiar(), p), "check the name and the tag; a private repository wants a login first: sandbox login %s", e.loginArgument())
	}
	near := image.Nearest(name.Tag, tags)
	if len(near) == 0 {
		near = tags[max(0, len(tags)-5):]
	}
	return kernel.Advise(fmt.Errorf("%s has no tag %q of %s; it has %d, as %s", e.registry, name.Tag, name.Repository, len(tags), strings.Join(near, ", ")),
		"sandbox pull %s", strings.TrimSuffix(name.Familiar(), ":"+name.Tag)+":"+near[0])
}
