package chapter2

import (
	"sandbox/image"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

// happened writes down for `events` what was done to an image. As with Docker it goes by its ID, or, when it came from or went to
// a registry, by its name there.
func happened(env *command.Env, action, id, name string) {
	env.Engine().Event(container.NewEvent("image", action, id, "name", name))
}

// named writes down which names an image has got.
func named(env *command.Env, img *image.Image, names []image.Name) {
	for _, name := range names {
		happened(env, "tag", img.ID, name.Familiar())
	}
}

// moved writes down a pull or push.
func moved(env *command.Env, action string, name image.Name) {
	happened(env, action, name.Familiar(), image.Name{Registry: name.Registry, Repository: name.Repository}.Familiar())
}
