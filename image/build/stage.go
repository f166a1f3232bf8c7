package build

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"sandbox/image"
	"sandbox/image/build/copying"
)

// state is how far a stage has come.
type state struct {
	stage    *stage
	image    *image.Image // of the last step; nil: nothing yet, FROM scratch
	config   v1.Config
	platform platform
	args     map[string]string // declared by ARG, and their values
	cmdSet   bool              // this stage has a CMD of its own, which ENTRYPOINT leaves alone
	step     int               // number of the present step
	rebuilt  int               // number of the last step that was not in the cache; 0 if all were
}

func (st *state) scope(escape rune) *scope {
	return &scope{escape: escape, env: st.config.Env, args: st.args}
}

// layers are the directories of the stage's root file system, the uppermost first.
func (b *builder) layers(st *state) []string {
	if st.image == nil {
		return nil
	}
	return b.Store.Stack(st.image.Layers, "")
}

// operation is what an instruction would do.
type operation struct {
	record  record                                          // all that its result depends on
	history string                                          // how the image's history tells of it
	config  v1.Config                                       // what it makes of the configuration
	author  string                                          // MAINTAINER
	perform func(ctx context.Context, d *image.Draft) error // makes its layer; nil if it has none
	inputs  []*copying.Copy                                 // what it reads: somebody may be writing there meanwhile
	after   func()                                          // when its image is in the store
	close   []func() error                                  // in the end, in any case
}

// end gives back what the operation has held, what it got last first.
func (o *operation) end() {
	for _, f := range slices.Backward(o.close) {
		_ = f() // files that were only read, and containers: whether they could be removed is said by after
	}
}

// buildStage performs the instructions of a stage.
func (b *builder) buildStage(ctx context.Context, s *stage) (*state, error) {
	b.announce(s, s.first, s.SourceCode)
	st, err := b.from(ctx, s)
	if err != nil {
		return nil, b.problem(ctx, s, s.Location, err)
	}
	st.step = s.first
	if err := b.triggers(ctx, st, s == b.target && len(s.Commands) == 0); err != nil {
		return nil, b.problem(ctx, s, s.Location, err)
	}
	for i, c := range s.Commands {
		st.step = s.first + 1 + i
		b.announce(s, st.step, source(c))
		durable := s == b.target && i == len(s.Commands)-1
		if err := b.perform(ctx, st, c, durable); err != nil {
			return nil, b.problem(ctx, s, c.Location(), err)
		}
	}
	return st, nil
}

// announce prints a step's heading.
func (b *builder) announce(s *stage, step int, text string) {
	if step == 0 { // of a stage that nobody knew to be needed
		s.out.printf("%s : %s\n", s.name(), text)
		return
	}
	s.out.printf("Step %d/%d : %s\n", step, b.total, text)
}

// source is an instruction as it was written, in one line.
func source(c instructions.Command) string {
	if len(c.Location()) > 0 {
		if text, ok := c.(fmt.Stringer); ok {
			return text.String()
		}
	}
	return describe(c) // --label
}

// perform performs one instruction, or takes the image that it has made before.
func (b *builder) perform(ctx context.Context, st *state, c instructions.Command, durable bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := st.scope(b.program.escape).expand(c); err != nil {
		return err
	}
	o := &operation{config: clone(st.config), record: record{Instruction: describe(c)}}
	defer o.end()
	if err := b.planStep(ctx, st, c, o); err != nil {
		return err
	}
	if st.image != nil {
		o.record.Parent = st.image.ID
	} else {
		o.record.More = append(o.record.More, "platform "+st.platform.String())
	}
	if b.Epoch != nil {
		o.record.More = append(o.record.More, "at "+b.Epoch.UTC().Format(time.RFC3339))
	}
	if img := b.cached(st, &o.record); img != nil {
		st.stage.out.printf(" ---> Using cache\n ---> %s\n", short(img.ID))
		st.image, st.config = img, img.Config
		return nil
	}
	st.rebuilt = st.step
	img, err := b.commit(ctx, st, o, durable)
	if err != nil {
		return err
	}
	st.image = img
	st.config = st.image.Config
	st.stage.out.printf(" ---> %s\n", short(st.image.ID))
	if o.after != nil {
		o.after()
	}
	err = o.unsteady()
	if err == nil {
		err = b.cache.put(&o.record, st.image)
	}
	if err != nil {
		st.stage.out.printf("[Warning] the next build will not know of this step: %v\n", err)
	}
	return nil
}

