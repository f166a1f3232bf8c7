package chapter3

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

type psOptions struct {
	all, quiet, latest, noTrunc, size, tree bool
	last                                    int
	filters                                 []string
	format                                  string
}

// NewPs makes `sandbox ps`.
func NewPs(env *command.Env) *cobra.Command {
	var opts psOptions
	cmd := &cobra.Command{
		Use:     "ps [flags]",
		Aliases: []string{"list", "ls"},
		Short:   "List containers",
		Example: "  sandbox ps\n  sandbox ps -a\n  sandbox ps -aq -f status=exited\n  sandbox ps --format 'table {{.Names}}\\t{{.Status}}'\n  sandbox ps --tree",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, args []string) error { return runPs(env, opts) },
	}
	f := cmd.Flags()
	f.BoolVarP(&opts.all, "all", "a", false, "also those that do not run")
	f.BoolVarP(&opts.quiet, "quiet", "q", false, "only the ids")
	f.BoolVarP(&opts.latest, "latest", "l", false, "only the newest, whether it runs or not")
	f.IntVarP(&opts.last, "last", "n", -1, "only the newest N, whether they run or not")
	f.BoolVarP(&opts.size, "size", "s", false, "with the size on the disk")
	f.BoolVar(&opts.noTrunc, "no-trunc", false, "whole ids and commands")
	f.StringArrayVarP(&opts.filters, "filter", "f", nil, filterHelp)
	f.BoolVar(&opts.tree, "tree", false, "draw the processes of running containers: who has started whom")
	f.StringVar(&opts.format, "format", "", "table, a Go template (also after the word table), or json")
	for _, other := range []string{"quiet", "size", "format"} {
		cmd.MarkFlagsMutuallyExclusive("tree", other)
	}
	return cmd
}

func runPs(env *command.Env, opts psOptions) error {
	list, err := env.Engine().List()
	if err != nil {
		return err
	}
	filter, err := parseFilters(env, list, opts.filters)
	if err != nil {
		return err
	}
	if opts.latest {
		opts.last = 1
	}
	all := opts.all || opts.last > 0 || filter.all
	sizes := sizesOf(env, opts.size || strings.Contains(opts.format, ".Size"))
	var rows []*psRow
	var chosen []*container.Record
	for _, r := range list {
		if opts.last > 0 && len(chosen) == opts.last {
			break
		}
		if (all || r.State.Running) && filter.match(r) {
			chosen = append(chosen, r)
		}
	}
	if opts.tree {
		return printTree(env, opts, chosen)
	}
	names := command.ImageNames(env, opts.noTrunc)
	for _, r := range chosen {
		rows = append(rows, makePsRow(r, opts.noTrunc, names, sizes))
	}
	return printPs(env.Out, opts, rows)
}

func printPs(w io.Writer, opts psOptions, rows []*psRow) error {
	switch {
	case opts.quiet:
		for _, r := range rows {
			fmt.Fprintln(w, r.ID)
		}
		return nil
	case opts.format == "json":
		return command.PrintJSON(w, rows)
	}
	format := opts.format
	if format == "" || format == "table" {
		format = "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"
		if opts.size {
			format += "\t{{.Size}}"
		}
	}
	return command.PrintRows(w, format, rows, psHeading)
}

// sizesOf finds the sizes of containers, of which many may have one image; nil if nobody wants to know.
func sizesOf(env *command.Env, wanted bool) func(*container.Record) string {
	if !wanted {
		return nil
	}
	images := map[string]int64{}
	return func(r *container.Record) string {
		size, known := images[r.Image]
		if !known {
			if img, err := env.Engine().Images.Find(r.Image); err == nil {
				size = img.Size
			}
			images[r.Image] = size
		}
		written := env.Engine().SizeRw(r)
		return fmt.Sprintf("%s (virtual %s)", command.Size(written), command.Size(written+size))
	}
}

// errNoContainer is for filters that name one.
func errNoContainer(filter string) error {
	return kernel.Advise(fmt.Errorf("invalid filter: %q: no such container", filter), "sandbox ps -a   lists the containers")
}
