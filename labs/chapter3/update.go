package chapter3

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
	"sandbox/labs/limits"
)

// NewUpdate makes `sandbox update`.
func NewUpdate(env *command.Env) *cobra.Command {
	var restart string
	var given limits.Options
	cmd := &cobra.Command{
		Use:     "update [flags] CONTAINER...",
		Short:   "Change a container's configuration, also while it runs",
		Example: "  sandbox update -m 300m --memory-swap 500m web\n  sandbox update --cpus 0.5 web db\n  sandbox update --restart unless-stopped web",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			change := container.Change{Warn: warner(env)}
			if given.Given() {
				change.Limits = given.Apply
			}
			if cmd.Flags().Changed("restart") {
				policy, err := container.ParseRestartPolicy(restart)
				if err != nil {
					return err
				}
				change.Restart = &policy
			}
			if change.Limits == nil && change.Restart == nil {
				return kernel.Advise(errors.New("you must provide one or more flags when using this command"), "sandbox update -m 200m %[1]s, or: sandbox update --restart always %[1]s", args[0])
			}
			if err := given.Apply(&container.Resources{}); err != nil { // wrong for any of them
				return &kernel.Advice{Cause: err, Cure: kernel.CureOf(err), Code: command.Failed}
			}
			return runUpdate(env, change, args)
		},
	}
	given.AddUpdate(cmd.Flags())
	cmd.Flags().StringVar(&restart, "restart", "", "no, always, unless-stopped or on-failure[:N]")
	return cmd
}

// runUpdate changes each of the containers; a limit that cannot be had is exit code 125, as with `run`.
func runUpdate(env *command.Env, change container.Change, refs []string) error {
	refused := false
	err := env.Each(refs, func(ref string) error {
		r, err := env.Engine().Get(ref)
		if err != nil {
			return err
		}
		if err := env.Engine().Update(r, change); err != nil {
			refused = change.Limits != nil
			return err
		}
		fmt.Fprintln(env.Out, ref)
		return nil
	})
	if err != nil && refused {
		return command.ExitCode(command.Failed)
	}
	return err
}

// warner prints what will not be quite as it was asked for, as Docker does.
func warner(env *command.Env) func(string) {
	return func(text string) { fmt.Fprintln(env.Err, "WARNING: "+text) }
}
