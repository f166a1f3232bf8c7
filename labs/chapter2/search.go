package chapter2

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/image"
	"sandbox/image/registry"
	"sandbox/kernel"
	"sandbox/labs/command"
)

type searchOptions struct {
	limit   int
	filters []string
	format  string
	noTrunc bool
}

// NewSearch makes `sandbox search`.
func NewSearch(env *command.Env) *cobra.Command {
	var opts searchOptions
	cmd := &cobra.Command{
		Use:   "search [flags] [REGISTRY/]TERM",
		Short: "Search Docker Hub, or a registry, for images",
		Long: `Search Docker Hub for images; or, if the term begins with a registry's name, that registry's list of
repositories. A registry and a slash alone lists all of them.`,
		Example: "  sandbox search httpd\n  sandbox search -f is-official=true --limit 5 httpd\n  sandbox search localhost:5000/",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, done := interruptible(cmd.Context())
			defer done()
			return ended(runSearch(ctx, env, opts, args[0]))
		},
	}
	f := cmd.Flags()
	f.IntVar(&opts.limit, "limit", 25, "at most so many (1 to 100)")
	f.StringArrayVarP(&opts.filters, "filter", "f", nil, "stars=N, is-official=true, is-automated=false")
	f.StringVar(&opts.format, "format", "", "a Go template, or json")
	f.BoolVar(&opts.noTrunc, "no-trunc", false, "whole descriptions")
	return cmd
}

// searchRow is what templates see, under Docker's names.
type searchRow struct{ Name, Description, StarCount, IsOfficial, IsAutomated string }

func runSearch(ctx context.Context, env *command.Env, opts searchOptions, arg string) error {
	if opts.limit < 1 || opts.limit > 100 {
		return kernel.Advise(fmt.Errorf("--limit %d is out of range", opts.limit), "1 to 100")
	}
	match, err := searchFilter(opts.filters)
	if err != nil {
		return err
	}
	host, term := searchTerm(arg)
	if host == registry.Hub && term == "" {
		return kernel.Advise(errors.New("search for what?"), "sandbox search httpd")
	}
	found, err := registryClient(env).Search(ctx, host, term, opts.limit)
	if err != nil {
		return err
	}
	var rows []searchRow
	for _, f := range found {
		if match(f) {
			rows = append(rows, rowOfFound(f, opts.noTrunc))
		}
	}
	return printFound(env, opts, rows)
}

// searchTerm splits a registry off, as names of images have it.
func searchTerm(arg string) (host, term string) {
	first, rest, found := strings.Cut(arg, "/")
	if name, err := image.ParseName(first + "/x"); found && err == nil && name.Registry == first {
		return first, rest
	}
	return registry.Hub, arg
}

func searchFilter(filters []string) (func(registry.Found) bool, error) {
	matches := []func(registry.Found) bool{}
	for _, filter := range filters {
		key, value, _ := strings.Cut(filter, "=")
		wanted, err := strconv.ParseBool(value)
		switch key {
		case "is-official":
			matches = append(matches, func(f registry.Found) bool { return f.Official == wanted })
		case "is-automated":
			matches = append(matches, func(f registry.Found) bool { return f.Automated == wanted })
		case "stars":
			var stars int
			stars, err = strconv.Atoi(value)
			matches = append(matches, func(f registry.Found) bool { return f.Stars >= stars })
		default:
			err = errors.New("there is no such filter")
		}
		if err != nil {
			return nil, kernel.Advise(fmt.Errorf("invalid filter %q: %w", filter, err), "stars=N, is-official=true, is-automated=false")
		}
	}
	return func(f registry.Found) bool {
		for _, match := range matches {
			if !match(f) {
				return false
			}
		}
		return true
	}, nil
}

func rowOfFound(f registry.Found, whole bool) searchRow {
	const room = 45 // as Docker cuts
	row := searchRow{Name: f.Name, Description: f.Description, StarCount: strconv.Itoa(f.Stars)}
	if runes := []rune(row.Description); !whole && len(runes) > room {
		row.Description = string(runes[:room-1]) + "…"
	}
	if f.Official {
		row.IsOfficial = "[OK]"
	}
	if f.Automated {
		row.IsAutomated = "[OK]"
	}
	return row
}

func printFound(env *command.Env, opts searchOptions, rows []searchRow) error {
	if opts.format == "json" {
		for _, row := range rows {
			line, err := json.Marshal(row)
			if err != nil {
				return err
			}
			fmt.Fprintf(env.Out, "%s\n", line)
		}
		return nil
	}
	format := opts.format
	if format == "" {
		format = `table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}`
	}
	return command.PrintRows(env.Out, format, rows, searchRow{"NAME", "DESCRIPTION", "STARS", "OFFICIAL", "AUTOMATED"})
}
