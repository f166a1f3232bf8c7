package lab

import (
	"os"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/kernel/pocket"
	"sandbox/labs/command"
)

// newHost makes `sandbox lab host`: any command in a fresh pocket host. The tests run in such.
func newHost(env *command.Env) *cobra.Command {
	var shared []string
	cmd := &cobra.Command{
		Use: "host [flags] COMMAND [ARG...]", Short: "Run any command in a fresh pocket host",
		Example: "  sandbox lab host sandbox run --rm hello\n  sandbox lab host bash", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return exit(pocket.Run(&kernel.Door{Process: "client", Language: env.Language(), Tell: env.Tell()}, pocket.Options{
				RunDir: env.Engine().Paths.Run, Args: args, Shared: shared, Env: os.Environ(), Name: "",
			}))
		},
	}
	cmd.Flags().SetInterspersed(false)
	cmd.Flags().StringArrayVar(&shared, "share", nil, "a directory that is the machine's own, for writing too")
	return cmd
}
