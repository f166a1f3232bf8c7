package build

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"sandbox/image"
	"sandbox/kernel"
)

const (
	scratch     = "scratch" // the name of the image that has nothing
	defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	imageScheme = "docker-image://" // of --build-context
)

// from begins a stage.
func (b *builder) from(ctx context.Context, s *stage) (*state, error) {
	st := &state{stage: s, platform: b.platform, args: map[string]string{}}
	if s.Platform != "" {
		p, err := parsePlatform(s.Platform)
		if err != nil {
			return nil, err
		}
		st.platform = p
	}
	switch {
	case s.base != nil:
		end, err := b.wait(ctx, s, s.base)
		if err != nil {
			return nil, err
		}
		st.image, st.config, st.platform = end.image, clone(end.config), end.platform
		st.args, st.cmdSet, st.rebuilt = maps.Clone(end.args), end.cmdSet, end.rebuilt
	case s.from != scratch || b.isContext(s.from):
		img, err := b.resolve(ctx, s.from, st.platform)
		if err != nil {
			return nil, err
		}
		st.image, st.config = img, clone(img.Config)
		st.platform = platform{OS: img.OS, Architecture: img.Architecture, Variant: img.Variant}
	}
	if _, set := st.scope(b.program.escape).Get("PATH"); !set {
		st.config.Env = append(st.config.Env, defaultPath)
	}
	id := ""
	if st.image != nil {
		id = short(st.image.ID)
	}
	s.out.printf(" ---> %s\n", id)
	return st, nil
}

// isContext tells whether --build-context gives a name a meaning of its own.
func (b *builder) isContext(name string) bool {
	_, found := b.Contexts[strings.ToLower(name)]
	return found
}

// resolution is an image that is being looked for, once for all stages.
type resolution struct {
	once  sync.Once
	image *image.Image
	err   error
}

// shared is what stages that are built at the same time share.
type shared struct {
	sync.Mutex
	used   map[string]bool // ARGs that have been declared
	images map[string]*resolution
}

// resolve finds an image that is not a stage.
func (b *builder) resolve(ctx context.Context, name string, p platform) (*image.Image, error) {
	if target, found := b.Contexts[strings.ToLower(name)]; found {
		ref, isImage := strings.CutPrefix(target, imageScheme)
		if !isImage {
			return nil, kernel.Advise(fmt.Errorf("--build-context %s=%s is a directory, where an image is wanted", name, target), "--build-context %s=docker-image://NAME", name)
		}
		name = ref
	}
	key := name + " " + p.String()
	b.shared.Lock()
	r := b.shared.images[key]
	if r == nil {
		r = &resolution{}
		b.shared.images[key] = r
	}
	b.shared.Unlock()
	r.once.Do(func() { r.image, r.err = b.Resolve(ctx, name, p.String(), b.Pull) })
	if r.err != nil {
		if near := image.Nearest(name, b.stageNames()); len(near) > 0 {
			return nil, kernel.Advise(r.err, "no stage is called that either: did you mean %s?", near[0])
		}
	}
	return r.image, r.err
}

// triggers performs what ONBUILD instructions of the base image have asked for. The image that is built has them no more.
func (b *builder) triggers(ctx context.Context, st *state, durable bool) error {
	triggers := st.config.OnBuild
	if len(triggers) == 0 {
		return nil
	}
	st.config.OnBuild = nil
	plural := "s"
	if len(triggers) == 1 {
		plural = ""
	}
	st.stage.out.printf("# Executing %d build trigger%s\n", len(triggers), plural)
	for i, text := range triggers {
		c, err := parseOne(text)
		if err != nil {
			return fmt.Errorf("trigger of the base image: %q: %w", text, err)
		}
		st.stage.out.printf("Trigger %d/%d : %s\n", i+1, len(triggers), text)
		if err := b.perform(ctx, st, c, durable && i == len(triggers)-1); err != nil {
			return fmt.Errorf("trigger of the base image: %q: %w", text, err)
		}
	}
	return nil
}

// parseOne reads a single instruction.
func parseOne(text string) (instructions.Command, error) {
	tree, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	if len(tree.AST.Children) != 1 {
		return nil, errors.New("one instruction is expected")
	}
	parsed, err := instructions.ParseInstruction(tree.AST.Children[0])
	if err != nil {
		return nil, err
	}
	c, ok := parsed.(instructions.Command)
	if !ok {
		return nil, errors.New("FROM is not possible here")
	}
	return c, nil
}
