package chapter3

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/labs/command"
	network "sandbox/net"
)

// NewNetwork makes `sandbox network`.
func NewNetwork(env *command.Env) *cobra.Command {
	group := &cobra.Command{
		Use: "network", Short: "Networks: what containers speak to each other through",
		Example: "  sandbox network create my_net && sandbox run -d --network my_net --name web httpd\n  sandbox network show         # a drawing of all of them",
	}
	group.AddCommand(
		newNetworkCreate(env), newNetworkLs(env), newNetworkInspect(env), newNetworkRm(env), newNetworkPrune(env),
		newNetworkConnect(env), newNetworkDisconnect(env), newNetworkRepair(env),
		newNetworkShow(env), newNetworkPath(env),
	)
	return group
}

func newNetworkRm(env *command.Env) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:     "rm [flags] NETWORK...",
		Aliases: []string{"remove"},
		Short:   "Remove networks that no running container is in",
		Example: "  sandbox network rm my_net my_net2",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.Each(args, func(ref string) error { return runNetworkRm(env, force, ref) })
		},
	}
	cmd.Flags().BoolVarP(&force, "force", "f", false, "one that does not exist is no error")
	return cmd
}

func runNetworkRm(env *command.Env, force bool, ref string) error {
	_, err := env.Engine().RemoveNetwork(ref)
	var missing *network.NotFoundError
	if force && errors.As(err, &missing) {
		return nil
	}
	if err != nil {
		return adviseNetwork(err)
	}
	fmt.Fprintln(env.Out, ref)
	return nil
}

// adviseNetwork adds what can be done about an error.
func adviseNetwork(err error) error {
	var inUse *network.InUseError
	if !errors.As(err, &inUse) {
		return err
	}
	var ways []string
	for _, e := range inUse.Endpoints[:min(3, len(inUse.Endpoints))] {
		ways = append(ways, fmt.Sprintf("sandbox network disconnect %s %s", inUse.Name, e.Name))
	}
	if more := len(inUse.Endpoints) - len(ways); more > 0 {
		ways = append(ways, fmt.Sprintf("and so on for %d more", more))
	}
	return kernel.Advise(err, "%s   first, or stop them", strings.Join(ways, "; "))
}
