package chapter2

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"sandbox/image"
	"sandbox/image/builtin"
	"sandbox/kernel"
	"sandbox/labs/command"
)

// NewTag makes `sandbox tag`.
func NewTag(env *command.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
		Short:   "Give an image one more name",
		Example: "  sandbox tag myimage-v1.9.1 myimage:1.9\n  sandbox tag base localhost:5000/worden525/base:v1",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := newName(args[1])
			if err != nil {
				return err
			}
			img, err := findImage(env, args[0])
			if err != nil {
				return err
			}
			if err := env.Engine().Images.Tag(img, name); err != nil {
				return err
			}
			named(env, img, []image.Name{name})
			return nil
		},
	}
}

// newName reads a name that an image is to get: with a tag, and not that of a built-in image.
func newName(s string) (image.Name, error) {
	name, err := image.ParseName(s)
	if err != nil {
		return name, kernel.Advise(err, "as in myimage:1.0, user/myimage, localhost:5000/user/myimage:v1")
	}
	if name.Digest != "" {
		return name, kernel.Advise(fmt.Errorf("cannot name an image %q: a digest is computed, not given", s), "a name and a tag: myimage:1.0")
	}
	if slices.Contains(builtin.Names(), s) || slices.Contains(builtin.Names(), name.Builtin().Repository) && name.Familiar() == s && name.Tag == "latest" {
		return name, kernel.Advise(fmt.Errorf("%q is the name of a built-in image", s), "another name or tag: my%s, %s:mine", name.Builtin().Repository, name.Builtin().Repository)
	}
	return name, nil
}

// newNames reads several.
func newNames(list []string) ([]image.Name, error) {
	var names []image.Name
	for _, s := range list {
		name, err := newName(s)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}
