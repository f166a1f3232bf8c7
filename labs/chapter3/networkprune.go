package chapter3

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/labs/command"
	network "sandbox/net"
)

func newNetworkPrune(env *command.Env) *cobra.Command {
	var force bool
	var filters []string
	cmd := &cobra.Command{
		Use:   "prune [flags]",
		Short: "Remove networks that no running container is in",
		Long: `Remove networks that no running container is in. The default network stays, but what the kernel has of it (its bridge, its
rules) is taken down, too, while no container is in it; the next one that comes brings it up again.`,
		Example: "  sandbox network prune\n  sandbox network prune -f --filter until=24h --filter label!=keep",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := networkPruneFilter(filters); err != nil {
				return err
			}
			if !force && !env.Confirmed("WARNING! This will remove all custom networks not used by at least one container.") {
				return nil
			}
			names, err := PruneNetworks(env, filters)
			command.PrintPruned(env.Out, "Networks", names)
			return err
		},
	}
	cmd.Flags().BoolVarP(&force, "force", "f", false, "do not ask")
	cmd.Flags().StringArrayVar(&filters, "filter", nil, "until=24h or a date, label=NAME[=VALUE], label!=…")
	return cmd
}

// PruneNetworks removes networks that no running container is in, and returns their names.
func PruneNetworks(env *command.Env, filters []string) ([]string, error) {
	match, err := networkPruneFilter(filters)
	if err != nil {
		return nil, err
	}
	return env.Engine().PruneNetworks(match)
}

// networkPruneFilter turns --filter flags into one condition: all of them must hold.
func networkPruneFilter(filters []string) (func(*network.Network) bool, error) {
	var all []networkCondition
	for _, f := range filters {
		key, value, ok := strings.Cut(f, "=")
		switch {
		case ok && key == "until":
			limit, err := parseTime(value)
			if err != nil {
				return nil, err
			}
			all = append(all, func(n *network.Network) bool { return n.Created.Before(limit) })
		case ok && (key == "label" || key == "label!"):
			all = append(all, networkLabel(value, key == "label"))
		default:
			return nil, kernel.Advise(fmt.Errorf("invalid filter: %q", f), "until=24h, until=2026-01-31, label=NAME[=VALUE] or label!=NAME")
		}
	}
	return func(n *network.Network) bool {
		for _, c := range all {
			if !c(n) {
				return false
			}
		}
		return true
	}, nil
}
