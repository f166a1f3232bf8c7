package chapter3

import (
	"github.com/spf13/cobra"

	"sandbox/kernel/container"
	"sandbox/labs/command"
)

// NewRestart makes `sandbox restart`.
func NewRestart(env *command.Env) *cobra.Command {
	var opts stopOptions
	cmd := &cobra.Command{
		Use:     "restart [flags] CONTAINER...",
		Short:   "Stop containers and start them again",
		Example: "  sandbox restart web\n  sandbox restart -t 2 web",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.given = cmd.Flags().Changed("timeout") || cmd.Flags().Changed("time")
			return env.EachAtOnce(args, func(ref string) error { return runRestart(env, opts, ref) })
		},
	}
	opts.addFlags(cmd.Flags())
	return cmd
}

func runRestart(env *command.Env, opts stopOptions, ref string) error {
	engine := env.Engine()
	r, err := engine.Find(ref)
	if err != nil {
		return err
	}
	if r.State.Running {
		if err := stop(env, opts, "restart", r); err != nil {
			return err
		}
		if r, err = engine.Find(r.ID); err != nil {
			return err
		}
	}
	monitor, err := startAgain(env, r, container.Window{})
	if err != nil {
		return err
	}
	if err := monitor.Ready(env.Tell()); err != nil {
		return err
	}
	engine.Event(r.Event("restart"))
	return nil
}
