package chapter2

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/image"
	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

type rmiOptions struct{ force, noPrune bool }

// NewRmi makes `sandbox rmi`, which is also `sandbox image rm`.
func NewRmi(env *command.Env) *cobra.Command {
	var opts rmiOptions
	cmd := &cobra.Command{
		Use:     "rmi [flags] IMAGE...",
		Short:   "Take names off images, and remove those that have none left",
		Example: "  sandbox rmi localhost:5000/worden525/httpd:v1\n  sandbox rmi $(sandbox images -q -f dangling=true)",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.Each(args, func(ref string) error { return removeImage(env, ref, opts) })
		},
	}
	cmd.Flags().BoolVarP(&opts.force, "force", "f", false, "all its names at once, also when a stopped container is made of it")
	cmd.Flags().BoolVar(&opts.noPrune, "no-prune", false, "keep the steps that it was built by")
	return cmd
}

// removeImage follows Docker: a name is taken off; with the last name the image goes; what is still of use stays.
func removeImage(env *command.Env, ref string, opts rmiOptions) error {
	store := env.Engine().Images
	img, err := findStored(env, ref)
	if err != nil {
		return err
	}
	name, byName := nameIn(img, ref)
	if byName && othersThan(img, name) {
		return untag(env, img, name)
	}
	if !byName && repositories(img) > 1 && !opts.force {
		return kernel.Advise(fmt.Errorf("image %s has %d names: %s", command.ShortID(img.ID), len(img.Names), strings.Join(img.Names, ", ")),
			"sandbox rmi NAME takes one of them off; sandbox rmi -f %s all", command.ShortID(img.ID))
	}
	list, err := store.List()
	if err != nil {
		return err
	}
	used, err := users(env, img)
	if err != nil {
		return err
	}
	switch {
	case used != nil && used.State.Running, used != nil && !opts.force:
		return inUse(used, ref)
	case used != nil: // the container needs its layers
		return untagAll(env, img)
	case parentsOf(list)[img.ID] && !byName:
		return kernel.Advise(fmt.Errorf("image %s: another image was built on it", command.ShortID(img.ID)),
			"remove that one first: sandbox images -a   shows them all")
	}
	if err := untagAll(env, img); err != nil {
		return err
	}
	if parentsOf(list)[img.ID] {
		return nil // it stays as a step of another one
	}
	gone := []string{img.ID}
	if !opts.noPrune {
		gone = append(gone, unneededAncestors(env, list, img)...)
	}
	if err := store.Remove(gone...); err != nil {
		return err
	}
	for _, id := range gone {
		happened(env, "delete", id, id)
		fmt.Fprintf(env.Out, "Deleted: %s\n", id)
	}
	return nil
}

// nameIn tells whether an image was asked for by one of its names, and by which.
func nameIn(img *image.Image, ref string) (string, bool) {
	parsed, err := image.ParseName(ref)
	if err != nil {
		return "", false
	}
	for _, name := range append(append([]string{}, img.Names...), img.Digests...) {
		if name == parsed.Familiar() || name == parsed.Builtin().String() {
			return name, true
		}
	}
	return "", false
}

// othersThan tells whether an image keeps a tag, or the digest of another repository, without a name.
func othersThan(img *image.Image, name string) bool {
	for _, other := range img.Names {
		if other != name {
			return true
		}
	}
	for _, other := range img.Digests {
		if other != name && !sameRepository(other, name) {
			return true
		}
	}
	return false
}

func sameRepository(a, b string) bool { return repositoryOf(a) == repositoryOf(b) }

func repositoryOf(name string) string {
	name, _, _ = strings.Cut(name, "@")
	repository, _ := splitTag(name)
	return repository
}

// repositories counts those that an image has names in.
func repositories(img *image.Image) int {
	different := map[string]bool{}
	for _, name := range img.Names {
		different[repositoryOf(name)] = true
	}
	return len(different)
}

// untag takes a name off, and with a repository's last tag what the repository calls the image by digest.
func untag(env *command.Env, img *image.Image, name string) error {
	gone := []string{name}
	last := true
	for _, other := range img.Names {
		last = last && (other == name || !sameRepository(other, name))
	}
	for _, digest := range img.Digests {
		if last && digest != name && sameRepository(digest, name) {
			gone = append(gone, digest)
		}
	}
	return takeOff(env, img, gone)
}

func untagAll(env *command.Env, img *image.Image) error {
	return takeOff(env, img, append(append([]string{}, img.Names...), img.Digests...))
}

func takeOff(env *command.Env, img *image.Image, names []string) error {
	for _, s := range names {
		name, err := storedName(s)
		if err != nil {
			return err
		}
		if err := env.Engine().Images.Untag(name); err != nil {
			return err
		}
		happened(env, "untag", img.ID, s)
		fmt.Fprintf(env.Out, "Untagged: %s\n", s)
	}
	return nil
}

// users is a container that is made of an image, a running one if there is one; nil for none.
func users(env *command.Env, img *image.Image) (*container.Record, error) {
	list, err := env.Engine().List()
	var found *container.Record
	for _, r := range list {
		if r.Image == img.ID && (found == nil || r.State.Running) {
			found = r
		}
	}
	return found, err
}

func inUse(r *container.Record, ref string) error {
	if r.State.Running {
		return kernel.Advise(fmt.Errorf("image %s is in use: the running container %s is made of it", ref, r.PlainName()),
			"sandbox rm -f %s   first", r.PlainName())
	}
	return kernel.Advise(fmt.Errorf("image %s is in use: the stopped container %s is made of it", ref, r.PlainName()),
		"sandbox rm %s   first, or sandbox rmi -f %s   takes only its names off", r.PlainName(), ref)
}

// unneededAncestors are the steps that only this image was built by: without a name, and no other image's parent.
func unneededAncestors(env *command.Env, list []*image.Image, img *image.Image) []string {
	children, byID := map[string]int{}, map[string]*image.Image{}
	for _, other := range list {
		children[other.Parent]++
		byID[other.ID] = other
	}
	var gone []string
	for parent := byID[img.Parent]; parent != nil && len(parent.Names)+len(parent.Digests) == 0 && children[parent.ID] == 1; parent = byID[parent.Parent] {
		if used, err := users(env, parent); used != nil || err != nil {
			break
		}
		gone = append(gone, parent.ID)
	}
	return gone
}
