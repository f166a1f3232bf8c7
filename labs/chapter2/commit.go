package chapter2

import (
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"

	"sandbox/image/build"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

type commitOptions struct {
	author, message string
	changes         []string
	pause           bool
}

// NewCommit makes `sandbox commit`.
func NewCommit(env *command.Env) *cobra.Command {
	var opts commitOptions
	cmd := &cobra.Command{
		Use:     "commit [flags] CONTAINER [REPOSITORY[:TAG]]",
		Short:   "Make an image of a container, with what it has written as a new layer",
		Example: "  sandbox commit silly_goldberg ubuntu-with-vi\n  sandbox commit -m 'with vi' -c 'CMD [\"vi\"]' web web:2",
		Args:    cobra.RangeArgs(1, 2),
		RunE:    func(cmd *cobra.Command, args []string) error { return runCommit(env, opts, args) },
	}
	f := cmd.Flags()
	f.StringVarP(&opts.author, "author", "a", "", `who made it: "Ada <ada@example.com>"`)
	f.StringVarP(&opts.message, "message", "m", "", "what was changed, for the history")
	f.StringArrayVarP(&opts.changes, "change", "c", nil, `change the configuration, as a Dockerfile does: 'CMD ["vi"]'`)
	f.BoolVarP(&opts.pause, "pause", "p", true, "let the container stand still meanwhile")
	return cmd
}

func runCommit(env *command.Env, opts commitOptions, args []string) error {
	names, err := newNames(args[1:])
	if err != nil {
		return err
	}
	engine := env.Engine()
	r, err := engine.Get(args[0])
	if err != nil {
		return err
	}
	img, err := engine.Commit(r, container.CommitRequest{
		Author: opts.author, Comment: opts.message, Pause: opts.pause, Names: names,
		Change: func(config *v1.Config) error { return build.Change(config, opts.changes) },
	})
	if err != nil {
		return err
	}
	engine.Event(r.Event("commit", "comment", opts.message, "imageID", img.ID, "imageRef", strings.Join(args[1:], "")))
	named(env, img, names)
	fmt.Fprintln(env.Out, img.ID)
	return nil
}
