package chapter3

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sandbox/kernel"
	"sandbox/kernel/container"
	"sandbox/labs/command"
)

type psOptions struct {
	all, quiet, latest, noTrunc bool
	last                        int
	filters                     []string
	format                      string
}

// NewPs makes `sandbox ps`.
func NewPs(env *command.Env) *cobra.Command {
	var opts psOptions
	cmd := &cobra.Command{
		Use:     "ps [flags]",
		Aliases: []string{"list", "ls"},
		Short:   "List containers",
		Example: "  sandbox ps\n  sandbox ps -a\n  sandbox ps -aq -f status=exited",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, args []string) error { return runPs(env, opts) },
	}
	f := cmd.Flags()
	f.BoolVarP(&opts.all, "all", "a", false, "also those that do not run")
	f.BoolVarP(&opts.quiet, "quiet", "q", false, "only the ids")
	f.BoolVarP(&opts.latest, "latest", "l", false, "only the newest")
	f.IntVarP(&opts.last, "last", "n", -1, "only the newest N")
	f.BoolVar(&opts.noTrunc, "no-trunc", false, "whole ids and commands")
	f.StringArrayVarP(&opts.filters, "filter", "f", nil, "status=, name=, id=, label=, ancestor=, exited=")
	f.StringVar(&opts.format, "format", "", "a Go template, or json")
	return cmd
}

// psRow is what templates see, under Docker's names.
type psRow struct {
	ID, Image, Command, CreatedAt, RunningFor, Status, State, Ports, Names, Labels, Mounts, Networks string

	labels map[string]string
}

// Label is one label's value, for templates: {{.Label "tier"}}.
func (r psRow) Label(name string) string { return r.labels[name] }

func runPs(env *command.Env, opts psOptions) error {
	match, err := parseFilters(opts.filters)
	if err != nil {
		return err
	}
	list, err := env.Engine().List()
	if err != nil {
		return err
	}
	if opts.latest {
		opts.last = 1
	}
	all := opts.all || opts.last > 0 || strings.Contains(strings.Join(opts.filters, " "), "status=") || strings.Contains(strings.Join(opts.filters, " "), "exited=")
	var rows []psRow
	for _, r := range list {
		if (!all && !r.State.Running) || !match(r) || opts.last > 0 && len(rows) == opts.last {
			continue
		}
		rows = append(rows, makePsRow(r, opts.noTrunc))
	}
	return printPs(env.Out, opts, rows)
}

func makePsRow(r *container.Record, whole bool) psRow {
	row := psRow{
		ID: r.Short(), Image: r.Config.Image, Command: strings.Join(append([]string{r.Path}, r.Args...), " "),
		CreatedAt: r.Created.Local().Format("2006-01-02 15:04:05 -0700 MST"), RunningFor: command.Since(r.Created.Time) + " ago",
		Status: status(r), State: r.State.Status, Names: r.PlainName(), Networks: r.HostConfig.NetworkMode, labels: r.Config.Labels,
	}
	if whole {
		row.ID = r.ID
	} else if command := []rune(row.Command); len(command) > 20 {
		row.Command = string(command[:19]) + "…"
	}
	row.Command = strconv.Quote(row.Command)
	var labels, mounts []string
	for _, name := range slices.Sorted(maps.Keys(r.Config.Labels)) {
		labels = append(labels, name+"="+r.Config.Labels[name])
	}
	for _, m := range r.Mounts {
		mounts = append(mounts, m.Source)
	}
	row.Labels, row.Mounts = strings.Join(labels, ","), strings.Join(mounts, ",")
	return row
}

// status in Docker's words: Up 5 seconds, Exited (0) 2 minutes ago, Created.
func status(r *container.Record) string {
	switch {
	case r.State.Restarting:
		return fmt.Sprintf("Restarting (%d) %s ago", r.State.ExitCode, command.Since(r.State.FinishedAt.Time))
	case r.State.Running:
		text := "Up " + command.Since(r.State.StartedAt.Time)
		if health := r.State.Health.Brief(); health != "" {
			text += " (" + health + ")"
		}
		return text
	case r.State.Status == "exited":
		text := fmt.Sprintf("Exited (%d) %s ago", r.State.ExitCode, command.Since(r.State.FinishedAt.Time))
		if why := r.State.End.Brief(); why != "" { // what the code does not tell
			text += " (" + why + ")"
		}
		return text
	}
	return strings.ToUpper(r.State.Status[:1]) + r.State.Status[1:]
}

func printPs(w io.Writer, opts psOptions, rows []psRow) error {
	switch {
	case opts.quiet:
		for _, r := range rows {
			fmt.Fprintln(w, r.ID)
		}
		return nil
	case opts.format == "json":
		for _, r := range rows {
			line, _ := json.Marshal(r)
			fmt.Fprintf(w, "%s\n", line)
		}
		return nil
	}
	format := "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"
	if opts.format != "" && opts.format != "table" {
		format = opts.format
	}
	return command.PrintRows(w, format, rows, psRow{
		ID: "CONTAINER ID", Image: "IMAGE", Command: "COMMAND", CreatedAt: "CREATED AT", RunningFor: "CREATED", Status: "STATUS",
		State: "STATE", Ports: "PORTS", Names: "NAMES", Labels: "LABELS", Mounts: "MOUNTS", Networks: "NETWORKS",
	})
}

// parseFilters turns --filter flags into a condition: the same key twice means either, different keys mean both.
func parseFilters(filters []string) (func(*container.Record) bool, error) {
	groups := map[string][]string{}
	for _, f := range filters {
		key, value, ok := strings.Cut(f, "=")
		switch key {
		case "status", "name", "id", "label", "ancestor", "exited":
		default:
			ok = false
		}
		if !ok {
			return nil, kernel.Advise(fmt.Errorf("invalid filter: %q", f), "status= name= id= label= ancestor= exited=")
		}
		if _, err := regexp.Compile(value); key == "name" && err != nil {
			return nil, kernel.Advise(fmt.Errorf("invalid filter: %q: %w", f, err), "a part of the name, or a regular expression: name='^web'")
		}
		groups[key] = append(groups[key], value)
	}
	return func(r *container.Record) bool {
		for key, values := range groups {
			found := false
			for _, v := range values {
				found = found || matches(r, key, v)
			}
			if !found {
				return false
			}
		}
		return true
	}, nil
}

func matches(r *container.Record, key, value string) bool {
	switch key {
	case "status":
		return r.State.Status == value
	case "name":
		found, err := regexp.MatchString(value, r.PlainName())
		return err == nil && found
	case "id":
		return strings.HasPrefix(r.ID, value)
	case "ancestor":
		return r.Config.Image == value || strings.HasPrefix(strings.TrimPrefix(r.Image, "sha256:"), value)
	case "exited":
		return r.State.Status == "exited" && fmt.Sprint(r.State.ExitCode) == value
	case "label":
		name, want, hasValue := strings.Cut(value, "=")
		have, ok := r.Config.Labels[name]
		return ok && (!hasValue || have == want)
	}
	return false
}
