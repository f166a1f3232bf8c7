package chapter3

import (
	"github.com/spf13/cobra"

	"sandbox/labs/command"
)

// NewRename makes `sandbox rename`.
func NewRename(env *command.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "rename CONTAINER NEW_NAME",
		Short:   "Give a container another name",
		Example: "  sandbox rename silly_goldberg web",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := env.Engine().Get(args[0])
			if err != nil {
				return err
			}
			return env.Engine().Rename(r, args[1])
		},
	}
}
