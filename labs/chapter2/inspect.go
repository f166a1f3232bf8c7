package chapter2

import (
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"

	"sandbox/labs/command"
)

// imageView is an image as Docker's `inspect` shows it.
type imageView struct {
	ID           string `json:"Id"`
	RepoTags     []string
	RepoDigests  []string
	Parent       string
	Comment      string
	Created      string
	Author       string
	Config       v1.Config
	Architecture string
	Variant      string `json:",omitempty"`
	Os           string
	Size         int64
	GraphDriver  GraphDriver
	RootFS       rootFS
}

// GraphDriver says where layers are unpacked, as Docker's `inspect` shows it of images and containers.
type GraphDriver struct {
	Name string
	Data map[string]string
}

// Overlay is the GraphDriver of a stack of layers, the uppermost first.
func Overlay(stack []string) GraphDriver {
	d := GraphDriver{Name: "overlay", Data: map[string]string{}}
	if len(stack) > 0 {
		d.Data["UpperDir"], d.Data["LowerDir"] = stack[0], strings.Join(stack[1:], ":")
	}
	return d
}

type rootFS struct {
	Type   string
	Layers []v1.Hash
}

// InspectImage looks an image up and returns it as `inspect` shows it.
func InspectImage(env *command.Env, ref string) (any, error) {
	img, err := findImage(env, ref)
	if err != nil {
		return nil, err
	}
	config, err := env.Engine().Images.ConfigFile(img)
	if err != nil {
		return nil, err
	}
	view := imageView{
		ID: img.ID, RepoTags: orEmpty(img.Names), RepoDigests: orEmpty(img.Digests), Parent: img.Parent, Created: img.Created.Format(time.RFC3339Nano),
		Author: config.Author, Config: config.Config, Architecture: img.Architecture, Variant: img.Variant, Os: img.OS,
		Size: img.Size, GraphDriver: Overlay(env.Engine().Images.Stack(img.Layers, "")), RootFS: rootFS{Type: "layers", Layers: config.RootFS.DiffIDs},
	}
	if n := len(config.History); n > 0 {
		view.Comment = config.History[n-1].Comment
	}
	return view, nil
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// NewImageInspect makes `sandbox image inspect`.
func NewImageInspect(env *command.Env) *cobra.Command {
	var format string
	var diagram bool
	cmd := &cobra.Command{
		Use:     "inspect [flags] IMAGE...",
		Short:   "Show all that is known of images, as JSON",
		Example: "  sandbox image inspect --diagram base     # its layers, and which file is seen from which\n  sandbox image inspect base\n  sandbox image inspect -f '{{json .RootFS.Layers}}' base",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if diagram {
				return env.Each(args, func(ref string) error { return DrawImage(env, ref, env.Width()) })
			}
			return env.Inspect(format, args, func(ref string) (any, error) { return InspectImage(env, ref) })
		},
	}
	cmd.Flags().BoolVar(&diagram, "diagram", false, "draw the layers, and which file is seen from which")
	cmd.Flags().StringVarP(&format, "format", "f", "", "a Go template, or json")
	return cmd
}
