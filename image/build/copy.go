package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"sandbox/image"
	"sandbox/image/build/copying"
	"sandbox/image/layer"
	"sandbox/kernel"
)

// planCopy is COPY: the digest of what it would copy decides whether it has been done before.
func (b *builder) planCopy(ctx context.Context, st *state, c *instructions.CopyCommand, o *operation) error {
	from, err := b.source(ctx, st, c.From)
	if err != nil {
		return err
	}
	copy := &copying.Copy{From: from, Link: c.Link, Parents: c.Parents, Exclude: c.ExcludePatterns}
	if c.From != "" {
		o.record.Instruction = strings.Replace(o.record.Instruction, "COPY ", "COPY --from="+c.From+" ", 1)
	}
	o.close = append(o.close, copy.Close, func() error { return b.release(from) })
	return b.planFiles(ctx, st, o, copy, c.SourcesAndDest, c.Chown, c.Chmod)
}

// planAdd is ADD.
func (b *builder) planAdd(ctx context.Context, st *state, c *instructions.AddCommand, o *operation) error {
	from, err := b.source(ctx, st, "")
	if err != nil {
		return err
	}
	copy := &copying.Copy{From: from, Link: c.Link, Exclude: c.ExcludePatterns, Add: true, Unpack: c.Unpack, Checksum: c.Checksum}
	o.close = append(o.close, copy.Close, func() error { return b.release(from) })
	return b.planFiles(ctx, st, o, copy, c.SourcesAndDest, c.Chown, c.Chmod)
}

// planFiles is what COPY and ADD have in common.
func (b *builder) planFiles(ctx context.Context, st *state, o *operation, copy *copying.Copy, files instructions.SourcesAndDest, chown, chmod string) (err error) {
	copy.Sources, copy.Dest = files.SourcePaths, copying.Destination(st.config.WorkingDir, files.DestPath)
	for _, content := range files.SourceContents {
		copy.Inline = append(copy.Inline, copying.Inline{Name: content.Path, Content: content.Data})
	}
	copy.Chmod, copy.Clamp = chmod, b.Epoch
	copy.UID, copy.GID = -1, -1
	if chown != "" {
		if copy.UID, copy.GID, err = ownerIn(b.layers(st), chown); err != nil {
			return fmt.Errorf("--chown: %w", err)
		}
	}
	digest, err := copy.Digest(ctx)
	if err != nil {
		return err
	}
	for _, pattern := range copy.Unmatched() {
		st.stage.out.printf("[Warning] %s: nothing matches %s\n", strings.Fields(o.record.Instruction)[0], pattern)
	}
	o.record.Content, o.record.files = digest.Sum, digest.Files
	o.record.More = append(o.record.More, optionsOf(copy)...)
	o.history = nothing(st.config, summary(copy, digest))
	o.inputs = append(o.inputs, copy)
	o.perform = func(ctx context.Context, d *image.Draft) error { return b.write(ctx, st, copy, d) }
	return nil
}

// optionsOf are the flags that change the result without changing what is read.
func optionsOf(c *copying.Copy) []string {
	var all []string
	add := func(set bool, format string, args ...any) {
		if set {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	add(c.UID >= 0, "--chown=%d:%d", c.UID, c.GID)
	add(c.Chmod != "", "--chmod=%s", c.Chmod)
	add(c.Link, "--link")
	add(c.Parents, "--parents")
	add(len(c.Exclude) > 0, "--exclude=%q", c.Exclude)
	add(c.Unpack != nil, "--unpack=%t", c.Unpack != nil && *c.Unpack)
	return all
}

// summary is what an image's history says of COPY and ADD, as Docker's classic builder writes it.
func summary(c *copying.Copy, digest copying.Digest) string {
	verb, kind := "COPY", "dir"
	if c.Add {
		verb = "ADD"
	}
	switch {
	case len(c.Sources)+len(c.Inline) > 1:
		kind = "multi"
	case len(digest.Files) == 1:
		kind = "file"
	}
	return fmt.Sprintf("%s %s:%s in %s ", verb, kind, strings.TrimPrefix(digest.Sum, "sha256:"), c.Dest)
}

// write makes a layer of what is copied.
func (b *builder) write(ctx context.Context, st *state, c *copying.Copy, d *image.Draft) error {
	dir := filepath.Join(d.Dir(), "copy")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := c.Write(ctx, dir, b.layers(st)); err != nil {
		return err
	}
	_, err := d.AddDirectory(dir, layer.PackOptions{ClampTime: b.Epoch})
	return err
}

// source opens what --from names: a stage, a further context, an image; or without it the build context.
func (b *builder) source(ctx context.Context, st *state, from string) (*copying.Tree, error) {
	if from == "" {
		return b.contextTree()
	}
	if dir, found := b.Contexts[strings.ToLower(from)]; found && !strings.HasPrefix(dir, imageScheme) {
		return openContext(dir, "")
	}
	layers, err := b.layersOf(ctx, st, from)
	if err != nil {
		return nil, err
	}
	tree, err := copying.OpenLayers(b.Store.Stack(layers, ""))
	if err == nil {
		tree.Name = from
	}
	return tree, err
}

// layersOf are the layers of a stage or of an image, the lowest first.
func (b *builder) layersOf(ctx context.Context, st *state, from string) ([]string, error) {
	if other := b.findStage(from, true); other != nil {
		end, err := b.wait(ctx, st.stage, other)
		if err != nil || end.image == nil {
			return nil, err
		}
		return end.image.Layers, nil
	}
	if from == scratch {
		return nil, nil
	}
	img, err := b.resolve(ctx, from, st.platform)
	if err != nil {
		return nil, err
	}
	return img.Layers, nil
}

// release closes a tree that is not the build context, which others still use.
func (b *builder) release(t *copying.Tree) error {
	if t == b.context.tree {
		return nil
	}
	return t.Close()
}

// planWorkdir is WORKDIR: it makes the directory too, if it is not there. As with BuildKit it belongs to USER.
func (b *builder) planWorkdir(st *state, c *instructions.WorkdirCommand, o *operation) error {
	if c.Path == "" {
		return kernel.Advise(errors.New("WORKDIR: the path is empty"), "a variable without a value? ${NAME:-/default} gives it one")
	}
	if err := configure(&o.config, c, false); err != nil {
		return err
	}
	dir := o.config.WorkingDir
	o.record.Instruction = "WORKDIR " + dir
	o.history = nothing(st.config, "WORKDIR "+dir)
	found, err := layer.Stat(b.layers(st), dir)
	if err == nil && found.IsDir() || dir == "/" {
		return nil
	}
	uid, gid := 0, 0
	if st.config.User != "" {
		if uid, gid, err = ownerIn(b.layers(st), st.config.User); err != nil {
			return fmt.Errorf("the owner of %s: %w", dir, err)
		}
	}
	o.perform = func(ctx context.Context, d *image.Draft) error {
		empty := filepath.Join(d.Dir(), "empty")
		if err := os.Mkdir(empty, 0o755); err != nil {
			return err
		}
		from, err := copying.OpenDirectory(empty, nil)
		if err != nil {
			return err
		}
		defer from.Close()
		copy := &copying.Copy{From: from, Sources: []string{"."}, Dest: dir + "/", UID: uid, GID: gid, Clamp: b.Epoch}
		return b.write(ctx, st, copy, d)
	}
	return nil
}
