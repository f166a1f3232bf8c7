// Package chapter2 holds the commands of the tutorial's chapter 2: images listed, looked into, named, built, moved.
// A file is a command: its constructor, its options, and the function that runs it.
package chapter2

import (
	"errors"

	"sandbox/image"
	"sandbox/image/builtin"
	"sandbox/kernel"
	"sandbox/labs/command"
)

// findImage takes a built-in image, made when it is first asked for, or one of the store.
func findImage(env *command.Env, ref string) (*image.Image, error) {
	if _, err := builtin.Ensure(env.Engine().Images, ref); err != nil {
		return nil, err
	}
	return findStored(env, ref)
}

// findStored takes only what is in the store.
func findStored(env *command.Env, ref string) (*image.Image, error) {
	img, err := env.Engine().Images.Find(ref)
	var missing *image.NotFoundError
	if errors.As(err, &missing) {
		return nil, kernel.Advise(err, "sandbox images   lists what is here")
	}
	return img, err
}

// storedName reads a name as the store shows it: a built-in image's has no registry.
func storedName(s string) (image.Name, error) {
	name, err := image.ParseName(s)
	if err != nil {
		return name, err
	}
	for _, known := range builtin.Names() {
		if s == known+":latest" {
			return name.Builtin(), nil
		}
	}
	return name, nil
}
