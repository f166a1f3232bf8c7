// Package system holds the commands about the program and the machine as a whole: what there is, what it takes of the disk,
// what can go.
package system

import (
	"github.com/spf13/cobra"

	"sandbox/labs/chapter2"
	"sandbox/labs/chapter3"
	"sandbox/labs/command"
)

// New makes `sandbox system`.
func New(env *command.Env) *cobra.Command {
	group := &cobra.Command{
		Use: "system", Short: "The machine as a whole: disk, events, what can go, the machine's start",
		Example: "  sandbox system df\n  sandbox system prune",
	}
	group.AddCommand(chapter2.NewDf(env), chapter3.NewEvents(env), NewInfo(env), newPrune(env), chapter3.NewUnit(env))
	return group
}
