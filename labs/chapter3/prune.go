package chapter3

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

// NewContainerPrune makes `sandbox container prune`.
func NewContainerPrune(env *command.Env) *cobra.Command {
	var force bool
	var filters []string
	cmd := &cobra.Command{
		Use:     "prune [flags]",
		Short:   "Remove all containers that do not run",
		Example: "  sandbox container prune\n  sandbox container prune -f --filter until=24h",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := parsePruneFilters(filters); err != nil {
				return err
			}
			if !force && !env.Confirmed("WARNING! This will remove all stopped containers.") {
				return nil
			}
			ids, freed, err := PruneContainers(env, filters)
			command.PrintPruned(env.Out, "Containers", ids)
			if err != nil {
				return err
			}
			fmt.Fprintf(env.Out, "Total reclaimed space: %s\n", command.Size(freed))
			return nil
		},
	}
	cmd.Flags().BoolVarP(&force, "force", "f", false, "do not ask")
	cmd.Flags().StringArrayVar(&filters, "filter", nil, "until=24h or a date, label=NAME[=VALUE], label!=…")
	return cmd
}

// PruneContainers removes the containers that do not run. It returns their ids, and how many bytes they had written.
func PruneContainers(env *command.Env, filters []string) (ids []string, freed int64, err error) {
	match, err := parsePruneFilters(filters)
	if err != nil {
		return nil, 0, err
	}
	engine := env.Engine()
	list, err := engine.List()
	if err != nil {
		return nil, 0, err
	}
	for _, r := range list {
		if r.State.Running || !match.match(r) {
			continue
		}
		size := engine.SizeRw(r)
		if err := engine.Remove(r, false, false); err != nil {
			command.Report(env.Err, err, 1) // somebody has just started it: the others go
			continue
		}
		ids, freed = append(ids, r.ID), freed+size
	}
	return ids, freed, nil
}

func parsePruneFilters(filters []string) (psFilter, error) {
	var f psFilter
	for _, text := range filters {
		key, value, ok := strings.Cut(text, "=")
		name, want, hasValue := strings.Cut(value, "=")
		switch {
		case ok && key == "until":
			limit, err := parseTime(value)
			if err != nil {
				return f, err
			}
			f.conditions = append(f.conditions, func(r *container.Record) bool { return r.Created.Before(limit) })
		case ok && (key == "label" || key == "label!"):
			f.conditions = append(f.conditions, func(r *container.Record) bool {
				have, found := r.Config.Labels[name]
				return (found && (!hasValue || have == want)) == (key == "label")
			})
		default:
			return f, kernel.Advise(fmt.Errorf("invalid filter: %q", text), "until=24h, until=2026-01-31, label=NAME[=VALUE] or label!=NAME")
		}
	}
	return f, nil
}
