package chapter3

import (
	"fmt"

	"github.com/spf13/cobra"

	"sandbox/labs/command"
)

// NewCreate makes `sandbox create`.
func NewCreate(env *command.Env) *cobra.Command {
	var opts createOptions
	cmd := &cobra.Command{
		Use:     "create [flags] IMAGE [COMMAND] [ARG...]",
		Short:   "Create a container without starting it",
		Example: "  sandbox create --name web base sleep 1000",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, lock, err := create(env, &opts, args)
			if err != nil {
				return err
			}
			defer lock.Close()
			if err := env.Engine().Save(r); err != nil {
				env.Engine().Discard(r)
				return err
			}
			fmt.Fprintln(env.Out, r.ID)
			return nil
		},
	}
	opts.addFlags(cmd.Flags())
	return cmd
}
