package chapter2

import (
	"fmt"

	"github.com/spf13/cobra"

	"sandbox/image/registry"
	"sandbox/labs/command"
)

// NewLogout makes `sandbox logout`.
func NewLogout(env *command.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "logout [REGISTRY]",
		Short:   "Forget the account at a registry",
		Example: "  sandbox logout\n  sandbox logout localhost:5000",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			host, err := registryHost(args)
			if err != nil {
				return err
			}
			shown := host
			if host == registry.Hub {
				shown = registry.HubAccount
			}
			found, err := registryClient(env).EraseCredential(cmd.Context(), host)
			switch {
			case err != nil:
				return err
			case found:
				fmt.Fprintln(env.Out, "Removing login credentials for", shown)
			default:
				fmt.Fprintln(env.Out, "Not logged in to", shown)
			}
			return nil
		},
	}
}
