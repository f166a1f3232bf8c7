package chapter2

import (
	"fmt"

	"github.com/spf13/cobra"

	"sandbox/image/layer"
	"sandbox/labs/command"
)

// NewDiff makes `sandbox diff`.
func NewDiff(env *command.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "diff CONTAINER",
		Short:   "Show what a container has added (A), changed (C) and deleted (D)",
		Example: "  sandbox diff web",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			engine := env.Engine()
			r, err := engine.Get(args[0])
			if err != nil {
				return err
			}
			stack := engine.Stack(r)
			changes, err := layer.Changes(stack[0], stack[1:])
			if err != nil {
				return err
			}
			for _, c := range changes {
				fmt.Fprintf(env.Out, "%c %s\n", c.Kind, c.Path)
			}
			return nil
		},
	}
}
