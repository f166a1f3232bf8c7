package chapter2

import (
	"fmt"
	"slices"
	"strings"

	"sandbox/image"
	"sandbox/image/layer"
	"sandbox/labs/command"
)

// Stack is what DrawLayers draws: an image's layers, and on top the one that a container writes into.
type Stack struct {
	Name    string       // of the container, or of the image as it was asked for
	Image   *image.Image // nil if it is gone
	Layers  []string     // directories of the image's, the lowest first
	Upper   string       // the container's own directory; "" for an image
	Written int64        // bytes in it
}

// DrawImage draws the layers of an image.
func DrawImage(env *command.Env, ref string, width int) error {
	img, err := findImage(env, ref)
	if err != nil {
		return err
	}
	return DrawLayers(env, Stack{Name: ref, Image: img, Layers: img.Layers}, width)
}

// DrawLayers draws a stack: which file is seen from which layer, what is hidden by another file or a whiteout, and what the
// container has written.
func DrawLayers(env *command.Env, stack Stack, width int) error {
	strata, err := layer.Strata(env.Engine().Images.Stack(stack.Layers, stack.Upper))
	if err != nil {
		return err
	}
	d := newLayersDrawing(stack.Name, width, env.Language())
	if stack.Upper != "" {
		d.floors = append(d.floors, floor{label: stack.Name, title: d.writable, size: stack.Written, writable: true})
	}
	titles, sizes := instructions(env, stack)
	for i := range slices.Backward(stack.Layers) {
		d.floors = append(d.floors, floor{label: fmt.Sprint(i + 1), title: titles[i], size: sizes[i]})
	}
	for i := range strata {
		d.floors[i].Stratum = strata[i]
	}
	_, err = fmt.Fprint(env.Out, d.draw())
	return err
}

// instructions are what made each layer, and how big it is, as far as that is known.
func instructions(env *command.Env, stack Stack) (titles []string, sizes []int64) {
	titles, sizes = slices.Clone(stack.Layers), make([]int64, len(stack.Layers))
	if stack.Image == nil {
		return titles, sizes
	}
	config, err := env.Engine().Images.ConfigFile(stack.Image)
	if err != nil {
		return titles, sizes
	}
	var made []string
	for _, h := range config.History {
		if !h.EmptyLayer {
			by, shell := strings.CutPrefix(h.CreatedBy, "/bin/sh -c ")
			if instruction, other := strings.CutPrefix(by, "#(nop)"); other {
				by = instruction
			} else if shell {
				by = "RUN " + by
			}
			made = append(made, strings.Join(strings.Fields(by), " "))
		}
	}
	for i, name := range stack.Image.LayerNames() {
		at := slices.Index(stack.Layers, name)
		if at < 0 {
			continue
		}
		sizes[at] = stack.Image.LayerSizes()[i]
		if i < len(made) && made[i] != "" {
			titles[at] = made[i]
		}
	}
	return titles, sizes
}
