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

	"sandbox/image"
	"sandbox/kernel"
)

// Options say what to build.
type Options struct {
	Store  *image.Store
	Runner Runner
	// Resolve finds, or fetches, the image that FROM or --from names. pull: even if the store has it.
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
	Note func(section, line string, why kernel.Why)
}

// Build builds an image.
func Build(ctx context.Context, o Options) (*image.Image, error) {
	if o.Note == nil {
		o.Note = func(string, string, kernel.Why) {}
	} else {
		o.Note = serial(o.Note)
	}
	b := &builder{Options: o, cache: &cache{dir: o.CacheDir, store: o.Store}, images: map[string]*resolution{}, used: map[string]bool{}}
	img, err := b.build(ctx)
	return img, errors.Join(err, b.close())
}

// builder is one build.
type builder struct {
	Options
	program  *program
	stages   []*stage
	target   *stage
	total    int // steps
	global   *scope
	platform platform
	context  contextTree
	cache    *cache
	console  *console
	shared   shared
}

func (b *builder) build(ctx context.Context) (*image.Image, error) {
	if err := b.prepare(); err != nil {
		return nil, err
	}
	img, err := b.buildStages(ctx)
	b.console.flush()
	if err != nil {
		return nil, err
	}
	if img == nil {
		return nil, kernel.Advise(errors.New("no image was made: the Dockerfile is only FROM scratch"), "add an instruction, such as COPY")
	}
	b.warnOfUnusedArgs()
	fmt.Fprintf(b.Out, "Successfully built %s\n", short(img.ID))
	for _, tag := range b.Tags {
		if err := b.Store.Tag(img, tag); err != nil {
			return nil, err
		}
		fmt.Fprintf(b.Out, "Successfully tagged %s\n", tag.Familiar())
	}
	if len(b.Tags) > 0 {
		return b.Store.Find(img.ID) // with its names
	}
	return img, nil
}
