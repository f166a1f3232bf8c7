package labs

import (
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/labs/command"
	"sandbox/labs/doctor"
)

// newDoctor makes `sandbox doctor`.
func newDoctor(env *command.Env) *cobra.Command {
	var format string
	var clean bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Say what this kernel and this user can do, with a cure for what they cannot",
		Example: "  sandbox doctor\n  sandbox doctor --clean     # remove what an earlier crash left behind", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			left, err := leftovers(env)
			if err != nil {
				return err
			}
			if err := doctor.Print(env.Out, append(doctor.Examine(doctor.ThisMachine()), networks(env)), left, env.Language(), format); err != nil {
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

// networks says how those are that containers are in.
func networks(env *command.Env) doctor.Finding {
	f := doctor.Finding{Name: "networks", Section: "3.6", State: doctor.OK, Detail: kernel.Why{EN: "none is in use", ZH: "没有正在使用的网络"}}
	store := env.Engine().Networks()
	var used, wrong []string
	for _, n := range store.Peek() {
		if inside, _ := store.Endpoints(n); len(inside) > 0 {
			used = append(used, n.Name+" ("+n.Interface()+")")
		}
		if what := store.Wrong(n); what != "" {
			wrong = append(wrong, n.Name+": "+what)
		}
	}
	if len(used) > 0 {
		list := strings.Join(used, ", ")
		f.Detail = kernel.Why{EN: "in use and whole: " + list, ZH: "在用，完好：" + list}
	}
	if len(wrong) > 0 {
		list := strings.Join(wrong, "; ")
		f.State, f.Detail = doctor.Limited, kernel.Why{EN: list, ZH: list}
		f.Cure = kernel.Why{EN: "sandbox network repair", ZH: "sandbox network repair"}
	}
	return f
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
