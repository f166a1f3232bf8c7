package labs

import (
	"github.com/spf13/cobra"

	"sandbox/labs/command"
	"sandbox/labs/doctor"
)

// newDoctor makes `sandbox doctor`.
func newDoctor(env *command.Env) *cobra.Command {
	var format string
	var clean bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Say what this kernel and this user can do, with a cure for what they cannot",
		Example: "  sandbox doctor\n  sandbox doctor --clean     remove what an earlier crash left behind", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			left, err := leftovers(env)
			if err != nil {
				return err
			}
			if err := doctor.Print(env.Out, doctor.Examine(doctor.ThisMachine()), left, env.Language(), format); err != nil {
				return err
			}
			if clean {
				return doctor.Clean(left)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "table", "table or json")
	cmd.Flags().BoolVar(&clean, "clean", false, "remove what an earlier crash left behind")
	return cmd
}

// leftovers are what package container has found, as package doctor prints them.
func leftovers(env *command.Env) ([]doctor.Leftover, error) {
	found, err := env.Engine().Leftovers()
	var list []doctor.Leftover
	for _, l := range found {
		list = append(list, doctor.Leftover{Name: l.Name, Detail: l.Why, Remove: l.Remove})
	}
	return list, err
}