// unsteady tells of files that were not copied as they were when the cache was asked: the record would lie.
func (o *operation) unsteady() error {
	for _, files := range o.inputs {
		if changed := files.Changed(); len(changed) > 0 {
			return fmt.Errorf("%s has changed in the meantime", changed[0])
		}
	}
	return nil
}

// planStep says what one instruction would do, without doing it.
func (b *builder) planStep(ctx context.Context, st *state, c instructions.Command, o *operation) error {
	switch c := c.(type) {
	case *instructions.RunCommand:
		return b.planRun(ctx, st, c, o)
	case *instructions.CopyCommand:
		return b.planCopy(ctx, st, c, o)
	case *instructions.AddCommand:
		return b.planAdd(ctx, st, c, o)
	case *instructions.WorkdirCommand:
		return b.planWorkdir(st, c, o)
	case *instructions.ArgCommand:
		o.history = nothing(st.config, " "+describe(c))
		return b.declare(st, c)
	case *instructions.MaintainerCommand:
		o.author = c.Maintainer
	case *instructions.EntrypointCommand:
		if st.cmdSet {
			o.record.More = append(o.record.More, "keeps CMD")
		}
	case *instructions.HealthCheckCommand:
		if c.Health.StartInterval != 0 {
			st.stage.out.printf("[Warning] HEALTHCHECK --start-interval has no place in this image format, and is left out\n")
		}
	}
	o.history = nothing(st.config, " "+commandText(st.config, c))
	if err := configure(&o.config, c, st.cmdSet); err != nil {
		return err
	}
	if _, ok := c.(*instructions.CmdCommand); ok {
		st.cmdSet = true
	}
	return nil
}

// declare declares the variables of ARG. One without a value takes that of an ARG before the first FROM.
func (b *builder) declare(st *state, c *instructions.ArgCommand) error {
	for _, arg := range c.Args {
		value, has, err := b.valueOf(arg, st.scope(b.program.escape))
		if err != nil {
			return err
		}
		if !has {
			value, has = b.global.args[arg.Key]
		}
		if has {
			st.args[arg.Key] = value
		}
	}
	return nil
}

// commit performs an operation and puts its image into the store. If durable, the disk has it then, and all before it, and it gets the
// names that were asked for.
func (b *builder) commit(ctx context.Context, st *state, o *operation, durable bool) (*image.Image, error) {
	d, err := b.Store.Begin()
	if err != nil {
		return nil, err
	}
	defer d.Discard()
	d.Volatile = !durable
	file := &v1.ConfigFile{OS: st.platform.OS, Architecture: st.platform.Architecture, Variant: st.platform.Variant}
	if st.image != nil {
		if file, err = b.Store.ConfigFile(st.image); err != nil {
			return nil, err
		}
		if err := d.Base(st.image); err != nil {
			return nil, err
		}
		d.Parent = st.image.ID
	}
	before := d.Len()
	if o.perform != nil {
		if err := o.perform(ctx, d); err != nil {
			return nil, err
		}
	}
	file.Created = v1.Time{Time: b.now()}
	file.Config = o.config
	if o.author != "" {
		file.Author = o.author
	}
	file.History = append(file.History, v1.History{Created: file.Created, CreatedBy: o.history, EmptyLayer: d.Len() == before})
	if durable { // the last step: nothing can fail after it
		return d.Commit(*file, b.Tags...)
	}
	return d.Commit(*file)
}

// now is the time that an image is said to be made at.
func (b *builder) now() time.Time {
	if b.Epoch != nil {
		return b.Epoch.UTC()
	}
	return time.Now().UTC()
}

// problem says where in the Dockerfile an error comes from, unless it says so itself.
func (b *builder) problem(ctx context.Context, s *stage, location []parser.Range, err error) error {
	var failed *RunError
	var placed *Problem
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &failed):
		if len(location) > 0 {
			failed.File, failed.Line = b.program.name, location[0].Start.Line
		}
		return err
	case errors.As(err, &placed):
		return err
	}
	return b.program.at(location, err)
}

// clone copies a configuration, so that a change of the copy leaves it as it is.
func clone(c v1.Config) v1.Config {
	c.Env, c.OnBuild = slices.Clone(c.Env), slices.Clone(c.OnBuild)
	c.Labels, c.Volumes, c.ExposedPorts = maps.Clone(c.Labels), maps.Clone(c.Volumes), maps.Clone(c.ExposedPorts)
	return c
}

// short is an ID as Docker prints it.
func short(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(12, len(id))]
}
