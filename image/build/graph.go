package build

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"sandbox/image"
	"sandbox/kernel"
)

// stage is one FROM and what follows it.
type stage struct {
	instructions.Stage
	index  int
	base   *stage   // the stage that it goes on from; nil if that is an image
	from   string   // the image's name, variables replaced
	needs  []*stage // those that must be built before, base among them
	needed bool     // the target cannot be had without it
	first  int      // number of its FROM among all steps

	out  *section
	once sync.Once
	done chan struct{} // closed when it has been built, or has failed
	end  *state
	err  error
}

// name is how messages call a stage.
func (s *stage) name() string {
	if s.Name != "" {
		return s.Name
	}
	return "stage " + strconv.Itoa(s.index)
}

// plan finds out how the stages depend on each other, and which are needed.
func (b *builder) plan() error {
	for i, parsed := range b.program.stages {
		s := &stage{Stage: parsed, index: i, done: make(chan struct{})}
		if err := b.resolveBase(s); err != nil {
			return err
		}
		b.stages = append(b.stages, s)
	}
	for _, s := range b.stages {
		for _, c := range s.Commands {
			if err := b.addNeeds(s, c); err != nil {
				return b.program.at(c.Location(), err)
			}
		}
	}
	if err := b.chooseTarget(); err != nil {
		return err
	}
	if err := b.mark(b.target, nil); err != nil {
		return err
	}
	b.number()
	return nil
}

// resolveBase says what FROM goes out from: an earlier stage, or an image.
func (b *builder) resolveBase(s *stage) error {
	name, missing, err := b.global.replace(s.BaseName)
	if err != nil {
		return b.program.at(s.Location, err)
	}
	if name == "" {
		err := b.program.at(s.Location, fmt.Errorf("FROM %s: that is empty", s.BaseName))
		return kernel.Advise(err, "ARG %s=… before the first FROM, or --build-arg %[1]s=…; an ARG after a FROM belongs to that stage", strings.Join(missing, ", "))
	}
	s.from = name
	if s.Platform, _, err = b.global.replace(s.Platform); err != nil {
		return b.program.at(s.Location, err)
	}
	if s.base = b.findStage(name, false); s.base != nil {
		s.needs = append(s.needs, s.base)
	}
	return nil
}

// addNeeds adds the stages that a command takes files from.
func (b *builder) addNeeds(s *stage, c instructions.Command) error {
	var names []string
	switch c := c.(type) {
	case *instructions.CopyCommand:
		names = append(names, c.From)
	case *instructions.RunCommand:
		for _, m := range instructions.GetMounts(c) {
			names = append(names, m.From)
		}
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		if other := b.findStage(name, true); other != nil {
			s.needs = append(s.needs, other)
		} else if _, err := strconv.Atoi(name); err == nil {
			return kernel.Advise(fmt.Errorf("no stage number %s: there are %d, from 0 on", name, len(b.stages)), "FROM … AS NAME, then --from=NAME")
		}
	}
	return nil
}

// findStage finds a stage by name, or by number from 0. Of several with the same name the last one counts.
func (b *builder) findStage(name string, number bool) *stage {
	if _, further := b.Contexts[strings.ToLower(name)]; further {
		return nil // --build-context goes before
	}
	for i := len(b.stages) - 1; i >= 0; i-- {
		if s := b.stages[i]; s.Name != "" && strings.EqualFold(s.Name, name) {
			return s
		}
	}
	if i, err := strconv.Atoi(name); number && err == nil && i >= 0 && i < len(b.stages) {
		return b.stages[i]
	}
	return nil
}

func (b *builder) stageNames() []string {
	var names []string
	for _, s := range b.stages {
		if s.Name != "" {
			names = append(names, s.Name)
		}
	}
	return names
}

func (b *builder) chooseTarget() error {
	b.target = b.stages[len(b.stages)-1]
	if b.Target == "" {
		return nil
	}
	if b.target = b.findStage(b.Target, true); b.target != nil {
		return nil
	}
	cure := "the stages have no names: FROM … AS NAME"
	if names := b.stageNames(); len(names) > 0 {
		cure = "the stages are " + strings.Join(names, ", ")
		if near := image.Nearest(b.Target, names); len(near) > 0 {
			cure = "did you mean " + near[0] + "?"
		}
	}
	return kernel.Advise(fmt.Errorf("%s has no stage %q", b.program.name, b.Target), "%s", cure)
}

// mark marks a stage and all that it needs. way is how the search came here: a stage that is on it needs itself.
func (b *builder) mark(s *stage, way []*stage) error {
	for i, before := range way {
		if before == s {
			return b.circular(way[i:])
		}
	}
	if s.needed {
		return nil
	}
	for _, other := range s.needs {
		if err := b.mark(other, append(way, s)); err != nil {
			return err
		}
	}
	s.needed = true
	return nil
}

func (b *builder) circular(way []*stage) error {
	var names []string
	for _, s := range append(way, way[0]) {
		names = append(names, s.name())
	}
	err := b.program.at(way[0].Location, fmt.Errorf("stages need each other in a circle: %s", strings.Join(names, " needs ")))
	return kernel.Advise(err, "move what both need into a stage of its own")
}

// number numbers the steps of the needed stages in the order of the file.
func (b *builder) number() {
	b.total = len(b.program.meta)
	for _, s := range b.stages {
		if s.needed {
			s.first = b.total + 1
			b.total += 1 + len(s.Commands)
		}
	}
}

// buildStages builds the stages that are needed, at the same time as far as they do not wait for each other.
func (b *builder) buildStages(ctx context.Context) (*image.Image, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var needed []*stage
	for _, s := range b.stages {
		if s.needed {
			needed = append(needed, s)
			s.out = b.console.section()
		}
	}
	for _, s := range needed {
		go b.start(ctx, cancel, s)
	}
	var first error
	for _, s := range needed {
		<-s.done
		if s.err != nil && (first == nil || errors.Is(first, context.Canceled)) {
			first = s.err // not that of a stage which was only called off
		}
	}
	if first != nil {
		return nil, first
	}
	return b.target.end.image, nil
}

// start builds a stage, unless somebody else does already.
func (b *builder) start(ctx context.Context, cancel func(), s *stage) {
	s.once.Do(func() {
		s.end, s.err = b.buildStage(ctx, s)
		if s.err != nil {
			b.console.fail(s.out, errors.Is(s.err, context.Canceled))
			cancel()
		}
		s.out.finish()
		close(s.done)
	})
}

// wait waits for another stage. If nobody knew that it would be needed (a trigger of a base image may ask for it) it is
// built now.
func (b *builder) wait(ctx context.Context, s, other *stage) (*state, error) {
	if err := b.need(s, other); err != nil {
		return nil, err
	}
	if !other.needed {
		go b.start(ctx, func() {}, other)
	}
	<-other.done
	return other.end, other.err
}

// need notes that a stage needs another one, unless that would be a circle, in which each would wait for the other.
func (b *builder) need(s, other *stage) error {
	b.shared.Lock()
	defer b.shared.Unlock()
	if slices.Contains(s.needs, other) {
		return nil
	}
	if other.reaches(s) {
		return b.circular([]*stage{s, other})
	}
	s.needs = append(s.needs, other)
	if other.out == nil {
		other.out = &section{console: b.console, parent: s.out}
	}
	return nil
}

func (s *stage) reaches(other *stage) bool {
	if s == other {
		return true
	}
	for _, next := range s.needs {
		if next.reaches(other) {
			return true
		}
	}
	return false
}
