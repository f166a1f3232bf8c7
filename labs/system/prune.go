package system

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/labs/chapter2"
	"sandbox/labs/chapter3"
	"sandbox/labs/command"
)

type pruneOptions struct {
	all, force, volumes bool
	filters             []string
}

func newPrune(env *command.Env) *cobra.Command {
	var opts pruneOptions
	cmd := &cobra.Command{
		Use:     "prune [flags]",
		Short:   "Remove what is not in use: containers, networks, images, what builds remember",
		Example: "  sandbox system prune\n  sandbox system prune -a --volumes -f\n  sandbox system prune --filter until=24h",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, args []string) error { return runPrune(env, opts) },
	}
	f := cmd.Flags()
	f.BoolVarP(&opts.all, "all", "a", false, "all images that no container is made of, not only those without a name")
	f.BoolVarP(&opts.force, "force", "f", false, "do not ask")
	f.BoolVar(&opts.volumes, "volumes", false, "anonymous volumes too")
	f.StringArrayVar(&opts.filters, "filter", nil, "until=24h or a date, label=NAME[=VALUE], label!=…")
	return cmd
}

// stage is one kind of things that are removed.
type stage struct {
	warning string // what is said of it before
	heading string // above what was removed
	prune   func() (lines []string, freed int64, err error)
}

func runPrune(env *command.Env, opts pruneOptions) error {
	for _, f := range opts.filters {
		switch key, _, ok := strings.Cut(f, "="); {
		case !ok || key != "until" && key != "label" && key != "label!":
			return kernel.Advise(fmt.Errorf("invalid filter: %q", f), "until=24h, until=2026-01-31, label=NAME[=VALUE] or label!=NAME")
		case key == "until" && opts.volumes:
			return kernel.Advise(errors.New(`the "until" filter is not supported with "--volumes"`), "leave one of them out: volumes have no such time")
		}
	}
	stages := opts.stages(env)
	if !opts.force && !env.Confirmed(opts.question(stages)) {
		return nil
	}
	var total int64
	for _, s := range stages {
		lines, freed, err := s.prune()
		command.PrintPruned(env.Out, s.heading, lines)
		if err != nil {
			return err
		}
		total += freed
	}
	fmt.Fprintf(env.Out, "Total reclaimed space: %s\n", command.Size(total))
	return nil
}

// stages in the order in which one sets the next ones free.
func (o pruneOptions) stages(env *command.Env) []stage {
	list := []stage{
		{"all stopped containers", "Containers", func() ([]string, int64, error) { return chapter3.PruneContainers(env, o.filters) }},
		{"all networks not used by at least one container", "Networks", func() ([]string, int64, error) {
			names, err := chapter3.PruneNetworks(env, o.filters)
			return names, 0, err
		}},
	}
	if o.volumes {
		list = append(list, stage{"all anonymous volumes not used by at least one container", "Volumes",
			func() ([]string, int64, error) { return chapter3.PruneVolumes(env, false, o.filters) }})
	}
	images := "all dangling images"
	if o.all {
		images = "all images without at least one container associated to them"
	}
	return append(list,
		stage{images, "Images", func() ([]string, int64, error) { return chapter2.PruneImages(env, o.all, o.filters) }},
		stage{"unused build cache", "", func() ([]string, int64, error) {
			freed, err := chapter2.PruneCache(env)
			return nil, freed, err
		}},
	)
}

func (o pruneOptions) question(stages []stage) string {
	var b strings.Builder
	b.WriteString("WARNING! This will remove:\n")
	for _, s := range stages {
		b.WriteString("  - " + s.warning + "\n")
	}
	if len(o.filters) > 0 {
		b.WriteString("\n  Items to be pruned will be filtered with:\n")
		for _, f := range o.filters {
			b.WriteString("  - " + f + "\n")
		}
	}
	return b.String()
}
