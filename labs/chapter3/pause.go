package chapter3

import (
	"fmt"

	"github.com/spf13/cobra"

	"sandbox/kernel/container"
	"sandbox/labs/command"
)

// NewPause makes `sandbox pause`.
func NewPause(env *command.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "pause CONTAINER...",
		Short:   "Let all processes of containers stand still",
		Example: "  sandbox pause web",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return eachNamed(env, args, env.Engine().Pause)
		},
	}
}

// NewUnpause makes `sandbox unpause`.
func NewUnpause(env *command.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "unpause CONTAINER...",
		Short:   "Let paused containers go on",
		Example: "  sandbox unpause web",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return eachNamed(env, args, env.Engine().Unpause)
		},
	}
}

// eachNamed does something to each of several containers and prints what they were called.
func eachNamed(env *command.Env, refs []string, do func(*container.Record) error) error {
	return env.Each(refs, func(ref string) error {
		r, err := env.Engine().Get(ref)
		if err == nil {
			err = do(r)
		}
		if err == nil {
			fmt.Fprintln(env.Out, ref)
		}
		return err
	})
}
