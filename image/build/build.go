// Package build makes images from Dockerfiles.
//
// A Dockerfile is a list of instructions; each makes an image out of the one before. FROM names the first. RUN runs a command in
// a container of the image so far and takes what it has written as one more layer; COPY and ADD make a layer of files; the others
// change only the configuration. FROM again begins another stage, from which COPY --from can take files.
//
//	Dockerfile ── parse ──► stages ── plan ──► those that the target needs, at the same time (graph.go)
//	             (program.go)                     │
//	                                              ▼  for each instruction (stage.go)
//	                        variables replaced (scope.go), what it would do (config.go, run.go, copy.go, workdir.go)
//	                                              │
//	                        the same on the same parent before? ── yes ──► that image (cache.go; why not: reason.go)
//	                                              │ no
//	                                              ▼
//	                        performed in a draft of the image store; its image is the next one's parent
//
// Intermediate images have no names; the last one gets those that were asked for, so that a build that fails changes nothing that
// has a name. The language is read by BuildKit's parser, which is the reference; what the instructions do follows the Dockerfile
// reference, and the output and the images' history are those of Docker's classic builder.
package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"sandbox/image"
	"sandbox/kernel"
)

// Options say what to build.
type Options struct {
	Store  *image.Store
	Runner Runner
	// Resolve finds, or fetches, the image that FROM or --from names. pull: even if the store has it. Several stages may ask at the
	// same time.
	Resolve func(ctx context.Context, name, platform string, pull bool) (*image.Image, error)

	Context    string            // the build context, a directory; "" for none
	Archive    io.Reader         // the build context as a tar archive, compressed or not, instead
	Contexts   map[string]string // further ones by name: a directory, or docker-image://NAME
	Dockerfile string            // its path; relative to the context if that is an archive; "": Dockerfile in the context
	Text       []byte            // the Dockerfile itself, instead

	Args     map[string]string // --build-arg
	Labels   map[string]string // --label
	Secrets  []Secret
	Target   string // the stage to build; "": the last one
	Network  string // of RUN: "default", "none" or "host"; "": default
	Platform string // "linux/amd64"; "": this machine's
	NoCache  bool
	Pull     bool
	Epoch    *time.Time // SOURCE_DATE_EPOCH: no time in the image is later
	CacheDir string     // records of finished steps, and cache mounts

	Tags []image.Name
	Out  io.Writer // the steps, and what their commands print
	// Note tells why a step is taken from the cache or not; nil: nobody wants to know.
	Note func(section, line string, why kernel.Why)
}

// Build builds an image.
func Build(ctx context.Context, o Options) (*image.Image, error) {
	b := &builder{
		Options: o, explain: o.Note != nil, cache: &cache{dir: o.CacheDir, store: o.Store}, console: &console{out: o.Out},
		shared: shared{used: map[string]bool{}, images: map[string]*resolution{}},
	}
	sweepSecrets()
	img, err := b.build(ctx)
	return img, errors.Join(err, b.close())
}

// builder is one build.
type builder struct {
	Options
	explain  bool
	program  *program
	context  buildContext
	platform platform // to build for
	global   *scope   // what FROM sees
	stages   []*stage
	target   *stage
	total    int // number of steps
	cache    *cache
	console  *console
	shared   shared
}

func (b *builder) build(ctx context.Context) (*image.Image, error) {
	if err := b.prepare(); err != nil {
		return nil, err
	}
	img, err := b.buildStages(ctx)
	if err != nil {
		return nil, err
	}
	if img == nil {
		return nil, kernel.Advise(errors.New("no image was made: there is nothing but FROM scratch"), "add an instruction, such as COPY")
	}
	b.warnOfUnusedArgs()
	b.printf("Successfully built %s\n", short(img.ID))
	for _, tag := range b.Tags {
		if err := b.Store.Tag(img, tag); err != nil {
			return nil, err
		}
		b.printf("Successfully tagged %s\n", tag.Familiar())
	}
	return b.Store.Find(img.ID) // with its names
}

// printf prints a line that belongs to no stage.
func (b *builder) printf(format string, args ...any) { fmt.Fprintf(b.Out, format, args...) }

// prepare reads the Dockerfile and says what is to be built.
func (b *builder) prepare() error {
	var err error
	if b.platform, err = parsePlatform(b.Platform); err != nil {
		return kernel.Advise(fmt.Errorf("--platform: %w", err), "--platform linux/amd64")
	}
	name, text, err := b.openSources()
	if err != nil {
		return err
	}
	if b.program, err = parse(name, text); err != nil {
		return err
	}
	for _, warning := range b.program.warned {
		b.printf("[Warning] %s\n", warning)
	}
	if b.program.syntax != "" && b.explain {
		b.Note("2.4.2", "# syntax="+b.program.syntax, kernel.Why{
			EN: "BuildKit would fetch that image and let it read the Dockerfile; this program knows the language itself",
			ZH: "BuildKit 会拉取这个镜像来解释 Dockerfile；本程序自己就懂这门语言，不去拉取",
		})
	}
	b.addLabels()
	if b.global, err = b.globalScope(); err != nil {
		return err
	}
	if err := b.plan(); err != nil {
		return err
	}
	for i := range b.program.meta {
		b.printf("Step %d/%d : %s\n", i+1, b.total, source(&b.program.meta[i]))
	}
	return nil
}

// addLabels makes --label one more instruction at the end, as Docker does.
func (b *builder) addLabels() {
	if len(b.Labels) == 0 {
		return
	}
	var c *instructions.LabelCommand
	for _, name := range slices.Sorted(maps.Keys(b.Labels)) {
		label := instructions.NewLabelCommand(name, b.Labels[name], true)
		if c == nil {
			c = label
		} else {
			c.Labels = append(c.Labels, label.Labels...)
		}
	}
	stages := b.program.stages
	last := len(stages) - 1
	for i, s := range stages {
		if b.Target != "" && strings.EqualFold(s.Name, b.Target) {
			last = i
		}
	}
	stages[last].AddCommand(c)
}
