package chapter3

import (
	"encoding/json"
	"errors"

	"sandbox/kernel"
	"sandbox/labs/command"
)

// inspectOCI prints the config.json of containers, of which each is a file of its own: no list around them.
func inspectOCI(env *command.Env, format, kind string, refs []string) error {
	if kind != "" && kind != "container" {
		return kernel.Advise(errors.New("conflicting options: --oci and --type "+kind), "only a container has a config.json; an image's configuration: sandbox inspect IMAGE")
	}
	spec := func(ref string) (any, error) {
		r, err := env.Engine().Get(ref)
		if err != nil {
			return nil, err
		}
		return env.Engine().Spec(r)
	}
	if format != "" && format != "json" {
		return env.Inspect(format, refs, spec)
	}
	encoder := json.NewEncoder(env.Out)
	encoder.SetEscapeHTML(false)
	if format == "" {
		encoder.SetIndent("", "    ")
	}
	return env.Each(refs, func(ref string) error {
		found, err := spec(ref)
		if err != nil {
			return err
		}
		return encoder.Encode(found)
	})
}
