package chapter3

import (
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

// NewPort makes `sandbox port`.
func NewPort(env *command.Env) *cobra.Command {
	return &cobra.Command{
		Use:     "port CONTAINER [PRIVATE_PORT[/PROTO]]",
		Short:   "Show where on the host a container's ports are published",
		Example: "  sandbox port web\n  sandbox port web 80",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := env.Engine().Get(args[0])
			if err != nil {
				return err
			}
			wanted := ""
			if len(args) == 2 {
				ports, err := container.ParsePorts(args[1])
				if err == nil && len(ports) > 1 {
					err = kernel.Advise(fmt.Errorf("%s are several ports", args[1]), "name one, or none for all")
				}
				if err != nil {
					return err
				}
				wanted = ports[0].Name()
			}
			found := false
			for _, p := range r.Ports() {
				if p.Public == 0 || wanted != "" && p.Name() != wanted || !r.State.Running {
					continue
				}
				found = true
				address := net.JoinHostPort(p.IP, fmt.Sprint(p.Public))
				if wanted == "" {
					address = p.Name() + " -> " + address
				}
				fmt.Fprintln(env.Out, address)
			}
			if wanted != "" && !found {
				return kernel.Advise(fmt.Errorf("no public port %s published for %s", wanted, r.PlainName()), "sandbox port %s   lists those that are", r.PlainName())
			}
			return nil
		},
	}
}
