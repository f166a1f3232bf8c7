package chapter3

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"sandbox/image"
	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/chapter2"
	"sandbox/labs/command"
)

// NewInspect makes `sandbox inspect`.
func NewInspect(env *command.Env) *cobra.Command {
	var format, kind, diagram string
	var size, oci bool
	cmd := &cobra.Command{
		Use:   "inspect [flags] NAME...",
		Short: "Show all that is known of containers, images, networks and volumes, as JSON",
		Example: "  sandbox inspect web\n  sandbox inspect -f '{{.State.Pid}}' web\n  sandbox inspect -f '{{.Config.Cmd}}' base\n  sandbox inspect --diagram web                 # its states, and in which one it is\n" +
			"  sandbox inspect --diagram=layers web          # what it has written, and what of the image it hides\n  sandbox inspect --diagram=namespaces web\n" +
			"  sandbox inspect --oci web > bundle/config.json",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if diagram != "" {
				return printDiagrams(env, diagram, kind, args)
			}
			if oci {
				return inspectOCI(env, format, kind, args)
			}
			return env.Inspect(format, args, func(ref string) (any, error) { return inspect(env, kind, ref, size) })
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "", "a Go template, or json")
	cmd.Flags().BoolVarP(&size, "size", "s", false, "of containers also what they take of the disk")
	cmd.Flags().StringVar(&diagram, "diagram", "", "draw it: states (those that a container can be in, its own marked), layers (of a container or an image), or namespaces")
	cmd.Flags().Lookup("diagram").NoOptDefVal = "states"
	cmd.Flags().BoolVar(&oci, "oci", false, "print a container's config.json, as other OCI runtimes (runc, crun) can run it")
	cmd.MarkFlagsMutuallyExclusive("diagram", "oci")
	cmd.Flags().StringVar(&kind, "type", "", "container, image, network or volume")
	return cmd
}

// NewContainerInspect makes `sandbox container inspect`, which looks for containers only.
func NewContainerInspect(env *command.Env) *cobra.Command {
	cmd := NewInspect(env)
	cmd.Use, cmd.Short = "inspect [flags] CONTAINER...", "Show all that is known of containers, as JSON"
	cmd.Example = "  sandbox container inspect web\n  sandbox container inspect -f '{{.State.Pid}}' web\n  sandbox container inspect --diagram web"
	cmd.Flags().Set("type", "container")
	cmd.Flags().MarkHidden("type")
	return cmd
}

// inspect looks for a container and then, as Docker does, for an image of that name, a network, and a volume.
func inspect(env *command.Env, kind, ref string, size bool) (any, error) {
	switch kind {
	case "container":
		return inspectContainer(env, ref, size)
	case "image":
		return chapter2.InspectImage(env, ref)
	case "volume":
		v, err := env.Engine().Volume(ref)
		return v, adviseVolume(err)
	case "network":
		return inspectNetwork(env, ref)
	case "":
	default:
		return nil, kernel.Advise(fmt.Errorf("invalid --type: %q", kind), "container, image, network or volume")
	}
	r, err := inspectContainer(env, ref, size)
	var noContainer *container.ErrNotFound
	if !errors.As(err, &noContainer) {
		return r, err
	}
	img, imageErr := chapter2.InspectImage(env, ref)
	var ambiguous *image.AmbiguousError
	if errors.As(imageErr, &ambiguous) {
		return nil, imageErr
	}
	if imageErr != nil {
		if n, networkErr := inspectNetwork(env, ref); networkErr == nil {
			return n, nil
		}
		if v, volumeErr := env.Engine().Volume(ref); volumeErr == nil {
			return v, nil
		}
		return nil, kernel.Advise(fmt.Errorf("no such object: %s", ref), "sandbox ps -a   lists the containers, sandbox images the images")
	}
	return img, nil
}
