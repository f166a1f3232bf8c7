package archive

import (
	"context"
	"io"
	"runtime"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"sandbox/image"
	"sandbox/image/layer"
)

// ImportOptions say what image Import makes.
type ImportOptions struct {
	Change  func(*v1.Config, []string) error // applies Dockerfile instructions
	Changes []string                         // these: "CMD sh"
	Message string                           // for the history

	Platform *v1.Platform // nil: this machine's
	Created  time.Time
	Names    []image.Name
}

// Import makes an image of one layer from the tar archive of a file system, compressed or not.
func Import(ctx context.Context, store *image.Store, r io.Reader, o ImportOptions) (*image.Image, error) {
	var config v1.Config
	if len(o.Changes) > 0 { // before the work
		if err := o.Change(&config, o.Changes); err != nil {
			return nil, err
		}
	}
	archive, _, err := layer.Decompress(reader{ctx, r})
	if err != nil {
		return nil, damaged(ctx, err)
	}
	defer archive.Close()
	draft, err := store.Begin()
	if err != nil {
		return nil, err
	}
	defer draft.Discard()
	if _, err := draft.AddLayer(archive); err != nil {
		return nil, damaged(ctx, err)
	}
	platform := v1.Platform{OS: "linux", Architecture: runtime.GOARCH}
	if o.Platform != nil {
		platform = *o.Platform
	}
	created := v1.Time{Time: o.Created.UTC()}
	return draft.Commit(v1.ConfigFile{
		OS: platform.OS, Architecture: platform.Architecture, Variant: platform.Variant, Created: created, Config: config,
		History: []v1.History{{Created: created, Comment: o.Message}},
	}, o.Names...)
}
