package chapter3

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

// NewUpdate makes `sandbox update`.
func NewUpdate(env *command.Env) *cobra.Command {
	var restart string
	cmd := &cobra.Command{
		Use:     "update [flags] CONTAINER...",
		Short:   "Change a container's configuration, also while it runs",
		Example: "  sandbox update --restart unless-stopped web",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("restart") {
				return kernel.Advise(errors.New("you must provide one or more flags when using this command"), "sandbox update --restart always %s", args[0])
			}
			policy, err := container.ParseRestartPolicy(restart)
			if err != nil {
				return err
			}
			return env.Each(args, func(ref string) error { return runUpdate(env, policy, ref) })
		},
	}
	cmd.Flags().StringVar(&restart, "restart", "", "no, always, unless-stopped or on-failure[:N]")
	return cmd
}

func runUpdate(env *command.Env, policy container.RestartPolicy, ref string) error {
	r, err := env.Engine().Get(ref)
	if err != nil {
		return err
	}
	if err := env.Engine().SetRestartPolicy(r, policy); err != nil {
		return err
	}
	fmt.Fprintln(env.Out, ref)
	return nil
}
