package chapter3

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

type volumePruneOptions struct {
	all, force bool
	filters    []string
}

func newVolumePrune(env *command.Env) *cobra.Command {
	var opts volumePruneOptions
	cmd := &cobra.Command{
		Use:     "prune [flags]",
		Short:   "Remove volumes that no container has",
		Example: "  sandbox volume prune\n  sandbox volume prune -a -f --filter label!=keep",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, args []string) error { return runVolumePrune(env, opts) },
	}
	f := cmd.Flags()
	f.BoolVarP(&opts.all, "all", "a", false, "those with a name too, not only anonymous ones")
	f.BoolVarP(&opts.force, "force", "f", false, "do not ask")
	f.StringArrayVar(&opts.filters, "filter", nil, "label=NAME[=VALUE], label!=…, all=true")
	return cmd
}

func runVolumePrune(env *command.Env, opts volumePruneOptions) error {
	var labels []string
	for _, f := range opts.filters {
		key, value, ok := strings.Cut(f, "=")
		switch {
		case ok && (key == "label" || key == "label!"):
			labels = append(labels, f)
		case ok && key == "all":
			opts.all = opts.all || value == "true" || value == "1"
		default:
			return kernel.Advise(fmt.Errorf("invalid filter: %q", f), "label=NAME[=VALUE], label!=NAME or all=true")
		}
	}
	if _, err := volumeFilter(env, labels); err != nil {
		return err
	}
	question := "WARNING! This will remove anonymous local volumes not used by at least one container."
	if opts.all {
		question = "WARNING! This will remove all local volumes not used by at least one container."
	}
	if !opts.force && !env.Confirmed(question) {
		return nil
	}
	names, freed, err := PruneVolumes(env, opts.all, labels)
	command.PrintPruned(env.Out, "Volumes", names)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "Total reclaimed space: %s\n", command.Size(freed))
	return nil
}

// PruneVolumes removes volumes that no container has, the anonymous ones or all. It returns their names, and how many bytes
// that gives back.
func PruneVolumes(env *command.Env, all bool, labels []string) (names []string, freed int64, err error) {
	match, err := volumeFilter(env, labels)
	if err != nil {
		return nil, 0, err
	}
	return env.Engine().PruneVolumes(func(v *container.Volume) bool { return (all || v.Anonymous()) && match(v) })
}
