package labs

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel"
)

// teachUsage gives cmd and the commands below it a cure for what they are called with: the cobra package has only causes.
func teachUsage(cmd *cobra.Command) {
	cmd.DisableFlagsInUseLine = !cmd.LocalNonPersistentFlags().HasFlags() // not for --help alone
	switch check := cmd.Args; {
	case cmd.HasSubCommands() && !cmd.Runnable():
		cmd.Args = cobra.ArbitraryArgs
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		}
	case check != nil:
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			if err == nil || errors.As(err, new(*kernel.Advice)) {
				return err
			}
			return kernel.Advise(err, "%s   (%s --help tells more)", cmd.UseLine(), cmd.CommandPath())
		}
	}
	for _, sub := range cmd.Commands() {
		teachUsage(sub)
	}
}

// unknownCommand says which ones were perhaps meant.
func unknownCommand(cmd *cobra.Command, name string) error {
	cmd.SuggestionsMinimumDistance = 1
	cure := cmd.CommandPath() + " --help lists all commands"
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		cure = "did you mean " + strings.Join(near, " or ") + "? " + cure
	}
	return kernel.Advise(fmt.Errorf("unknown command %q for %q", name, cmd.CommandPath()), "%s", cure)
}
