package chapter2

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/image"
	"sandbox/image/registry"
	"sandbox/kernel"
	"sandbox/labs/command"
)

type pushOptions struct{ allTags, quiet bool }

// NewPush makes `sandbox push`.
func NewPush(env *command.Env) *cobra.Command {
	var opts pushOptions
	cmd := &cobra.Command{
		Use:     "push [flags] NAME[:TAG]",
		Short:   "Bring an image to the registry that its name begins with",
		Example: "  sandbox tag httpd localhost:5000/worden525/httpd:v1\n  sandbox push localhost:5000/worden525/httpd:v1\n  sandbox push -a localhost:5000/worden525/httpd",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, done := interruptible(cmd.Context())
			defer done()
			return ended(runPush(ctx, env, opts, args[0]))
		},
	}
	cmd.Flags().BoolVarP(&opts.allTags, "all-tags", "a", false, "all names with this repository that are here")
	cmd.Flags().BoolVarP(&opts.quiet, "quiet", "q", false, "print the image's full name only")
	return cmd
}

func runPush(ctx context.Context, env *command.Env, opts pushOptions, ref string) error {
	name, err := remoteName(ref)
	if err != nil {
		return err
	}
	if name.Digest != "" {
		return kernel.Advise(fmt.Errorf("cannot push %s: a registry gives the digest, we give the tag", ref), "sandbox push NAME:TAG")
	}
	tagged := strings.Contains(ref[strings.LastIndexByte(ref, '/')+1:], ":")
	names := []image.Name{name}
	switch {
	case opts.allTags && tagged:
		return kernel.Advise(fmt.Errorf("%s: a tag cannot be used with --all-tags", ref), "sandbox push -a %s", strings.TrimSuffix(ref, ":"+name.Tag))
	case opts.allTags:
		if names, err = tagsHere(env, name); err != nil {
			return err
		}
	case !tagged && !opts.quiet:
		fmt.Fprintln(env.Out, "Using default tag: latest")
	}
	client := registryClient(env)
	if !opts.quiet {
		fmt.Fprintf(env.Out, "The push refers to repository [%s/%s]\n", name.Registry, name.Repository)
	}
	for _, name := range names {
		if err := pushOne(ctx, env, client, opts, name); err != nil {
			return err
		}
	}
	return nil
}

// tagsHere lists the names that the store has with a repository.
func tagsHere(env *command.Env, repository image.Name) ([]image.Name, error) {
	images, err := env.Engine().Images.List()
	if err != nil {
		return nil, err
	}
	var names []image.Name
	for _, img := range images {
		for _, s := range img.Names {
			if n, err := image.ParseName(s); err == nil && n.Registry == repository.Registry && n.Repository == repository.Repository {
				names = append(names, n)
			}
		}
	}
	if len(names) == 0 {
		return nil, kernel.Advise(fmt.Errorf("no image here is called %s", image.Name{Registry: repository.Registry, Repository: repository.Repository}.Familiar()),
			"sandbox images   lists what is here; sandbox tag gives names")
	}
	return names, nil
}

func pushOne(ctx context.Context, env *command.Env, client *registry.Client, opts pushOptions, name image.Name) error {
	img, err := findStored(env, name.String())
	if err != nil {
		return err
	}
	o := registry.PushOptions{Name: name}
	progress := env.Progress()
	defer progress.Close()
	if !opts.quiet {
		o.Progress = showEvent(progress)
	}
	pushed, err := client.Push(ctx, env.Engine().Images, img, o)
	progress.Close()
	if err != nil {
		return err
	}
	moved(env, "push", name)
	switch {
	case opts.quiet:
		fmt.Fprintln(env.Out, name)
	default:
		fmt.Fprintf(env.Out, "%s: digest: %s size: %d\n", name.Tag, pushed.Digest, pushed.Size)
	}
	return nil
}
